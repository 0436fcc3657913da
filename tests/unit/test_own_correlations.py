"""Correlations among one's own rules: no rule falls silent, none is counted in vain, each word means something."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from trailbell.cli.main import cli
from trailbell.errors import RuleError
from trailbell.rulebook.build import build_rulebook
from trailbell.rulebook.correlation_cases import load_correlation_cases
from trailbell.rulebook.load import compile_rules, load_rules


ROOT = Path(__file__).resolve().parents[2]
ID = "3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01"


def rule(name: str, **members: Any) -> dict[str, Any]:
    return {
        "title": name,
        "name": name,
        "logsource": {"product": "aws", "service": "cloudtrail"},
        "detection": {"s": {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}, "condition": "s"},
        "level": "high",
    } | members


COUNTED = rule("counted", level="informational", generate=False)


def correlation(**members: Any) -> dict[str, Any]:
    body = {
        "type": "event_count",
        "rules": ["counted"],
        "group-by": ["recipientAccountId"],
        "timespan": "5m",
        "condition": {"gte": 2},
    }
    body |= {name.replace("_", "-"): value for name, value in members.items()}
    return {"title": "Many", "name": "many", "correlation": body, "level": "high"}


def write(folder: Path, **files: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.yml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return folder


def errors(folder: Path, **files: dict[str, Any]) -> str:
    return "\n".join(load_rules(write(folder, **files), {}, own=True).errors)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


def test_right_ones_are_without_fault(tmp_path: Path) -> None:
    assert errors(tmp_path, a=COUNTED, b=rule("loud"), c=correlation(rules=["counted"])) == ""
    assert errors(tmp_path, c=correlation(rules=["counted", "loud"], generate=True)) == ""


def test_rule_that_reports_must_not_fall_silent(tmp_path: Path) -> None:
    """Whoever names a rule in a correlation switches it off, and Sigma says nothing of it."""
    said = errors(tmp_path, a=COUNTED, b=rule("loud"), c=correlation(rules=["counted", "loud"]))

    assert f"{tmp_path / 'c.yml'}: line 5: loud has level high and would report nothing alone any more" in said
    assert "write `generate: true` here, or give that rule level informational" in said
    with pytest.raises(RuleError, match="would report nothing alone any more"):
        compile_rules(tmp_path, {})


def test_one_that_generates_is_enough(tmp_path: Path) -> None:
    others = correlation(rules=["loud"], generate=True) | {"title": "Other", "name": "other"}

    assert errors(tmp_path, a=COUNTED, b=rule("loud"), c=correlation(rules=["counted", "loud"]), d=others) == ""


def test_correlation_that_reports_must_not_fall_silent_either(tmp_path: Path) -> None:
    outer = correlation(type="value_count", rules=["many"], condition={"gte": 1, "field": "recipientAccountId"})

    assert "many has level high" in errors(tmp_path, a=COUNTED, c=correlation(), d=outer | {"name": "outer"})


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"level": "low"}, "generate: false is for rules of level informational, and this one is low"),
        ({"name": "idle"}, "no correlation counts this rule: nobody would ever hear of it"),
    ],
)
def test_rule_that_is_only_counted_is_informational_and_counted(
    tmp_path: Path, members: dict[str, Any], said: str
) -> None:
    assert said in errors(
        tmp_path,
        a=COUNTED,
        b=COUNTED | {"name": "counted-too", **members},
        c=correlation(rules=["counted", "counted-too"]) if "level" in members else correlation(),
    )


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"timespna": "5m"}, "line 12: unknown field 'timespna' in correlation"),
        ({"group_by": ["facts.actor.kye"]}, "no fact is called 'facts.actor.kye'; did you mean 'facts.actor.key'?"),
        ({"group_by": ["recipientAccount"]}, "recipientAccount"),
        ({"type": "value_count", "condition": {"gte": 2, "field": "requestParams.name"}}, "requestParams"),
        (
            {"condition": {"gte": 2, "feild": "x"}},
            "unknown field 'feild' in correlation.condition; did you mean 'field'?",
        ),
        ({"condition": {"lt": 2}}, "cannot be decided while events still arrive"),
        ({"type": "value_avg", "condition": {"gte": 2, "field": "x"}}, "cannot be decided while events still arrive"),
        ({"type": "event_cuont"}, "did you mean 'event_count'?"),
        ({"timespan": "0m"}, "timespan is a number from 1"),
        ({"rules": ["cuonted"]}, "refers to 'cuonted'"),
    ],
)
def test_misspelt(tmp_path: Path, members: dict[str, Any], said: str) -> None:
    assert said in errors(tmp_path, a=COUNTED, c=correlation(**members))


@pytest.mark.parametrize("name", ["undoo", "detections", "generat"])
def test_members_that_mean_nothing(tmp_path: Path, name: str) -> None:
    assert f"unknown field '{name}'" in errors(tmp_path, a=COUNTED, c=correlation() | {name: 1})


def test_names_are_unique_over_rules_and_correlations(tmp_path: Path) -> None:
    both = {"a": COUNTED, "b": rule("many", id=ID), "c": correlation()}

    assert "has the same name many as" in errors(tmp_path, **both)
    assert "has the same id" in errors(tmp_path, **both | {"b": rule("b", id=ID), "c": correlation() | {"id": ID}})


def test_one_file_is_judged_as_a_part_of_its_folder(tmp_path: Path) -> None:
    """What a correlation names stands elsewhere; so does what counts a rule."""
    rules = write(tmp_path / "rules", a=COUNTED, c=correlation())
    (rules / "coverage.csv").write_text("eventSource,operation\nkms.amazonaws.com,DisableKey\n", encoding="utf-8")

    for file in ("a.yml", "c.yml"):
        assert load_rules(rules / file, {}, own=True).errors == ()
    assert [one.rule.name for one in load_rules(rules / "c.yml", {}, own=True).correlations] == ["many"]
    assert load_rules(rules / "a.yml", {}, own=True).correlations == ()


def test_exception_from_a_correlation_is_refused_with_what_to_name(tmp_path: Path) -> None:
    write(tmp_path / "rules", a=COUNTED, c=correlation())
    exception = {
        "title": "Rotation",
        "logsource": {"product": "aws", "service": "cloudtrail"},
        "owner": "ops@example.com",
        "reason": "Every night.",
        "expires": "2099-12-31",
        "filter": {"rules": ["many"], "s": {"eventName": "DisableKey"}, "condition": "not s"},
    }
    write(tmp_path / "exceptions", e=exception)

    with pytest.raises(RuleError, match=r"many is a correlation.*name the rules that it counts \(counted\)"):
        build_rulebook(tmp_path / "rules", tmp_path / "exceptions", {}, date(2026, 11, 29))
    result = run("rules", "check", tmp_path / "rules", "--exceptions", tmp_path / "exceptions")
    assert "many is a correlation" in result.stderr


def test_rulebook_holds_them(tmp_path: Path) -> None:
    book, _ = build_rulebook(write(tmp_path, a=COUNTED, c=correlation()), None, {}, date(2026, 11, 29))

    assert [one.rule.name for one in book.correlations] == ["many"]
    assert book.correlations[0].rules == ("counted",)


CASES = """\
- name: two of one account
  record: {eventSource: kms.amazonaws.com, eventName: DisableKey}
  records:
    - {at: 0, times: 2, every: 300}
  episodes:
    - {group: {recipientAccountId: '111122223333'}, indices: [0, 1], first: 0, last: "2026-09-01T09:05:00Z"}

- name: too far apart
  record: {eventSource: kms.amazonaws.com, eventName: DisableKey}
  records:
    - {eventTime: "2026-09-01T09:00:00Z"}
    - {eventTime: "2026-09-01T09:05:01Z"}
  episodes: []

- name: one event, recorded twice
  record: {eventSource: kms.amazonaws.com, eventName: DisableKey, eventID: 33333333-0000-4000-8000-000000000001}
  records:
    - {at: 0, times: 2}
  episodes: []
"""
CASES_OF_COUNTED = """\
- name: a key is disabled
  match: true
  record: {eventSource: kms.amazonaws.com, eventName: DisableKey}
- name: it is enabled
  match: false
  record: {eventSource: kms.amazonaws.com, eventName: EnableKey}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path / "rules", a=COUNTED, c=correlation())
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "a.yml").write_text(CASES_OF_COUNTED, encoding="utf-8")
    (tmp_path / "cases" / "c.yml").write_text(CASES, encoding="utf-8")
    return tmp_path


def check(project: Path, cases: str) -> tuple[int, str]:
    (project / "cases" / "c.yml").write_text(cases, encoding="utf-8")
    result = run("rules", "check", project / "rules")
    return result.exit_code, result.stderr


def test_cases_are_run_by_rules_check(project: Path) -> None:
    result = run("rules", "check", project / "rules")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "2 rules compiled, 5 cases run, 0 faults" in result.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("every: 300", "every: 301"), "c.yml:1: two of one account: many makes no such episode"),
        (("indices: [0, 1]", "indices: [0]"), "many should not make the episode"),
        (("first: 0,", "first: 1,"), "many makes no such episode"),
        (("first: 0,", "count: 3,"), "many makes no such episode"),
        (("09:05:01Z", "09:05:00Z"), "c.yml:8: too far apart: many should not make the episode"),
        (("episodes: []", "episodees: []"), "unknown field 'episodees'"),
        (("every: 300", "evry: 300"), "c.yml:4: evry is no member of a CloudTrail record"),
        (("eventName: DisableKey}", "eventNaem: DisableKey}"), "eventNaem"),
        (("first: 0,", "first: soon,"), "first is seconds or a time"),
        (("times: 2", "times: 0"), "times is at least 1"),
        (
            (', indices: [0, 1], first: 0, last: "2026-09-01T09:05:00Z"', ""),
            "an episode has indices, count, first or last",
        ),
    ],
)
def test_faults_of_cases_are_named_with_their_line(project: Path, change: tuple[str, str], said: str) -> None:
    status, stderr = check(project, CASES.replace(*change, 1))

    assert status == 1
    assert said in stderr


def test_cases_must_come_true_and_not(project: Path) -> None:
    only_true = CASES.partition("\n\n")[0] + "\n"

    assert "needs a case that makes an episode and one that does not" in check(project, only_true)[1]
    (project / "cases" / "c.yml").unlink()
    assert "missing; a correlation needs cases" in run("rules", "check", project / "rules").stderr


def test_numbers_fill_texts_at_any_depth(tmp_path: Path) -> None:
    text = '- {name: n, records: [{at: 0, times: 2, requestParameters: {names: ["a{n}", "b"]}}], episodes: []}\n'
    (tmp_path / "c.yml").write_text(text, encoding="utf-8")
    (case,) = load_correlation_cases(tmp_path / "c.yml")

    assert [one["requestParameters"]["names"] for one in case.records] == [["a1", "b"], ["a2", "b"]]
    assert len({one["eventID"] for one in case.records}) == 2


@pytest.mark.slow
def test_shipped_ones_are_listed_and_checked() -> None:
    listed = run("rules", "list").stdout

    assert "ssm-parameter-sweep" in listed
    assert "ssm-secret-parameter-read" in listed
    result = run("rules", "check", ROOT / "rules" / "ssm" / "aws_ssm_parameter_sweep.yml")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.slow
def test_mail_of_a_correlation_is_shown() -> None:
    """A rule that only correlations count has none."""
    shown = run("rules", "mail", "ssm-parameter-sweep").stdout
    assert shown.startswith("Subject: [HIGH] Parameter Sweep")
    assert "25 acts" in shown

    with pytest.raises(RuleError, match="makes no hits: only correlations count it"):
        run("rules", "mail", "ssm-secret-parameter-read")
