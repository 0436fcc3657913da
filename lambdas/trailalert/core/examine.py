"""Examining a log file: records → facts → matches → hits. The heart of the product, and pure.

The detector (in Lambda) and `trailalert scan` (on a laptop) both run exactly this.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from trailalert.core.facts import facts_of
from trailalert.core.hit import Hit, Place, make_hit, speaking
from trailalert.core.level import level_of
from trailalert.core.logfile import BadRecord, LogFile
from trailalert.core.matcher import CompiledRule, Matcher, matching
from trailalert.core.object_key import classify_key
from trailalert.core.record import Record, make_record
from trailalert.core.rulebook import Rulebook


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


class Examiner:
    """A rulebook, ready to examine log files with."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._matcher = Matcher(rulebook.rules)
        self._rulebook = rulebook

    def examine(self, log_file: LogFile, bucket: str, key: str, seen_at: str) -> Examination:
        """Match every record of a log file; hits come in file order.

        bucket, key: where the log file is ("" and a path for a local one); seen_at: now, UTC, ISO 8601 with Z.
        """
        result = Examination(records_read=len(log_file.records) + len(log_file.bad), bad=log_file.bad)
        file_account = classify_key(key).account
        for index, fields in log_file.records:
            candidates = self._matcher.candidates(fields)
            if not candidates:
                result.records_not_watched += 1
                continue
            try:
                record = make_record(fields, index, file_account)
                hit = self._hit(candidates, record, Place(bucket, key, index), seen_at)
            except RecursionError:  # deeper than any request of AWS; it must not cost its neighbours
                result.bad += (BadRecord(index, "record is nested too deeply to be matched"),)
                continue
            result.records_matched += 1
            if hit:
                result.hits.append(hit)
        return result

    def _hit(self, candidates: Sequence[CompiledRule], record: Record, place: Place, seen_at: str) -> Hit | None:
        facts = facts_of(record, self._rulebook.trusted_accounts)
        matches = matching(candidates, record.fields, facts.as_fields(), seen_at[:10])
        if not matches:
            return None
        level = level_of(speaking(matches).rule, facts, self._rulebook.automation_roles)
        return make_hit(record, facts, matches, level, place, seen_at)
