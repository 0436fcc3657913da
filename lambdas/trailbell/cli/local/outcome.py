"""What the stack made of the log files, against what the rules say of them without it."""

from collections.abc import Set
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from trailbell.cli.hits.output import table_text
from trailbell.cli.local.expectation import Expectation, Told
from trailbell.cli.local.local_aws import LocalAws
from trailbell.cli.local.mailbox import Mailbox
from trailbell.errors import LocalError
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import UNDONE
from trailbell.hits.query import HitQuery
from trailbell.store.query.hit_query import FoundHit, find_found
from trailbell.text.times import utc_now


def kept_hits(aws: LocalAws, table: str, expected: Expectation) -> list[FoundHit]:
    """The hits of the table from the time of those that are expected, newest first."""
    times = [hit.event_time for hit in expected.hits.values()] or [datetime.now(UTC).isoformat()]
    since = min(map(datetime.fromisoformat, times))
    until = max(map(datetime.fromisoformat, times)) + timedelta(seconds=1)
    return list(find_found(aws.client("dynamodb"), table, HitQuery(since=since, until=until)))


def print_hits(out: Console, kept: list[FoundHit]) -> None:
    """Print them as `trailbell hits` does."""
    out.print("The hit table, newest first:\n")
    out.print(table_text(kept, UTC, utc_now()), end="", soft_wrap=True)  # it fits already


def compare(expected: Expectation, kept: list[FoundHit], mailbox: Mailbox) -> int:
    """Check that the stack kept, notified of, and followed up exactly what the rules give, each once; the reminders.

    Raises LocalError where it did not.
    """
    reminders = set(mailbox.said) - expected.follow_ups
    undone = {hit_id for hit_id, word in expected.follow_ups if word == UNDONE}
    acts = [one for one in kept if not one.hit.episode]
    faults = [
        _difference("in the table", set(expected.hits), {one.hit.identity for one in acts}),
        _difference("episodes in the table", expected.episodes, {told(one.hit) for one in kept if one.hit.episode}),
        _difference("episodes notified", expected.episodes, set(mailbox.episodes)),
        _difference("seen live", expected.seen_live, {one.hit.hit_id for one in acts if one.hit.live}),
        _difference("in no log file", set(), {one.hit.hit_id for one in acts if not one.hit.place.is_known}),
        _difference("undone in the table", undone, {one.hit.hit_id for one in kept if one.state.word == UNDONE}),
    ]
    # Of a message about more than 200 hits the first are named, and the count is exact.
    counts = {
        "notified": (len(expected.to_notify), mailbox.hits, set(mailbox.notified) <= expected.to_notify),
        "episodes": (sum(bool(one.hit.episode) for one in kept), mailbox.episodes.total(), True),
        "followed up": (len(expected.follow_ups | reminders), mailbox.follow_ups, True),
    }
    faults += [
        f"{what}: expected {wanted}, and {found} came"
        for what, (wanted, found, known) in counts.items()
        if wanted != found or not known
    ]
    if any(faults):
        raise LocalError("\n".join(filter(None, faults)))
    return len(reminders)


def told(hit: Hit) -> Told:
    """The name of what reports an episode, and the values of its group."""
    return hit.name, tuple(value for _, value in hit.episode.group) if hit.episode else ()


def _difference(what: str, expected: Set[Any], found: Set[Any]) -> str:
    """What is missing and how much is too much, "" for nothing."""
    missing, more = expected - found, found - expected
    if not missing and not more:
        return ""
    return f"{what}: {len(missing)} missing {sorted(map(str, missing))[:3]}, {len(more)} too many"
