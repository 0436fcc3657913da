"""EventBridge brings every record that a rule reports, or the rule is on the list of those that are left to S3."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.rules.event_patterns import envelope, is_matched
from tests.shipped import CASES, RULES, shipped, shipped_cases, shipped_files
from trailbell.cli.local.local_aws import start_local_aws
from trailbell.engine.rulebook import Rule, Rulebook, RuleException
from trailbell.errors import RuleError
from trailbell.rulebook.build import build_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS, case_file
from trailbell.rulebook.correlation_cases import load_correlation_cases
from trailbell.rulebook.live_calls import BUSY, IS_IN_FILE, OWN_ACCOUNT, UNLISTED, live_of
from trailbell.rulebook.live_patterns import (
    MOST_CHARACTERS,
    MOST_RULES,
    LivePattern,
    central_patterns,
    live_patterns,
    resolved,
)


ACCOUNT = "111122223333"  # of the cases


@cache
def rulebook() -> Rulebook:
    """The rulebook as it is deployed: the rules that ship, the canary's, those of undos, and correlations."""
    return build_rulebook(RULES, None, CASE_SETTINGS, date(2026, 11, 28))[0]


@cache
def patterns() -> tuple[LivePattern, ...]:
    return live_patterns(rulebook())


@cache
def central() -> tuple[LivePattern, ...]:
    return central_patterns(rulebook())


def account_of(record: Any) -> str:
    return str(record.get("recipientAccountId") or ACCOUNT)


@cache
def resolved_texts(texts: tuple[str, ...], account: str) -> tuple[Any, ...]:
    return tuple(resolved(json.loads(text), account) for text in texts)


def in_account(among: tuple[LivePattern, ...], account: str) -> tuple[Any, ...]:
    """The patterns as they are in an account."""
    return resolved_texts(tuple(json.dumps(one.pattern) for one in among), account)


def matching(record: Any, among: tuple[LivePattern, ...]) -> list[LivePattern]:
    """The patterns that let a record through, in the account that it is of."""
    event, account = envelope(record), account_of(record)
    return [one for one, pattern in zip(among, in_account(among, account), strict=True) if is_matched(pattern, event)]


def is_left_to_s3(rule: Rule, record: Any) -> bool:
    """Whether the rule says so of a record like this one: of all its records, or of calls of that name."""
    name = str(record["eventName"]).lower()
    return any(
        not calls or (name in calls and (why != UNLISTED or not record.get("resources")))
        for why, calls in live_of(rule).left_out
    )


def reported() -> Iterator[tuple[Rule, Any]]:
    """Each record that a rule's own cases say it reports."""
    for rule in shipped().rules:
        for case in shipped_cases(rule.stem):
            if case.match:
                yield rule, case.record


def records() -> Iterator[Any]:
    """All records of all cases, of those that match nothing, and of the undos and correlations, too."""
    for rule in shipped().rules:
        for case in shipped_cases(rule.stem):
            yield case.record
            yield from (later.record for later in case.undone_by)
    for stem in {one.rule.stem for one in shipped().correlations}:
        for together in load_correlation_cases(case_file(shipped_files()[stem], RULES, CASES)):
            yield from together.records


def test_every_record_that_a_rule_reports_comes_or_is_left_to_s3_by_name() -> None:
    """A record that no pattern lets through is minutes late, and nobody would know."""
    missed = [
        (rule.name, record["eventName"])
        for rule, record in reported()
        if not is_left_to_s3(rule, record) and not matching(record, patterns())
    ]

    assert missed == []
    assert sum(1 for _ in reported()) > 500


def test_what_members_let_through_the_central_bus_lets_through() -> None:
    """Two sets of patterns of one rulebook: what the second refuses, the first has sent for nothing."""
    lost = [
        record["eventName"] for record in records() if matching(record, patterns()) and not matching(record, central())
    ]

    assert lost == []
    assert OWN_ACCOUNT in json.dumps([one.pattern for one in patterns()])
    assert OWN_ACCOUNT not in json.dumps([one.pattern for one in central()])


def test_undo_of_an_act_comes_as_the_act_does() -> None:
    """An act that is closed five minutes after it was opened has woken somebody for nothing."""
    missed = [
        (rule.name, later.record["eventName"])
        for rule in shipped().rules
        for case in shipped_cases(rule.stem)
        for later in case.undone_by
        if later.word and matching(case.record, patterns()) and not matching(later.record, patterns())
    ]

    assert missed == []


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"eventSource": "sts.amazonaws.com", "eventName": "AssumeRole"}, id="another-service"),
        pytest.param({"eventSource": "kms.amazonaws.com", "eventName": "Decrypt"}, id="busy-call"),
        pytest.param({"eventSource": "kms.amazonaws.com", "eventName": "DescribeKey"}, id="read"),
        pytest.param({"eventSource": "ssm.amazonaws.com", "eventName": "DisableKey"}, id="name-of-another-service"),
        pytest.param({"eventSource": "ssm.amazonaws.com", "eventName": "UpdateInstanceInformation"}, id="heartbeat"),
        pytest.param({"eventSource": "ssm.amazonaws.com", "eventName": "GetParameter"}, id="busy-read"),
    ],
)
def test_unrelated_event_does_not_come(changes: dict[str, str]) -> None:
    """Each event is a message and a part of an invocation; a busy call is millions of them."""
    own = {"recipientAccountId": ACCOUNT, "resources": [{"accountId": ACCOUNT}]}
    record = {**own, "userIdentity": {"type": "AssumedRole", "accountId": ACCOUNT}, **changes}

    assert matching(record, patterns()) == []


def test_event_that_somebody_put_does_not_come() -> None:
    """Detail and detail-type are anybody's; only the source is AWS's own."""
    _, record = next(reported())
    genuine = envelope(record)

    for source in ("my.app", "aws", "aws.partner/example.com/kms", "trailbell"):
        forged = {**genuine, "source": source}
        assert not any(is_matched(resolved(one.pattern, ACCOUNT), forged) for one in (*patterns(), *central()))


def test_every_pattern_names_its_sources_exactly() -> None:
    """One that does not would let through what somebody put."""
    for one in (*patterns(), *central()):
        sources = one.pattern["source"]
        assert sources
        assert all(isinstance(source, str) and source.startswith("aws.") and "/" not in source for source in sources)
        assert set(one.pattern) == {"source", "detail"}


def test_every_detail_names_sources_that_the_pattern_has() -> None:
    """A part of a pattern whose source is missing above is a part that never matches."""
    for one in (*patterns(), *central()):
        parts = one.pattern["detail"].get("$or", [one.pattern["detail"]])
        named = {f"aws.{source.partition('.')[0]}" for part in parts for source in part["eventSource"]}
        assert named == set(one.pattern["source"])


def test_patterns_are_few_and_within_the_limit() -> None:
    """What is too long is refused by AWS, half-way through a deployment."""
    for found in (patterns(), central()):
        assert all(len(json.dumps(resolved(one.pattern, ACCOUNT))) <= MOST_CHARACTERS for one in found)
        assert 1 < len(found) <= 12
        assert [one.name for one in found if one.reads] == ["Reads1"]
        assert len({one.name for one in found}) == len(found)


def test_reads_that_rules_want_stand_in_a_rule_of_their_own() -> None:
    """The state for all management events widens a whole rule: what is no read must not stand in it."""
    calls = [
        (part["eventSource"][0].partition(".")[0], name)
        for one in patterns()
        for part in one.pattern["detail"].get("$or", [one.pattern["detail"]])
        for name in part.get("eventName", ())
        if one.reads
    ]

    assert calls == [
        ("kms", "GetParametersForImport"),
        ("ssm", "GetAccessToken"),
        ("ssm", "GetParameterHistory"),
        ("ssm", "GetParametersByPath"),
    ]
    assert {one.state for one in patterns()} == {"ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}


def test_patterns_are_the_same_for_the_same_rulebook() -> None:
    """A deployment without a change changes nothing."""
    rules = rulebook()
    backwards = Rulebook(rules.rules[::-1], rules.trusted_accounts, rules.automation_roles, rules.correlations)

    assert live_patterns(backwards) == patterns()


def test_names_are_spelled_as_records_have_them() -> None:
    """A pattern minds the case of letters where rules do not; a name that nobody knows is asked for in any case."""
    named = {
        (part["eventSource"][0], json.dumps(name))
        for one in patterns()
        for part in one.pattern["detail"].get("$or", [one.pattern["detail"]])
        for name in part.get("eventName", ())
    }

    unknown = {source for source, name in named if name.startswith('{"equals-ignore-case')}
    # Sign-ins have no API; the others are pairs of source and name that no service has, of lists that rules share.
    contacts = {"ssm-contacts.amazonaws.com", "ssmcontacts.amazonaws.com", "ssm-incidents.amazonaws.com"}
    assert unknown <= {"signin.amazonaws.com", *contacts}
    assert ("kms.amazonaws.com", '"DisableKey"') in named


def own_rule(tmp_path: Path, detection: str) -> Rulebook:
    (tmp_path / "local").mkdir(parents=True)
    (tmp_path / "local" / "own.yml").write_text(
        "title: Own\nid: 5f0c3d5e-6d3a-4c57-9a3e-0d0e5b6a7c11\nlevel: high\nname: own\n"
        "description: One of ours.\nlogsource: {product: aws, service: cloudtrail}\n"
        f"detection:\n{detection}\n    condition: selection\n",
        encoding="utf-8",
    )
    return build_rulebook(tmp_path, None, CASE_SETTINGS, date(2026, 11, 28))[0]


@pytest.mark.parametrize(
    ("detection", "record", "why"),
    [
        pytest.param(
            "    selection: {eventSource: glue.amazonaws.com, eventName: DeleteJob}",
            {"eventSource": "glue.amazonaws.com", "eventName": "DeleteJob"},
            [],
            id="named",
        ),
        pytest.param(
            "    selection: {eventSource: glue.amazonaws.com, eventName|startswith: Delete}",
            {"eventSource": "glue.amazonaws.com", "eventName": "DeleteJob"},
            [],
            id="by-its-beginning",
        ),
        pytest.param(
            "    selection: {eventSource: glue.amazonaws.com, eventName|endswith: Job}",
            None,
            ["names no call"],
            id="by-its-end",
        ),
        pytest.param("    selection: {eventName: DeleteJob}", None, ["names no service"], id="without-a-service"),
        pytest.param(
            "    selection: {eventSource: kms.amazonaws.com, eventName: Decrypt}",
            None,
            ["runs all day long"],
            id="busy",
        ),
        pytest.param(
            "    selection: {eventSource: glue.amazonaws.com, eventName: DeleteJob, eventContext.requestContext: x}",
            None,
            [IS_IN_FILE],
            id="by-what-no-live-event-has",
        ),
        pytest.param(
            "    selection:\n        '|all': [glue.amazonaws.com, DeleteJob]",
            None,
            [IS_IN_FILE],
            id="by-keywords",
        ),
    ],
)
def test_rule_of_ones_own_is_live_or_says_why_not(
    tmp_path: Path, detection: str, record: dict[str, str] | None, why: list[str]
) -> None:
    """A deployer's rules are in the patterns as ours are."""
    found = own_rule(tmp_path, detection)
    own = next(rule for rule in found.rules if rule.name == "own")

    assert [reason for reason, _ in live_of(own).left_out] == why
    if record:
        assert matching(record, live_patterns(found))


def test_rule_with_an_exception_by_what_no_live_event_has_is_left_to_the_log_files(tmp_path: Path) -> None:
    """Live it would page for what the log file mutes."""
    found = own_rule(tmp_path, "    selection: {eventSource: glue.amazonaws.com, eventName: DeleteJob}")
    own = next(rule for rule in found.rules if rule.name == "own")
    still_alerts = ["not", ["field", "eventContext.tagContext.resourceTags.env", ["eq", "dev"]]]
    excepted = replace(own, exceptions=(RuleException("dev", "ops", "it tests", "2999-12-31", still_alerts),))

    assert live_of(own).asked
    assert (live_of(excepted).asked, live_of(excepted).left_out) == ((), ((IS_IN_FILE, ()),))


@pytest.mark.parametrize("most", [0, 5, 60, 115, 116, 400])
def test_any_number_of_trusted_accounts_has_patterns_that_bring_what_rules_report(most: int) -> None:
    """Where they do not fit all but the own account come: more than is asked for, never less."""
    ours = rulebook()
    trusted = frozenset(f"{700_000_000_000 + number}" for number in range(most))
    found = live_patterns(Rulebook(ours.rules, trusted, ours.automation_roles, ours.correlations))

    assert len(found) <= MOST_RULES
    assert all(len(json.dumps(one.pattern)) <= MOST_CHARACTERS for one in found)
    stranger = {"userIdentity": {"type": "AWSAccount", "accountId": "999988887777"}}
    own = {"userIdentity": {"type": "IAMUser", "accountId": "111122223333"}}
    call = {"eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "recipientAccountId": "111122223333"}
    assert matching(call | stranger, found)
    assert not matching(call | own, found)


GLUE = "glue.amazonaws.com"
WORDS = [f"word{number:02}" for number in range(90)]
SERVICES = [f"{word}.amazonaws.com" for word in WORDS]
ROOT = {"userIdentity": {"type": "Root"}}


@pytest.mark.parametrize(
    ("parts", "records"),
    [
        (
            [["field", "eventSource", ["in", SERVICES]], ["field", "facts.actor.kind", ["eq", "root"]]],
            [{"eventSource": one, "eventName": "Any", **ROOT} for one in SERVICES],
        ),
        (
            [
                ["field", "eventSource", ["eq", GLUE]],
                ["or", [["field", "eventName", ["prefix", word]] for word in WORDS]],
            ],
            [{"eventSource": GLUE, "eventName": f"{word.capitalize()}Job"} for word in WORDS],
        ),
    ],
    ids=["services", "beginnings"],
)
def test_long_lists_are_cut_into_patterns_that_have_room(parts: list[Any], records: list[dict[str, Any]]) -> None:
    (rule, *_) = rulebook().rules
    found = live_patterns(Rulebook((type(rule)(rule.rule_id, "many", "many", "Many", rule.level, "", ["and", parts]),)))

    assert all(len(json.dumps(one.pattern)) <= MOST_CHARACTERS for one in found)
    assert [record for record in records if not matching(record, found)] == []


def test_too_many_calls_end_the_synth(tmp_path: Path) -> None:
    """A bus has room for so many rules, and an account has others."""
    found = rulebook()
    (rule, *_) = found.rules
    names = [f"call{number:06}" for number in range(20_000)]
    node = ["and", [["field", "eventSource", ["eq", "glue.amazonaws.com"]], ["field", "eventName", ["in", names]]]]
    many = Rulebook((type(rule)(rule.rule_id, "many", "many", "Many", rule.level, "", node),))

    with pytest.raises(RuleError, match="EventBridge rules"):
        live_patterns(many)


def test_busy_calls_are_written_as_rulebooks_have_them() -> None:
    """In small letters; one in another case would be let through by the million."""
    assert all(name == name.lower() for names in BUSY.values() for name in names)


@pytest.mark.slow
def test_the_embedded_aws_says_the_same(tmp_path: Path) -> None:
    """The evaluator here is ours; TestEventPattern is somebody else's reading of AWS's documentation."""
    aws = start_local_aws(tmp_path)
    try:
        events = aws.client("events")
        # One record of each call that a rule reports, and of each of the others.
        every = {(record["eventSource"], record["eventName"], "errorCode" in record): record for record in records()}
        asked = set[bool]()
        for record in every.values():
            event = envelope(record)
            for pattern in in_account(patterns(), account_of(record)):
                ours = is_matched(pattern, event)
                if ours or event["source"] in pattern["source"]:
                    answer = events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))
                    asked.add(ours)
                    assert answer["Result"] is ours, (record["eventSource"], record["eventName"])
        assert asked == {True, False}
        assert len(every) > 300
    finally:
        aws.stop()
