"""What ties an act to the later call that undoes it, and what would tie it to one that does not."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.conftest import RULE
from trailbell.cloudtrail.record import make_record
from trailbell.engine.rulebook import Level, Rule, Undo, UndoneBy, dump_rulebook, load_rulebook
from trailbell.facts.facts import facts_of
from trailbell.hits.detect import HitDetector
from trailbell.hits.undo_values import joined_values
from trailbell.hits.undoing import act_links, undoing_of, words_for
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import BASE_RECORD, merged
from trailbell.rulebook.undone_by import undo_rules


KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def record(name: str = "DisableKey", **members: Any) -> dict[str, Any]:
    return merged(BASE_RECORD, {"eventSource": "kms.amazonaws.com", "eventName": name, **members})


def calls(name: str) -> list[Any]:
    source, event = ["field", "eventSource", ["eq", "kms.amazonaws.com"]], ["field", "eventName", ["eq", name.lower()]]
    return ["and", [source, event]]


def undone_by(name: str, path: str = "requestParameters.keyId", **more: Any) -> UndoneBy:
    return UndoneBy(calls(name), (path,), (path,), **{"key": name, **more})


def rule(name: str, *entries: UndoneBy, **more: Any) -> Rule:
    return replace(RULE, rule_id=name, name=name, undone_by=entries, **more)


def ways(rules: list[Rule], fields: dict[str, Any]) -> tuple[str, ...]:
    made = make_record(fields, 0)
    return act_links(rules, made, facts_of(made))


def said(rules: list[Rule], act: dict[str, Any], later: dict[str, Any]) -> set[str]:
    """The words that a later record says of an act."""
    detector = HitDetector(make_rulebook(undo_rules(rules), {}), undoings=True)
    undoing = detector.undoing_in_record(later, "2026-09-01T09:18:57Z")
    return words_for(ways(rules, act), undoing) if undoing else set()


PATHS = (("requestParameters.keyId",), ("requestParameters.keyId",))
ACT = record(requestParameters={"keyId": "k"})


@pytest.mark.parametrize(
    ("path", "members", "values"),
    [
        ("requestParameters.keyId", {"requestParameters": {"keyId": "k"}}, ["k"]),
        ("requestParameters.names", {"requestParameters": {"names": ["a", "b", "a"]}}, ["a", "b"]),
        ("requestParameters.keyId", {"requestParameters": {"keyId": 7}}, ["7"]),
        ("requestParameters.keyId", {"requestParameters": {"keyId": True}}, []),
        ("requestParameters.keyId", {"requestParameters": {"keyId": KEY}}, [f"arn:kms:key/{KEY.split('/')[1]}"]),
        ("requestParameters.name", {"requestParameters": {"name": "/prod/x"}}, ["prod/x"]),
        (
            "requestParameters.name",
            {"requestParameters": {"name": "arn:aws:ssm:us-east-1:111122223333:parameter/prod/x"}},
            ["arn:ssm:parameter/prod/x"],
        ),
        (
            "requestParameters.name",
            {"requestParameters": {"name": "arn:aws:cloudtrail:us-east-1:444455556666:trail/main"}},
            ["arn:cloudtrail:trail/main of 444455556666"],
        ),
        (
            "requestParameters.name",
            {"requestParameters": {"name": "arn:aws:logs:us-east-1:111122223333:log-group:main:a"}},
            ["arn:logs:log-group/main:a"],
        ),
        ("requestParameters.name", {"requestParameters": {"name": "arn:aws:s3:::bucket"}}, ["arn:s3:bucket"]),
        ("requestParameters.accountIdsToAdd", {"requestParameters": {"accountIdsToAdd": ["All", "ALL"]}}, ["all"]),
        ("requestParameters.patchGroup", {"requestParameters": {"patchGroup": "All"}}, ["All"]),
        ("requestParameters.a.b", {"requestParameters": {"a": [{"b": "x"}, {"c": 1}, {"b": ["y"]}]}}, ["x", "y"]),
        ("requestParameters.a + requestParameters.b", {"requestParameters": {"a": "x", "b": "y"}}, ["x\ny"]),
        ("requestParameters.a+requestParameters.b", {"requestParameters": {"a": "x"}}, []),
        (
            "requestParameters.a+requestParameters.b",
            {"requestParameters": {"a": "x", "b": ["1", "2"]}},
            ["x\n1", "x\n2"],
        ),
        ("requestParameters.a+requestParameters.b", {"requestParameters": {"a": ["x", "y"], "b": ["1", "2"]}}, []),
        ("region+requestParameters.keyId", {"requestParameters": {"keyId": "k"}}, ["us-east-1\nk"]),
    ],
)
def test_values_of_a_path(path: str, members: dict[str, Any], values: list[str]) -> None:
    """What a thing is stays with its name, and what belongs to which is never guessed."""
    made = make_record(record(**members), 0)

    assert joined_values(path, made, facts_of(made)) == values


PARAMETER = "arn:aws:ssm:us-east-1:111122223333:parameter/prod/x"


@pytest.mark.parametrize(
    ("act", "later", "resource_type", "same"),
    [
        ("/prod/x", PARAMETER, "ssm:parameter", True),
        ("prod/x", "/prod/x", "ssm:parameter", True),
        (PARAMETER, "/prod/x", "ssm:parameter", True),
        ("/prod/x", PARAMETER, "", False),
        ("/prod/x", "/prod/x", "", True),
        ("/prod/x", PARAMETER.replace("parameter", "document"), "ssm:parameter", False),
        (PARAMETER, PARAMETER.replace(":ssm:", ":glue:").replace("parameter", "table"), "", False),
        (PARAMETER, PARAMETER.replace("1111", "9999"), "", False),
        (PARAMETER, PARAMETER.replace(":aws:", ":aws-cn:"), "", True),
    ],
)
def test_name_is_of_a_thing_of_its_type(act: str, later: str, resource_type: str, same: bool) -> None:
    """An event data store and a dashboard may be called the same."""
    path = "requestParameters.name"
    rules = [rule("r", undone_by("Undo", path, resource_type=resource_type, anywhere=True))]

    found = said(rules, record(requestParameters={"name": act}), record("Undo", requestParameters={"name": later}))

    assert found == ({"undone"} if same else set())


def test_act_with_several_values_takes_all_of_them() -> None:
    """One of two accounts that was let in is not both."""
    rules = [rule("r", undone_by("Undo", "requestParameters.names"))]
    act = record(requestParameters={"names": ["a", "b"]})

    assert said(rules, act, record("Undo", requestParameters={"names": ["b", "a", "c"]})) == {"undone"}
    assert said(rules, act, record("Undo", requestParameters={"names": ["a"]})) == set()


def test_act_of_two_rules_takes_the_undo_of_both() -> None:
    """A new replica whose policy is put right is still a replica."""
    both = [rule("policy", undone_by("Put"), undone_by("Delete")), rule("place", undone_by("Delete"))]

    assert said(both, ACT, record("Delete", requestParameters={"keyId": "k"})) == {"undone"}
    assert said(both, ACT, record("Put", requestParameters={"keyId": "k"})) == set()
    assert said(both[:1], ACT, record("Put", requestParameters={"keyId": "k"})) == {"undone"}


def test_rule_that_cannot_be_undone_comes_first() -> None:
    """What is replaced is not undone because something lesser about it was."""
    worse, lesser = rule("value", undone_by("Put", word="replaced")), rule("expiry", undone_by("Clear"))
    later = record("Clear", requestParameters={"keyId": "k"})

    assert said([worse, lesser], ACT, later) == set()
    assert said([lesser, worse], ACT, later) == {"undone"}


UNDO_LATER = record("Undo", requestParameters={"keyId": "k"})


@pytest.mark.parametrize(
    ("other", "is_undone"),
    [
        ({"undo": Undo()}, True),
        ({"undo": Undo(note="It cannot be undone.")}, True),
        ({"undo": Undo(("restore it",))}, False),
        ({"undo": Undo(("restore it",), events=(("EnableKey",),))}, True),
        ({"undo": Undo(("restore it",), events=(("DisableKey",),))}, False),
        ({"level": Level.CRITICAL}, False),
        ({"level": Level.LOW, "undo": Undo(("restore it",)), "once_per_day": True}, False),
    ],
    ids=["none", "note only", "steps", "steps of another event", "steps of this event", "stronger", "once a day"],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
def test_what_another_rule_reports_must_not_be_left(other: dict[str, Any], is_undone: bool, is_first: bool) -> None:
    """A trail that is whole again may still write its events to a foreign log group."""
    pair = [rule("known", undone_by("Undo")), rule("other", **other)]

    assert said(pair[:: -1 if is_first else 1], ACT, UNDO_LATER) == ({"undone"} if is_undone else set())


@pytest.mark.parametrize(
    ("word", "level", "is_undone"),
    [
        ("replaced", Level.HIGH, True),
        ("replaced", Level.CRITICAL, False),
        ("stopped", Level.HIGH, False),
        ("answered", Level.LOW, False),
    ],
)
def test_what_was_not_undone_is_left(word: str, level: Level, is_undone: bool) -> None:
    """A key whose deletion is scheduled is still there, whatever its policy says now."""
    with_steps = {"undo": Undo(("delete it",)), "level": level}
    pair = [rule("known", undone_by("Undo")), rule("other", undone_by("Delete", word=word), **with_steps)]

    assert said(pair, ACT, UNDO_LATER) == ({"undone"} if is_undone else set())


def test_note_is_of_the_entry_that_has_it() -> None:
    """What a deployer's rule says of a call is not said of an act that ours reports."""
    noted = undone_by("Undo", key="noted", note="It comes back disabled.")
    silent = undo_rules([rule("ours", noted), rule("theirs", undone_by("Undo", key="plain"))])
    made = make_record(UNDO_LATER, 0)

    undoing = undoing_of(silent, made, facts_of(made))

    assert undoing
    (link,) = ways([rule("ours", noted)], ACT)
    assert undoing.notes == ((link, "It comes back disabled."),)
    assert len(undoing.links) == 2


def test_entries_of_one_rule_do_not_mix() -> None:
    """Deleting a store does not undo that it was cut off."""
    rules = [rule("r", undone_by("Connect", of=("disconnect",)), undone_by("Delete", of=("create",)))]
    disconnected = record("Disconnect", requestParameters={"keyId": "k"})

    assert said(rules, disconnected, record("Delete", requestParameters={"keyId": "k"})) == set()
    assert said(rules, disconnected, record("Connect", requestParameters={"keyId": "k"})) == {"undone"}


def test_entry_may_be_about_some_acts_only() -> None:
    """By what their records have."""
    rules = [rule("r", undone_by("Undo", when=["field", "requestParameters.bucket", ["exists", False]]))]

    assert ways(rules, ACT)
    assert not ways(rules, record(requestParameters={"keyId": "k", "bucket": "b"}))


@pytest.mark.parametrize(
    "members",
    [
        {"errorCode": "AccessDenied"},
        {"eventTime": "never"},
        {"requestParameters": {"keyId": [str(number) for number in range(21)]}},
        {"requestParameters": None},
    ],
    ids=["denied", "no time", "too many values", "no value"],
)
def test_act_that_cannot_be_followed(members: dict[str, Any]) -> None:
    """It stays open until somebody resolves it."""
    assert not ways([rule("r", undone_by("Undo"))], merged(ACT, members))


def test_combinations_have_an_end() -> None:
    """Rules of a deployer's own may name any number of ways."""
    rules = [rule(f"r{at}", *(undone_by(f"Undo{at}{way}") for way in range(5))) for at in range(3)]

    assert ways(rules, ACT) == ()
    assert len(ways(rules[:1], ACT)) == 5


def test_later_call_in_another_region_undoes_only_where_that_is_said() -> None:
    """Ids are unique in a Region; keys of several Regions have the same in each."""
    later = record("Undo", requestParameters={"keyId": "k"}, awsRegion="eu-west-1")

    assert said([rule("r", undone_by("Undo"))], ACT, later) == set()
    assert said([rule("r", undone_by("Undo", anywhere=True))], ACT, later) == {"undone"}


def test_one_record_is_linked_once_for_all_rules() -> None:
    """Grants stand in three rules; each link is a row."""
    rules = [rule(name, undone_by("Undo")) for name in ("one", "two", "three")]
    (silent,) = undo_rules(rules)
    made = make_record(record("Undo", requestParameters={"keyId": "k"}), 0)
    undoing = undoing_of([silent], made, facts_of(made))

    assert undoing
    assert len(undoing.links) == 1
    assert len(ways(rules, ACT)) == 1


def test_rulebook_keeps_what_undoes() -> None:
    """It travels to Lambda as JSON."""
    rules = [rule("r", undone_by("Undo", of=("disablekey",), when=calls("x"), word="stopped", anywhere=True, note="n"))]
    rulebook = make_rulebook((*rules, *undo_rules(rules)), {})

    loaded = load_rulebook(dump_rulebook(rulebook)).rules

    assert loaded == tuple(sorted(rulebook.rules, key=lambda one: one.rule_id))


def test_who_undid_it_is_text_of_a_record() -> None:
    """Whoever makes the later call chooses its session's name; it lands in mails, states and keys of rows."""
    name = "www.evil.example\ud800\n@everyone"
    arn = f"arn:aws:sts::111122223333:assumed-role/Admin/{name}"
    later = record("EnableKey\u202e", requestParameters={"keyId": "k"}, userIdentity={"arn": arn})
    silent = undo_rules([rule("r", UndoneBy(["not", ["field", "eventName", ["null"]]], *PATHS, key="x"))])

    undoing = HitDetector(make_rulebook(silent, {}), undoings=True).undoing_in_record(later, "2026-09-01T09:18:57Z")

    assert undoing
    for said_of_it in (undoing.by, undoing.by_key, undoing.event_name):
        assert said_of_it.isprintable()
        assert "www.evil.example" not in said_of_it
        assert said_of_it.encode("utf-8")
