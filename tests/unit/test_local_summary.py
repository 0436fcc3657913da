"""What `trailbell local` ends with: commands that work as they stand, and find what it played."""

import io
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from rich.console import Console

from trailbell.cli.local.local_aws import LocalAws
from trailbell.cli.local.summary import HITS_WINDOW, next_commands, print_next
from trailbell.cli.main import cli
from trailbell.cli.options.times import parse_since
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState
from trailbell.store.query.hit_query import FoundHit
from trailbell.text.times import iso_time


NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
GivenHit = Callable[..., Hit]


def parsed(line: str) -> click.Context:
    """A command as click takes it; raises what it says of an option or argument that there is not."""
    program, name, *rest = shlex.split(line)
    assert program == "trailbell"
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command.make_context(name, rest)


def found(hit: Hit, ago: timedelta, word: str = "open", until: str = "") -> FoundHit:
    return FoundHit(replace(hit, event_time=iso_time(NOW - ago), undo_until=until), HitState(word), "place")


def test_window_is_that_of_hits() -> None:
    since = parsed("trailbell hits").params["since"]

    assert NOW - parse_since(since, NOW) == HITS_WINDOW


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(hours=9), timedelta(hours=23), timedelta(days=40)])
def test_each_command_is_one_and_looks_back_far_enough(given_hit: GivenHit, ago: timedelta) -> None:
    """Log files of one's own are of any age; the examples' commands need no --since."""
    hit = given_hit()
    kept = [found(hit, timedelta(0)), found(hit, ago, until="2026-11-27T00:00:00Z")]

    commands = [line for line, _ in next_commands(kept, NOW)]

    contexts = [parsed(line) for line in commands]
    assert [context.info_name for context in contexts] == ["hits", "hits", "hit", "undo", "report", "local"]
    looking = [parse_since(context.params["since"], NOW) for context in contexts if context.params.get("since")]
    assert all(since <= NOW - ago for since in looking)
    assert any("--since" in line for line in commands) is (ago > HITS_WINDOW)
    assert f"trailbell undo --local {kept[1].hit.short_id}" in commands


def test_only_an_act_that_waits_is_offered_for_undo(given_hit: GivenHit) -> None:
    until = "2026-11-27T00:00:00Z"
    kept = [found(given_hit(), timedelta(0), "undone", until), found(given_hit(), timedelta(0))]

    for some in (kept, []):
        assert [parsed(line).info_name for line, _ in next_commands(some, NOW)] == ["hits", "hits", "report", "local"]


@pytest.mark.parametrize("keep", [True, False])
def test_only_what_is_still_there_is_asked(given_hit: GivenHit, keep: bool) -> None:
    """Of one that was stopped no command would find anything."""
    out = io.StringIO()
    commands = next_commands([found(given_hit(), timedelta(0))], NOW)

    print_next(Console(file=out, width=200), LocalAws("http://localhost:1", 2, Path("x")), "b", commands, keep=keep)

    lines = [line.split("  ")[1] for line in out.getvalue().splitlines() if line.startswith("  trailbell")]
    assert lines == ([line for line, _ in commands] if keep else ["trailbell local --keep"])
