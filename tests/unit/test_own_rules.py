"""Rules of one's own, their cases and exceptions: what is misspelt, missing or inverted is refused with its line."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from trailbell.cli.main import cli
from trailbell.errors import RuleError
from trailbell.rulebook.build import build_rulebook
from trailbell.rulebook.cases import load_cases
from trailbell.rulebook.high_operations import WOULD_BE_HIGH
from trailbell.rulebook.load import compile_rules, load_rules
from trailbell.rulebook.members import FACTS, SCHEMAS
from trailbell.rulebook.misfits import misfits
from trailbell.rulebook.source import rule_files


ROOT = Path(__file__).resolve().parents[2]
RULE = """\
title: Key Disabled
id: 3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01
name: key-disabled
status: stable
logsource: {product: aws, service: cloudtrail}
detection:
    selection:
        eventSource: kms.amazonaws.com
        eventName: DisableKey
        facts.outcome: success
    condition: selection
falsepositives: [Planned.]
level: high
check: [Ask.]
undo:
    steps: [enable it]
    note: Works at any time.
"""
CASES = """\
- name: a key is disabled
  match: true
  record:
    eventSource: kms.amazonaws.com
    eventName: DisableKey
  undo: [enable it]

- name: it was denied
  match: false
  record: {eventSource: kms.amazonaws.com, eventName: DisableKey, errorCode: AccessDenied}
"""
EXCEPTION = """\
title: Rotation
logsource: {product: aws, service: cloudtrail}
owner: ops@example.com
reason: The rotator does this every night.
expires: 2099-12-31
filter:
    rules: [key-disabled]
    rotator:
        facts.actor.key: arn:aws:iam::111122223333:role/rotator
    condition: not rotator
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a rule, its cases and an exception."""
    for name, text in (("rules", RULE), ("cases", CASES), ("exceptions", EXCEPTION)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "aws_key_disabled.yml").write_text(text, encoding="utf-8")
    return tmp_path


def check(project: Path, *more: str) -> Result:
    return run("rules", "check", project / "rules", "--exceptions", project / "exceptions", *more)


UNDONE_BY = "undone_by:\n    - event: EnableKey\n"
MISSPELT_RULES = [
    ("undo:", "undoo:", 15, "unknown field 'undoo'; did you mean 'undo'?"),
    ("check:", "chek:", 14, "unknown field 'chek'; did you mean 'check'?"),
    ("falsepositives:", "false_positives:", 12, "did you mean 'falsepositives'?"),
    ("falsepositives:", "falsepositive:", 12, "did you mean 'falsepositives'?"),
    ("level:", "levl:", 13, "did you mean 'level'?"),
    ("level:", "severity:", 13, "did you mean 'level'?"),
    ("level: high", "level: hihg", 13, "did you mean 'high'?"),
    ("level: high", "level: High", 13, "did you mean 'high'?"),
    ("level: high\n", "", 1, "no 'level': write informational, low, medium, high or critical"),
    ("status: stable", "status: stabel", 4, "did you mean 'stable'?"),
    ("    steps:", "    step:", 16, "unknown field 'step' in undo; did you mean 'steps'?"),
    ("    note:", "    notes:", 17, "undo.notes is a map, not"),
    ("undo:\n", "undo:\n    withn: 7\n", 16, "did you mean 'within'?"),
    ("service: cloudtrail", "servce: cloudtrail", 5, "unknown field 'servce' in logsource; did you mean 'service'?"),
    ("detection:", "detecton:", 6, "did you mean 'detection'?"),
    ("    condition:", "    conditon:", 11, "did you mean 'condition'?"),
    ("condition: selection", "condition: selectoin", 11, "names 'selectoin', which is no selection; did you mean"),
    ("    condition:", "    other: {eventName: EnableKey}\n    condition:", 11, "does not name the selection 'other'"),
    ("facts.outcome", "facts.outcom", 10, "no fact is called 'facts.outcom'; did you mean 'facts.outcome'?"),
    ("check: [Ask.]", "check: Ask.", 14, "check is a list, not 'Ask.'"),
    ("level: high", "level: high\nonce_per_dya: true", 14, "did you mean 'once_per_day'?"),
    (
        "level: high",
        "level: high\nshort: Twenty-Three Characters",
        14,
        "short has 23 characters, and at most 22 are shown",
    ),
    ("level: high", "level: high\nprecedense: 3", 14, "did you mean 'precedence'?"),
    ("level: high", "level: high\nprecedence: high", 14, "precedence is a whole number, not 'high'"),
    ("level: high", "level: high\nteam: blue", 14, "unknown field 'team': nothing reads it"),
    ("level: high", "level: high\nUndo: {}", 14, "unknown field 'Undo': 'undo' is there already"),
    ("level: high", "level: high\nundone_by: {event: EnableKey}", 14, "undone_by is a list"),
    ("undo:\n", f"{UNDONE_BY}      lnik: resource.key\nundo:\n", 17, "unknown field 'lnik' in undone_by; did you mean"),
    ("undo:\n", f"{UNDONE_BY}      link: a.b\nundo:\n", 17, "a.b is no member of a CloudTrail record"),
    ("undo:\n", f"{UNDONE_BY}      link: [resource.key, responseElement.x]\nundo:\n", 17, "write responseElements.x"),
    ("undo:\n", f"{UNDONE_BY}      link: requestParameters.password\nundo:\n", 17, "no record has 'requestParameters"),
    ("undo:\n", f"{UNDONE_BY}      link: resource.key+\nundo:\n", 17, "no record has 'resource.key+'"),
    ("undo:\n", f"{UNDONE_BY}      word: undone\nundo:\n", 16, "say either link:, or act: and undo:, not neither"),
    ("undo:\n", f"{UNDONE_BY}      act: region\nundo:\n", 16, "say either link:, or act: and undo:, not act"),
    (
        "undo:\n",
        f"{UNDONE_BY}      link: region\n      act: region\n      undo: region\nundo:\n",
        16,
        "not link and act and undo",
    ),
    ("undo:\n", f"{UNDONE_BY}      link: region\n      word: done\nundo:\n", 18, "did you mean 'undone'?"),
    (
        "undo:\n",
        f"{UNDONE_BY}      link: region\n      type: parameter\nundo:\n",
        18,
        "such as ssm:parameter, not 'para",
    ),
    ("undo:\n", f"{UNDONE_BY}      link: region\n      note: [a]\nundo:\n", 18, "note is"),
    (
        "undo:\n",
        f"{UNDONE_BY}      link: region\n      unless: {{facts.policy.publik: true}}\nundo:\n",
        18,
        "did you mean 'facts.policy.public'?",
    ),
    (
        "undo:\n",
        f"{UNDONE_BY}      link: region\n      when:\n          - facts.actor.knd: root\nundo:\n",
        19,
        "did you mean 'facts.actor.kind'?",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "line", "words"), MISSPELT_RULES, ids=[one[1] for one in MISSPELT_RULES])
def test_misspelt_rule_is_refused_with_its_line(project: Path, right: str, wrong: str, line: int, words: str) -> None:
    """A rule without undo reads like one whose author knew of none."""
    file = project / "rules" / "aws_key_disabled.yml"
    assert right in RULE
    file.write_text(RULE.replace(right, wrong, 1), encoding="utf-8")

    result = check(project)

    assert result.exit_code == 1
    assert [one for one in result.stderr.splitlines() if one.startswith(f"{file}:{line}: ") and words in one]
    with pytest.raises(RuleError, match=re.escape(words)) as refused:
        compile_rules(project / "rules", {})
    assert f"{file}: line {line}: " in str(refused.value)


UNDONE_RULE = f"""{RULE}undone_by:
    - event: EnableKey
      link: requestParameters.keyId
"""
UNDONE_CASE = CASES.replace(
    "  undo: [enable it]\n",
    """\
    requestParameters: {keyId: k}
  undone_by:
    - record: {eventName: EnableKey, requestParameters: {keyId: k}}
      undone: true
    - name: another key
      record: {eventName: EnableKey, requestParameters: {keyId: other}}
      undone: false
""",
)


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("", "", ""),
        (
            "undone: true",
            "undone: false",
            "undone_by, number 1, EnableKey: the act is undone, not to be left alone by it",
        ),
        ("undone: true", "undone: replaced", "number 1, EnableKey: the act is undone, not replaced"),
        ("keyId: other", "keyId: k", "undone_by, another key: the act is undone, not to be left alone by it"),
        ("undone: false", "undone: true", "undone_by, another key: the act is left alone, not undone"),
    ],
)
def test_case_says_what_undoes_the_act(project: Path, right: str, wrong: str, words: str) -> None:
    """With rules of one's own nobody else tries it."""
    (project / "rules" / "aws_key_disabled.yml").write_text(UNDONE_RULE, encoding="utf-8")
    (project / "cases" / "aws_key_disabled.yml").write_text(UNDONE_CASE.replace(right, wrong, 1), encoding="utf-8")

    result = check(project)

    assert words in result.stderr
    assert result.exit_code == bool(words)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("EnabelKey", "kms has no call enabelkey; the nearest is EnableKey; a part of undone_by never has an effect"),
        ("EnableKey\n      fields: {requestparameters.x: y}", "write requestParameters.x"),
        ("EnableKey\n      of: DisabelKey", "undone_by.of names events that the rule does not: disabelkey"),
    ],
)
def test_later_call_that_no_record_has_is_refused(project: Path, event: str, words: str) -> None:
    """It would leave every hit of the rule open for ever, in silence."""
    file = project / "rules" / "aws_key_disabled.yml"
    file.write_text(UNDONE_RULE.replace("EnableKey", event), encoding="utf-8")

    found = check(project)

    assert f"{file}:" in found.stderr
    assert words in found.stderr
    with pytest.raises(RuleError, match=re.escape(words)):
        build_rulebook(project / "rules", None, {}, date(2026, 9, 1))


def test_rule_of_several_services_says_which_undoes(project: Path) -> None:
    """The same name may be a call of each."""
    file = project / "rules" / "aws_key_disabled.yml"
    text = UNDONE_RULE.replace("eventSource: kms", "eventSource: [ssm.amazonaws.com, kms").replace(
        ".com\n", ".com]\n", 1
    )
    file.write_text(text, encoding="utf-8")
    assert "say source: of the undo" in check(project).stderr

    file.write_text(text.replace("link:", "source: kms.amazonaws.com\n      link:"), encoding="utf-8")
    assert "say source:" not in check(project).stderr


def test_right_rule_cases_and_exception_pass(project: Path) -> None:
    """A check that refuses everything would pass the tests around this one."""
    result = check(project)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "1 rules compiled, 2 cases run, 0 faults\n"


def test_members_of_ones_own_begin_with_x(project: Path) -> None:
    """Teams note things in their rules; that needs no typing error to be let through."""
    file = project / "rules" / "aws_key_disabled.yml"
    file.write_text(f"{RULE}x_team: blue\n", encoding="utf-8")

    assert check(project).exit_code == 0


@pytest.mark.parametrize(
    ("right", "wrong", "line", "words"),
    [
        ("match: true", "matsh: true", 2, "did you mean 'match'?"),
        ("match: true", "expect: true", 2, "did you mean 'match'?"),
        ("match: true", "match: yes please", 2, "match is true or false"),
        ("record:\n", "event:\n", 3, "did you mean 'record'?"),
        ("  undo:", "  undos:", 6, "did you mean 'undo'?"),
        ("undo: [enable it]", "resource: [x]", 6, "did you mean 'resources'?"),
        ("undo: [enable it]", "undo: enable it", 6, "undo is a list"),
        ("    eventName: DisableKey\n", "    eventname: DisableKey\n", 5, "write eventName"),
        ("    eventName: DisableKey\n", "    eventName: DisableKey\n    errorcode: x\n", 6, "write errorCode"),
        ("- name: it was denied\n  match", "- match", 8, "has no 'name'"),
        ("  undo:", "  undone_by: [{record: {eventName: EnableKey}}]\n  undo:", 6, "no 'undone'"),
        ("  undo:", "  undone_by: [{record: {eventName: x}, undone: stoped}]\n  undo:", 6, "did you mean 'stopped'?"),
        ("  undo:", "  undone_by: [{record: {eventname: x}, undone: true}]\n  undo:", 6, "write eventName"),
        ("  match: false", "  undone_by: [{record: {}, undone: false}]\n  match: false", 9, "is for cases that match"),
    ],
)
def test_misspelt_case_is_refused_with_its_line(project: Path, right: str, wrong: str, line: int, words: str) -> None:
    """A case whose record is misspelt does not match, as it says, whatever the rule is."""
    file = project / "cases" / "aws_key_disabled.yml"
    assert right in CASES
    file.write_text(CASES.replace(right, wrong, 1), encoding="utf-8")

    with pytest.raises(RuleError, match=re.escape(words)) as refused:
        load_cases(file)

    assert f"line {line}: " in str(refused.value)
    assert f"{file}:{line}: " in check(project).stderr


def test_case_that_does_not_hold_is_named_with_its_line(project: Path) -> None:
    """Files hold dozens of cases."""
    file = project / "cases" / "aws_key_disabled.yml"
    file.write_text(CASES.replace(", errorCode: AccessDenied", ""), encoding="utf-8")

    assert f"{file}:8: it was denied: key-disabled should not match" in check(project).stderr


@pytest.mark.parametrize(
    ("right", "wrong", "line", "words"),
    [
        ("owner:", "ownr:", 3, "did you mean 'owner'?"),
        ("reason:", "raeson:", 4, "did you mean 'reason'?"),
        ("expires:", "expiry:", 5, "did you mean 'expires'?"),
        ("filter:", "filtr:", 6, "did you mean 'filter'?"),
        ("    rules:", "    rule:", 7, "did you mean 'rules'?"),
        ("    condition:", "    conditions:", 10, "did you mean 'condition'?"),
        ("not rotator", "not rotater", 10, "did you mean 'rotator'?"),
        ("    condition:", "    other: {eventName: x}\n    condition:", 10, "does not name the selection 'other'"),
        ("facts.actor.key", "facts.actor.keys", 9, "did you mean 'facts.actor.key'?"),
        ("[key-disabled]", "[key-disable]", 1, "did you mean 'key-disabled'?"),
        ("not rotator", "rotator", 10, "write `not rotator`"),
        ("not rotator", "1 of rot*", 10, "write `not (1 of rot*)`"),
        ("not rotator", "not not rotator", 10, "mutes every hit but those it names"),
        ("not rotator", "rotator or rotator", 10, "mutes every hit but those it names"),
    ],
)
def test_exception_that_says_something_else_is_refused(
    project: Path, right: str, wrong: str, line: int, words: str
) -> None:
    """`condition: rotator` mutes everybody but the rotator: the opposite of what it reads like."""
    file = project / "exceptions" / "aws_key_disabled.yml"
    assert right in EXCEPTION
    file.write_text(EXCEPTION.replace(right, wrong, 1), encoding="utf-8")

    result = check(project)

    assert result.exit_code == 1
    assert [one for one in result.stderr.splitlines() if one.startswith(f"{file}:{line}: ") and words in one]
    with pytest.raises(RuleError, match=re.escape(words)):
        build_rulebook(project / "rules", project / "exceptions", {}, date(2026, 11, 29))


@pytest.mark.parametrize(
    "condition",
    ["not rotator", "not (rotator and other)", "not 1 of *", "not rotator and not other", "not rotator or other"],
)
def test_exception_that_leaves_other_hits_alone_is_taken(project: Path, condition: str) -> None:
    """Whatever the condition looks like, hits that it does not name must still alert, and do here."""
    text = EXCEPTION.replace("    condition: not rotator", f"    other: {{userAgent: x}}\n    condition: {condition}")
    unused = "" if "other" in condition or "*" in condition else "    other: {userAgent: x}\n"
    (project / "exceptions" / "aws_key_disabled.yml").write_text(text.replace(unused, ""), encoding="utf-8")

    assert check(project).stderr == ""


def test_opposite_of_a_test_may_stand_for_not(project: Path) -> None:
    """`neq` names whom to mute as well as `not` does."""
    text = EXCEPTION.replace("facts.actor.key:", "facts.actor.key|neq:").replace("not rotator", "rotator")
    (project / "exceptions" / "aws_key_disabled.yml").write_text(text, encoding="utf-8")

    assert check(project).stderr == ""


def test_line_is_the_templates_where_the_member_came_from_there(tmp_path: Path) -> None:
    """A template's typing error is every rule's."""
    template = "action: global\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\nchek: [x]\n---\n"
    rule = "title: A\ndetection: {s: {eventName: DisableKey}, condition: s}\n"
    (tmp_path / "many.yml").write_text(template + rule, encoding="utf-8")

    (error,) = load_rules(tmp_path, {}, own=True).errors

    assert error.startswith(f"{tmp_path / 'many.yml'} (document 2): line 4: unknown field 'chek'")


def test_other_peoples_rules_are_not_held_to_it_and_warned(tmp_path: Path) -> None:
    """A repository of Sigma rules has members of its own; a near miss is worth a word."""
    rule = "title: A\nlogsource: {product: aws, service: cloudtrail}\nlevle: low\nteam: blue\n"
    (tmp_path / "a.yml").write_text(f"{rule}detection: {{s: {{eventName: DisableKey}}, condition: s}}\n")

    (verdict,) = [json.loads(line) for line in run("rules", "check", tmp_path, "--format", "jsonl").stdout.splitlines()]

    assert verdict["status"] == "warning"
    assert verdict["reasons"] == ["line 3: unknown field 'levle'; did you mean 'level'?"]


def test_rule_written_for_us_is_no_foreign_one_because_it_lacks_cases(tmp_path: Path) -> None:
    """Its misspelt `undoo` would pass with a shrug."""
    (tmp_path / "a.yml").write_text(RULE.replace("undo:", "undoo:"), encoding="utf-8")

    result = run("rules", "check", tmp_path)

    assert result.exit_code == 1
    assert f"{tmp_path / 'a.yml'}:15: unknown field 'undoo'; did you mean 'undo'?" in result.stderr


def test_facts_are_those_of_the_page() -> None:
    """A fact that is new is refused in rules until FACTS has it, and read by nobody until the page has it."""
    rows = [
        line.split("|")[1] for line in (ROOT / "rules" / "README.md").read_text("utf-8").splitlines() if "|" in line
    ]
    documented = {name for row in rows for name in re.findall(r"`(facts\.[a-z_.]+)`", row)}

    assert documented | {WOULD_BE_HIGH} == set(FACTS)


def contents(name: str) -> list[Any]:
    """What ships, as an editor reads it (YAML 1.2: dates are text)."""
    if name == "exception":
        return [_loaded(EXCEPTION)]
    correlated = name.startswith("correlation")
    files = [file for file in rule_files(ROOT / "rules") if ("\ncorrelation:" in file.read_text("utf-8")) is correlated]
    if name.endswith("cases"):
        files = [ROOT / "tests" / "rules" / file.relative_to(ROOT / "rules") for file in files]
    return [_loaded(file.read_text(encoding="utf-8")) for file in files]


def _loaded(text: str) -> Any:
    class Loader(yaml.CSafeLoader):
        pass

    Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: node.value)
    return yaml.load(text, Loader)  # noqa: S506 (a safe loader)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_takes_what_ships(name: str) -> None:
    """An editor that marks right rules is switched off."""
    validate = fastjsonschema.compile(dict(SCHEMAS[name]))

    for content in contents(name):
        validate(content)


def changed(content: Any, place: int, how: int) -> Any:
    """A copy with one member misspelt, taken away, or of another type."""
    copy = json.loads(json.dumps(content))
    target = copy[0] if isinstance(copy, list) else copy
    name = [*target][place % len(target)]
    value = target.pop(name)
    if how == 0:
        target[f"{name}z"] = value
    elif how == 1:
        target[name] = 5 if isinstance(value, str | list | dict) else "five"
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMAS)
def test_checks_and_schema_come_to_the_same(name: str) -> None:
    """What the editor lets pass and the deployment refuses, or the other way round, costs an evening."""
    validate = fastjsonschema.compile(dict(SCHEMAS[name]))
    refused = 0
    for content in contents(name)[:20]:
        for place in range(14):
            for how in range(3):
                wrong = changed(content, place, how)
                faults = list(misfits(SCHEMAS[name], wrong))
                try:
                    validate(wrong)
                except fastjsonschema.JsonSchemaException:
                    refused += 1
                    assert faults, wrong
                else:
                    assert not faults, faults
    assert refused > 20


def test_published_schemas_are_those_of_the_code() -> None:
    """Editors read the files."""
    for name in SCHEMAS:
        shown = run("rules", "schema", name).stdout
        file = ROOT / "docs" / "schema" / f"{name}-1.json"
        assert file.read_text(encoding="utf-8") == shown, "run `make generate`"
