"""Rooms import only rooms above them, pure ones know neither AWS nor YAML, and importing a module does nothing."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import asset
from tools.rooms import PAGE, ROOMS, Room, written
from trailbell.alerts.channel import Declaration
from trailbell.alerts.channels import declared_channels
from trailbell.cloudtrail.record import MEMBERS


ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lambdas" / "trailbell"

BY_NAME = {room.name: room for room in ROOMS}
EVERYBODYS = {"trailbell", "trailbell.errors", "trailbell.lazy_dataclass"}


def imports(file: Path, *, relative: bool = False) -> Iterator[str]:
    """Names of what a module imports. `relative`: whether it may import its neighbours so, which are not named."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert relative or node.level == 0, f"{file}: relative import"
            yield "" if node.level else node.module or ""


def room_of(module: str) -> str:
    """The room of a module such as trailbell.store.query.pointers; "" for the package's own."""
    parts = module.split(".")[1:]
    below = "/".join(parts[:2])
    return below if below in BY_NAME else parts[0] if parts and parts[0] in BY_NAME else ""


def files_of(room: Room) -> list[Path]:
    """The modules of a room, without those of rooms inside it."""
    return [
        file
        for file in sorted((PACKAGE / room.name).rglob("*.py"))
        if room_of(".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)) == room.name
    ]


def room_faults(room: Room, file: Path) -> list[str]:
    faults = []
    for name in imports(file):
        head = name.partition(".")[0]
        if head == "trailbell":
            there = room_of(name)
            allowed = {room.name, *room.imports} if there else EVERYBODYS
            if (there or name) not in allowed:
                faults.append(f"{file.name} imports {name}")
        elif head not in sys.stdlib_module_names and head not in room.third_party:
            faults.append(f"{file.name} imports {name}")
    return faults


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_room_imports_only_rooms_above_it(room: Room) -> None:
    """What is pure can be tested, scanned with and replayed without AWS; a line's place says what it can know."""
    above = {other.name for other in ROOMS[: ROOMS.index(room)]}
    files = files_of(room)

    assert files
    assert set(room.imports) <= above
    assert [fault for file in files for fault in room_faults(room, file)] == []


@pytest.mark.slow
def test_every_package_a_room_may_use_is_used() -> None:
    """A permission nobody uses lets the next one in unseen."""
    idle = []
    for room in ROOMS:
        made = {name.partition(".")[0] for file in files_of(room) for name in imports(file)}
        idle += [f"{room.name}: {name}" for name in room.third_party if name not in made]

    assert idle == []


def test_every_module_has_a_room() -> None:
    """A module beside the rooms is a room nobody named."""
    placed = {file for room in ROOMS for file in files_of(room)}

    beside = {file.name for file in set(PACKAGE.rglob("*.py")) - placed}
    assert beside == {"__init__.py", "__main__.py", "errors.py", "lazy_dataclass.py"}


def test_import_check_bites(tmp_path: Path) -> None:
    """A check that cannot fail protects nothing."""
    file = tmp_path / "bad.py"
    file.write_text(
        "import boto3\nfrom trailbell.store import rows\nimport json\nfrom trailbell.errors import RuleError\n"
    )

    assert room_faults(BY_NAME["hits"], file) == ["bad.py imports boto3", "bad.py imports trailbell.store"]


def test_asset_holds_the_rooms_that_run_in_lambda() -> None:
    """The table says which rooms travel; a handler that begins to import another one changes the table."""
    modules = [".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in asset.shipped_modules()]
    shipped = {room_of(module) for module in modules if not module.endswith("__init__")} - {""}

    assert shipped == {room.name for room in ROOMS if room.in_lambda}


@pytest.mark.slow
def test_asset_holds_what_handlers_import_and_nothing_else(tmp_path: Path) -> None:
    """What only the command line needs is paid for at no cold start; what is imported late must be there, too."""
    names = {file.relative_to(PACKAGE).as_posix() for file in asset.shipped_modules()}
    only_command_line = {"__main__.py", "cloudtrail/selection.py", "hits/query.py"}

    assert {"hits/detect.py", "engine/prefilter/prefilter.py", "store/malformed.py", "errors.py"} <= names
    assert not names & only_command_line
    assert not [name for name in names if name.startswith(("store/query/", "ops/", "cli/", "lookback/", "rulebook/"))]
    for name in names:
        (tmp_path / "trailbell" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "trailbell" / name).write_bytes((PACKAGE / name).read_bytes())
    modules = [f"trailbell.{name.removesuffix('.py').replace('/', '.')}" for name in names if "__init__" not in name]
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import importlib, trailbell\n" + "\n".join(
        [f"assert trailbell.__file__.startswith({str(tmp_path)!r})", f"[importlib.import_module(m) for m in {modules}]"]
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_page_draws_the_rooms_as_they_are() -> None:
    """A drawing by hand is wrong after the next move."""
    text = PAGE.read_text(encoding="utf-8")

    assert "<!-- rooms -->" in text
    assert written(text) == text, "run `make generate`"


def test_infra_imports_the_rulebook_and_nothing_else_of_the_flows() -> None:
    """The stack compiles rules at synth; it must not pull in what runs in Lambda."""
    allowed = {
        "trailbell.rulebook.account_settings",
        "trailbell.rulebook.alert_on",
        "trailbell.rulebook.build",
        "trailbell.rulebook.live_calls",  # the place of the own account in a pattern
        "trailbell.rulebook.live_patterns",  # what EventBridge is asked for
        "trailbell.rulebook.member_template",  # what members get
        "trailbell.rulebook.misspellings",  # what was meant by a name that no rule has
        "trailbell.rulebook.placeholders",
        "trailbell.rulebook.product",  # where rules and lock are, in a checkout and in a wheel
        "trailbell.hits.canary",  # where the parameters are that never exist
        "trailbell.hits.week",  # the days of a week, for a setting
        "trailbell.aws.clients",  # CALLS: what the models in the asset must know
        "trailbell.engine.rulebook",
        "trailbell.alerts.channel",
        "trailbell.alerts.commands",  # by what the stack knows that commands need --local
        "trailbell.alerts.channels",  # what channels declare: settings, permissions, what the stack builds
        "trailbell.alerts.setting",
        "trailbell.errors",
        "trailbell.ops.advice",  # what the alarms say
        "trailbell.handlers.metric_names",  # which counts are metrics
    }
    files = [*sorted((ROOT / "infra").glob("*.py")), ROOT / "app.py"]

    found = {name for file in files for name in imports(file, relative=True) if name.startswith("trailbell")}

    assert found <= allowed


def infra_without_types() -> list[Path]:
    """Infra's modules but properties.py, which types every setting for editors and decides nothing, and those of live
    events, which speak of another bus than the channel's.
    """
    others = ("properties.py", "live.py", "member.py")
    return [file for file in sorted((ROOT / "infra").glob("*.py")) if file.name not in others]


def test_channel_is_known_by_name_in_its_own_file_alone() -> None:
    """A channel is one file: what reads the declarations must not have a case for one of them."""
    readers = [ROOT / "app.py", *infra_without_types(), PACKAGE / "alerts" / "channels" / "__init__.py"]
    readers += [file for room in ("handlers", "flows", "aws") for file in files_of(BY_NAME[room])]
    beside = [channel for channel in declared_channels() if not channel.promised]
    words = {word for one in beside for word in (one.open.__module__.rpartition(".")[2], one.name, *names_of(one))}

    assert {"chat", "bus", "chat_topic", "event_bus"} <= words
    named = re.compile(rf"\b({'|'.join(map(re.escape, words))})\b")
    assert [(file.name, found[0]) for file in readers if (found := named.search(file.read_text("utf-8")))] == []


def names_of(channel: Declaration) -> list[str]:
    """The names of a channel's settings."""
    return [setting.name for setting in channel.settings]


def test_channels_share_no_name() -> None:
    """Two settings of one name would be one setting, and two channels one line in the log."""
    channels = declared_channels()
    names = [name for channel in channels for name in names_of(channel)]

    assert len(names) == len({*names})
    assert len({channel.name for channel in channels}) == len(channels)
    assert [channel.name for channel in channels if channel.promised] == [channels[0].name]


def test_lambda_side_loads_without_build_time_packages() -> None:
    """pySigma, PyYAML and the command line's packages are not in the asset."""
    code = (
        "import sys, trailbell.handlers.clock, trailbell.handlers.detector, trailbell.handlers.notifier\n"
        "print([name for name in ('sigma', 'yaml', 'click', 'rich', 're2', 'trailbell.cli', 'trailbell.rulebook')"
        " if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_every_module_opens_with_a_sentence() -> None:
    """A newcomer finds the place for a change by reading first lines."""
    files = [file for file in PACKAGE.rglob("*.py") if file.name != "__init__.py"]

    silent = [file.name for file in files if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))]

    assert silent == []


def test_engine_names_no_member_of_a_record() -> None:
    """Any Sigma rule on any event: what is CloudTrail's own is passed in as data."""
    files = [*(PACKAGE / "engine").rglob("*.py")]

    named = [(file.name, name) for file in files for name in MEMBERS if f'"{name}"' in file.read_text(encoding="utf-8")]

    assert len(files) > 10
    assert named == []
