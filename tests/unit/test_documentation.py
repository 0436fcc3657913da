"""What the pages tell to paste is parsed as the command line does, and run where it needs no AWS."""

import importlib.util
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import botocore.session
import click
import pytest
from botocore import xform_name
from click.testing import CliRunner

from infra.settings import read_settings
from tests.audit.world import World
from tests.unit.doc_pages import PAGES, ROOT, Command, advised, commands, links, simple_commands, spans
from trailbell.cli.main import cli
from trailbell.rulebook.cases import BASE_RECORD


COMMANDS = [*commands(), *advised()]
CDK = {"bootstrap", "deploy", "destroy", "diff", "drift", "synth"}
PYTHON = ".venv/bin/python"
NOT_OURS = {"jq", "source"}
# Of every call, and commands of the AWS CLI's own that no model describes.
AWS_OPTIONS = {"--query", "--output", "--region", "--profile", "--max-items"}
RENAMED = {"notification-endpoint": "endpoint"}  # of sns subscribe; --endpoint-url is taken
NOT_IN_A_MODEL = {("s3", "cp"), ("cloudtrail", "validate-logs"), ("cloudformation", "deploy")}
RULE = """\
title: Log Cleared
id: 3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01
logsource: {product: windows, service: security}
detection: {s: {EventID: 1102}, condition: s}
level: high
"""

PIPED = '{"Records": []}'
"""What comes through a pipe for commands that read one."""


def of(program: str) -> list[tuple[str, ...]]:
    """The distinct commands of a program, without its name."""
    return list(dict.fromkeys(command.words[1:] for command in COMMANDS if command.words[0] == program))


def helped() -> Iterator[tuple[str, ...]]:
    """The examples in the help of every command."""
    waiting: list[click.Command] = [cli]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        for line in re.findall(r"^\s*(trailbell .*)$", (command.help or "").partition("Example:")[2], re.MULTILINE):
            for words in simple_commands(line):
                if words[0] == "trailbell":
                    yield words[1:]


OURS = list(dict.fromkeys([*of("trailbell"), *helped()]))


def needs_no_aws(words: tuple[str, ...]) -> bool:
    """Whether a command can be run here: nothing of it is elsewhere."""
    asks_table = words[:2] in (("rules", "tune"), ("rules", "scorecard"))
    reads_files = (words[0] == "actor" and "--logs" in words) or words[:2] == ("explain", "./record.json")
    here = words[0] in ("scan", "rules", "completion") or (words[0] == "report" and "--from-scan" in words)
    here = (here and not asks_table) or reads_files
    writes_here = words[:2] == ("rules", "new") and "--into" not in words  # into the checkout
    return here and not writes_here and not any(word.startswith("s3://") for word in words)


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that the pages' commands take."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(ROOT / "examples" / "AWSLogs", folder / "AWSLogs")
    shutil.copytree(ROOT / "examples" / "AWSLogs", folder / "month")
    shutil.copytree(ROOT / "rules" / "cloudhsm", folder / "sigma-rules")
    shutil.copytree(ROOT / "rules" / "cloudhsm", folder / "my-rules")
    shutil.copytree(ROOT / "tests" / "rules" / "cloudhsm", folder / "my-cases")
    shutil.copy(ROOT / "rules" / "kms" / "aws_kms_key_disabled.yml", folder / "new-rule.yml")
    (folder / "rule.yml").write_text(RULE, encoding="utf-8")
    (folder / "record.json").write_text(json.dumps(BASE_RECORD), encoding="utf-8")
    (folder / "keys.json").write_text(World(0).public_keys(), encoding="utf-8")
    (folder / "events.jsonl").write_text(json.dumps({"EventID": 1102}) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def desk(things: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder as the one we are in."""
    monkeypatch.chdir(things)
    return things


def test_pages_hold_commands() -> None:
    """A pattern that finds none would pass every test below."""
    assert len(of("trailbell")) > 50
    assert len(of("npx")) > 30
    assert {command.page for command in COMMANDS} >= {ROOT / "README.md", ROOT / "docs" / "operating.md"}


def test_every_program_is_one_that_is_looked_at() -> None:
    """A typing error in a program's name is one, too."""
    known = {"trailbell", "make", "npx", "aws", PYTHON} | NOT_OURS

    assert [str(command) for command in COMMANDS if command.words[0] not in known] == []


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("words", OURS, ids=" ".join)
def test_command_is_one_that_the_command_line_takes(words: tuple[str, ...]) -> None:
    """An option that was renamed is found by whoever pastes it, or here."""
    command: click.Command = cli
    names = list(words)
    context = click.Context(cli, info_name="trailbell")
    while isinstance(command, click.Group):
        command = command.commands[names.pop(0)]
    command.make_context(words[0], names, parent=context)


@pytest.mark.slow
@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("words", [words for words in OURS if needs_no_aws(words)], ids=" ".join)
def test_command_that_needs_no_aws_does_what_it_is_shown_for(words: tuple[str, ...]) -> None:
    """Parsed is not run."""
    result = CliRunner().invoke(cli, list(words), input=PIPED, catch_exceptions=False)

    assert (result.exit_code, bool(result.output)) == (int("--exit-code" in words), True), result.output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_prose_exist(page: Path) -> None:
    """`trailbell undelivered` within a sentence is looked for as well: its names and options."""
    for span in spans(page):
        program, *words = span.split()
        if program == "make":
            assert set(filter(str.islower, words)) <= targets(), span
        if program == "npx":
            check_cdk(words)
        if program != "trailbell":
            continue
        command: click.Command = cli
        while isinstance(command, click.Group) and words:
            command = command.commands[words.pop(0)]
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
        assert {word for word in words if word.startswith("-")} <= known, span


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("words", of("make"), ids=" ".join)
def test_make_targets_exist(words: tuple[str, ...]) -> None:
    """The two commands of the README are the first that anybody tries."""
    assert {word for word in words if "=" not in word} <= targets()


@pytest.mark.parametrize("words", of(PYTHON), ids=" ".join)
def test_modules_that_are_run_exist(words: tuple[str, ...]) -> None:
    """Benchmarks and generators are modules of this checkout."""
    assert words[0] == "-m"
    assert importlib.util.find_spec(words[1])


@pytest.mark.parametrize("words", of("npx"), ids=" ".join)
def test_settings_given_to_the_cdk_are_taken(words: tuple[str, ...]) -> None:
    """`-c name=value` with a name or value that is refused deploys nothing."""
    check_cdk(words)


def check_cdk(words: Sequence[str]) -> None:
    """What stands after npx: a command of the CDK, and settings that are taken."""
    assert words[0] == "cdk"
    assert words[1] in CDK
    given = dict(word.split("=", 1) for flag, word in pairwise(words) if flag == "-c")
    read_settings(given.get, given)


@pytest.mark.parametrize("words", of("aws"), ids=lambda words: " ".join(words[:2]))
def test_calls_of_the_aws_cli_exist(words: tuple[str, ...]) -> None:
    """Names of operations and options, as AWS's own models have them."""
    if words[:2] in NOT_IN_A_MODEL:
        return
    model = botocore.session.get_session().get_service_model(words[0])
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    members = {xform_name(name, "-") for name in model.operation_model(operations[words[1]]).input_shape.members}
    options = {word for word in words[2:] if word.startswith("--")} - AWS_OPTIONS
    names = {option.removeprefix("--").removeprefix("no-") for option in options}

    assert {RENAMED.get(name, name) for name in names} <= members


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_and_modules_that_are_named_exist(page: Path) -> None:
    """`hits/level.py` in a sentence sends a reader there."""
    bases = (ROOT, ROOT / "lambdas" / "trailbell", page.parent)
    for span in spans(page):
        if re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+\.(?:py|md|json|csv|png)", span):
            assert any((base / span).exists() for base in bases), span
        for module in re.findall(r"python -m ([\w.]+)", span):
            assert importlib.util.find_spec(module), span


@pytest.mark.parametrize("service", ["detector", "notifier", "clock"])
def test_every_metric_is_on_the_page_of_its_service(service: str) -> None:
    """Somebody looks for what a number means that CloudWatch shows, or that an alarm should watch."""
    source = (ROOT / "lambdas" / "trailbell" / "handlers" / f"{service}.py").read_text(encoding="utf-8")
    emitted = {name for names in re.findall(r'"([A-Z][a-zA-Z]+)":|name="([A-Z][a-zA-Z]+)"', source) for name in names}
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith(f"| {service} |"))

    assert emitted - {""}
    assert {name for name in emitted - {""} if f"`{name}`" not in row} <= {"ObjectsIgnoredForeign", "NewImage"}


def test_index_names_every_page() -> None:
    """A page that nothing leads to is not read."""
    linked = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in links(ROOT / "docs" / "README.md")}

    assert {page for page in PAGES if page.parent == ROOT / "docs" and page.name != "README.md"} <= linked


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("a b | c > d  # e", [("a", "b"), ("c",)]),
        ('eval "$(a b)"', [("a", "b")]),
        ("T=$(a b \\\n  'c d')\n", [("a", "b", "c d")]),
        ("a '{\n\"b\": 1}'", [("a", '{\n"b": 1}')]),
    ],
)
def test_shell_is_taken_apart(shell: str, words: list[tuple[str, ...]]) -> None:
    """The test's own eyes."""
    assert list(simple_commands(shell)) == words


def test_a_command_says_where_it_stands() -> None:
    """A failure leads to its page."""
    assert str(Command(ROOT / "README.md", ("make", "demo"))) == "README.md: make demo"
