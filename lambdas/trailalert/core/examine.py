"""Examining a log file: records → facts → matches → hits. The heart of the product, and pure.

The detector (in Lambda) and `trailalert scan` (on a laptop) both run exactly this.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trailalert.core.facts import facts_of
from trailalert.core.hit import Hit, Place, make_hit, speaking
from trailalert.core.level import level_of
from trailalert.core.logfile import MAX_INFLATED_BYTES, BadRecord, read_log_file
from trailalert.core.matcher import CompiledRule, Matcher, matching
from trailalert.core.object_key import classify_key
from trailalert.core.record import Record, make_record
from trailalert.core.rulebook import Rulebook


_MAX_BAD_KEPT = 100


@dataclass(slots=True)
class Examination:
    """What became of a log file's records: read = matched against rules + not watched + bad.

    bad: the first bad records, at most 100; records_bad counts all.
    """

    bytes_inflated: int = 0
    records_read: int = 0
    records_matched: int = 0
    records_not_watched: int = 0
    records_bad: int = 0
    bad: list[BadRecord] = field(default_factory=list)
    hits: int = 0
    hits_muted: int = 0

    @property
    def balanced(self) -> bool:
        """The identity of promise 1 (DESIGN.md, section 2): no record is lost silently."""
        return self.records_read == self.records_matched + self.records_not_watched + self.records_bad

    def add_bad(self, record: BadRecord) -> None:
        """Count a bad record, and keep it if there are not too many already."""
        self.records_bad += 1
        if len(self.bad) < _MAX_BAD_KEPT:
            self.bad.append(record)


class Examiner:
    """A rulebook, ready to examine log files with."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._matcher = Matcher(rulebook.rules)
        self._rulebook = rulebook

    def examine(
        self,
        body: Iterable[bytes],
        bucket: str,
        key: str,
        seen_at: str,
        result: Examination,
        max_bytes: int = MAX_INFLATED_BYTES,
    ) -> Iterator[Hit]:
        """Match every record of a log file, as it is read; hits come in file order.

        body: the object's content in pieces, gzipped or not; bucket, key: where it is ("" and a path for a
        local one); seen_at: now, UTC, ISO 8601 with Z; result: counts, complete when the last hit was taken.
        Raises LogFileError where the content stops being a log file: hits before that place were right.
        """
        log_file = read_log_file(body, max_bytes)
        result.bytes_inflated = log_file.inflated_bytes
        for bad in log_file.bad:
            result.add_bad(bad)
        result.records_read = len(log_file.records) + len(log_file.bad)
        file_account = classify_key(key).account
        for index, fields in log_file.records:
            hit = self._examine_record(fields, Place(bucket, key, index), file_account, seen_at, result)
            if hit:
                yield hit

    def examine_record(self, fields: Mapping[str, Any], seen_at: str) -> Hit | None:
        """The hit of one record that was parsed elsewhere, None if no rule matches it."""
        return self._examine_record(fields, Place("", "", 0), "", seen_at, Examination())

    def _examine_record(
        self, fields: Mapping[str, Any], place: Place, file_account: str, seen_at: str, result: Examination
    ) -> Hit | None:
        candidates = self._matcher.candidates(fields)
        if not candidates:
            result.records_not_watched += 1
            return None
        try:
            record = make_record(fields, place.index, file_account)
            hit = self._hit(candidates, record, place, seen_at)
        except RecursionError:  # deeper than any request of AWS; it must not cost its neighbours
            result.add_bad(BadRecord(place.index, "record is nested too deeply to be matched"))
            return None
        result.records_matched += 1
        if hit:
            result.hits += 1
            result.hits_muted += bool(hit.muted_by)
        return hit

    def _hit(self, candidates: Sequence[CompiledRule], record: Record, place: Place, seen_at: str) -> Hit | None:
        facts = facts_of(record, self._rulebook.trusted_accounts)
        matches = matching(candidates, record.fields, facts.as_fields(), seen_at[:10])
        if not matches:
            return None
        level = level_of(speaking(matches).rule, facts, self._rulebook.automation_roles)
        return make_hit(record, facts, matches, level, place, seen_at)
