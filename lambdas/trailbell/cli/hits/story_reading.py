"""What the table and the trail bucket know about one hit, gathered for its story."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trailbell.cli.hits.story import Story
from trailbell.cli.hits.undo_reading import read_undo
from trailbell.cli.hits.undo_script import Undo
from trailbell.cli.options.aws_errors import explain
from trailbell.errors import LogFileError
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.verdict import Verdict
from trailbell.ops.record_reader import fetch_record
from trailbell.store.follow_ups import DynamoFollowUps
from trailbell.store.query.episodes import episode_now
from trailbell.store.query.hit_lookup import was_notified
from trailbell.store.query.hits_around import find_related
from trailbell.store.states import DynamoHitStates
from trailbell.text.redaction import redacted_record, shown_record
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_time


@dataclass(frozen=True, slots=True)
class Around:
    """How far around a hit related ones are looked for (hours), and how many of each kind at most."""

    hours: int = 24
    limit: int = 10


def read_story(
    client: Any,
    table: str,
    found: Hit,
    now: datetime,
    *,
    around: Around,
    record: dict[str, Any] | str,
    where: str,
    today: Verdict | None = None,
    undo: Undo | None = None,
) -> Story:
    """The story of a hit; record, where, today: as the story has them. Raises what botocore raises.

    undo: of an episode's hit, where it was read already; else it is read here.
    """
    state, history = DynamoHitStates(client, table).read(found.identity)
    follow_ups = [one for one, _ in DynamoFollowUps(client, table).known([found])] if found.kept_as == ACT else []
    return Story(
        hit=found,
        state=state,
        history=history,
        notified=was_notified(client, table, found),
        related=find_related(client, table, found, around.hours, around.limit),
        hours=around.hours,
        record=record,
        follow_ups=sorted(follow_ups, key=lambda one: one.at),
        now=iso_time(now),
        limit=around.limit,
        today=today,
        episode=episode_now(client, table, found.episode) if found.episode else None,
        undo=(undo or read_undo(client, table, [found], iso_time(now), alone=True)) if found.episode else None,
        where=where,
    )


def record_or_reason(s3: Any, found: Hit, *, show_secrets: bool = False) -> dict[str, Any] | str:
    """The record as people may see it, or why it cannot be had: the rest of the story does not depend on it."""
    try:
        fields = fetch_record(s3, found.place)
    except LogFileError as error:
        return one_line(str(error))
    except (BotoCoreError, ClientError) as error:
        return explain(error)
    return shown_record(fields) if show_secrets else redacted_record(fields)
