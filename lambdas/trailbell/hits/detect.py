"""Examining a log file: records → facts → matches → hits. The heart of the product, and pure.

The detector (in Lambda) and `trailbell scan` (on a laptop) both run exactly this. Records are read in one
of two ways with the same result: plainly, one by one, or in blocks by their headers (engine/prefilter), which
costs the import of msgspec and pays for it after a few hundred records.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES, MAX_SHOWN_BYTES, MalformedRecord, parse_entry
from trailbell.cloudtrail.object_key import classify_key
from trailbell.cloudtrail.record import Record, make_record
from trailbell.cloudtrail.splitter import MAX_ENTRY_BYTES, Entry, Splitter
from trailbell.engine.matcher import CompiledRule, Matcher, matching
from trailbell.engine.prefilter.partial_eval import PartialEvaluation
from trailbell.engine.rulebook import Rulebook
from trailbell.facts.facts import derived_fields, facts_of
from trailbell.hits.hit import Hit, Place, make_hit, primary
from trailbell.hits.level import level_of


if TYPE_CHECKING:
    from trailbell.engine.prefilter.prefilter import Block, Prefilter


_MAX_MALFORMED_KEPT = 100
_FULL_PARSE_BYTES = 512 * 1024  # read plainly in all, before the quick way is worth its import

# How one record ends and the next begins in what CloudTrail writes. It cannot stand inside a string, where
# quotes are escaped; should it stand deeper than between two records, the block does not parse.
_BOUNDARY = b'},{"eventVersion":'


@dataclass(slots=True)
class DetectionCounts:
    """What became of a log file's records: read = matched against rules + not watched + bad.

    records_fully_parsed: those of records_read that were read one by one; bad: the first bad records, at most 100.
    """

    bytes_inflated: int = 0
    records_read: int = 0
    records_fully_parsed: int = 0
    records_matched: int = 0
    records_not_watched: int = 0
    records_malformed: int = 0
    malformed: list[MalformedRecord] = field(default_factory=list)
    hits: int = 0
    hits_muted: int = 0

    @property
    def balanced(self) -> bool:
        """No record is lost silently: each one that was read is in one of the other counts."""
        return self.records_read == self.records_matched + self.records_not_watched + self.records_malformed

    def add_malformed(self, record: MalformedRecord) -> None:
        """Count a bad record, and keep it if there are not too many already."""
        self.records_malformed += 1
        if len(self.malformed) < _MAX_MALFORMED_KEPT:
            self.malformed.append(record)


@dataclass(slots=True)
class _File:
    """The log file that is being examined, and the position of the next record in it."""

    bucket: str
    key: str
    account: str
    seen_at: str
    result: DetectionCounts
    index: int = 0


class HitDetector:
    """A rulebook, ready to examine log files with.

    full_parse_bytes: how much is read plainly, over all log files, before the quick way is taken.
    """

    def __init__(self, rulebook: Rulebook, full_parse_bytes: int = _FULL_PARSE_BYTES) -> None:
        self._matcher = Matcher(rulebook.rules, dotted_root=False)
        self._rulebook = rulebook
        self._full_parse_bytes_left = full_parse_bytes
        self._derived = derived_fields(rulebook.trusted_accounts)
        self._key = PartialEvaluation(self._derived)
        self._prefilter: Prefilter | None = None

    def detect(
        self,
        body: Iterable[bytes],
        bucket: str,
        key: str,
        seen_at: str,
        result: DetectionCounts,
        max_bytes: int = MAX_INFLATED_BYTES,
    ) -> Iterator[Hit]:
        """Match every record of a log file, as it is read; hits come in file order.

        body: the object's content in pieces, gzipped or not; bucket, key: where it is ("" and a path for a
        local one); seen_at: now, UTC, ISO 8601 with Z; result: counts, complete when the last hit was taken.
        Raises LogFileError where the content stops being a log file: hits before that place were right.
        """
        text = Splitter(inflate(body, max_bytes))
        file = _File(bucket, key, classify_key(key).account, seen_at, result)
        going, understood = text.open(), True
        while going:
            quick = self._prefilter_when_due() if understood else None
            end = _end_of_block(text) if quick else -1
            block = (
                quick.read(b"".join((b"[", memoryview(text.text)[text.at : end], b"]"))) if quick and end > 0 else None
            )
            if block:
                yield from self._detect_in_block(block, file)
                text.at = end
            else:
                understood = quick is None and understood
                yield from self._detect_in_entry(text.take(), file)
            going = text.go_on()
        result.bytes_inflated = text.size

    def detect_record(self, fields: Mapping[str, Any], seen_at: str) -> Hit | None:
        """The hit of one record that was parsed elsewhere, None if no rule matches it."""
        hits = self._detect_in_fields(fields, _File("", "", "", seen_at, DetectionCounts()), 0, None)
        return next(hits, None)

    def _prefilter_when_due(self) -> "Prefilter | None":
        """The quick way, once enough was read plainly."""
        if self._prefilter is None and self._full_parse_bytes_left <= 0:
            from trailbell.engine.prefilter.prefilter import Prefilter

            self._prefilter = Prefilter(self._matcher, self._derived, self._key)
        return self._prefilter

    def _detect_in_block(self, block: "Block", file: _File) -> Iterator[Hit]:
        """Count the records of a block, and decide those that rules may match."""
        result = file.result
        result.records_read += block.records
        result.records_not_watched += block.not_watched
        result.records_matched += block.records - block.not_watched - len(block.found)
        for position, text, rules in block.found:
            yield from self._detect_in_text(Entry(text), file, file.index + position, rules)
        file.index += block.records

    def _detect_in_entry(self, entry: Entry, file: _File) -> Iterator[Hit]:
        """Decide one record that was read plainly."""
        self._full_parse_bytes_left -= len(entry.text)
        file.result.records_read += 1
        file.result.records_fully_parsed += 1
        yield from self._detect_in_text(entry, file, file.index, None)
        file.index += 1

    def _detect_in_text(
        self, entry: Entry, file: _File, index: int, rules: Sequence[CompiledRule] | None
    ) -> Iterator[Hit]:
        fields = parse_entry(entry, index)
        if isinstance(fields, MalformedRecord):
            file.result.add_malformed(fields)
        else:
            yield from self._detect_in_fields(fields, file, index, rules, entry.text)

    def _detect_in_fields(
        self,
        fields: Mapping[str, Any],
        file: _File,
        index: int,
        rules: Sequence[CompiledRule] | None,
        text: bytes = b"",
    ) -> Iterator[Hit]:
        """Decide one record; rules: those left to decide, None for all whose gate it passes."""
        if rules is None:
            candidates = self._matcher.candidates(fields)
            if not candidates:
                file.result.records_not_watched += 1
                return
            rules = self._key.left(fields, candidates)
        if not rules:
            file.result.records_matched += 1
            return
        try:
            record = make_record(fields, index, file.account)
            hit = self._hit(rules, record, Place(file.bucket, file.key, index), file.seen_at)
        except RecursionError:  # deeper than any request of AWS; it must not cost its neighbours
            file.result.add_malformed(
                MalformedRecord(index, "record is nested too deeply to be matched", text[:MAX_SHOWN_BYTES])
            )
            return
        file.result.records_matched += 1
        if hit:
            file.result.hits += 1
            file.result.hits_muted += bool(hit.muted_by)
            yield hit

    def _hit(self, candidates: Sequence[CompiledRule], record: Record, place: Place, seen_at: str) -> Hit | None:
        facts = facts_of(record, self._rulebook.trusted_accounts)
        matches = matching(candidates, record.fields, facts.as_fields(), seen_at[:10])
        if not matches:
            return None
        level = level_of(primary(matches).rule, facts, self._rulebook.automation_roles)
        return make_hit(record, facts, matches, level, place, seen_at)


def _end_of_block(text: Splitter) -> int:
    """Where the last record ends that the text at hand holds whole; -1 if that cannot be told."""
    while True:
        boundary = text.text.rfind(_BOUNDARY, text.at)
        if boundary >= 0:
            return boundary + 1
        if len(text.text) - text.at > MAX_ENTRY_BYTES or not text.more():
            break
    rest = text.text.rstrip(b" \t\r\n")
    return len(rest) - 2 if rest.endswith(b"]}") and len(rest) - 2 > text.at else -1
