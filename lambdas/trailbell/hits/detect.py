"""Detection: the records of a log file, or of live events → facts → matches → hits. The heart of the product, and pure.

The detector (in Lambda) and `trailbell scan` (on a laptop) both run exactly this. Records are read in one of two
ways with the same result: each parsed in full, or in blocks through the prefilter (engine/prefilter), which costs
the import of msgspec and pays for it after a few hundred records.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, fields
from typing import TYPE_CHECKING, Any, Protocol

from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.json_text import Entry
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES, MAX_SHOWN_BYTES, MalformedRecord, parse_entry
from trailbell.cloudtrail.object_key import ObjectKey, ObjectKind, classify_key
from trailbell.cloudtrail.origin import LiveEvent, Origin, Place
from trailbell.cloudtrail.record import (
    GATE_FIELDS,
    LOG_FILE_MEMBERS,
    MEMBERS,
    NO_TIME,
    Record,
    is_record,
    make_record,
)
from trailbell.cloudtrail.splitter import Splitter
from trailbell.engine.condition import asks_for
from trailbell.engine.contributing import Contributing
from trailbell.engine.correlation import silenced
from trailbell.engine.matcher import CompiledRule, Match, Matcher
from trailbell.engine.prefilter.decision import Decision
from trailbell.engine.prefilter.partial_eval import PartialEvaluation
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.facts.fact_fields import FactFields
from trailbell.facts.facts import TELLING, WRITTEN, Facts, derived_fields, facts_of
from trailbell.hits.base_match import BaseMatch, base_match
from trailbell.hits.first_seen import NOT_SEEN, seen_in
from trailbell.hits.hit import Hit, counted, make_hit
from trailbell.hits.level import highest
from trailbell.hits.undoing import Undoing, act_links, silent, undoing_of
from trailbell.lazy_dataclass import dataclass


if TYPE_CHECKING:
    from trailbell.engine.prefilter.prefilter import Block, Prefilter


SHARES_MAX = 200
"""What one record adds to one correlation at most: names in requests are the caller's choice."""

REPEATS = {"eventCategory": ("NetworkActivity", "Aggregated"), "eventType": ("AwsVpceEvent", "AwsAggregatedEvent")}
"""By these a rule asks for records that repeat others (Record.repeats)."""

Detected = Hit | Undoing | BaseMatch
"""What a record gives: a hit, what it undoes, and what correlations count of it."""

_MAX_MALFORMED_KEPT = 100
FULL_PARSE_BYTES = 512 * 1024  # parsed in full, over all log files, before the prefilter is worth its import
_KNOWN_FIELDS = (*GATE_FIELDS, "readOnly", "errorCode")  # have few values each, and decide most rules

_TIME_NAME = b'"eventTime":"'
_TIME = re.compile(_TIME_NAME + rb"([0-9T:-]{19}Z)\"")
_TIME_LENGTH = 20
_NO_RECORD = "record has no eventVersion, eventSource or eventName, so it is none of CloudTrail's"
_NO_OBJECT = ObjectKey("", ObjectKind.OTHER)


@dataclass(slots=True)
class DetectionCounts:
    """What became of a log file's records: read = matched against rules + not watched + malformed.

    A record counts as read when it is decided on, so that this holds wherever reading ends.

    records_fully_parsed: those of records_read that the prefilter has not seen.
    malformed:            the first malformed records, at most 100.
    without_time:         records that correlations count and that join none, having no valid time.
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
    without_time: int = 0

    @property
    def balanced(self) -> bool:
        """No record is lost silently: each one that was read is in one of the other counts."""
        return self.records_read == self.records_matched + self.records_not_watched + self.records_malformed

    def add(self, more: "DetectionCounts") -> None:
        """Add the counts of another part of the same log file, or of another one; not its malformed records."""
        self.bytes_inflated += more.bytes_inflated  # written out: this is done three times for each log file
        self.records_read += more.records_read
        self.records_fully_parsed += more.records_fully_parsed
        self.records_matched += more.records_matched
        self.records_not_watched += more.records_not_watched
        self.records_malformed += more.records_malformed
        self.hits += more.hits
        self.hits_muted += more.hits_muted
        self.without_time += more.without_time

    def take(self) -> "DetectionCounts":
        """What was counted since the last time, which is counted from nothing then; malformed records stay."""
        taken = DetectionCounts()
        taken.add(self)
        for name in NUMBERS:
            setattr(self, name, 0)
        return taken

    def add_malformed(self, record: MalformedRecord) -> None:
        """Count a malformed record, and keep it if there are not too many already."""
        self.records_malformed += 1
        if len(self.malformed) < _MAX_MALFORMED_KEPT:
            self.malformed.append(record)


NUMBERS = tuple(part.name for part in fields(DetectionCounts) if part.name != "malformed")
"""The members of DetectionCounts that are numbers."""


@dataclass(slots=True)
class _Reading:
    """The log file that is being read, or the live events.

    prefiltered: whether to try the prefilter, once it is due. index: position of the next record.
    bytes_read:  those that are counted.
    live:        the event that has brought the record in hand, if one has.
    """

    bucket: str
    key: ObjectKey
    seen_at: str
    counts: DetectionCounts
    live: LiveEvent | None = None
    prefiltered: bool = True
    index: int = 0
    bytes_read: int = 0

    def count_bytes(self, read: int) -> None:
        """Count what was read since the last time, of so many bytes in all."""
        self.counts.bytes_inflated += read - self.bytes_read
        self.bytes_read = read

    @property
    def account(self) -> str:
        """Whose the record is where it does not say so itself."""
        return self.live.account if self.live else self.key.account

    def origin(self, index: int) -> Origin:
        """Where the record at a position comes from."""
        return self.live or Place(self.bucket, self.key.text, index)


class Sha256(Protocol):
    """What hashlib.sha256() gives."""

    def update(self, block: bytes, /) -> object:
        """Take more of what is hashed."""

    def hexdigest(self) -> str:
        """The hash of all that was taken."""


def _hashed(blocks: Iterable[bytes], sha256: Sha256) -> Iterator[bytes]:
    for block in blocks:
        sha256.update(block)
        yield block


def _time_of(fields: Mapping[str, Any]) -> str:
    """A record's time as it says it, if it looks like CloudTrail's; else ""."""
    time = fields.get("eventTime")
    return time if isinstance(time, str) and len(time) == _TIME_LENGTH and time.endswith("Z") and time.isascii() else ""


class Span:
    """About when the records are from that a detector has read: of a block the first and last are looked at."""

    def __init__(self) -> None:
        self.first = self.last = ""

    def add(self, time: str) -> None:
        """A record is from then; "" if that is not known."""
        if time:
            self.first = min(self.first or time, time)
            self.last = max(self.last, time)

    def add_block(self, records: bytes) -> None:
        """Records are from about then: the first and the last of the text are looked at."""
        for time in (_TIME.search(records), _TIME.search(records, records.rfind(_TIME_NAME))):
            self.add(time[1].decode() if time else "")


class HitDetector:
    """A rulebook, ready to detect hits in log files.

    full_parse_bytes: how much is parsed in full, over all log files, before the prefilter is used.
    undoings: whether calls that undo acts are looked for, too; correlating: whether what correlations count is.
    shares_max: what one record adds to one correlation at most; None for no limit.
    span: where it is noted when the records are from; None where nobody asks.
    acts: whether what correlations count comes with its act made, so that a record too deep for that is malformed here;
    a scan shows few of them, and reads those again.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        full_parse_bytes: int = FULL_PARSE_BYTES,
        *,
        undoings: bool = False,
        correlating: bool = False,
        shares_max: int | None = SHARES_MAX,
        span: Span | None = None,
        acts: bool = True,
    ) -> None:
        counted = Contributing(rulebook.correlations if correlating else (), shares_max, dotted_root=False)
        self._contributing = counted if counted.rule_ids else None
        self._silenced = silenced(rulebook.rules, rulebook.correlations)
        rules = [rule for rule in rulebook.rules if self._is_wanted(rule, undoings=undoings)]
        self._matcher = Matcher(rules, GATE_FIELDS, dotted_root=False)
        self._rulebook = rulebook
        self._full_parse_bytes_left = full_parse_bytes
        self._derived = derived_fields(rulebook.trusted_accounts)
        self._partial_evaluation = PartialEvaluation(_KNOWN_FIELDS, self._derived)
        self._decision = Decision(self._partial_evaluation, TELLING)
        self._prefilter: Prefilter | None = None
        self.span, self._acts = span, acts

    def _is_wanted(self, rule: Rule, *, undoings: bool) -> bool:
        """Whether a rule makes hits, or is looked for in spite of making none."""
        if rule.undoes:
            return undoings
        is_counted = self._contributing is not None and rule.rule_id in self._contributing.rule_ids
        return is_counted or rule.rule_id not in self._silenced

    def detect(
        self,
        body: Iterable[bytes],
        bucket: str,
        key: ObjectKey,
        seen_at: str,
        counts: DetectionCounts,
        max_bytes: int = MAX_INFLATED_BYTES,
    ) -> Iterator[Hit]:
        """Match every record of a log file, as it is read; hits come in file order, as in `detect_all`."""
        found = self.detect_all(body, bucket, key, seen_at, counts, max_bytes)
        return (one for one in found if isinstance(one, Hit))

    def detect_all(
        self,
        body: Iterable[bytes],
        bucket: str,
        key: ObjectKey,
        seen_at: str,
        counts: DetectionCounts,
        max_bytes: int = MAX_INFLATED_BYTES,
        sha256: "Sha256 | None" = None,
    ) -> Iterator[Detected]:
        """Match every record of a log file, as it is read; hits, what undoes some, and what correlations count come in
        file order.

        body: the object's content in pieces, gzipped or not; bucket, key: where it is ("" and a path for a local
        one); seen_at: now, UTC, ISO 8601 with Z; counts: complete once the last hit was taken, and of what was read
        until then wherever reading ends; sha256: updated with the content, inflated, as it is read.
        Raises LogFileError where the content stops being a log file: hits before that place were right.
        """
        blocks = inflate(body, max_bytes)
        splitter = Splitter(_hashed(blocks, sha256) if sha256 else blocks)
        reading = _Reading(bucket, key, seen_at, counts)
        try:
            while splitter.advance():
                reading.count_bytes(splitter.bytes_read)
                records = self._block_when_due(splitter, reading)
                block = self._prefiltered(records, splitter, reading) if records else None
                if records and block:
                    yield from self._detect_in_block(block, records, reading)
                else:
                    yield from self._detect_in_entry(splitter.take(), reading)
        finally:
            reading.count_bytes(splitter.bytes_read)

    def detect_records(
        self, records: Iterable[tuple[LiveEvent, Mapping[str, Any]]], seen_at: str, counts: DetectionCounts
    ) -> Iterator[Detected]:
        """Match records that come one by one, each with the event that brings it; what is found comes in their order.

        Rules that look at what a record has in its log file alone (LOG_FILE_MEMBERS) match none of them: they decide
        when the log file is read.
        seen_at, counts: as in `detect_all`.
        """
        reading = _Reading("", _NO_OBJECT, seen_at, counts)
        for live, record in records:
            reading.live = live
            counts.records_read += 1
            counts.records_fully_parsed += 1
            yield from self._detect_in_fields(record, reading, 0, None)

    def detect_record(self, fields: Mapping[str, Any], seen_at: str, place: Place | None = None) -> Hit | None:
        """The hit of one record that was parsed elsewhere, None if no rule matches it.

        place: where the record is, if it is in a log file.
        """
        bucket, key, index = (place.bucket, classify_key(place.key), place.index) if place else ("", _NO_OBJECT, 0)
        reading = _Reading(bucket, key, seen_at, DetectionCounts())
        found = self._detect_in_fields(fields, reading, index, None)
        return next((one for one in found if isinstance(one, Hit)), None)

    def base_match_in_record(self, fields: Mapping[str, Any], seen_at: str, place: Place) -> BaseMatch | None:
        """What correlations count of one record; None if nothing."""
        reading = _Reading(place.bucket, classify_key(place.key), seen_at, DetectionCounts())
        found = self._detect_in_fields(fields, reading, place.index, None)
        return next((one for one in found if isinstance(one, BaseMatch)), None)

    def undoing_in_record(self, fields: Mapping[str, Any], seen_at: str) -> Undoing | None:
        """What one record undoes; None if nothing, or if this detector does not look for it."""
        reading = _Reading("", _NO_OBJECT, seen_at, DetectionCounts())
        found = self._detect_in_fields(fields, reading, 0, None)
        return next((one for one in found if isinstance(one, Undoing)), None)

    def _block_when_due(self, splitter: Splitter, reading: _Reading) -> bytes | None:
        """The next block of whole records, if it is to be prefiltered; None where the next is to be parsed in full.

        A log file in which one block cannot be prefiltered is parsed in full from there on: its other blocks are
        mostly no better, and each would be read twice.
        """
        if not (reading.prefiltered and self._prefilter_when_due()):
            return None
        records = splitter.take_block()
        reading.prefiltered = bool(records)
        return records

    def _prefiltered(self, records: bytes, splitter: Splitter, reading: _Reading) -> "Block | None":
        """The block, prefiltered; None, and given back, where that cannot be."""
        prefilter = self._prefilter_when_due()
        block = prefilter.read(records) if prefilter else None
        if not block:
            reading.prefiltered = False
            splitter.put_back(records)
        return block

    def _prefilter_when_due(self) -> "Prefilter | None":
        """The prefilter, once enough was parsed in full."""
        if self._prefilter is None and self._full_parse_bytes_left <= 0:
            from trailbell.engine.prefilter.prefilter import Prefilter

            self._prefilter = Prefilter(self._matcher, self._derived, self._partial_evaluation, MEMBERS, WRITTEN)
        return self._prefilter

    def _detect_in_block(self, block: "Block", records: bytes, reading: _Reading) -> Iterator[Detected]:
        """Count the records of a block, and decide on those that rules may match."""
        counts = reading.counts
        counts.records_read += block.records - len(block.to_parse)
        counts.records_not_watched += block.not_watched
        counts.records_matched += block.records - block.not_watched - len(block.to_parse)
        if self.span:
            self.span.add_block(records)
        prefilter = self._prefilter
        for position, text, rules in block.to_parse:
            counts.records_read += 1
            parsed = prefilter.fields_of(text) if prefilter else None
            yield from self._detect_in_text(Entry(text), reading, reading.index + position, rules, parsed)
        reading.index += block.records

    def _detect_in_entry(self, entry: Entry, reading: _Reading) -> Iterator[Detected]:
        """Decide on one record that the prefilter has not seen."""
        self._full_parse_bytes_left -= len(entry.text)
        reading.counts.records_read += 1
        reading.counts.records_fully_parsed += 1
        yield from self._detect_in_text(entry, reading, reading.index, None)
        reading.index += 1

    def _detect_in_text(
        self,
        entry: Entry,
        reading: _Reading,
        index: int,
        rules: Sequence[CompiledRule] | None,
        parsed: dict[str, Any] | None = None,
    ) -> Sequence[Detected]:
        """Decide on one record; parsed: its fields, where they are known."""
        fields = parse_entry(entry, index) if parsed is None else parsed
        if isinstance(fields, MalformedRecord):
            reading.counts.add_malformed(fields)
            return ()
        if not is_record(fields):
            reading.counts.add_malformed(MalformedRecord(index, _NO_RECORD, entry.text[:MAX_SHOWN_BYTES]))
            return ()
        if self.span and rules is None:
            self.span.add(_time_of(fields))
        return self._detect_in_fields(fields, reading, index, rules, entry.text)

    def _detect_in_fields(
        self,
        fields: Mapping[str, Any],
        reading: _Reading,
        index: int,
        rules: Sequence[CompiledRule] | None,
        text: bytes = b"",
    ) -> Sequence[Detected]:
        """Decide on one record; rules: those left to decide, None for all whose gate it passes."""
        if rules is None:
            rules = self._partial_evaluation.rules_left(fields, self._matcher)
            if rules is None:
                reading.counts.records_not_watched += 1
                return ()
        if not rules:
            reading.counts.records_matched += 1
            return ()
        try:
            record = make_record(fields, index, reading.account)
            found = self._found(rules, record, reading.origin(index), reading)
        except RecursionError:  # deeper than any request of AWS; it must not cost its neighbours
            reading.counts.add_malformed(
                MalformedRecord(index, "record is nested too deeply to be matched", text[:MAX_SHOWN_BYTES])
            )
            return ()
        except Exception:  # a defect of ours: the record is not decided on, and so it is not read
            reading.counts.records_read -= 1
            raise
        reading.counts.records_matched += 1
        if found and isinstance(hit := found[0], Hit):  # of a record there is one at most, and it comes first
            reading.counts.hits += 1
            reading.counts.hits_muted += bool(hit.muted_by)
        return found

    def _found(
        self, candidates: Sequence[CompiledRule], record: Record, origin: Origin, reading: _Reading
    ) -> list[Detected]:
        seen_at = reading.seen_at
        if record.repeats:
            candidates = [one for one in candidates if asks_for(one.rule.detection, REPEATS)]
        if reading.live:  # what it lacks may be what a condition denies, or what an exception mutes by
            candidates = [one for one in candidates if not one.rule.looks_at(LOG_FILE_MEMBERS)]
        if not candidates:
            return []
        facts = facts_of(record, self._rulebook.trusted_accounts, self._rulebook.account_names)
        known = facts.fields()
        matches = self._decision.matching(candidates, record.fields, facts, known, seen_at[:10])
        if not matches:
            return []
        hit = self._hit(matches, record, facts, known, origin, seen_at)
        unheard = silent(matches)
        undoing = undoing_of(unheard, record, facts) if unheard else None
        counted = self._base_match(matches, hit, record, facts, known, origin, reading)
        return [one for one in (hit, undoing, counted) if one]

    def _hit(
        self, matches: Sequence[Match], record: Record, facts: Facts, known: FactFields, origin: Origin, seen_at: str
    ) -> Hit | None:
        heard = [match for match in matches if not (match.rule.is_silent or match.rule.rule_id in self._silenced)]
        if not heard:
            return None
        telling = counted(heard)
        rule = telling[0].rule
        level, note = highest(telling, facts, self._rulebook.automation_roles, record.event_name)
        links = act_links([match.rule for match in telling], record, facts)
        seen = NOT_SEEN if rule.once_per_day or not rule.first_seen else seen_in(rule, record.fields, known)
        return make_hit(record, facts, heard, level, origin, seen_at, note, links, (seen.keys, seen.what), known)

    def _base_match(
        self,
        matches: Sequence[Match],
        hit: Hit | None,
        record: Record,
        facts: Facts,
        known: FactFields,
        origin: Origin,
        reading: _Reading,
    ) -> BaseMatch | None:
        """What correlations count of a record; nothing of what an exception mutes."""
        if self._contributing is None:
            return None
        rule_ids = self._contributing.rule_ids
        rules = [match.rule for match in matches if match.rule.rule_id in rule_ids and not match.muted_by]
        if not rules:
            return None
        if record.event_time == NO_TIME:
            reading.counts.without_time += 1
            return None
        roots = (record.fields, {"facts": known})
        shares = tuple(self._contributing.shares_of([rule.rule_id for rule in rules], roots))
        if not shares:
            return None
        match = base_match(shares, rules[0], hit, record, facts, origin, reading.seen_at)
        if self._acts:
            _ = match.act
        return match
