"""What `trailbell local --keep` left running: only that is stopped, and never is there a second."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from trailbell.cli.local import local_state, process_mark, running_aws
from trailbell.cli.local.local_aws import LocalAws, without_callers_python
from trailbell.cli.main import cli
from trailbell.errors import SettingsError


SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
Child = subprocess.Popen[bytes]


@pytest.fixture
def children() -> Iterator[list[Child]]:
    """Processes, each of a group of its own; ended whatever becomes of the test."""
    started: list[Child] = []
    yield started
    for child in started:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state file of a checkout without one."""
    monkeypatch.setattr(local_state, "checkout", lambda: tmp_path)
    (tmp_path / ".trailbell").mkdir()
    return tmp_path / ".trailbell" / "local.json"


def started(children: list[Child]) -> Child:
    """A process that has come so far that it shows its own command line."""
    child = subprocess.Popen(
        [*SLEEPER[:2], "print('up', flush=True);" + SLEEPER[2]], stdout=subprocess.PIPE, start_new_session=True
    )
    children.append(child)
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    child.stdout.close()
    return child


def aws_of(child: Child) -> LocalAws:
    return LocalAws("http://localhost:1", child.pid, Path("x.log"), child)


def changed(state: Path, **members: Any) -> None:
    """Something of the remembered process is another one's."""
    content = json.loads(state.read_text())
    content["process"] |= members
    state.write_text(json.dumps(content))


def stop() -> Result:
    return CliRunner().invoke(cli, ["local", "--stop"], catch_exceptions=False)


def test_kept_process_is_found_stopped_and_forgotten(state: Path, children: list[Child]) -> None:
    child = started(children)
    local_state.save_local(aws_of(child))

    assert local_state.load_local() == aws_of(child)
    reaped = psutil.Process(child.pid)
    result = stop()

    assert (result.output, result.exit_code) == ("stopped\n", 0)
    assert not reaped.is_running() or reaped.status() == psutil.STATUS_ZOMBIE
    assert not state.exists()
    assert stop().output == "no embedded AWS is kept running\n"


def test_process_that_was_started_here_is_waited_for(children: list[Child]) -> None:
    """Else the kernel remembers it, and Python warns of it, until this process ends."""
    child = started(children)

    aws_of(child).stop()

    assert child.returncode == -signal.SIGTERM
    aws_of(child).stop()  # nothing is left to stop


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"started": 1.0}, "is another one now"),
        ({"command": ["ministack"]}, "is another one now"),
        ({"owner": "somebody"}, "is somebody else's now"),
    ],
)
def test_foreign_process_with_the_remembered_id_survives(
    state: Path, children: list[Child], members: dict[str, Any], reason: str
) -> None:
    """Ids come round; each mark alone is enough to tell."""
    child = started(children)
    local_state.save_local(aws_of(child))
    changed(state, **members)

    result = stop()

    assert child.poll() is None
    assert f"process {child.pid} {reason}" in result.output
    assert "is removed" in result.output
    assert not state.exists()


def test_process_that_has_ended_is_forgotten_with_a_word(state: Path, children: list[Child]) -> None:
    """Also one that nobody has waited for yet."""
    child = started(children)
    local_state.save_local(aws_of(child))
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie now

    with pytest.raises(SettingsError, match=rf"process {child.pid} has ended.*trailbell local --keep"):
        local_state.load_local()
    assert not state.exists()


def test_process_of_which_nothing_may_be_known_is_not_ours(
    state: Path, children: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    child = started(children)
    local_state.save_local(aws_of(child))

    def denied(pid: int) -> process_mark.ProcessMark:
        raise psutil.AccessDenied(pid)

    monkeypatch.setattr(process_mark, "mark_of", denied)
    assert "is somebody else's now" in stop().output
    assert child.poll() is None


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["pid", "process", "x"]), inner),
    max_leaves=5,
).map(lambda value: json.dumps(value).encode())


@given(st.binary(max_size=30) | ODD)
@example(b"")
@example(b'{"endpoint": "http://localhost:1", "pid": 1, "log": "x"}')  # as it was written once
@example(b'{"endpoint":"x","log":"x","process":{"pid":0,"started":1,"owner":"root","command":[]}}')
@example(b'{"endpoint":"x","log":"x","process":{"pid":1,"started":1,"owner":"root","command":[]}}')
@example(b'{"endpoint":"x","log":"x","process":{"pid":99999999999999999999,"started":1,"owner":"root","command":[]}}')
@example(b'{"endpoint":"\xff"}')
def test_odd_state_stops_nothing_and_is_removed(content: bytes) -> None:
    """Of a process that is not surely known, none is stopped: a signal to 0 or 1 would reach everybody."""
    stopped: list[int] = []
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr(local_state, "checkout", lambda: Path(folder))
        patch.setattr(LocalAws, "stop", lambda self: stopped.append(self.pid))
        file = Path(folder) / ".trailbell" / "local.json"
        file.parent.mkdir()
        file.write_bytes(content)

        result = stop()

        assert result.exit_code == 0
        assert "is removed" in result.output
        assert not file.exists()
        assert not stopped


@dataclass
class Starts:
    """Stands in for the embedded AWS's start, which takes seconds."""

    children: list[Child]

    def __call__(self, folder: Path) -> LocalAws:
        return aws_of(started(self.children))


def keep(children: list[Child]) -> LocalAws:
    with running_aws.running_aws(Console(quiet=True), keep=True) as aws:
        return aws


def test_second_keep_is_refused_and_the_first_goes_on(
    state: Path, children: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_aws, "start_local_aws", Starts(children))
    first = keep(children)
    before = state.read_bytes()

    with pytest.raises(SettingsError, match=rf"kept running already .*process {first.pid}\).*--stop"):
        keep(children)

    assert [child.poll() for child in children] == [None]
    assert state.read_bytes() == before


def test_of_two_that_begin_at_once_the_later_is_stopped(
    state: Path, children: list[Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have seen that there is none yet."""
    starts = Starts(children)

    def overtaken(folder: Path) -> LocalAws:
        local_state.save_local(starts(folder))
        return starts(folder)

    monkeypatch.setattr(running_aws, "start_local_aws", overtaken)
    with pytest.raises(SettingsError, match="in the meantime"):
        keep(children)

    first, later = children
    assert (first.poll(), later.poll() is None) == (None, False)
    assert local_state.load_local().pid == first.pid


def test_failed_keep_leaves_nothing(state: Path, children: list[Child], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_aws, "start_local_aws", Starts(children))

    def failing() -> None:
        with running_aws.running_aws(Console(quiet=True), keep=True):
            assert state.exists()  # `--stop` finds it also if this process is killed
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()

    assert not state.exists()
    assert children[0].poll() is not None


def test_keep_goes_on_over_a_stale_state(
    state: Path, children: list[Child], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state.write_text("{}")
    monkeypatch.setattr(running_aws, "start_local_aws", Starts(children))

    aws = keep(children)

    assert "is removed" in capsys.readouterr().out
    assert local_state.load_local().pid == aws.pid


CALLERS = {
    "VIRTUAL_ENV": "/unreadable",
    "PYTHONHOME": "/nowhere",
    "PYTHONPATH": "/odd:\udcff",
    "PYTHONSAFEPATH": "1",
    "CONDA_PREFIX": "/nowhere",
    "UV_PYTHON": "2.7",
}


def test_children_get_nothing_of_the_callers_pythons() -> None:
    """A Python that believed it would not find its own library."""
    given = {**CALLERS, "PATH": os.environ["PATH"], "HTTPS_PROXY": "http://proxy"}
    environment = LocalAws("http://localhost:1", 2, Path("x")).environment(given)

    assert not CALLERS.keys() & environment.keys()
    assert environment["HTTPS_PROXY"] == "http://proxy"
    odd = subprocess.run([sys.executable, "-c", ""], env=given, check=False, capture_output=True)
    ours = subprocess.run([sys.executable, "-c", ""], env=without_callers_python(given), check=False)
    assert (odd.returncode, ours.returncode) == (1, 0)
