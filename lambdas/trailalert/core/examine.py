"""Examining a log file: records → facts → matches → hits. The heart of the product, and pure.

The detector (in Lambda) and `trailalert scan` (on a laptop) both run exactly this.
"""

from dataclasses import dataclass, field

from trailalert.core.facts import facts_of
from trailalert.core.hit import Hit, Place, make_hit
from trailalert.core.logfile import BadRecord, LogFile
from trailalert.core.matcher import Matcher, matching
from trailalert.core.object_key import classify_key
from trailalert.core.record import make_record


@dataclass(slots=True)
class Examination:
    """What became of a log file's records: read = matched against rules + not watched + bad."""

    records_read: int = 0
    records_matched: int = 0
    records_not_watched: int = 0
    bad: tuple[BadRecord, ...] = ()
    hits: list[Hit] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """The identity of promise 1 (DESIGN.md, section 2): no record is lost silently."""
        return self.records_read == self.records_matched + self.records_not_watched + len(self.bad)


def examine(log_file: LogFile, matcher: Matcher, bucket: str, key: str, seen_at: str) -> Examination:
    """Match every record of a log file; hits come in file order.

    bucket, key: where the log file is ("" and a path for a local one); seen_at: now, UTC, ISO 8601 with Z.
    """
    result = Examination(records_read=len(log_file.records) + len(log_file.bad), bad=log_file.bad)
    file_account = classify_key(key).account
    for index, fields in log_file.records:
        candidates = matcher.candidates(fields)
        if not candidates:
            result.records_not_watched += 1
            continue
        result.records_matched += 1
        record = make_record(fields, index, file_account)
        facts = facts_of(record)
        rules = matching(candidates, fields, facts.as_fields())
        if rules:
            result.hits.append(make_hit(record, facts, rules, Place(bucket, key, index), seen_at))
    return result
