"""`trailbell undelivered`: hits and follow-ups nobody was notified of, those in AlertDeadLetters and any others."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import click

from trailbell.cli.dead_letters.muted import muted_hits, say_delivery
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, stack_options
from trailbell.cli.options.form import form_option
from trailbell.cli.options.times import parse_since, since_option
from trailbell.cli.options.today import by_option
from trailbell.cli.terminal.display import hit_line, print_hits
from trailbell.errors import NotificationError, TableError
from trailbell.hits.follow_up import FollowUp, follow_up_document
from trailbell.hits.hit import Hit, complete
from trailbell.ops.dead_letters import Message, batches, delete, show_again
from trailbell.ops.deployed_stack import Clients, DeployedStack
from trailbell.ops.undelivered import UndeliveredHits, is_follow_up, read_dropped
from trailbell.store.dynamo import Row, decode
from trailbell.store.follow_ups import read_follow_up
from trailbell.store.query.held import held_until
from trailbell.store.rows import read_hit
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_time


_WORK_SECONDS = 900  # longer than any delivery; what was not done is shown again at once all the same
_ON_ITS_WAY = timedelta(minutes=10)  # what is younger the stream delivers of itself


@click.command()
@since_option("Hits that were read", "7d")
@click.option("--deliver", is_flag=True, help="Deliver them, too, through the deployed notifier.")
@click.option("--muted", is_flag=True, help="Of muted hits those that would be notified of today: judge them again.")
@by_option
@stack_options("The stack whose hits to look through.", "Look into what `trailbell local --keep` left running.")
@form_option(("table", "jsonl"))
def undelivered(since: str, deliver: bool, muted: bool, by: str | None, connection: Connection, form: str) -> None:
    """Show hits that nobody was notified of.

    These are hits without a delivery record, and follow-ups of others, whatever became of their messages: the
    check that none is lost.

    Looks at hits read until ten minutes ago (younger ones are on their way), by reading the whole table once. Hits that
    a quiet period holds are only counted: the clock has them delivered at its end.
    With --muted, at hits that an exception muted and that it mutes no more, because it is gone, has expired or was
    changed: each is judged again by its record, with the rules and exceptions of today.
    The exit status is 1 when there are some, or when some could not be delivered.

    \b
    Example:
      trailbell undelivered --since 30d
      trailbell undelivered --deliver
      trailbell undelivered --muted --since 90d
    """
    if by and not muted:
        raise click.UsageError("--by says by whose rules muted hits are judged: give --muted, too")
    now = datetime.now(UTC)
    window = parse_since(since, now), now - _ON_ITS_WAY
    with explained_errors():
        hits = find_undelivered_hits(connection.client, connection.deployed)
        if muted:
            left = muted_hits(connection, hits, window, by, form, deliver=deliver)
        else:
            found = _not_held(connection, hits.undelivered(hits.seen_between(*window)), iso_time(now))
            left = say_delivery(hits.notify(found)) if deliver else _show(found, form)
    if left:
        raise SystemExit(1)


def _not_held(connection: Connection, images: Iterable[Row], now: str) -> Iterator[Row]:
    """Those that no quiet period holds any more; how many are held is said."""
    client, table = connection.client("dynamodb"), connection.deployed.output("HitTable")
    held = list[str]()
    for image in images:
        try:
            ends = "" if is_follow_up(image) else held_until(client, table, read_hit(decode(image)), now)
        except (TableError, ValueError, TypeError, KeyError, AttributeError):
            ends = ""  # it cannot be read, which is said where it is shown
        if ends:
            held.append(ends)
        else:
            yield image
    if held:
        click.echo(f"{len(held)} more are held in quiet periods, which end until {max(held)}", err=True)


def find_undelivered_hits(clients: Clients, deployed: DeployedStack) -> UndeliveredHits:
    """The stack's hits, and its notifier to deliver them."""
    return UndeliveredHits(clients, deployed.output("HitTable"), deployed.stream_function())


def redrive_alerts(clients: Clients, stack: str) -> int:
    """Deliver the hits of AlertDeadLetters; how many messages stay. One is deleted when all its hits are delivered."""
    deployed, sqs = DeployedStack(clients, stack), clients("sqs")
    queue = deployed.dead_letter_queue("AlertDeadLetters")
    if not queue.waiting:
        return 0
    hits = find_undelivered_hits(clients, deployed)
    staying = dict[str, Message]()
    try:
        for message in _once(chain.from_iterable(batches(sqs, queue.url, _WORK_SECONDS))):
            staying[message["MessageId"]] = message
            if _redrive(hits, message):
                delete(sqs, queue.url, message)
                del staying[message["MessageId"]]
    finally:
        for message in staying.values():
            show_again(sqs, queue.url, message)
    return len(staying)


def _once(messages: Iterable[Message]) -> Iterator[Message]:
    """Messages until one comes again."""
    seen = set[str]()
    for message in messages:
        if message["MessageId"] in seen:
            return
        seen.add(message["MessageId"])
        yield message


def _redrive(hits: UndeliveredHits, message: Message) -> bool:
    name = one_line(message["MessageId"], 100)
    try:
        part = read_dropped(message["Body"])
    except NotificationError as error:
        click.echo(f"AlertDeadLetters {name}: stays: {error}", err=True)
        return False
    click.echo(f"AlertDeadLetters {name}: ", nl=False)
    return not say_delivery(hits.notify(hits.dropped(part)))


def _show(images: Iterable[Row], form: str) -> int:
    """Print hits, then follow-ups; how many there are."""
    found, followed, unreadable = list[Hit](), list[tuple[FollowUp, Hit]](), list[str]()
    for image in images:
        try:
            if is_follow_up(image):
                followed.append(read_follow_up(decode(image)))
            else:
                found.append(complete(read_hit(decode(image))))
        except (TableError, ValueError, TypeError, KeyError, AttributeError) as error:
            unreadable.append(f"{_text(image, 'pk')} {_text(image, 'sk')}: {error}")
    if found or not (followed or unreadable):
        print_hits(found, form, none="nothing undelivered")
    for said, hit in followed:
        if form == "jsonl":
            click.echo(json.dumps({**hit_line(hit), "followUp": follow_up_document(said)}, ensure_ascii=True))
        else:
            click.echo(f"follow-up {one_line(said.name, 40)} of {hit.short_id}, {said.at}: {one_line(hit.title, 200)}")
    for line in unreadable:
        click.echo(f"unreadable: {one_line(line, 300)}", err=True)
    return len(found) + len(followed) + len(unreadable)


def _text(image: Row, name: str) -> Any:
    return image[name].get("S")
