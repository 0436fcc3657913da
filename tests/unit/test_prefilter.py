"""The prefilter gives exactly what a full parse and every rule give: nothing is missed."""

import ast
import gzip
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.log_files import SEEN_AT
from trailbell.cloudtrail.object_key import classify_key
from trailbell.cloudtrail.record import GATE_FIELDS, make_record, text
from trailbell.engine.condition import compile_node
from trailbell.engine.matcher import Matcher, matching
from trailbell.engine.predicates import compile_finder
from trailbell.engine.prefilter import partial_eval
from trailbell.engine.prefilter.decision import Decision
from trailbell.engine.prefilter.field_index import Derived
from trailbell.engine.prefilter.partial_eval import PartialEvaluation
from trailbell.engine.prefilter.prefilter import Prefilter
from trailbell.engine.prefilter.written import may_stand
from trailbell.engine.rulebook import Level, Rule, Rulebook
from trailbell.errors import LogFileError
from trailbell.facts import alerter_parts
from trailbell.facts.actor import actor_of, possible_kinds
from trailbell.facts.facts import TELLING, derived_fields, facts_of
from trailbell.facts.resources import RESOURCE_WORDS
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit
from trailbell.rulebook.cases import CASE_SETTINGS, load_cases
from trailbell.rulebook.compile import gate_of
from trailbell.rulebook.correlation_cases import load_correlation_cases
from trailbell.rulebook.load import load_rules


ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
NEVER = 10**12

Outcome = tuple[list[Hit], dict[str, Any], str]


def outcome(hit_detector: HitDetector, body: bytes) -> Outcome:
    """The hits, the counts without the way they came about, and the error if there is one."""
    counts, hits, error = DetectionCounts(), [], ""
    try:
        for hit in hit_detector.detect([body], "b", classify_key("k"), SEEN_AT, counts):
            hits.append(hit)
    except LogFileError as wrong:
        error = str(wrong)
    compared = {name: getattr(counts, name) for name in DetectionCounts.__slots__ if name != "records_fully_parsed"}
    return hits, compared, error


def both(rulebook: Rulebook, body: bytes) -> tuple[Outcome, Outcome, int]:
    """What a full parse gives, what the prefilter gives, and how many records the latter left to a full parse."""
    full, prefiltered = HitDetector(rulebook, full_parse_bytes=NEVER), HitDetector(rulebook, full_parse_bytes=0)
    counts = DetectionCounts()
    with suppress(LogFileError):
        list(prefiltered.detect([body], "b", classify_key("k"), SEEN_AT, counts))
    return outcome(full, body), outcome(prefiltered, body), counts.records_fully_parsed


# Rules that look wherever the prefilter looks, and where it does not.

_PATHS = [
    *("eventSource", "eventName", "readOnly", "errorCode", "userAgent", "awsRegion", "vpcEndpointId", "eventVersion"),
    *("userIdentity.type", "userIdentity.accountId", "userIdentity.arn", "userIdentity.sessionContext.assumedRoot"),
    *("requestParameters.keyId", "requestParameters.a.b", "requestParameters", "resources.ARN", "tlsDetails.x.y"),
    *("facts.outcome", "facts.direct", "facts.actor.kind", "facts.caller_external", "facts.resources"),
    *("facts.external_keys", "facts.key_external", "additionalEventData.status"),
]
_WORDS = [
    *("kms.amazonaws.com", "decrypt", "disablekey", "root", "true", "false", "success", "denied", "role", "ec2"),
    *("111122223333", "444455556666", "x", "y", "accessdenied", "null", "7", ""),
]
_WORD = st.sampled_from(_WORDS)
_TESTS = st.one_of(
    st.builds(lambda word: ["eq", word], _WORD),
    st.builds(lambda word: ["eq", word.title(), True], _WORD),
    st.builds(lambda words: ["in", sorted(words)], st.lists(_WORD, max_size=3)),
    st.builds(lambda word: ["prefix", word[:2]], _WORD),
    st.builds(lambda word: ["contains", word[1:3]], _WORD),
    st.builds(lambda word: ["glob", [0, word[:1], 1, 0]], _WORD),
    st.just(["any"]),
    st.just(["null"]),
    st.builds(lambda flag: ["exists", flag], st.booleans()),
    st.builds(lambda number: ["number", number], st.integers(0, 7)),
    st.builds(lambda number: ["compare", "gte", number], st.integers(0, 7)),
    st.builds(lambda path: ["fieldref", path, "eq"], st.sampled_from(_PATHS)),
)
_TREES = st.recursive(
    st.one_of(
        st.builds(lambda path, test: ["field", path, test], st.sampled_from(_PATHS), _TESTS),
        st.builds(lambda test: ["keyword", test], st.builds(lambda word: ["contains", word], _WORD)),
    ),
    lambda inner: st.one_of(
        st.builds(lambda parts: ["and", parts], st.lists(inner, min_size=1, max_size=4)),
        st.builds(lambda parts: ["or", parts], st.lists(inner, max_size=3)),
        st.builds(lambda part: ["not", part], inner),
    ),
    max_leaves=7,
)


def rulebook_of(trees: list[list[Any]]) -> Rulebook:
    rules = (
        Rule(f"r-{number:02d}", f"r-{number:02d}", "s", "T", Level.LOW, "", tree, gate_of(tree))
        for number, tree in enumerate(trees)
    )
    return Rulebook(tuple(rules), trusted_accounts=frozenset({"444455556666"}))


# Records that hold what CloudTrail writes and what somebody might forge, and texts that hold them in every way.

_HOSTILE = [
    '","eventSource":"kms.amazonaws.com","eventName":"DisableKey',
    '},{"eventVersion":"1.08","eventSource":"kms.amazonaws.com"',
    '"eventSource":"kms.amazonaws.com"',
    "kms\u002eamazonaws.com",
    "\u2028\u202e\\",
    "\ud800",
    "]}",
]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 8),
    st.sampled_from([10**400, -(2**70), 1.5, 1e300, -0.0]),
    st.sampled_from([*_WORDS, *_HOSTILE, "Root", "AssumedRole", "IAMUser", "AWSService", "AWSAccount"]),
)
_NESTED = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["keyId", "a", "b", "a.b", "ARN", "x", "x.y", "y", "eventVersion", "eventSource", "eventName", "type"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
_FOREIGN_KEY = "arn:aws:kms:us-east-1:999999999999:key/1"
_LINKED = {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/aws-service-role/a/AWSServiceRoleForA"}}
_RECORDS = st.fixed_dictionaries(
    {"eventVersion": st.just("1.11")},
    optional={
        "eventSource": st.sampled_from(["kms.amazonaws.com", "KMS.amazonaws.com", "s3.amazonaws.com"]) | _SCALARS,
        "eventName": st.sampled_from(["Decrypt", "DisableKey", "GetObject"]) | _SCALARS,
        "readOnly": st.booleans() | _SCALARS,
        "errorCode": st.sampled_from(["AccessDenied", "DryRunOperation", "x"]) | _SCALARS,
        "userIdentity": st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["Root", "AssumedRole", "IAMUser", "AWSService", "AWSAccount", "Odd", ""]),
                "accountId": st.sampled_from(["111122223333", "444455556666", "999999999999", "x"]) | _SCALARS,
                "arn": _SCALARS,
                "invokedBy": st.sampled_from(
                    ["kms.amazonaws.com", "s3.amazonaws.com", "states.amazonaws.com", "AWS Internal"]
                ),
                "sessionContext": st.just(_LINKED) | _NESTED,
            },
        )
        | _NESTED,
        "recipientAccountId": st.sampled_from(["111122223333", "arn:aws:iam::111122223333:root"]) | _SCALARS,
        "eventType": st.sampled_from(["AwsApiCall", "AwsServiceEvent", "AwsConsoleSignIn"]),
        "errorMessage": st.sampled_from(["access denied", "Failed authentication"]) | _SCALARS,
        "responseElements": st.sampled_from([{"DisableKey": "Failure"}, {"failed": [{}]}]) | _NESTED,
        "serviceEventDetails": st.just({"status": "Denied"}) | _NESTED,
        "userAgent": _SCALARS,
        "awsRegion": _SCALARS,
        "additionalEventData": st.sampled_from([{"State": "DENIED"}, {"outcome": "Timed_Out"}]) | _NESTED,
        "requestParameters": st.sampled_from([{"keyId": _FOREIGN_KEY}, {"a": [{"b": _FOREIGN_KEY}]}]) | _NESTED,
        "resources": st.lists(
            _NESTED
            | st.fixed_dictionaries(
                {
                    "ARN": st.sampled_from(
                        [f"arn:aws:kms:us-east-1:{account}:key/1" for account in ("111122223333", "999999999999")]
                    )
                    | _SCALARS
                }
            ),
            max_size=2,
        ),
        "tlsDetails": _NESTED,
        "eventID": st.sampled_from(["e-1", "e-2"]) | _SCALARS,
        "userIdentity.type": _SCALARS,
    },
)


def _compact(record: Any) -> str:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def _escaped_keys(record: Any) -> str:
    text = _compact(record).replace('"eventSource":', '"event\\u0053ource":').replace("/", "\\/")
    return text.replace(":kms:", "\\u003akms:").replace("DENIED", "D\\u0045NIED")


def _twice(record: Any) -> str:
    return _compact(record).replace('"eventSource":', '"eventSource":"s3.amazonaws.com","eventSource":')


_WRITERS: list[Callable[[Any], str]] = [
    _compact,
    _compact,
    _compact,
    lambda record: json.dumps(record),
    lambda record: json.dumps(record, indent=2),
    lambda record: json.dumps(record, separators=(" ,\n", "\t: ")),
    _escaped_keys,
    _twice,
]
_FRAMES = [
    '{{"Records":[{}]}}',
    '{{"Records":[{}]}}',
    '{{"Records":[{}]}}\n  ',
    '{{ "Records" : [ {} ] }}',
    '{{"a":{{"Records":[1]}},"Records":[{}],"z":"]}}"}}',
    '{{"Records":[{}],"Records":[]}}',
    '{{"Records":[{}]',
    '{{"Records":[{}]}}]}}',
]
_ENTRIES = st.one_of(
    st.builds(lambda record, write: write(record), _RECORDS, st.sampled_from(_WRITERS)),
    st.builds(lambda record: _compact(record), _RECORDS),
    st.sampled_from(["null", "7", '"text"', "[]", "{}", '{"a":NaN}', '{"a":1e999}', '{"a":tru}', "{]"]),
)


def _joined(entries: list[str], frame: str) -> bytes:
    return frame.format(",".join(entries)).encode("utf-8", "surrogatepass")


_CONTENTS = st.builds(_joined, st.lists(_ENTRIES, min_size=1, max_size=6), st.sampled_from(_FRAMES))


_IN_EACH_OTHER: Any = [
    ["and", [["and", [["and", [["field", "userAgent", ["eq", "a"]], ["keyword", ["contains", "kms"]]]]]]]]
]


@settings(
    max_examples=examples(700), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(trees=st.lists(_TREES, min_size=1, max_size=6), content=_CONTENTS)
@example(trees=_IN_EACH_OTHER, content=b'{"Records":[{"eventVersion":"1.11","eventSource":"kms.amazonaws.com"}]}')
def test_prefilter_and_full_parse_give_the_same(trees: list[list[Any]], content: bytes) -> None:
    """Same hits with the same values in the same order, same counts, same errors, whatever the file holds."""
    full, prefiltered, _ = both(rulebook_of(trees), content)

    assert prefiltered == full


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a":1}', False),
        ('{"omitted":"true"}', True),
        ('{"\\u006fmitted":true}', True),
        ('{"x":"omitted","y":"\\u0041"}', False),
        ('{"omitted" : "TRUE"}', True),
        ('[{"b":1},{"omitted":"true"}]', True),
        ('{"notomitted":"true"}', False),
        ('"omitted"', False),
        ("null", False),
    ],
)
def test_a_name_that_does_not_stand_in_a_text_is_not_in_it(text: str, *, found: bool) -> None:
    """However a name is written it is found, and where it does not stand nothing is parsed to see so."""
    rulebook = rulebook_of(
        [
            ["field", "requestParameters.omitted", ["eq", "true"]],
            ["not", ["field", "requestParameters.omitted", ["eq", "true"]]],
            ["and", [["field", "facts.direct", ["eq", "true"]], ["field", "requestParameters.omitted", ["any"]]]],
        ]
    )
    record = '{"eventVersion":"1.11","eventSource":"a","eventName":"b","requestParameters":' + text + "}"
    full, prefiltered, fully_parsed = both(rulebook, _joined([record, '{"eventVersion":"1.11"}', record], _FRAMES[0]))

    assert prefiltered == full
    assert not fully_parsed
    assert {hit.rule_id for hit in full[0]} == ({"r-00", "r-01"} if found else {"r-01"})


@settings(
    max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(trees=st.lists(_TREES, min_size=1, max_size=6), records=st.lists(_RECORDS, min_size=1, max_size=5))
def test_prefilter_finds_what_trying_every_rule_finds(trees: list[list[Any]], records: list[Any]) -> None:
    """Against Python's json and every rule without any index: a rule index that leaves a rule out would be a miss."""
    rulebook = rulebook_of(trees)
    content = _joined([json.dumps(record, separators=(",", ":")) for record in records], _FRAMES[0])

    hits, counts, _ = outcome(HitDetector(rulebook, full_parse_bytes=0), content)

    assert [(hit.place.index, {hit.rule_id, *hit.also_ids}) for hit in hits] == list(_naive(rulebook, content))
    assert counts["records_read"] == len(records)


@settings(
    max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(
    trees=st.lists(_TREES, min_size=1, max_size=6),
    content=_CONTENTS,
    most=st.sampled_from([(0, 1, 0), (300, 1, 1), (1000, 2, 2)]),
)
def test_bounds_of_what_is_remembered_change_nothing(
    trees: list[list[Any]], content: bytes, most: tuple[int, int, int]
) -> None:
    """Nothing remembered, one plan, one rule index: whatever is forgotten is found again, and nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in zip(("field_index._MAX_REMEMBERED", "prefilter._MAX_PLANS"), most[:2], strict=True):
            patch.setattr(f"trailbell.engine.prefilter.{name}", value)
        patch.setattr("trailbell.engine.prefilter.prefilter._MAX_INDEXES", most[2])
        patch.setattr("trailbell.engine.prefilter.rule_index._MAX_CHECKS", most[1])
        full, prefiltered, _ = both(rulebook_of(trees), content * 2)

    assert prefiltered == full


_FINDER = partial(compile_finder, dotted_root=False)


def _naive(rulebook: Rulebook, content: bytes) -> Iterator[tuple[int, set[str]]]:
    for index, fields in enumerate(json.loads(content)["Records"]):
        facts = facts_of(make_record(fields, index), rulebook.trusted_accounts).as_fields()
        roots = (fields, {"facts": facts})
        found = {rule.rule_id for rule in rulebook.rules if compile_node(rule.detection, _FINDER)(roots)}
        if found:
            yield index, found


@settings(max_examples=examples(300), deadline=None)
@given(record=_RECORDS)
def test_facts_that_follow_from_a_few_texts_are_those_of_the_whole_record(record: dict[str, Any]) -> None:
    """What the prefilter takes for possible must contain what is."""
    trusted = frozenset({"444455556666"})
    facts = {"facts": facts_of(make_record(record, 0, "111122223333"), trusted).as_fields()}
    every = [(path, one) for path, first in derived_fields(trusted).items() for one in (first, first.closer) if one]
    for path, derived in every:
        possible = derived.possible(*(_given(derived, record, one) for one in derived.paths))

        value: Any = facts
        for part in path.split("."):
            value = value.get(part, partial_eval.ABSENT)

        assert possible is None or value in possible
    assert actor_of(record).kind in possible_kinds(text(record, "userIdentity", "type"))


def _given(derived: Derived, record: dict[str, Any], path: str) -> Any:
    if derived.by_json:
        member: Any = record
        for name in path.split(".")[:2]:
            member = member.get(name) if isinstance(member, dict) else None
        return b"" if member is None else member if isinstance(member, str) else json.dumps(member).encode()
    return _list_or_text(record.get(path.partition(".")[0])) if derived.whole else text(record, *path.split("."))


def _list_or_text(member: Any) -> Any:
    return member if isinstance(member, list | str) else None


def _words(resource: str) -> list[str]:
    return re.split("[:/]", resource.lower())


def _escaped(record: Any) -> str:
    """As JSON that writes each letter of a text's beginning as an escape."""
    escape = re.compile(r'"([A-Za-z])([^"\\]*)"')
    return escape.sub(lambda found: f'"\\u{ord(found[1]):04x}{found[2]}"', _compact(record))


def test_what_a_resource_holds_stands_in_its_record() -> None:
    """Records are passed over by their text where a rule asks for a resource that cannot be in them: each part of a
    resource is a text of the record, a number, or one of the words that resources.py names.
    """
    checked = 0
    for record in case_records():
        text = json.dumps(record, ensure_ascii=False).lower()
        for resource in facts_of(make_record(record, 0, "111122223333")).resources:
            for word in _words(resource):
                assert word in text or word in RESOURCE_WORDS or word.isdigit(), (word, resource)
                checked += 1
    assert checked > 3000


def test_words_that_begin_or_end_at_a_bracket_of_arns_are_named() -> None:
    """Also those that no case has."""
    sources = [ast.parse((ROOT / "lambdas/trailbell/facts" / name).read_text("utf-8")) for name in _MAKE_RESOURCES]
    texts = [node.value for tree in sources for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    parts = [one for one in texts if isinstance(one, str) and re.fullmatch(r":?[a-z0-9-]+[:/]+", one)]
    calls = [node for tree in sources for node in ast.walk(tree) if isinstance(node, ast.Call)]
    arns = [call.args[1] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "_arn"]
    parts += [str(service.value) for service in arns if isinstance(service, ast.Constant)]
    services = [service for service, _ in alerter_parts._PARTS.values()]

    assert len(parts) > 40
    assert {word for part in (*parts, *services) for word in _words(part) if word} <= RESOURCE_WORDS


_MAKE_RESOURCES = ("resources.py", "alerter_parts.py")


@pytest.mark.parametrize("write", [_compact, _escaped, _escaped_keys])
def test_a_rule_that_asks_for_a_resource_finds_it_however_it_is_written(write: Callable[[Any], str]) -> None:
    """By each part of each resource of all cases, as it is, as a part of a list, and with what stands before it."""
    found = 0
    for record in case_records()[::9]:
        resources = facts_of(make_record(record, 0)).resources
        for word in {word for resource in resources for word in _words(resource) if word}:
            trees: list[list[Any]] = [
                ["field", "facts.resources", ["contains", word]],
                [
                    "or",
                    [["field", "facts.resources", ["in", ["x", *map(str.lower, resources)]]], ["field", "x", ["any"]]],
                ],
                ["and", [["field", "facts.resources", ["suffix", word[1:]]], ["field", "eventVersion", ["any"]]]],
                ["field", "facts.resources", ["contains", "no-such-name"]],
            ]
            content = _joined([write({"eventVersion": "1.11", **record})] * 2, _FRAMES[0])
            full, prefiltered, _ = both(rulebook_of(trees), content)
            assert prefiltered == full
            found += len(full[0])
    assert found > 200


@given(text=st.text(max_size=20), word=st.sampled_from(["kay", "my-name", "a.b"]), write=st.booleans())
def test_a_word_stands_in_a_text_that_holds_it(text: str, word: str, write: bool) -> None:
    """In any case, also by letters whose small ones are ASCII, and by escapes."""
    for spelt in (word, word.upper(), word.replace("k", "\u212a")):
        held = json.dumps({"a": text + spelt}, ensure_ascii=write).encode("utf-8", "surrogatepass")
        if word in (text + spelt).lower():
            assert may_stand({word.encode()}, held)


@pytest.fixture(scope="module")
def shipped() -> Rulebook:
    return Rulebook(load_rules(ROOT / "rules", CASE_SETTINGS).rules)


def case_records() -> list[dict[str, Any]]:
    """The records of all cases of rules and correlations."""
    records = []
    for path in sorted((ROOT / "tests" / "rules").rglob("*.yml")):
        if "\n  episodes:" in path.read_text("utf-8"):
            records += [dict(record) for case in load_correlation_cases(path) for record in case.records]
        else:
            records += [dict(case.record) for case in load_cases(path)]
    return records


@pytest.mark.slow
def test_well_formed_log_files_are_prefiltered_whole(shipped: Rulebook) -> None:
    """All cases of all rules in one log file as CloudTrail writes it: same hits, and none is left to a full parse."""
    records = case_records()
    records.sort(key=lambda record: str(record.get("eventID")))
    content = json.dumps({"Records": [{"eventVersion": "1.11", **record} for record in records]}, separators=(",", ":"))
    body = gzip.compress(content.encode())

    full, prefiltered, fully_parsed = both(shipped, body)

    assert prefiltered == full
    assert len(full[0]) > 300
    assert fully_parsed == sum(not isinstance(record.get("readOnly", True), bool) for record in records) == 0


def test_no_block_is_held_once_it_was_read(shipped: Rulebook) -> None:
    """What is left undecoded of a record holds its whole block: 100 KB that lie where the next blocks would."""
    derived = derived_fields(frozenset())
    matcher = Matcher(shipped.rules, GATE_FIELDS, dotted_root=False)
    prefilter = Prefilter(matcher, derived, PartialEvaluation((*GATE_FIELDS, "readOnly", "errorCode"), derived))
    entries = [json.dumps(record, separators=(",", ":")) for record in case_records()]
    records = f"[{','.join(entries)}]".encode()
    held = sys.getrefcount(records)

    block = prefilter.read(records)

    assert block
    assert len(block.to_parse) > 300
    assert sys.getrefcount(records) == held


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="no shared log files here")
@pytest.mark.parametrize("rules", ["shipped", "sigmahq"])
def test_real_log_files_give_the_same_both_ways(shipped: Rulebook, rules: str) -> None:
    """Third-party log files, each as it is and all in one."""
    rulebook = shipped if rules == "shipped" else Rulebook(load_rules(SHARED / "sigmahq", CASE_SETTINGS).rules)
    full, prefiltered = HitDetector(rulebook, full_parse_bytes=NEVER), HitDetector(rulebook, full_parse_bytes=0)
    hits = 0
    files = sorted((SHARED / "cloudtrail").rglob("*.json*"))
    for file in files:
        expected = outcome(full, file.read_bytes())

        assert outcome(prefiltered, file.read_bytes()) == expected
        hits += len(expected[0])
    assert len(files) > 100
    assert hits > 50


def test_rules_decide_by_a_few_facts_as_without_looking_ahead(shipped: Rulebook) -> None:
    """What is worked out for an outcome and a kind of actor must not be another one's: on all cases of all rules, one
    after the other, the rules match that match when each is asked for itself.
    """
    matcher = Matcher(shipped.rules, GATE_FIELDS, dotted_root=False)
    decision = Decision(
        PartialEvaluation((*GATE_FIELDS, "readOnly", "errorCode"), derived_fields(frozenset())), TELLING
    )
    matched = 0
    for fields in case_records():
        facts = facts_of(make_record(fields, 0))
        candidates = matcher.candidates(fields)
        expected = matching(candidates, fields, facts.as_fields(), SEEN_AT[:10])

        assert decision.matching(candidates, fields, facts, facts.fields(), SEEN_AT[:10]) == expected
        assert decision.matching(candidates[::2], fields, facts, facts.fields(), SEEN_AT[:10]) == [
            match for match in expected if match.rule in [one.rule for one in candidates[::2]]
        ]
        matched += bool(expected)
    assert matched > 300


def test_each_rule_alone_finds_what_it_finds_among_all(shipped: Rulebook) -> None:
    """What is decoded of a record follows from the rules that are there; a rule must not live on what others need."""
    records = [one for one in case_records() if isinstance(one.get("userIdentity"), dict)][::5]
    body = gzip.compress(json.dumps({"Records": records}, separators=(",", ":")).encode())
    told = [
        rule for rule in shipped.rules if rule.name in ("kms-decrypted-by-person", "identity-denied-on-destructive")
    ]
    assert len(told) == 2, "rules by whose alternatives and outcome the prefilter decides"

    for rule in (*told, *shipped.rules[::25]):
        full, prefiltered, _ = both(Rulebook((rule,)), body)
        assert prefiltered == full, rule.name
