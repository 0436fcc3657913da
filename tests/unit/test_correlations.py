"""Correlation documents: what they mean, and what is refused with which reason; `rules match` from end to end."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from trailbell.cli.main import cli
from trailbell.engine.correlation import Correlation, silenced
from trailbell.engine.rulebook import Level, Rulebook, dump_rulebook, load_rulebook
from trailbell.rulebook.documents import Kind
from trailbell.rulebook.foreign import told_apart
from trailbell.rulebook.load import RuleSet, load_rules


A_ID, B_ID = "6d6cea2a-3b4d-4d56-86bf-c3c3a54e3701", "6d6cea2a-3b4d-4d56-86bf-c3c3a54e3702"


def rule(name: str, **members: Any) -> dict[str, Any]:
    detection = {"s": {"eventName": name.upper()}, "condition": "s"}
    return {
        "title": f"Rule {name}",
        "name": name,
        "level": "low",
        "detection": detection,
        "logsource": {"product": "aws"},
    } | members


def correlation(**members: Any) -> dict[str, Any]:
    """A right one; members of the document's top level have a name that begins with `_`; None takes one away."""
    body = {"type": "event_count", "rules": ["a"], "group-by": ["user"], "timespan": "5m", "condition": {"gte": 3}}
    body |= {name.replace("group_by", "group-by"): value for name, value in members.items() if name[0] != "_"}
    top = {name[1:]: value for name, value in members.items() if name[0] == "_"}
    return {"title": "Many", "correlation": {name: one for name, one in body.items() if one is not None}} | top


def loaded(folder: Path, *documents: dict[str, Any], **options: Any) -> RuleSet:
    """The documents, all in one file."""
    text = "---\n".join(yaml.safe_dump(one, sort_keys=False) for one in documents)
    (folder / "rules.yml").write_text(text, encoding="utf-8")
    return load_rules(folder, {}, any_source=True, **options)


def compiled(folder: Path, *documents: dict[str, Any]) -> Correlation:
    found = loaded(folder, rule("a"), rule("b"), *documents)
    assert found.left_out == ()
    return found.correlations[-1]


def reasons(folder: Path, *documents: dict[str, Any]) -> dict[str, str]:
    """Why documents are refused, by title."""
    found = loaded(folder, rule("a"), rule("b"), *documents)
    assert all(one.kind is Kind.CORRELATION for one in found.left_out), found.errors
    return {one.title: one.reason for one in found.left_out}


UNDECIDED = "cannot be decided while events still arrive"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        *(({"condition": {name: 3}}, UNDECIDED) for name in ("lt", "lte", "eq", "neq")),
        ({"condition": {"gte": 3, "lt": 9}}, UNDECIDED),
        *(({"type": name}, UNDECIDED) for name in ("value_sum", "value_avg", "value_percentile", "value_median")),
        ({"type": "temporal", "rules": ["a", "b"], "condition": "a and not b"}, UNDECIDED),
        ({"type": "temporal", "rules": None, "condition": "a or b"}, UNDECIDED),
        ({"type": "event_cuont"}, "did you mean 'event_count'?"),
        ({"type": None}, "type None is unknown"),
        ({"type": ["event_count"]}, "is unknown"),
        ({"type": {"event_count": 1}}, "is unknown"),
        ({"type": 1}, "is unknown"),
        ({"condition": None}, "condition is missing"),
        ({"condition": {}}, "neither gt nor gte"),
        ({"condition": [{"gte": 3}]}, "condition is a map"),
        ({"condition": 3}, "condition is a map"),
        ({"condition": {"gte": 3, "window": 1}}, "unknown members window"),
        ({"condition": {"gte": 3, 4: 1}}, "unknown members 4"),
        *(({"condition": {"gte": value}}, "is a whole number") for value in ("3", 2.5, True, None, [3], {"n": 3})),
        ({"condition": {"gte": 0}}, "always true"),
        ({"condition": {"gte": -5}}, "always true"),
        ({"condition": {"gt": -1}}, "always true"),
        ({"type": "temporal", "rules": ["a", "b"], "condition": {"gte": 3}}, "never true"),
        ({"type": "temporal_ordered", "rules": ["a", "b"], "condition": {"gt": 2}}, "never true"),
        ({"type": "temporal_ordered", "rules": ["a", "b"], "condition": {"gte": 0}}, "always true"),
        ({"type": "value_count"}, "needs condition.field"),
        ({"type": "value_count", "field": "name"}, "needs condition.field"),
        ({"type": "value_count", "condition": {"gte": 3, "field": []}}, "condition.field is"),
        ({"type": "value_count", "condition": {"gte": 3, "field": ""}}, "condition.field is"),
        ({"type": "value_count", "condition": {"gte": 3, "field": 5}}, "condition.field is"),
        ({"type": "value_count", "condition": {"gte": 3, "field": "a[0].b"}}, "brackets"),
        ({"rules": None}, "rules is"),
        *(({"rules": value}, "rules is") for value in ([], "", [""], [None], [1], {"a": 1}, [["a"]], [{"a": 1}], 7)),
        ({"group_by": None}, "group-by is missing"),
        *(({"group_by": value}, "group-by is") for value in ([], "", [None], [["user"]], {"user": 1}, True)),
        ({"group_by": ["list[0]"]}, "brackets"),
        ({"timespan": None}, "timespan is missing"),
        ({"timespan": None, "timeframe": "5m"}, "timeframe is called timespan"),
        *(
            ({"timespan": value}, "timespan is a number")
            for value in (
                "0s",
                "5",
                "m",
                "5M",
                "1w",
                "1y",
                "-5m",
                "1.5h",
                " 5m",
                "5 m",
                "5m\n",
                "\N{ARABIC-INDIC DIGIT FIVE}m",
                300,
                ["5m"],
                "",
            )
        ),
        ({"timespan": "9" * 5000 + "s"}, "timespan is a number"),
        ({"generate": "true"}, "generate is true or false, not 'true'"),
        ({"generate": 1}, "generate is true or false"),
        ({"_generate": True, "generate": "no"}, "generate is true or false, not 'no'"),
        ({"aliases": ["x"]}, "aliases is a map"),
        ({"aliases": {"x": "user"}}, "aliases is a map"),
        ({"aliases": {"x": {"a": None}}}, "aliases.x is"),
        ({"aliases": {"x": {"a": ["user"]}}}, "aliases.x is"),
        ({"aliases": {"x": {"nobody": "user"}}}, "refers to 'nobody'"),
        ({"rules": ["nobody"]}, "refers to 'nobody'"),
        ({"rules": ["Rule a"]}, "refers to 'Rule a'"),
        ({"rules": ["A"]}, "refers to 'A'"),
        ({"rules": ["a", "a"]}, "the same rule twice"),
        (
            {"rules": ["a", "b"], "group_by": ["x"], "aliases": {"x": {"a": "user"}}},
            "alias 'x' says nothing of rule 'b'",
        ),
        ({"_level": "loud"}, "loud"),
        ({"_title": None}, "title"),
    ],
)
def test_refused(tmp_path: Path, members: dict[str, Any], reason: str) -> None:
    """With the reason, so that its author knows what to write; other documents go on, and nobody falls silent."""
    found = loaded(tmp_path, rule("a"), rule("b"), correlation(**members))

    (refused,) = found.left_out
    assert reason in refused.reason
    assert "cannot be parsed" not in refused.reason
    assert [one.name for one in found.rules] == ["a", "b"]
    assert silenced(found.rules, found.correlations) == frozenset()


@pytest.mark.parametrize("body", [None, [], "event_count", 5, True, [{"type": "event_count"}]])
def test_what_is_no_map_is_refused(tmp_path: Path, body: Any) -> None:
    (reason,) = reasons(tmp_path, {"title": "Odd", "correlation": body}).values()

    assert "correlation is a map" in reason


@pytest.mark.parametrize(
    ("members", "threshold"),
    [
        ({"condition": {"gt": 3}}, 4),
        ({"condition": {"gt": 3, "gte": 3}}, 4),
        ({"condition": {"gt": 3, "gte": 9}}, 9),
        ({"condition": {"gte": 3.0}}, 3),
        ({"condition": {"gt": 0}}, 1),
        ({"condition": {"gte": 10**9}}, 10**9),
        ({"type": "temporal", "rules": ["a", "b"], "condition": None}, 2),
        ({"type": "temporal_ordered", "rules": ["a", "b"], "condition": {}}, 2),
        ({"type": "temporal_ordered", "rules": ["a", "b"], "condition": {"gte": 1}}, 1),
    ],
)
def test_threshold(tmp_path: Path, members: dict[str, Any], threshold: int) -> None:
    assert compiled(tmp_path, correlation(**members)).threshold == threshold


@pytest.mark.parametrize(
    ("given", "seconds"), [("1s", 1), ("010m", 600), ("2h", 7200), ("999999999d", 86_399_999_913_600)]
)
def test_timespan(tmp_path: Path, given: str, seconds: int) -> None:
    assert compiled(tmp_path, correlation(timespan=given)).timespan_seconds == seconds


def test_plain_text_stands_for_a_list_and_unknown_members_are_ignored(tmp_path: Path) -> None:
    one = compiled(tmp_path, correlation(rules="a", group_by="user", note="x", _fields=["user"], _x_team="red"))

    assert (one.rules, one.group_by, one.group_paths) == (("a",), ("user",), (("user",),))


def test_level_is_its_own_or_the_highest_of_its_rules(tmp_path: Path) -> None:
    both = rule("a", level="medium"), rule("b", level="critical")
    found = loaded(
        tmp_path, *both, correlation(rules=["a", "b"]), correlation(rules=["a", "b"], _level="low", _title="Few")
    )

    assert [one.rule.level for one in found.correlations] == [Level.CRITICAL, Level.LOW]


@pytest.mark.parametrize(
    "name", [A_ID, A_ID.upper(), A_ID.replace("-", ""), "a", "6D6CEA2A-3b4d-4d56-86bf-c3c3a54e3701"]
)
@pytest.mark.parametrize("first", ["rules", "correlation"])
def test_reference_by_id_or_name_across_files_in_any_order(tmp_path: Path, name: str, first: str) -> None:
    files = {"a.yml": rule("a", id=A_ID), "b.yml": correlation(rules=[name])}
    if first == "correlation":
        files = {"b.yml": files["a.yml"], "a.yml": files["b.yml"]}
    for file, content in files.items():
        (tmp_path / file).write_text(yaml.safe_dump(content), encoding="utf-8")

    (found,) = load_rules(tmp_path, {}).correlations

    assert found.rules == (A_ID,)


def test_id_of_one_that_is_the_name_of_another_is_neither(tmp_path: Path) -> None:
    (reason,) = [
        one.reason
        for one in loaded(tmp_path, rule("a", id=A_ID), rule(A_ID, id=B_ID), correlation(rules=[A_ID])).left_out
    ]

    assert "2 rules" in reason


def test_two_rules_of_one_name_are_refused_only_where_they_are_named(tmp_path: Path) -> None:
    twins = rule("twin", id=A_ID), rule("twin", id=B_ID)

    assert "2 rules" in reasons(tmp_path, *twins, correlation(rules=["twin"]))["Many"]
    assert reasons(tmp_path, *twins, correlation(rules=[A_ID, B_ID])) == {}


def test_name_and_id_of_one_rule_are_the_same_rule(tmp_path: Path) -> None:
    assert "same rule twice" in reasons(tmp_path, rule("c", id=A_ID), correlation(rules=["c", A_ID]))["Many"]


def test_aliases(tmp_path: Path) -> None:
    """They win over a field of that name, in group-by and in the field; one that is not used is harmless."""
    aliases = {"user": {"a": "userName", "b": "user.name"}, "what": {"a": "x", "b": "y"}, "idle": {"a": "z"}}
    counted = {"gte": 2, "field": ["what", "plain"]}
    one = compiled(tmp_path, correlation(type="value_count", rules=["a", "b"], aliases=aliases, condition=counted))

    assert one.group_by == ("user",)
    assert one.group_paths == (("userName",), ("user.name",))
    assert one.value_paths == (("x", "plain"), ("y", "plain"))


def test_alias_by_name_and_id_must_agree(tmp_path: Path) -> None:
    def reasons_of(second: str) -> dict[str, str]:
        aliases = {"user": {"c": "one", A_ID: second}}
        return reasons(tmp_path, rule("c", id=A_ID), correlation(rules=["c"], aliases=aliases))

    assert "two fields" in reasons_of("two")["Many"]
    assert reasons_of("one") == {}


def chain(depth: int) -> list[dict[str, Any]]:
    """Correlations c1 over a rule, c2 over c1 …"""
    first = correlation(_name="c1", _title="c1")
    others = [
        correlation(
            type="value_count",
            rules=[f"c{at - 1}"],
            condition={"gte": 1, "field": "user"},
            _name=f"c{at}",
            _title=f"c{at}",
        )
        for at in range(2, depth + 1)
    ]
    return [first, *others]


@pytest.mark.parametrize("order", [1, -1])
def test_chains_end_at_depth_three(tmp_path: Path, order: int) -> None:
    found = loaded(tmp_path, rule("a"), *chain(5)[::order])

    assert sorted((one.rule.name, one.depth) for one in found.correlations) == [("c1", 1), ("c2", 2), ("c3", 3)]
    why = {one.title: one.reason for one in found.left_out}
    assert "is 4 correlations deep; at most 3" in why["c4"]
    assert "refers to 'c4', which is refused: is 4" in why["c5"]


@pytest.mark.slow
def test_long_chains_and_cycles_end(tmp_path: Path) -> None:
    """Whoever writes a thousand of them gets a thousand reasons, each of them short."""
    found = loaded(tmp_path, rule("a"), *chain(1000)[::-1])
    assert len(found.correlations) == 3
    assert max(len(one.reason) for one in found.left_out) < 400

    ring = chain(500)[1:]
    ring[0]["correlation"]["rules"] = ["c500"]
    found = loaded(tmp_path, rule("a"), *ring)
    assert found.correlations == ()
    assert {one.reason for one in found.left_out} == {"refers to itself, or to a correlation that does"}


def test_self_reference_and_what_refers_to_it(tmp_path: Path) -> None:
    """Also through an alias; what stands beside the circle runs."""
    why = reasons(
        tmp_path,
        correlation(type="temporal", rules=["a", "self"], condition=None, _name="self", _title="Self"),
        correlation(type="temporal", rules=["a", "self"], condition=None, _name="behind", _title="Behind"),
        correlation(aliases={"x": {"aliased": "user"}}, _name="aliased", _title="Aliased"),
        correlation(_title="Fine"),
    )

    assert set(why) == {"Self", "Behind", "Aliased"}
    assert all("itself" in reason for reason in why.values())


def test_event_count_over_a_correlation(tmp_path: Path) -> None:
    why = reasons(tmp_path, correlation(_name="inner"), correlation(rules=["inner"], _title="Outer"))

    assert "event_count over a correlation cannot be decided" in why["Outer"]


def test_group_of_a_chain_must_be_in_the_inner_group(tmp_path: Path) -> None:
    """An episode of the inner has many users."""
    inner = correlation(_name="inner", group_by=["host"])

    def outer(**members: Any) -> dict[str, Any]:
        return correlation(type="temporal", rules=["inner", "a"], condition=None, _title="Outer", **members)

    assert "add it to the group-by of 'inner'" in reasons(tmp_path, inner, outer())["Outer"]
    assert reasons(tmp_path, inner, outer(aliases={"user": {"inner": "host", "a": "user"}})) == {}
    assert reasons(tmp_path, correlation(_name="inner", group_by=["host", "user"]), outer()) == {}


def test_refused_one_takes_those_that_refer_to_it_and_nobody_else(tmp_path: Path) -> None:
    """The rules that it names report as if it were not there."""
    found = loaded(
        tmp_path,
        rule("a"),
        correlation(_name="inner", timespan="0s"),
        correlation(type="temporal", rules=["inner", "a"], condition=None, _title="Outer"),
    )

    assert [one.title for one in found.left_out] == ["Many", "Outer"]
    assert "refers to 'inner', which is refused: timespan" in found.left_out[1].reason
    assert silenced(found.rules, found.correlations) == frozenset()


@pytest.mark.parametrize(
    ("first", "second", "silent"),
    [
        ({}, {}, {"a", "inner"}),
        ({"generate": True}, {}, {"inner"}),
        ({"_generate": True}, {}, {"inner"}),
        ({}, {"generate": True}, set()),
        ({"_generate": False, "generate": True}, {"_generate": False}, {"inner"}),
    ],
)
def test_generate(tmp_path: Path, first: dict[str, Any], second: dict[str, Any], silent: set[str]) -> None:
    """False where nobody says; one that says true is enough; a correlation is silenced as a rule is."""
    found = loaded(
        tmp_path,
        rule("a"),
        correlation(_name="inner", **first),
        correlation(type="temporal", rules=["inner", "a"], condition=None, _title="Outer", **second),
    )

    assert silenced(found.rules, found.correlations) == silent


def test_rule_that_is_only_counted(tmp_path: Path) -> None:
    found = loaded(tmp_path, rule("a", generate=False), rule("b", generate=True), rule("c", generate="no"))

    assert silenced(found.rules, ()) == {"a"}
    (refused,) = found.left_out
    assert "generate is true or false" in refused.reason


def test_equal_ids_are_told_apart(tmp_path: Path) -> None:
    """Two correlations of one id, which is also a rule's: each counts its own events."""
    found = loaded(
        tmp_path,
        rule("a", id=A_ID),
        rule("b", id=A_ID),
        correlation(rules=["a"], _id=A_ID, _name="x"),
        correlation(rules=["b"], _id=A_ID, _name="x", _title="Other"),
        correlation(rules=["a", "b"], _title="Both"),
    )
    apart = told_apart(found, tmp_path)

    ids = [*(one.rule_id for one in apart.rules), *(one.correlation_id for one in apart.correlations)]
    names = [*(one.name for one in apart.rules), *(one.rule.name for one in apart.correlations)]
    assert apart.left_out == ()
    assert len(set(ids)) == len(ids) == 5
    assert len(set(names)) == len(names)
    assert [one.rules for one in apart.correlations] == [(ids[0],), (ids[1],), (ids[0], ids[1])]


def test_rulebook_carries_correlations_as_they_are(tmp_path: Path) -> None:
    found = loaded(tmp_path, rule("a"), *chain(3))
    book = Rulebook(found.rules, correlations=found.correlations)

    assert load_rulebook(dump_rulebook(book)) == Rulebook(
        found.rules, correlations=tuple(sorted(found.correlations, key=lambda one: one.correlation_id))
    )


def test_correlations_over_rules_of_other_sources_are_counted_with_these(tmp_path: Path) -> None:
    """A set of rules for everything holds many of them: they are not named one by one, and no fault."""
    windows = rule("w", logsource={"product": "windows"})
    inner = correlation(rules=["w"], _name="inner", _title="Inner")
    outer = correlation(type="temporal", rules=["inner"], condition=None, _title="Outer")
    loaded(tmp_path, rule("a"), windows, inner, outer, correlation(rules=["nobody"], _title="Astray"))

    found = told_apart(load_rules(tmp_path, {}), tmp_path)

    kinds = {one.title: one.kind for one in found.left_out}
    other = Kind.OTHER_SOURCE
    assert kinds == {"Rule w": other, "Inner": other, "Outer": other, "Astray": Kind.CORRELATION}
    assert [one.rule.title for one in load_rules(tmp_path, {}, any_source=True).correlations] == ["Inner", "Outer"]


def test_foreign_ones_are_judged_and_warned_of(tmp_path: Path) -> None:
    """Each document has its line; a field that no record has makes a group that nothing is in."""
    kms = {"s": {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}, "condition": "s"}
    loaded(
        tmp_path,
        rule("a", detection=kms),
        correlation(group_by=["recipientAccountId"]),
        correlation(group_by=["recipientAcountId"], _title="Typo"),
        correlation(condition={"lt": 3}, _title="Few"),
    )

    result = CliRunner().invoke(cli, ["rules", "check", str(tmp_path), "--foreign", "--format", "jsonl"])

    said = {one["title"]: (one["status"], " ".join(one["reasons"])) for one in lines(result)}
    assert result.exit_code == 1
    assert {title: status for title, (status, _) in said.items()} == {
        "Rule a": "ok",
        "Many": "ok",
        "Typo": "warning",
        "Few": "refused",
    }
    assert "recipientAcountId" in said["Typo"][1]
    assert UNDECIDED in said["Few"][1]


# ------------------------------------------------------------------------------------------------ rules match


def event(name: str, second: float | str | None, user: Any = "dana", **members: Any) -> dict[str, Any]:
    time = (
        second
        if isinstance(second, str) or second is None
        else f"2026-09-01T09:{int(second) // 60:02d}:{int(second) % 60:02d}Z"
    )
    return {"eventName": name.upper(), "eventTime": time, "user": user} | members


def match(folder: Path, documents: list[dict[str, Any]], events: list[dict[str, Any]], *options: str) -> Result:
    (folder / "rules").mkdir(exist_ok=True)
    loaded(folder / "rules", *documents)
    (folder / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events), encoding="utf-8")
    where = ["--rules", str(folder / "rules"), "--events", str(folder / "events.jsonl")]
    return CliRunner().invoke(cli, ["rules", "match", *where, "--format", "jsonl", *options], catch_exceptions=False)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def episodes(result: Result) -> list[tuple[dict[str, str], list[int]]]:
    return [(one["group"], one["indices"]) for one in lines(result) if "indices" in one]


def test_match_prints_a_line_for_each_episode(tmp_path: Path) -> None:
    documents = [rule("a"), rule("b"), correlation(_id=A_ID)]
    result = match(tmp_path, documents, [event("a", 300), event("b", 0), event("a", 0), event("a", 100.0)])

    assert result.exit_code == 0
    assert lines(result) == [
        {"ruleId": "b", "title": "Rule b", "index": 1, "name": "b"},
        {
            "ruleId": A_ID,
            "title": "Many",
            "group": {"user": "dana"},
            "first": "2026-09-01T09:00:00Z",
            "last": "2026-09-01T09:05:00Z",
            "indices": [0, 2, 3],
            "name": "rules-3",
        },
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([0, 300], [0, 1], id="both ends are inside"),
        pytest.param([0, 301], None, id="a second more"),
        pytest.param(["2026-09-01T09:00:00.0000001Z", "2026-09-01T09:05:00.0000001Z"], [0, 1], id="fractions exactly"),
        pytest.param(["2026-09-01T09:00:00Z", "2026-09-01T09:05:00.0000001Z"], None, id="a fraction more"),
        pytest.param(["2026-09-01T09:00:00Z", "2026-09-01T11:05:00+02:00"], [0, 1], id="zones"),
        pytest.param(["2026-09-01T09:00:00", "2026-09-01T04:30:00-04:30"], [0, 1], id="without a zone it is UTC"),
        pytest.param(["2026-09-01t09:00:00z", "2026-09-01 09:00:01Z"], [0, 1], id="as RFC 3339 may be written"),
        pytest.param(["2026-09-01T09:00:00Z", "2026-02-30T09:00:00Z"], None, id="no day of the calendar"),
        pytest.param(["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"], None, id="before the first year"),
        pytest.param(["9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-14:00"], None, id="after the last year"),
        pytest.param(["0001-01-01T00:00:00Z", "0001-01-01T00:00:01Z"], [0, 1], id="in the first year"),
        pytest.param([0, None], None, id="no time"),
        pytest.param([0, "soon"], None, id="no time, but text"),
    ],
)
def test_time(tmp_path: Path, given: list[float | str | None], expected: list[int] | None) -> None:
    result = match(
        tmp_path, [rule("a"), correlation(condition={"gte": 2})], [event("a", given[0]), event("a", given[1])]
    )

    assert episodes(result) == ([({"user": "dana"}, expected)] if expected else [])
    assert result.exit_code == 0


def test_events_without_a_time_are_counted_and_their_matches_printed(tmp_path: Path) -> None:
    result = match(
        tmp_path,
        [rule("a"), correlation(condition={"gte": 1}, generate=True)],
        [event("a", None), event("a", 0), {"eventName": "A", "user": "dana"}, event("a", 5) | {"eventTime": 5}],
    )

    assert [one["index"] for one in lines(result) if "index" in one] == [0, 1, 2, 3]
    assert episodes(result) == [({"user": "dana"}, [1])]
    assert "3 events that correlations count have no time and join none" in result.stderr


def test_time_field_alone_is_looked_at(tmp_path: Path) -> None:
    events = [event("a", 0, at={"time": "2026-01-01T00:00:00.5Z"}), event("a", 0)]
    result = match(tmp_path, [rule("a"), correlation(condition={"gte": 1})], events, "--time-field", "at.time")

    (line,) = lines(result)
    assert (line["indices"], line["first"], line["last"]) == ([0], "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.5Z")


def test_duplicates_are_known_by_their_first_line(tmp_path: Path) -> None:
    """Also where two accounts see one event, by its sharedEventID."""
    events = [
        event("a", 0, eventID="1"),
        event("a", 1, eventID="2", sharedEventID="s"),
        event("a", 0, eventID="1"),
        event("a", 1, eventID="3", sharedEventID="s"),
    ]
    documents = [rule("a"), correlation(condition={"gte": 2}), correlation(condition={"gte": 3}, _title="Three")]

    assert [(one["title"], one["indices"]) for one in lines(match(tmp_path, documents, events))] == [("Many", [0, 1])]


def test_time_of_a_duplicate_does_for_the_event(tmp_path: Path) -> None:
    events = [event("a", 0, eventID="1"), event("a", None, eventID="1")]
    result = match(tmp_path, [rule("a"), correlation(condition={"gte": 1})], events)

    assert episodes(result) == [({"user": "dana"}, [0])]
    assert "1 events that correlations count have no time and join none" in result.stderr  # that line's record


@pytest.mark.parametrize(
    ("users", "groups"),
    [
        (["dana", "Dana"], ["Dana", "dana"]),
        ([443, "443"], ["443"]),
        ([True, "true"], ["true"]),
        ([1.5, 1e400], ["1.5", "inf"]),
        (["", ""], [""]),
        ([None, {}, {"a": 1}, []], []),
        ([["x", "y"], "y"], ["x", "y"]),
        ([["x", ["z", None, {}]]], ["x", "z"]),
        (["\ud800", "é\u2028"], ["é\u2028", "\ud800"]),
    ],
)
def test_groups(tmp_path: Path, users: list[Any], groups: list[str]) -> None:
    """Case is kept, numbers are their text, each member of a list is a group, and what is missing is none."""
    result = match(tmp_path, [rule("a"), correlation(condition={"gte": 1})], [event("a", 0, user) for user in users])

    assert [group["user"] for group, _ in episodes(result)] == groups


def test_lists_of_objects_on_the_path_and_names_with_dots(tmp_path: Path) -> None:
    events = [
        event("a", 0, keys=[{"arn": "k1"}, {"arn": ["k2", "k3"]}, {"arn": None}, "text"]),
        {**event("a", 1), "keys.arn": "k2"},
    ]
    one = correlation(condition={"gte": 1}, group_by=["keys.arn", "user"])

    assert episodes(match(tmp_path, [rule("a"), one], events)) == [
        ({"keys.arn": "k1", "user": "dana"}, [0]),
        ({"keys.arn": "k2", "user": "dana"}, [0, 1]),
        ({"keys.arn": "k3", "user": "dana"}, [0]),
    ]


def test_value_count_of_tuples(tmp_path: Path) -> None:
    """Compared part by part, all parts there."""
    counted = correlation(type="value_count", condition={"gte": 2, "field": ["x", "y"]})
    different = [event("a", 0, x="1", y="12"), event("a", 0, x="11", y="2")]
    lacking = [event("a", 0, x="1", y="12"), event("a", 0, x="11"), event("a", 0, x="1", y=None), event("a", 0, y="3")]

    assert episodes(match(tmp_path, [rule("a"), counted], different)) == [({"user": "dana"}, [0, 1])]
    assert episodes(match(tmp_path, [rule("a"), counted], lacking)) == []


def test_an_act_does_not_follow_itself(tmp_path: Path) -> None:
    both = rule("a"), rule("b", detection={"s": {"eventName": ["A", "B"]}, "condition": "s"})
    ordered = correlation(type="temporal_ordered", rules=["a", "b"], condition=None)

    assert episodes(match(tmp_path, [*both, ordered], [event("a", 0)])) == []
    assert episodes(match(tmp_path, [*both, ordered], [event("a", 0), event("a", 1)])) == [({"user": "dana"}, [0, 1])]
    unordered = correlation(type="temporal", rules=["a", "b"], condition=None)
    assert episodes(match(tmp_path, [*both, unordered], [event("a", 0)])) == [({"user": "dana"}, [0])]


def test_chain_prints_the_outer_with_the_lines_of_the_inner(tmp_path: Path) -> None:
    """The failures that go on after the success are members of the inner episode, and so of the outer."""
    documents = [
        rule("a"),
        rule("b"),
        correlation(_name="burst", _title="Burst"),
        correlation(type="temporal_ordered", rules=["burst", "b"], condition=None, _title="Then"),
    ]
    events = [event("a", 0), event("a", 1), event("a", 2), event("b", 3), event("a", 4)]

    (line,) = lines(match(tmp_path, documents, events))
    assert (line["title"], line["indices"]) == ("Then", [0, 1, 2, 3, 4])
    assert episodes(match(tmp_path, documents, [event("b", 0), *events[:3]])) == []


def test_refused_documents_are_named_and_the_others_go_on(tmp_path: Path) -> None:
    documents = [
        rule("a"),
        correlation(condition={"gte": 1}),
        correlation(condition={"lt": 9}, _title="Fewer"),
        correlation(rules=["nobody"], _title="Astray"),
    ]
    result = match(tmp_path, documents, [event("a", 0)])

    assert result.exit_code == 2
    assert [one["title"] for one in lines(result)] == ["Many"]
    assert f'"Fewer": condition lt {UNDECIDED}' in result.stderr
    assert "\"Astray\": refers to 'nobody'" in result.stderr
    assert "Many" not in result.stderr


def test_only_a_refused_correlation_silences_nobody(tmp_path: Path) -> None:
    result = match(tmp_path, [rule("a"), correlation(condition={"eq": 1})], [event("a", 0)])

    assert (result.exit_code, [one["title"] for one in lines(result)]) == (2, ["Rule a"])


def test_author_s_ids_are_printed_though_they_are_equal(tmp_path: Path) -> None:
    documents = [rule("a", id=A_ID), rule("b", id=A_ID), correlation(condition={"gte": 2}, _id=A_ID)]
    events = [event("a", 0), event("b", 0), event("b", 1)]

    result = match(tmp_path, documents, events)

    assert [(one["ruleId"], one["title"]) for one in lines(result)] == [(A_ID, "Rule b")] * 2
    assert episodes(match(tmp_path, documents, [*events, event("a", 9)])) == [({"user": "dana"}, [0, 3])]


def test_table_names_group_times_and_lines(tmp_path: Path) -> None:
    result = match(
        tmp_path, [rule("a"), correlation(condition={"gte": 1})], [event("a", 0, "x\x1b[31m")], "--format", "table"
    )

    assert "2026-09-01T09:00:00Z" in result.stdout
    assert "\x1b" not in result.stdout


def test_facts_of_an_event_can_be_counted(tmp_path: Path) -> None:
    one = correlation(condition={"gte": 2}, group_by=["facts.actor.key"])
    events = [event("a", at, facts={"actor": {"key": "dana"}}) for at in range(2)]

    assert episodes(match(tmp_path, [rule("a"), one], events)) == [({"facts.actor.key": "dana"}, [0, 1])]
