"""`trailbell undo`: what can still be undone of an alert, as a script that may be run as it is."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from trailbell.cli.main import cli
from trailbell.hits.dated_steps import next_deadline
from trailbell.hits.episode import EpisodeAct, HitEpisode
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState, change_state
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.states import DynamoHitStates


GivenHit = Callable[..., Hit]
Undo = Callable[..., str]
FORM = "%Y-%m-%d %H:%M:%S UTC"
ENABLE = "aws kms enable-key --region eu-central-1 --key-id key-"


@pytest.fixture
def undo(table: str) -> Undo:
    def make(*arguments: str) -> str:
        result = CliRunner().invoke(cli, ["undo", *arguments, "--table", table], catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    return make


@pytest.fixture
def keep(dynamodb: Any, table: str) -> Callable[..., list[Hit]]:
    def make(*hits: Hit) -> list[Hit]:
        DynamoHitTable(dynamodb, table, 400).keep(hits)
        return list(hits)

    return make


def given_act(given_hit: GivenHit, number: int, *, hours: float = 48, minute: int = 0, **more: Any) -> Hit:
    """A hit that can be undone for some hours from now (or could, some hours ago)."""
    until = (datetime.now(UTC) + timedelta(hours=hours, minutes=1)).strftime(FORM)
    members = {"undo": (f"{ENABLE}{number}",), "undo_until": until, "kept_as": "act", **more}
    return given_hit(number, event_time=f"2026-09-15T10:{minute:02}:00Z", **members)


def commands(script: str) -> list[str]:
    return [line for line in script.splitlines() if line and not line.startswith("#")]


def test_all_hits_of_an_alert_are_undone_each_with_its_own_deadline(
    undo: Undo, keep: Callable[..., list[Hit]], given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """Two keys of one alert, one of them due in eight days: a deadline printed for both would be wrong for one."""
    first, second = given_act(given_hit, 1), given_act(given_hit, 2, hours=192, minute=40)
    other = given_act(given_hit, 3, minute=20)
    keep(first, second, other)
    records = DynamoDeliveryRecords(dynamodb, table, 400)
    records.record([first, second])
    records.record([other])

    for name in (first.short_id, second.hit_id, second.short_id):
        script = undo(name)
        assert commands(script) == [f"{ENABLE}1", f"{ENABLE}2"]
        assert f"{first.undo_until}: 2 d" in script
        assert f"{second.undo_until}: 8 d" in script
        assert "does not say" not in script
    assert commands(undo(first.short_id, other.short_id)) == [f"{ENABLE}1", f"{ENABLE}2", f"{ENABLE}3"]
    assert commands(undo(first.short_id, "--alone")) == [f"{ENABLE}1"]


def test_where_the_table_does_not_say_what_was_one_alert_the_hits_that_would_be_are_taken(
    undo: Undo, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """Delivery records of versions before hold no alert: the same grouping is done again, and it is said."""
    one, near = given_act(given_hit, 1), given_act(given_hit, 2, minute=30)
    keep(
        one,
        near,
        given_act(given_hit, 3, actor="arn:aws:iam::111122223333:role/Other"),
        given_act(given_hit, 4, level="low"),
        given_act(given_hit, 5, muted_by="nightly"),
        given_hit(6, event_time="2026-09-15T13:00:00Z", undo=(f"{ENABLE}6",)),
    )

    script = " ".join(undo(one.short_id).replace("\n# ", " ").splitlines())

    assert f"does not say what was in one alert with {one.short_id}" in script
    assert "within 1 h of it" in script
    assert commands(undo(one.short_id)) == [f"{ENABLE}1", f"{ENABLE}2"]
    assert json.loads(undo(one.short_id, "--format", "json"))["alertRecorded"] is False


def test_commands_of_an_act_that_is_undone_are_held_back(
    undo: Undo, keep: Callable[..., list[Hit]], given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """A key that somebody enabled and disabled again on purpose must not be enabled by a script of last week."""
    first, second = given_act(given_hit, 1), given_act(given_hit, 2)
    keep(first, second)
    DynamoDeliveryRecords(dynamodb, table, 400).record([first, second])
    states = DynamoHitStates(dynamodb, table)
    states.write(first.identity, *change_state(HitState(), "undo", "dana", "2026-09-15T11:00:00Z"), 2**40)

    script = undo(first.short_id)

    assert commands(script) == [f"{ENABLE}2"]
    assert f"# undone already, by dana at 2026-09-15T11:00:00Z: {ENABLE}1" in script
    held = {one["hitId"]: one["heldBack"] for one in json.loads(undo(first.short_id, "--format", "json"))["hits"]}
    assert held == {first.hit_id: "undone already, by dana at 2026-09-15T11:00:00Z", second.hit_id: ""}


def test_muted_hit_is_undone_alone(undo: Undo, keep: Callable[..., list[Hit]], given_hit: GivenHit) -> None:
    """It was in no alert."""
    muted, _ = keep(given_act(given_hit, 1, muted_by="nightly"), given_act(given_hit, 2))

    assert commands(undo(muted.short_id)) == [f"{ENABLE}1"]


def test_what_cannot_run_now_is_a_comment_that_says_why(
    undo: Undo, keep: Callable[..., list[Hit]], given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """Too late, a gap, resolved by somebody, the same once more: none of it may run from a pipe."""
    gap = "aws ssm put-parameter --value '<current value>' --name /app"
    hits = [
        given_act(given_hit, 1, hours=-3),
        given_act(given_hit, 2, undo=(gap, "Ask the owner of the key first.", f"{ENABLE}2")),
        given_act(given_hit, 3),
        given_act(given_hit, 4, undo=(f"{ENABLE}2",)),
        given_act(given_hit, 5, undo=(), undo_note="Nothing brings it back."),
    ]
    keep(*hits)
    DynamoDeliveryRecords(dynamodb, table, 400).record(hits)
    CliRunner().invoke(cli, ["resolve", hits[2].short_id, "--table", table], catch_exceptions=False)

    script = undo(hits[0].short_id)

    lines = script.splitlines()
    assert f"# too late: {ENABLE}1" in lines
    assert any("over for 2 h 59 min" in line for line in lines)
    assert f"# fill in <current value>: {gap}" in lines
    assert "# Ask the owner of the key first." in lines
    assert f"# resolved already: {ENABLE}3" in lines
    assert f"# as above: {ENABLE}2" in lines
    assert "# Nothing brings it back." in lines
    assert commands(script) == [f"{ENABLE}2"]
    assert commands(undo(hits[2].short_id)) == [f"{ENABLE}2", f"{ENABLE}3"]  # asked for by name


def test_script_runs_in_a_shell_and_nothing_of_a_record_with_it(
    undo: Undo, keep: Callable[..., list[Hit]], given_hit: GivenHit, tmp_path: Path
) -> None:
    """An actor's name, a resource and a note with line breaks and commands stay comments."""
    evil = "x\naws evil $(aws evil)\r\u2028aws evil"
    hit = given_act(
        given_hit, 1, resources=(f"arn:aws:kms:eu-central-1:1:key/{evil}", evil), undo_note=evil, title=evil
    )
    keep(hit)
    (tmp_path / "aws").write_text('#!/bin/sh\necho "$*" >> "$CALLS"\n')
    (tmp_path / "aws").chmod(0o755)
    calls = tmp_path / "calls"

    subprocess.run(
        ["/bin/sh"],
        input=undo(hit.short_id),
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(calls)},
    )

    assert calls.read_text().splitlines() == [f"{ENABLE}1".removeprefix("aws ")]


def test_json_says_the_same(undo: Undo, keep: Callable[..., list[Hit]], given_hit: GivenHit) -> None:
    """For a runbook that decides by itself what it runs."""
    (hit,) = keep(given_act(given_hit, 1, undo=(f"{ENABLE}1", "aws x --y '<z>'"), undo_note="Works."))

    document = json.loads(undo(hit.short_id, "--format", "json"))

    (one,) = document["hits"]
    assert one["shortId"] == hit.short_id
    assert one["until"] == hit.undo_until
    assert 47 * 3600 < one["secondsLeft"] <= 48 * 3600 + 60
    assert (one["expired"], one["heldBack"], one["state"], one["note"]) == (False, "", "open", "Works.")
    assert [(step["text"], step["command"], step["gaps"]) for step in one["steps"]] == [
        (f"{ENABLE}1", True, []),
        ("aws x --y '<z>'", True, ["<z>"]),
    ]
    assert all(
        (step["until"], step["expired"], step["heldBack"]) == (hit.undo_until, False, "") for step in one["steps"]
    )


def given_episode(given_hit: GivenHit, acts: list[Hit]) -> Hit:
    """The hit of an episode of some acts."""
    story = HitEpisode(
        group=(("recipientAccountId", acts[0].account),),
        first=acts[0].event_time,
        last=acts[-1].event_time,
        count=len(acts),
        acts=tuple(
            EpisodeAct(
                at=hit.event_time,
                account=hit.account,
                event_id=hit.event_id,
                event_source=hit.event_source,
                event_name=hit.event_name,
                region=hit.region,
                name=hit.name,
                title=hit.title,
                is_hit=True,
                undo=hit.undo,
                undo_until=hit.undo_until,
            )
            for hit in acts
        ),
    )
    undo = tuple(step for hit in acts for step in hit.undo)
    until = next_deadline(story.acts, "2026-09-15T10:59:00Z")
    return given_hit(
        99, event_time="2026-09-15T10:59:00Z", kept_as="act", rule_id="wave", undo=undo, undo_until=until, episode=story
    )


def test_each_command_of_an_episode_goes_by_the_act_that_it_undoes(
    undo: Undo, keep: Callable[..., list[Hit]], given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """Undone, resolved, too late: what the act's own hit holds back, its episode holds back, too, each by itself."""
    acts = [given_act(given_hit, number, hours=hours) for number, hours in ((1, 48), (2, 192), (3, -3), (4, 72))]
    acts.append(given_act(given_hit, 5, undo_until=""))
    not_kept = [given_act(given_hit, 6, hours=-5), given_act(given_hit, 7, hours=30)]
    keep(*acts)
    (episode,) = keep(given_episode(given_hit, [*acts, *not_kept]))
    states = DynamoHitStates(dynamodb, table)
    states.write(acts[0].identity, *change_state(HitState(), "undo", "dana", "2026-09-15T11:00:00Z"), 2**40)
    states.write(acts[3].identity, *change_state(HitState(), "resolve", "dana", "2026-09-15T11:00:00Z"), 2**40)

    script = undo(episode.short_id)

    assert commands(script) == [f"{ENABLE}2", f"{ENABLE}5", f"{ENABLE}7"]
    lines = script.splitlines()
    assert f"# undone already, by dana at 2026-09-15T11:00:00Z: {ENABLE}1" in lines
    assert f"# too late: {ENABLE}3" in lines
    assert f"# resolved already: {ENABLE}4" in lines
    assert f"# too late: {ENABLE}6" in lines
    assert lines[lines.index(f"{ENABLE}2") - 1].startswith(f"#   until {acts[1].undo_until}: 8 d")
    assert lines[lines.index(f"{ENABLE}5") - 1] == "#   without a deadline:"
    assert f"{ENABLE}4" in commands(undo(episode.short_id, acts[3].short_id))  # asked for by name
    (held,) = json.loads(undo(episode.short_id, "--format", "json"))["hits"]
    assert held["until"] == not_kept[1].undo_until
    assert [bool(step["heldBack"]) for step in held["steps"]] == [True, False, True, True, False, True, False]
    # The mail of the hit has all of them; the hit's story says which of them are over.
    asked = ["hit", episode.short_id, "--table", table, "--no-record", "--no-pager"]
    told = " ".join(CliRunner().invoke(cli, asked, catch_exceptions=False).output.split())
    assert f"Not to be run any more (undone already, by dana at 2026-09-15T11:00:00Z): {ENABLE}1 " in told
    assert told.count("Not to be run any more") == 4
    assert f"What is left to run: trailbell undo {episode.short_id} --table hits" in told


def test_a_step_that_one_act_still_needs_is_not_said_to_be_over(
    keep: Callable[..., list[Hit]], given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    acts = [given_act(given_hit, number, hours=hours) for number, hours in ((1, 48), (2, 192))]
    acts[1] = replace(acts[1], undo=acts[0].undo)
    keep(*acts)
    (episode,) = keep(given_episode(given_hit, acts))
    state = change_state(HitState(), "undo", "dana", "2026-09-15T11:00:00Z")
    DynamoHitStates(dynamodb, table).write(acts[0].identity, *state, 2**40)

    asked = ["hit", episode.short_id, "--table", table, "--no-record", "--no-pager"]
    assert "Not to be run any more" not in CliRunner().invoke(cli, asked, catch_exceptions=False).output


def test_episode_of_a_version_before_goes_by_the_hits_of_its_acts(
    undo: Undo, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """Its acts do not say until when they can be undone; their own hits do."""
    act = given_act(given_hit, 1, hours=-3)
    before = replace(act, undo_until="")
    keep(act)
    (episode,) = keep(given_episode(given_hit, [before, given_act(given_hit, 2, undo_until="")]))

    assert commands(undo(episode.short_id)) == [f"{ENABLE}2"]
    assert f"# too late: {ENABLE}1" in undo(episode.short_id)


def test_what_several_acts_are_undone_by_may_run_while_it_helps_one_of_them(
    undo: Undo, keep: Callable[..., list[Hit]], given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """A key that was disabled, enabled, and disabled again."""
    acts = [given_act(given_hit, 1, undo_until=""), given_act(given_hit, 2, undo=(f"{ENABLE}1",), undo_until="")]
    keep(*acts)
    (episode,) = keep(given_episode(given_hit, acts))
    states = DynamoHitStates(dynamodb, table)
    undone = change_state(HitState(), "undo", "dana", "2026-09-15T11:00:00Z")

    states.write(acts[0].identity, *undone, 2**40)
    assert commands(undo(episode.short_id)) == [f"{ENABLE}1"]
    states.write(acts[1].identity, *undone, 2**40)
    assert commands(undo(episode.short_id)) == []
