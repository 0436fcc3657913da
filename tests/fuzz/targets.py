"""What is fuzzed, and what must hold for any bytes: nothing raises but its own error, and two ways agree.

A target takes bytes and raises on a finding. atheris guides the bytes by coverage (tests/fuzz/drive.py), hypothesis
shakes them in the tests (tests/fuzz/test_fuzz.py).
"""

import copy
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tests.fuzz.digests import check_digest, check_metadata
from tests.fuzz.naive import matching_names
from trailbell.cloudtrail.live_event import Refusal, read_envelope
from trailbell.cloudtrail.notification import Notification, parse_notification
from trailbell.cloudtrail.object_key import classify_key
from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.record import GATE_FIELDS, make_record
from trailbell.engine.matcher import Matcher, matching
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import LogFileError, NotificationError
from trailbell.facts.account_limits import account_of
from trailbell.facts.facts import facts_of
from trailbell.facts.policy import MAX_TEXT, read_policy
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit


SEEN_AT = "2026-09-01T09:18:57Z"
_NOWHERE = Place("", "", 0)
_SIZES = (0, 1, 2, 3, 7, 64, 1000, 10**6)
_MAX_ERROR = 1000
_MAX_PIECES = 30

Outcome = tuple[str, list[Hit], DetectionCounts]


class Targets:
    """The targets over one rulebook; records: one that each rule matches, to start from."""

    def __init__(self, rulebook: Rulebook, records: Sequence[dict[str, Any]]) -> None:
        self._records = records
        self._rules = rulebook.rules
        self._trusted = rulebook.trusted_accounts
        self._matcher = Matcher(rulebook.rules, GATE_FIELDS, dotted_root=False)
        self._plain = HitDetector(rulebook, full_parse_bytes=10**18)
        self._prefilter = HitDetector(rulebook, full_parse_bytes=0)
        self._values = [
            *_ODD_VALUES,
            *dict.fromkeys(text for rule in self._rules for text in _literals(rule.detection)),
        ]
        self._paths = sorted({path for rule in self._rules for path in _fields(rule.detection)})

    def notification(self, data: bytes) -> None:
        """A message body is understood, or refused with an error short enough for a log line."""
        as_bytes = _parsed(data)
        try:
            as_text = _parsed(data.decode())
        except UnicodeDecodeError:
            return
        if not data.startswith(b"\xef\xbb\xbf") and b"\0" not in data:  # json guesses UTF-16 and 32 from bytes
            assert as_bytes == as_text, "bytes and text are read differently"

    def live_event(self, data: bytes) -> None:
        """An event that is believed agrees with itself, and its hit is that of its record in a log file.

        data: an envelope as text; or, after a zero, choices of what to change in one of a record that rules match.
        """
        if data[:1] == b"\0":
            message: Any = self._envelope(_Dice(data[1:]))
        else:
            try:
                message = json.loads(data.decode("utf-8", "surrogateescape"))
            except (ValueError, RecursionError):
                return
        event = read_envelope(message) if isinstance(message, dict) else None
        if event is None:
            return
        assert len(str(event)) < _MAX_ERROR
        assert str(event).isprintable()
        assert event.refusal(None) is Refusal.OFF
        if event.refusal(frozenset()):
            return
        record = event.record
        assert message["source"] == f"aws.{record['eventSource'].split('.')[0]}"
        assert message["account"] == record["recipientAccountId"] == event.origin.account
        assert record.get("awsRegion") in (None, message["region"])
        assert event.refusal(frozenset({"000000000000"})) is Refusal.FOREIGN or event.origin.account == "0" * 12
        counts = DetectionCounts()
        found = self._plain.detect_records([(event.origin, record)], SEEN_AT, counts)
        hits = [replace(hit, live=None, place=_NOWHERE) for hit in found if isinstance(hit, Hit)]
        in_file = self._plain.detect_record(record, SEEN_AT)
        assert hits == ([replace(in_file, place=_NOWHERE)] if in_file else [])
        assert counts.balanced

    def _envelope(self, dice: "_Dice") -> dict[str, Any]:
        record = self._event(dice)
        message = {
            "id": "0",
            "detail-type": "AWS API Call via CloudTrail",
            "source": f"aws.{str(record.get('eventSource')).partition('.')[0]}",
            "account": record.get("recipientAccountId"),
            "region": record.get("awsRegion"),
            "time": record.get("eventTime"),
            "detail": record,
        }
        for _ in range(dice.below(3)):
            name = [*message][dice.below(len(message))]
            self._change(message, name, dice)
        return message

    def policy(self, data: bytes) -> None:
        """A policy is read or not, and the same as text, as the object it holds and wrapped once more."""
        text = data.decode("utf-8", "replace")
        facts = read_policy(text)
        assert list(facts.accounts) == sorted(set(facts.accounts))
        assert all(account_of(account) == account for account in facts.accounts)
        try:
            document = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return
        if isinstance(document, dict) and len(text) < MAX_TEXT:
            assert read_policy(document) == facts, "text and object are read differently"
            assert read_policy(json.dumps(text)[:MAX_TEXT]) == facts or len(json.dumps(text)) > MAX_TEXT

    def log_file(self, data: bytes) -> None:
        """An object is read the same in any pieces, gzipped or not, prefiltered or not, and as json reads it."""
        size, gzipped, body = _SIZES[data[0] % 8] if data else 0, bool(data and data[0] & 8), data[1:]
        plain = _examined(self._plain, [body])
        for hit_detector, pieces in (
            (self._prefilter, [body]),
            (self._plain, _pieces(gzip.compress(body, 1) if gzipped and body else body, size)),
            (self._prefilter, _pieces(body, size)),
        ):
            other = _examined(hit_detector, pieces)
            assert other[0] == plain[0], f"{other[0]!r}, parsed in full {plain[0]!r}"
            assert other[1] == plain[1], "other hits"
            if not plain[0]:
                _assert_same_counts(other[2], plain[2])
        self._assert_as_json_reads_it(body, plain)

    def matcher(self, data: bytes) -> None:
        """The rules found by the index and decided by compiled tests are those found by trying all of them."""
        event = self._event(_Dice(data))
        record = make_record(event, 0)
        facts = facts_of(record, self._trusted).as_fields()

        found = {match.rule.name for match in matching(self._matcher.candidates(event), event, facts, "2026-09-01")}

        assert found == matching_names(self._rules, event, facts)
        self._plain.detect_record(event, SEEN_AT)

    def digest(self, data: bytes) -> None:
        """A digest's key and content are read or not, and the same in every form (tests/fuzz/digests.py)."""
        check_digest(data)

    def metadata(self, data: bytes) -> None:
        """Metadata that lies beside a copy, and public keys, are read or refused."""
        check_metadata(data)

    def _assert_as_json_reads_it(self, body: bytes, outcome: Outcome) -> None:
        records = _records_of(body)
        if records is None:
            return
        error, hits, counts = outcome
        assert not error, f"{error}, but json reads it"
        assert counts.records_read == len(records)
        assert counts.balanced
        assert counts.records_malformed >= sum(not isinstance(record, dict) for record in records)
        expected = [self._plain.detect_record(record, SEEN_AT) for record in records if isinstance(record, dict)]
        assert [replace(hit, place=_NOWHERE) for hit in hits] == [hit for hit in expected if hit]

    def _event(self, dice: "_Dice") -> dict[str, Any]:
        event = copy.deepcopy(self._records[dice.below(len(self._records))])
        for _ in range(dice.below(12)):
            parent, key = self._place(event, dice)
            self._change(parent, key, dice)
        return event

    def _place(self, event: dict[str, Any], dice: "_Dice") -> tuple[Any, Any]:
        """Somewhere in the event: where a rule looks, or where the record already has something."""
        if dice.below(2):
            *parents, last = self._paths[dice.below(len(self._paths))].split(".")
            node: Any = event
            for name in parents:
                if not isinstance(node.get(name), dict):
                    node[name] = {}
                node = node[name]
            return node, last
        places = list(_places(event))
        return places[dice.below(len(places))] if places else (event, "eventName")

    def _change(self, parent: Any, key: Any, dice: "_Dice") -> None:
        value = self._values[dice.below(len(self._values))]
        old = parent.get(key) if isinstance(parent, dict) else parent[key]
        changes = (
            lambda: copy.deepcopy(value),
            lambda: [copy.deepcopy(old), copy.deepcopy(value)],
            lambda: {"x": old, str(key): copy.deepcopy(value)},
            lambda: f"{old}{value}",
            lambda: str(old).swapcase(),
            lambda: dice.text(),
            lambda: None,
            lambda: [[old]],
        )
        parent[key] = changes[dice.below(len(changes))]()


class _Dice:
    """Choices made of bytes; when they are used up, all are 0."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def below(self, limit: int) -> int:
        """A number from 0 to below `limit`; one byte each, two where one is too few."""
        taken = self._data[self._at : self._at + (1 if limit <= 256 else 2)]
        self._at += len(taken)
        return int.from_bytes(taken, "big") % limit

    def text(self) -> str:
        """Some text."""
        size = self.below(64)
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken.decode("utf-8", "surrogateescape")


_ODD_VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1.5, 10**20, float("nan"), float("inf"), "", " ", "0", "90", "-7.5", "A" * 300, [], {}),
    *(
        [None],
        [[]],
        [{}],
        {"a": None},
        {"": ""},
        {"a.b": 1},
        ["x", None, 1, {"y": "z"}],
        "\ud800",
        "\u0130",
        "ß",
        "\n*?",
    ),
    *("arn:aws:iam::444455556666:root", "444455556666", "*", '{"Statement":{"Effect":"Allow","Principal":"*"}}'),
]


def _parsed(body: bytes | str) -> Notification | str:
    try:
        found = parse_notification(body)
    except NotificationError as error:
        _assert_short(error)
        return "refused"
    assert len(found.live) <= 1
    for ref in found.objects:
        assert ref.bucket
        assert isinstance(ref.bucket, str)
        assert ref.key
        assert isinstance(ref.key, str)
        assert ref.size is None or isinstance(ref.size, int)
    assert found.items or found.tests or found.other, "nothing was said, and nothing refused"
    return found


def _examined(hit_detector: HitDetector, pieces: list[bytes]) -> Outcome:
    counts = DetectionCounts()
    hits: list[Hit] = []
    try:
        hits.extend(hit_detector.detect(pieces, "", classify_key(""), SEEN_AT, counts))
    except LogFileError as error:
        _assert_short(error)
        return "refused", hits, counts
    assert counts.balanced
    assert counts.hits == len(hits)
    return "", hits, counts


def _assert_short(error: Exception) -> None:
    assert len(str(error)) <= _MAX_ERROR, f"an error of {len(str(error))} characters"


def _assert_same_counts(one: DetectionCounts, other: DetectionCounts) -> None:
    for name in (
        "records_read",
        "records_matched",
        "records_not_watched",
        "records_malformed",
        "malformed",
        "hits",
        "hits_muted",
    ):
        assert getattr(one, name) == getattr(other, name), name


def _pieces(body: bytes, size: int) -> list[bytes]:
    size = max(size, len(body) // _MAX_PIECES)
    return [body[at : at + size] for at in range(0, len(body), size)] if size else [body]


def _records_of(body: bytes) -> list[Any] | None:
    """The entries of Records as json reads them, where it does and there is one such list."""
    names: list[str] = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names[:] = [name for name, _ in pairs]  # the outermost object is built last
        return dict(pairs)

    try:
        document = json.loads(body.decode(), object_pairs_hook=build)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or names.count("Records") != 1:
        return None
    records = document["Records"]
    return records if isinstance(records, list) else None


def _literals(node: Any) -> Iterator[str]:
    kind, *rest = node
    if kind in ("and", "or"):
        for part in rest[0]:
            yield from _literals(part)
    elif kind == "not":
        yield from _literals(rest[0])
    elif kind == "field":
        given = rest[1][1] if len(rest[1]) > 1 else []
        yield from (text for text in (given if isinstance(given, list) else [given]) if isinstance(text, str))


def _fields(node: Any) -> Iterator[str]:
    kind, *rest = node
    if kind in ("and", "or"):
        for part in rest[0]:
            yield from _fields(part)
    elif kind == "not":
        yield from _fields(rest[0])
    elif kind == "field" and not rest[0].startswith("facts."):
        yield rest[0]


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, dict | list):
            yield from _places(value)


NAMES = ("notification", "live_event", "policy", "log_file", "matcher", "digest", "metadata")
