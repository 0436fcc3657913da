"""Writing rules: begun by a command, kept apart where they are one's own, checked in repositories that are not ours."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from tests.unit.test_own_rules import CASES, EXCEPTION, RULE
from trailbell.cli.main import cli
from trailbell.errors import RuleError, SettingsError
from trailbell.rulebook.draft import FILL_IN
from trailbell.rulebook.load import compile_rules, load_rules
from trailbell.rulebook.members import SCHEMAS
from trailbell.rulebook.source import LEFT_OUT, rule_files


ROOT = Path(__file__).resolve().parents[2]
SARIF: dict[str, Any] = {
    # What a reader needs of https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"enum": ["2.1.0"]},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "originalUriBaseIds": {"type": "object"},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "semanticVersion": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": {"required": ["id"]}},
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "level", "locations"],
                            "properties": {
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"], "properties": {"text": {"type": "string"}}},
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                                "locations": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "region": {
                                                        "properties": {"startLine": {"type": "integer", "minimum": 1}}
                                                    }
                                                },
                                            }
                                        }
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two of our rules, for the commands that write into one."""
    for name in ("kms/aws_kms_key_disabled.yml", "ssm/aws_ssm_tunnel_opened.yml"):
        for folder in ("rules", "tests/rules"):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / folder / name, tmp_path / folder / name)
    shutil.copy(ROOT / "rules" / "coverage.csv", tmp_path / "rules")
    shutil.copytree(ROOT / "docs" / "schema", tmp_path / "docs" / "schema")
    monkeypatch.setattr("trailbell.cli.paths.CHECKOUT", tmp_path)
    return tmp_path


def fill_in(*files: Path) -> None:
    """As their author does."""
    for file in files:
        file.write_text(file.read_text("utf-8").replace(FILL_IN, "It is"), encoding="utf-8")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's repository, with a rule that has two faults and an exception."""
    folder = tmp_path / "their repository"
    for name, text in (("rules", RULE.replace("undo:", "undoo:")), ("cases", CASES), ("exceptions", EXCEPTION)):
        (folder / name).mkdir(parents=True)
        (folder / name / "aws_key_disabled.yml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("event", [[], ["--event", "RetireGrant"]], ids=["a-call-to-replace", "the-call"])
def test_new_rule_is_valid_as_it_stands(checkout: Path, event: list[str]) -> None:
    """Whoever begins has nothing to repair, only to fill in; the schemas that its first lines name are there."""
    result = run("rules", "new", "kms-grant-retired", "--service", "kms", *event)

    rule = checkout / "rules" / "kms" / "aws_kms_grant_retired.yml"
    cases = checkout / "tests" / "rules" / "kms" / "aws_kms_grant_retired.yml"
    assert result.exit_code == 0
    assert [line for line in result.stdout.splitlines() if line.startswith("/")] == [str(rule), str(cases)]
    (compiled,) = compile_rules(rule, {})
    assert compiled.name == "kms-grant-retired"
    assert compiled.title == "KMS Grant Retired"
    left = [
        f"{file}:{number}: still to be filled in: "
        for file in (rule, cases)
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if FILL_IN in line
    ]
    checked = run("rules", "check", checkout / "rules" / "kms")
    found = checked.stderr.splitlines()
    assert checked.exit_code == 1
    assert [line.partition(FILL_IN)[0][: len(place)] for line, place in zip(found, left, strict=True)] == left
    for file, name in ((rule, "rule"), (cases, "cases")):
        address = file.read_text("utf-8").splitlines()[0].partition("$schema=")[2]
        assert json.loads((file.parent / address).read_text("utf-8")) == json.loads(json.dumps(SCHEMAS[name]))
    assert (f"{FILL_IN}: the call" in rule.read_text("utf-8")) is not bool(event)

    fill_in(rule, cases)
    checked = run("rules", "check", checkout / "rules" / "kms")
    assert (checked.stderr, checked.exit_code) == ("", 0)


def test_new_rules_call_stands_once_in_its_cases(checkout: Path) -> None:
    """Filled in at one place, all four cases are about it."""
    run("rules", "new", "kms-grant-retired", "--service", "kms", "--event", "RetireGrant")
    rule = checkout / "rules" / "kms" / "aws_kms_grant_retired.yml"
    cases = checkout / "tests" / "rules" / "kms" / "aws_kms_grant_retired.yml"
    for file in (rule, cases):
        text = file.read_text("utf-8")
        assert text.count("RetireGrant") == 1
        file.write_text(text.replace("RetireGrant", "RevokeGrant"), encoding="utf-8")
    fill_in(rule, cases)

    assert run("rules", "check", rule).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("kms-x", "--service", "kmz"), "--service kmz"),
        (("kms-x", "--service", "s3"), "rules/ has kms, ssm; for others: --local or --into"),
        (("kms-x", "--service", "kms", "--event", "DisabledKey"), "the nearest is DisableKey"),
        (("Kms X", "--service", "kms"), "is no name of a rule"),
        (("kms-key-disabled", "--service", "kms"), "is there already"),
        (("aws_kms_key_disabled.yml", "--service", "kms", "--local"), "is there already"),
        (("s3-x", "--service", "s3", "--local"), "--event: say which call of s3.amazonaws.com"),
        (("x", "--service", "kms", "--local", "--into", "x"), "give one of them"),
    ],
)
def test_new_rule_that_cannot_be_is_refused(checkout: Path, arguments: tuple[str, ...], words: str) -> None:
    """Nothing is written, and it says what to give instead."""
    before = sorted(checkout.rglob("*"))

    with pytest.raises((RuleError, SettingsError)) as refused:
        run("rules", "new", *arguments)

    assert words in str(refused.value)
    assert sorted(checkout.rglob("*")) == before


def test_rule_of_ones_own_is_compiled_with_the_rest_and_needs_no_cases(checkout: Path) -> None:
    """It is deployed; its cases are welcome."""
    run("rules", "new", "s3-bucket-deleted", "--service", "s3", "--event", "DeleteBucket", "--local")

    names = {rule.name for rule in load_rules(checkout / "rules", {}, own=True).rules}
    assert names == {"kms-key-disabled", "ssm-tunnel-opened", "s3-bucket-deleted"}
    local = checkout / "rules" / "local"
    assert "1 rules compiled, 4 cases run" in run("rules", "check", local).stdout
    case_file = local / "cases" / "aws_s3_bucket_deleted.yml"
    case_file.write_text(case_file.read_text("utf-8").replace("match: true", "match: false", 1), encoding="utf-8")
    assert f"{case_file}:2: a role makes the call: s3-bucket-deleted should not match" in run("rules", "check").stderr
    case_file.unlink()
    fill_in(*local.glob("*.yml"))
    assert "1 rules compiled, 0 cases run, 0 faults" in run("rules", "check", local).stdout


def test_rule_of_ones_own_with_a_name_of_ours_is_the_one_that_is_refused(checkout: Path) -> None:
    """The file to change is the deployer's."""
    local = checkout / "rules" / "local" / "mine.yml"
    local.parent.mkdir()
    local.write_text(
        RULE.replace("name: key-disabled", "name: ssm-tunnel-opened").replace("8e01", "8e99"), encoding="utf-8"
    )

    with pytest.raises(RuleError) as refused:
        compile_rules(checkout / "rules", {})

    assert str(refused.value).startswith(f"{local}: has the same name ssm-tunnel-opened as ")


def test_tests_leave_rules_of_ones_own_out(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private rule must not turn our suite red: the environment of every test says where it lives."""
    assert os.environ[LEFT_OUT] == str(ROOT / "rules" / "local")
    run("rules", "new", "s3-bucket-deleted", "--service", "s3", "--event", "DeleteBucket", "--local")
    assert len(rule_files(checkout / "rules")) == 3

    monkeypatch.setenv(LEFT_OUT, str(checkout / "rules" / "local"))

    assert len(rule_files(checkout / "rules")) == 2


def test_git_ignores_rules_of_ones_own() -> None:
    """An update would meet them as changes."""
    asked = ["rules/local/aws_x.yml", "rules/local/cases/aws_x.yml", "rules/local/README.md"]
    done = in_shell(f"git check-ignore {' '.join(asked)}", ROOT)

    assert done.stdout.splitlines() == asked[:2]


def test_rule_elsewhere_has_its_schemas_beside_it(tmp_path: Path) -> None:
    """Outside a checkout nothing else is there to complete it."""
    result = run("rules", "new", "s3-bucket-deleted", "--service", "s3", "--event", "DeleteBucket", "--into", tmp_path)

    assert result.exit_code == 0
    rule = tmp_path / "aws_s3_bucket_deleted.yml"
    assert rule.read_text("utf-8").startswith("# yaml-language-server: $schema=.schema/rule-1.json\n")
    for name in ("rule", "cases"):
        assert (tmp_path / ".schema" / f"{name}-1.json").read_text("utf-8") == run("rules", "schema", name).stdout
    fill_in(rule, tmp_path / "cases" / rule.name)
    assert "1 rules compiled, 4 cases run, 0 faults" in run("rules", "check", tmp_path).stdout


@pytest.mark.slow
def test_mail_of_a_rule_is_the_golden_one() -> None:
    """By name and by file; it is what would arrive, but for where the log file is."""
    golden = (ROOT / "tests" / "golden" / "mails" / "rules" / "kms-key-disabled.txt").read_text("utf-8")

    by_name = run("rules", "mail", "kms-key-disabled").stdout
    by_file = run("rules", "mail", ROOT / "rules" / "kms" / "aws_kms_key_disabled.yml").stdout

    assert by_name == by_file
    assert by_name.partition("\nWho\n")[0] == golden.partition("\nWho\n")[0]
    with pytest.raises(RuleError, match="did you mean 'kms-key-disabled'"):
        run("rules", "mail", "kms-key-disable")


def test_mail_needs_a_case_that_matches(elsewhere: Path) -> None:
    """Without one there is no record to write about."""
    (elsewhere / "rules" / "aws_key_disabled.yml").write_text(RULE, encoding="utf-8")
    assert run("rules", "mail", "rules/aws_key_disabled.yml").stdout.startswith("Subject: [HIGH] Key Disabled")
    (elsewhere / "cases" / "aws_key_disabled.yml").write_text(CASES.replace("match: true", "match: false"))

    with pytest.raises(RuleError, match="no case matches"):
        run("rules", "mail", "rules/aws_key_disabled.yml")


def test_findings_are_sarif_that_code_hosts_read(elsewhere: Path) -> None:
    """With addresses below the repository, the line, and a fingerprint that survives lines added above."""
    result = run("rules", "check", "rules", "--exceptions", "exceptions", "--format", "sarif")

    log = json.loads(result.stdout)
    fastjsonschema.compile(SARIF)(log)
    (first, second) = log["runs"][0]["results"]
    place = first["locations"][0]["physicalLocation"]
    assert result.exit_code == 1
    assert place["artifactLocation"] == {"uri": "rules/aws_key_disabled.yml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 15}
    assert (first["ruleId"], first["level"]) == ("rule", "error")
    assert first["message"]["text"] == "unknown field 'undoo'; did you mean 'undo'?"
    assert (second["ruleId"], second["message"]["text"]) == ("exception", "no rule is called key-disabled")
    rule = elsewhere / "rules" / "aws_key_disabled.yml"
    rule.write_text("# moved\n" + rule.read_text("utf-8"), encoding="utf-8")
    moved = json.loads(run("rules", "check", "rules", "--format", "sarif").stdout)["runs"][0]["results"][0]
    assert moved["locations"][0]["physicalLocation"]["region"] == {"startLine": 16}
    assert moved["partialFingerprints"] == first["partialFingerprints"]


def test_foreign_findings_are_sarif_too(tmp_path: Path) -> None:
    """Other people's rules: what cannot run is an error, what to know a warning; names are any bytes."""
    source = "logsource: {product: aws, service: cloudtrail}\n"
    (tmp_path / "a b.yml").write_text(f"title: A\n{source}detection: {{s: {{a|nosuch: x}}, condition: s}}\n")
    (tmp_path / "c.yml").write_text(f"title: C\n{source}detection: {{s: {{eventName: X}}, condition: s}}\nlevl: low\n")

    log = json.loads(run("rules", "check", tmp_path, "--foreign", "--format", "sarif").stdout)

    fastjsonschema.compile(SARIF)(log)
    found = {(one["level"], one["ruleId"]) for one in log["runs"][0]["results"]}
    assert found == {("error", "foreign-rule"), ("warning", "foreign-rule")}
    uris = [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in log["runs"][0]["results"]]
    assert (tmp_path / "a b.yml").as_uri() in uris


def test_findings_are_json_lines(elsewhere: Path) -> None:
    """For programs: a line for each."""
    lines = run("rules", "check", "rules", "--format", "jsonl").stdout.splitlines()

    assert [json.loads(line) for line in lines] == [
        {
            "kind": "rule",
            "path": "rules/aws_key_disabled.yml",
            "line": 15,
            "message": "unknown field 'undoo'; did you mean 'undo'?",
            "warning": False,
        }
    ]


def in_shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run as CI runs it, with our command on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": str(folder), **variables}
    command = ["bash", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_pre_commit_hook_finds_the_fault(elsewhere: Path) -> None:
    """Run as pre-commit does: the entry, then the arguments."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    command = " ".join([hook["entry"], *hook["args"]])

    done = in_shell(command, elsewhere)

    assert {"id", "name", "entry", "language", "files"} <= set(hook)
    assert hook["pass_filenames"] is False
    assert done.returncode == 1
    assert "rules/aws_key_disabled.yml:15: unknown field 'undoo'; did you mean 'undo'?" in done.stderr
    (elsewhere / "rules" / "aws_key_disabled.yml").write_text(RULE, encoding="utf-8")
    assert in_shell(command, elsewhere).returncode == 0


@pytest.mark.slow
def test_action_finds_the_fault_marks_its_line_and_leaves_a_log(elsewhere: Path) -> None:
    """The script of its step, with the inputs as GitHub gives them; none of them stands in the script's text."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    (step,) = [one for one in action["runs"]["steps"] if one.get("id") == "check"]
    inputs = {name: given["default"] for name, given in action["inputs"].items()}
    inputs["exceptions"] = "exceptions"
    output = elsewhere / "output"
    variables = {
        name: str(ROOT) if "action_path" in value else inputs[value.split("inputs.")[1].split()[0]]
        for name, value in step["env"].items()
    }

    done = in_shell(step["run"], elsewhere, GITHUB_OUTPUT=str(output), **variables)

    assert not [one for one in action["runs"]["steps"] if "${{" in one["run"]]
    assert done.returncode == 1
    assert "rules/aws_key_disabled.yml:15: unknown field" in done.stderr
    assert output.read_text("utf-8") == "sarif=trailbell.sarif\n"
    fastjsonschema.compile(SARIF)(json.loads((elsewhere / "trailbell.sarif").read_text("utf-8")))
    assert f"::add-matcher::{ROOT}/tools/problem-matcher.json" in done.stdout
    assert json.loads((ROOT / "tools" / "problem-matcher.json").read_text("utf-8"))["problemMatcher"]
    (elsewhere / "rules" / "aws_key_disabled.yml").write_text(RULE, encoding="utf-8")
    right = in_shell(step["run"], elsewhere, GITHUB_OUTPUT=str(output), **variables)
    assert right.returncode == 0
    assert right.stdout.endswith("1 rules compiled, 2 cases run, 0 faults\n")
