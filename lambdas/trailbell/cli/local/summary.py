"""What a run of `trailbell local` ends with, where it is seen: what came of it in short, and what to try next."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.console import Console

from trailbell.cli.local.expectation import Expectation
from trailbell.cli.local.local_aws import LocalAws
from trailbell.cli.local.mailbox import Mailbox
from trailbell.engine.rulebook import Level
from trailbell.hits.hit_state import OPEN, UNDONE
from trailbell.store.query.hit_query import FoundHit


HITS_WINDOW = timedelta(hours=24)
"""How far back `trailbell hits` looks without --since; a test holds it to that."""


def summary(expected: Expectation, kept: Sequence[FoundHit], mailbox: Mailbox, reminders: int) -> list[str]:
    """What came of it, once it is known to be exactly what the rules yield; reminders: how many acts were reminded of.

    kept: what the table has, newest first.
    """
    levels = Counter(one.hit.severity for one in kept if not one.hit.episode)
    counts = ", ".join(f"{levels[level]} {level.word}" for level in sorted(Level, reverse=True) if levels[level])
    undone = sum(one.state.word == UNDONE for one in kept)
    lines = [
        f"In short: {mailbox.mails + mailbox.follow_up_mails} mails about {len(expected.hits)} hits ({counts}).",
        f"Every hit the rules give is in the table once and was notified once: {mailbox.hits}.",
    ]
    if expected.episodes:
        lines.append(f"So was every episode, which is acts that say more together: {mailbox.episodes.total()}.")
    if expected.seen_live:
        lines.append(f"Of these hits {len(expected.seen_live)} came live; its log file was no news, and is known.")
    return [*lines, f"Of these acts {undone} were undone and {reminders} reminded of, each said once."]


def next_commands(kept: Sequence[FoundHit], now: datetime) -> list[tuple[str, str]]:
    """Commands to try on what was kept running, and what each is for; kept: newest first.

    They look back as far as they do by default, unless a hit is older.
    """
    times = [datetime.fromisoformat(one.hit.event_time) for one in kept]
    since = f" --since {min(times):%Y-%m-%d}" if times and min(times) < now - HITS_WINDOW else ""
    commands = [(f"trailbell hits --local{since}", "all hits"), (f"trailbell hits --local{since} --open", "what waits")]
    waiting = [one.hit for one in kept if one.state.word == OPEN and one.hit.undo_until and not one.hit.episode]
    if waiting:
        commands += [
            (f"trailbell hit --local {waiting[0].short_id}", "all about one"),
            (f"trailbell undo --local {waiting[0].short_id}", "what undoes it"),
        ]
    return [
        *commands,
        (f"trailbell report --local{since} -o report.html", "a page for others"),
        ("trailbell local --stop", "the end of it"),
    ]


def print_next(out: Console, aws: LocalAws, bucket: str, commands: Sequence[tuple[str, str]], *, keep: bool) -> None:
    """Print what to do next: of one that was stopped, how to keep the next one running."""
    out.print("\nNext:")
    shown = commands if keep else [("trailbell local --keep", "the same again, and it stays up for more commands")]
    width = max(len(command) for command, _ in shown)
    for command, what in shown:
        out.print(f"  {command:{width}}  {what}")
    if keep:
        out.print(f"\nIt takes more log files in s3://{bucket}. For other tools:")
        out.print(f"  AWS_ENDPOINT_URL={aws.endpoint} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test")
