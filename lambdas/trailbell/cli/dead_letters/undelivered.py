"""Hits that nobody was told of: those whose positions wait in AlertDeadLetters, and any others, told later."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from trailbell.cli.hits.command import parse_since
from trailbell.cli.local.local_state import load_local
from trailbell.cli.options.aws_errors import explain
from trailbell.cli.options.connection import aws_client
from trailbell.cli.terminal.display import print_hits
from trailbell.errors import NotificationError, SettingsError
from trailbell.flows.notifier import read_hit
from trailbell.hits.hit import Hit
from trailbell.ops.dead_letters import Message, batches, delete, show_again
from trailbell.ops.health import Clients, DeployedStack
from trailbell.ops.undelivered import Telling, UntoldHits, read_given_up
from trailbell.store.dynamo import Row, decode
from trailbell.text.safe_text import one_line


_WORK_SECONDS = 900  # longer than any telling; what was not done is shown again at once all the same
_ON_ITS_WAY = timedelta(minutes=10)  # the stream tells of itself what is younger
_NAMED = 5


@click.command()
@click.option("--since", default="7d", show_default=True, help="Read since when: 24h, 7d, or a date.")
@click.option("--tell", is_flag=True, help="Tell them, too, through the deployed notifier.")
@click.option("--stack", default="trailbell", show_default=True, help="The stack whose hits to look through.")
@click.option("--local", is_flag=True, help="Look into what `trailbell local --keep` left running.")
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
def untold(since: str, tell: bool, stack: str, local: bool, form: str) -> None:
    """Show hits that no mark says were told, whatever became of their messages: the check that none is lost.

    Looks at hits read until ten minutes ago (younger ones are on their way), by reading the whole table once.
    The exit status is 1 when there are some, or when some could not be told.

    \b
    Example:
      trailbell dlq untold --since 30d
      trailbell dlq untold --tell
    """
    clients = load_local().client if local else aws_client
    now = datetime.now(UTC)
    try:
        hits = find_untold_hits(clients, DeployedStack(clients, stack))
        found = hits.untold(hits.seen_between(parse_since(since, now), now - _ON_ITS_WAY))
        left = _say(hits.tell(found)) if tell else _show(found, form)
    except (BotoCoreError, ClientError) as error:
        raise SettingsError(explain(error)) from error
    if left:
        raise SystemExit(1)


def find_untold_hits(clients: Clients, deployed: DeployedStack) -> UntoldHits:
    """The stack's hits, and its notifier to tell them."""
    return UntoldHits(clients, deployed.output("HitTable"), deployed.stream_function())


def redrive_alerts(clients: Clients, stack: str) -> int:
    """Tell the hits of AlertDeadLetters; how many messages stay. One is deleted only when all its hits are told."""
    deployed, sqs = DeployedStack(clients, stack), clients("sqs")
    queue = deployed.dead_letter_queue("AlertDeadLetters")
    if not queue.waiting:
        return 0
    hits = find_untold_hits(clients, deployed)
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


def _redrive(hits: UntoldHits, message: Message) -> bool:
    name = one_line(message["MessageId"], 100)
    try:
        part = read_given_up(message["Body"])
    except NotificationError as error:
        click.echo(f"AlertDeadLetters {name}: stays: {error}", err=True)
        return False
    click.echo(f"AlertDeadLetters {name}: ", nl=False)
    return not _say(hits.tell(hits.given_up(part)))


def _say(telling: Telling) -> int:
    """Say what telling came to; how many hits are still not told."""
    left = len(telling.untold)
    click.echo(f"{telling.told_now} hits told now, {telling.told_before} told before, {left} not told")
    for name in telling.untold[:_NAMED]:
        click.echo(f"  not told (see the notifier's log): {one_line(name, 300)}", err=True)
    return left


def _show(images: Iterable[Row], form: str) -> int:
    found, unreadable = list[Hit](), list[str]()
    for image in images:
        try:
            found.append(read_hit(decode(image)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            unreadable.append(f"{_text(image, 'pk')} {_text(image, 'sk')}: {error}")
    print_hits(found, form)
    for line in unreadable:
        click.echo(f"unreadable: {one_line(line, 300)}", err=True)
    return len(found) + len(unreadable)


def _text(image: Row, name: str) -> Any:
    return image[name].get("S")
