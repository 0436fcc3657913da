"""What became of hits, and how long they can be undone: the same in every form, as of when somebody looks."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from tests.integration.test_report import packed
from trailbell.cli.main import cli
from trailbell.hits.follow_up import FollowUp, What
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.undoing import Undoing
from trailbell.store.follow_ups import DynamoFollowUps
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.tracking import DynamoTracking
from trailbell.text.times import iso_time


GivenHit = Callable[..., Hit]
OMAR = "omar@example.com (Identity Center, permission set OnCall)"
EXPIRES = 4_000_000_000


@pytest.fixture
def given_act(given_hit: GivenHit) -> GivenHit:
    """An act of five days ago, with an undo and a deadline so many days after it."""

    def make(number: int, days: int, **members: Any) -> Hit:
        done = datetime.now(UTC) - timedelta(days=5)
        until = f"{done + timedelta(days=days, hours=1):%Y-%m-%d %H:%M:%S} UTC"
        given: dict[str, Any] = {
            "kept_as": ACT,
            "event_time": iso_time(done),
            "undo": ("aws kms cancel-key-deletion --key-id 1",),
            "undo_until": until,
            "undo_links": (f"link-{number}",),
            **members,
        }
        return given_hit(number, **given)

    return make


@pytest.fixture
def hits(dynamodb: Any, table: str, given_act: GivenHit) -> list[Hit]:
    """One with days left, one whose deadline has passed, one that was undone after 12 minutes, and one muted."""
    every = [given_act(1, 7), given_act(2, 3), given_act(3, 3), given_act(4, 7, muted_by="drills")]
    DynamoHitTable(dynamodb, table, 400).keep(every)
    undone_at = iso_time(datetime.fromisoformat(every[2].event_time) + timedelta(minutes=12))
    undoing = Undoing(
        *(every[2].account, "e-undo", undone_at, "CancelKeyDeletion", OMAR, "idc:omar"), (("link-3", "undone"),)
    )
    DynamoTracking(dynamodb, table, 400).track(every, [undoing])
    return every


def run(table: str, *words: str) -> str:
    result = CliRunner().invoke(cli, [*words, "--table", table], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def asked(table: str, form: str, *words: str) -> str:
    return run(table, "hits", "--since", "9d", "--format", form, *words)


def test_every_form_says_how_a_hit_was_undone_and_how_long_others_can_be(hits: list[Hit], table: str) -> None:
    """Whoever looks in the morning sees what is left to do, and what passed in the night."""
    lines = {one["shortId"]: one for one in map(json.loads, asked(table, "jsonl").splitlines())}
    rows = {one["shortId"]: one for one in csv.DictReader(io.StringIO(asked(table, "csv")))}
    cells = {
        line.split()[0]: line.split("kms-key-disabled")[0].split()[4:] for line in asked(table, "table").splitlines()
    }
    left, passed, undone, muted = (hit.short_id for hit in hits)

    assert cells[left][:3] == ["open", "2", "d"]
    assert cells[passed] == ["open", "deadline", "passed"]
    assert cells[undone] == ["undone", "after", "12", "min"]
    assert cells[muted] == ["muted"]
    assert (lines[left]["expired"], lines[passed]["expired"]) == (False, True)
    assert 2 * 86_400 < lines[left]["secondsLeft"] < 3 * 86_400
    assert lines[undone]["state"] == "undone"
    assert (lines[undone]["undoneBy"], lines[undone]["undoneAfterSeconds"]) == (OMAR, 720)
    assert lines[left]["undoneAfterSeconds"] is None
    assert (rows[undone]["undoneAfterSeconds"], rows[left]["undoneAfterSeconds"]) == ("720", "")


def test_states_can_be_asked_for(hits: list[Hit], table: str) -> None:
    """What was undone is not open, and can be listed."""
    left, passed, undone, _ = hits

    def ids(*words: str) -> set[str]:
        return {json.loads(line)["shortId"] for line in asked(table, "jsonl", *words).splitlines()}

    assert ids("--open") == {left.short_id, passed.short_id}
    assert ids("--state", "undone") == {undone.short_id}


def test_story_says_who_undid_it_by_which_call_and_what_was_reminded_of(
    hits: list[Hit], dynamodb: Any, table: str
) -> None:
    """By whom, when, and after how long; of an open one what it was reminded of, and the time left as of now."""
    left, passed, undone, _ = hits
    reminder = FollowUp(What.REMINDER, "reminder-24h", iso_time(datetime.now(UTC)))
    DynamoFollowUps(dynamodb, table).add(reminder, left, EXPIRES)

    story = run(table, "hit", undone.short_id, "--no-record")
    document = json.loads(run(table, "hit", undone.short_id, "--no-record", "--format", "json"))
    others = [run(table, "hit", hit.short_id, "--no-record") for hit in (left, passed)]

    assert f"undone by {OMAR}" in story.splitlines()[0]
    assert f"Undone after 12 min, by {OMAR} (CancelKeyDeletion, " in story
    assert ", event e-undo)" in story
    assert f"It is undone already, by {OMAR} at" in " ".join(story.split())
    assert [line for line in story.splitlines() if line.strip().startswith("aws kms")] == []
    assert "Can be undone" not in story.partition("Subject:")[0]
    assert document["followUps"][0]["afterSeconds"] == 720
    assert document["followUps"][0]["eventID"] == "e-undo"
    assert document["history"][0]["action"] == "undo"
    assert f"Can be undone until {left.undo_until}: 2 d" in others[0]
    assert "Reminded of its deadline at" in others[0]
    assert [line for line in others[0].splitlines() if line.startswith("  aws kms")]
    newest = run(table, "hit", left.short_id, "--no-record", "--related", "1")
    assert "by the same actor, 24 h around it: newest 1 (more with --related)" in newest
    assert f"Deadline passed: {passed.undo_until}, 1 d" in others[1]


def test_failed_act_has_no_deadline(dynamodb: Any, table: str, given_act: GivenHit) -> None:
    """What did not happen need not be undone, and no table may say that it is too late for it."""
    DynamoHitTable(dynamodb, table, 400).keep([given_act(1, 3, outcome="denied")])

    (line,) = map(json.loads, asked(table, "jsonl").splitlines())

    assert (line["until"], line["secondsLeft"], line["expired"]) == ("", None, False)
    assert "deadline passed" not in asked(table, "table")


def test_report_holds_the_states(hits: list[Hit], table: str, tmp_path: Any) -> None:
    """The page says who undid what; it counts the time left itself, when it is opened."""
    file = tmp_path / "report.html"
    run(table, "report", "--since", "9d", "-o", str(file))

    document = packed(file)
    shown = [{name: row[at] for at, name in enumerate(document["columns"])} for row in document["hits"]]
    states = {document["pool"][row["shortID"]]: document["pool"][row["state"]] for row in shown}
    who = {document["pool"][row["stateBy"]] for row in shown}

    assert states == dict(zip((hit.short_id for hit in hits), ("open", "open", "undone", "open"), strict=True))
    assert who == {"", OMAR}
