"""The deadlines of an episode: each act has its own, and the episode's is the next of them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from trailbell.alerts.alert import Alert
from trailbell.alerts.chat_text import chat_text
from trailbell.alerts.finding import undo_lines
from trailbell.alerts.mail import mail_text
from trailbell.flows.follow_ups import may_be_followed_up
from trailbell.hits.dated_steps import dated_steps, deadline_at, next_deadline
from trailbell.hits.episode import EpisodeAct, HitEpisode, act_document, act_from_document
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.reminders import reminders_of


GivenHit = Callable[..., Hit]

FIRST, SECOND, THIRD = "2026-09-05 10:00:00 UTC", "2026-09-08 10:00:00 UTC", "2026-10-01 10:00:00 UTC"
SEEN_AT = "2026-09-06T10:00:00Z"


def act(number: int, until: str, *steps: str) -> EpisodeAct:
    """An act of an episode on a key of its own, which one command undoes unless others are given."""
    return EpisodeAct(
        at=f"2026-09-01T10:00:{number:02}Z",
        account="111122223333",
        event_id=f"e-{number}",
        event_source="kms.amazonaws.com",
        event_name="ScheduleKeyDeletion",
        region="us-east-1",
        name="deletion",
        title="Deletion",
        resources=(f"arn:aws:kms:us-east-1:111122223333:key/{number}",),
        undo=steps or (f"aws kms cancel {number}",),
        undo_until=until,
    )


def episode_of(hit: Hit, *acts: EpisodeAct) -> Hit:
    """A hit made that of an episode of some acts."""
    story = HitEpisode((("recipientAccountId", hit.account),), acts[0].at, acts[-1].at, len(acts), acts)
    undo = tuple(dict.fromkeys(step for one in acts for step in one.undo))
    until = next_deadline(acts, SEEN_AT)
    return replace(hit, episode=story, undo=undo, undo_until=until, undo_note="", seen_at=SEEN_AT, kept_as=ACT)


@pytest.mark.parametrize(
    ("untils", "expected"),
    [
        ([THIRD, SECOND, FIRST], SECOND),
        ([FIRST, "2026-09-04 10:00:00 UTC"], FIRST),
        (["", THIRD, "some day"], THIRD),
        (["", "some day"], ""),
        ([], ""),
    ],
)
def test_the_next_deadline_is_the_first_ahead_else_the_last_that_passed(untils: list[str], expected: str) -> None:
    """A deadline that passed days ago says nothing of what can still be saved."""
    assert next_deadline([act(number, until) for number, until in enumerate(untils)], SEEN_AT) == expected


def test_an_act_without_steps_has_nothing_to_be_late_for() -> None:
    """Its deadline would be that of nothing."""
    assert next_deadline([replace(act(1, SECOND), undo=()), act(2, THIRD)], SEEN_AT) == THIRD


def test_deadline_of_an_episode_moves_on_with_time(given_hit: GivenHit) -> None:
    """Once the first has passed the second is next; an episode of a version before has what its hit says."""
    hit = episode_of(given_hit(), act(1, SECOND), act(2, THIRD))

    assert hit.undo_until == SECOND
    assert deadline_at(hit, "2026-09-08T09:59:59Z") == SECOND
    assert deadline_at(hit, "2026-09-08T10:00:00Z") == THIRD
    assert deadline_at(episode_of(given_hit(), act(1, "")), SEEN_AT) == ""
    assert deadline_at(replace(given_hit(), undo=("aws x",), undo_until=FIRST), SEEN_AT) == FIRST


def test_steps_keep_the_deadline_of_their_act_and_one_of_two_acts_stands_once(given_hit: GivenHit) -> None:
    """Those of the rule of the correlation itself have none; what the hit left out for room is not among them."""
    hit = episode_of(given_hit(), act(1, SECOND, "aws a", "aws b"), act(2, SECOND, "aws a"), act(3, THIRD, "aws a"))
    hit = replace(hit, undo=("aws a", "aws of-all"))

    steps = dated_steps(hit)

    assert [(step.until, step.text) for step in steps] == [(SECOND, "aws a"), (THIRD, "aws a"), ("", "aws of-all")]
    assert [[one.event_id for one in step.acts] for step in steps] == [["e-1", "e-2"], ["e-3"], []]


def test_mail_marks_the_deadlines_of_an_episode(given_hit: GivenHit) -> None:
    """Of three acts one was too late already when it was found; the heading says whose is the earliest."""
    text = mail_text([episode_of(given_hit(), act(1, THIRD), act(2, FIRST), act(3, ""))])

    section = text[text.index("Undo (") : text.index("Who")]
    assert f"the earliest is that of KMS key 2, {FIRST})" in " ".join(section.split())
    assert [line for line in section.splitlines() if line.startswith("  ")] == [
        f"  until {FIRST} (already over when this was detected):",
        "    aws kms cancel 2",
        f"  until {THIRD} (25 d left when this was detected):",
        "    aws kms cancel 1",
        "  without a deadline:",
        "    aws kms cancel 3",
    ]


def test_chat_and_findings_keep_commands_under_their_deadlines(given_hit: GivenHit) -> None:
    """One heading over all of them would be wrong for all but one."""
    hit = episode_of(given_hit(), act(1, THIRD), act(2, SECOND), act(3, ""))

    assert undo_lines(hit) == [
        f"Undo until {SECOND}:",
        "aws kms cancel 2",
        f"Undo until {THIRD}:",
        "aws kms cancel 1",
        "Undo, without a deadline:",
        "aws kms cancel 3",
    ]
    chat = chat_text(Alert((hit,)), 10_000)
    assert chat.index(f"(until {SECOND})\n```\naws kms cancel 2") < chat.index(
        f"(until {THIRD})\n```\naws kms cancel 1"
    )


def test_nobody_is_reminded_of_an_episode_beside_its_acts(given_hit: GivenHit) -> None:
    """Each act that is a hit has reminders of its own: another for the episode would page twice for one act."""
    alone = replace(given_hit(), undo=("aws x",), undo_until=SECOND, kept_as=ACT, undo_links=())
    episode = episode_of(alone, act(1, SECOND))

    assert reminders_of(alone, [24], "2026-09-01T10:00:00Z")
    assert reminders_of(episode, [24], "2026-09-01T10:00:00Z") == []
    assert may_be_followed_up(alone)
    assert not may_be_followed_up(episode)


def test_an_act_without_a_deadline_reads_as_one_of_versions_before() -> None:
    """Rows that lack the member are read, and what has none writes none."""
    known, unknown = act(1, SECOND), act(2, "")

    assert act_from_document(act_document(known)) == known
    assert "undoUntil" not in act_document(unknown)
    assert act_from_document(act_document(unknown)) == unknown
