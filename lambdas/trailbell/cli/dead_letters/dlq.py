"""`trailbell dlq`: what could not be done, and giving it back to the queue it came from."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

import click
from botocore.exceptions import ClientError

from trailbell.cli.dead_letters.undelivered import redrive_alerts
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, stack_options
from trailbell.cli.options.form import form_option
from trailbell.cli.terminal.display import print_table
from trailbell.cli.terminal.table import Cell
from trailbell.cloudtrail.notification import parse_notification
from trailbell.errors import NotificationError, SettingsError
from trailbell.ops.advice import alarm_advice
from trailbell.ops.answers import Queue
from trailbell.ops.dead_letters import batches, delete, look
from trailbell.ops.deployed_stack import AUDITED, Clients, DeployedStack
from trailbell.text.safe_text import one_line


_MOVE_SECONDS = 60  # to hold a message of which a copy was sent, until it is deleted
_WATCH_SECONDS = 120
_UNSUPPORTED = {"InvalidAction", "UnknownOperation", "UnknownOperationException", "NotImplemented"}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that waits: since when (its first sending), how often it was received, and what it says."""

    queue: str
    message: str
    sent: datetime | None
    receives: int
    says: tuple[str, ...]


@click.group()
def dlq() -> None:
    """Show what waits in the dead-letter queues, and give it back.

    What could not be done waits there: look at it, fix the cause, redrive.

    \b
    Example:
      trailbell dlq list
    """


@dlq.command("list")
@stack_options("The stack whose queues to look into.", "Look into what `trailbell local --keep` left running.")
@click.option(
    "--limit",
    default=100,
    show_default=True,
    metavar="N",
    type=click.IntRange(1),
    help="How many messages of each queue.",
)
@form_option(("table", "jsonl"))
def list_dead_letters(connection: Connection, limit: int, form: str) -> None:
    """Show what waits, and why it is there.

    In DeadLetters: log files and live events that were not read; in AlertDeadLetters: hits that were not
    delivered.

    And in AuditDeadLetters, with the setting audit, digests that were not audited.

    Nothing is deleted. While it is being shown, a message is hidden from others for a moment.

    \b
    Example:
      trailbell dlq list --format jsonl
    """
    with explained_errors():
        dead_letters = find_dead_letters(connection.client, connection.stack, limit)
    if form == "jsonl":
        for dead_letter in dead_letters:
            click.echo(json.dumps({**asdict(dead_letter), "sent": dead_letter.sent and dead_letter.sent.isoformat()}))
        return
    now = datetime.now(UTC)
    print_table(
        ["queue", "message", "age", "receives", "says"],
        (_cells(dead_letter, now) for dead_letter in dead_letters),
        "nothing waits in DeadLetters, AlertDeadLetters or AuditDeadLetters",
    )
    for queue in dict.fromkeys(dead_letter.queue for dead_letter in dead_letters):
        click.echo(f"{queue}: {alarm_advice(f'{queue}NotEmpty').text}", err=True)


@dlq.command()
@stack_options("The stack whose queues to empty.", "Do it in what `trailbell local --keep` left running.")
def redrive(connection: Connection) -> None:
    """Do again what waits.

    Read the log files and live events of DeadLetters, deliver the hits of AlertDeadLetters.

    And audit the digests of AuditDeadLetters, with the setting audit.

    Fix the cause first (the functions' logs name it): what fails again comes back, or stays. Nothing is done
    twice: hits are written once, and a hit with a delivery record is not delivered again. The exit status is 1
    when a message of AlertDeadLetters had to stay.

    \b
    Example:
      trailbell dlq redrive
    """
    with explained_errors():
        moved = redrive_dead_letters(connection.client, connection.stack)
        if DeployedStack(connection.client, connection.stack).has_output(AUDITED):
            moved += redrive_dead_letters(connection.client, connection.stack, output=AUDITED)
        click.echo(f"{moved} messages given back")
        stayed = redrive_alerts(connection.client, connection.stack)
    if stayed:
        sys.exit(1)


def find_dead_letters(clients: Clients, stack: str, limit: int) -> list[DeadLetter]:
    """What waits in the dead-letter queues; the messages are visible again when this returns."""
    deployed, sqs = DeployedStack(clients, stack), clients("sqs")
    found = []
    for output, read in _READ.items():
        if output == AUDITED and not deployed.has_output(AUDITED):
            continue
        queue = deployed.dead_letter_queue(output)
        for message in look(sqs, queue.url, limit):
            found.append(_dead_letter(output, message, read))
    return found


def _dead_letter(queue: str, message: Mapping[str, Any], read: Callable[[str], tuple[str, ...]]) -> DeadLetter:
    attributes = message.get("Attributes", {})
    sent = attributes.get("SentTimestamp")
    return DeadLetter(
        queue,
        one_line(message["MessageId"], 100),
        datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else None,
        int(attributes.get("ApproximateReceiveCount") or 0),
        read(message["Body"]),
    )


def notification_says(body: str) -> tuple[str, ...]:
    """The objects a message names, or the live event it is, each on one safe line; one that cannot be read is shown as
    such.
    """
    try:
        items = parse_notification(body).items
    except NotificationError as error:
        return (f"unreadable: {one_line(str(error), 200)}: {one_line(body, 200)}",)
    return tuple(one_line(str(item)) for item in items) or ("names no created object",)


def failure_says(body: str) -> tuple[str, ...]:
    """What Lambda says of a part of the hit table's stream that it dropped after its retries.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    try:
        failure = json.loads(body)
        batch, context = failure["DDBStreamBatchInfo"], failure["requestContext"]
        line = (
            f"{batch['batchSize']} changes of the table, {batch['approximateArrivalOfFirstRecord']}"
            f" to {batch['approximateArrivalOfLastRecord']}, not delivered: {context['condition']}"
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return (f"unreadable: {one_line(body, 200)}",)
    return (one_line(line),)


def digest_says(body: str) -> tuple[str, ...]:
    """The digest that was not audited (aws/audit_queues.py)."""
    try:
        task = json.loads(body)
        return (one_line(f"s3://{task['bucket']}/{task['key']}"),)
    except (ValueError, KeyError, TypeError, RecursionError):
        return (f"unreadable: {one_line(body, 200)}",)


_READ: dict[str, Callable[[str], tuple[str, ...]]] = {
    "DeadLetters": notification_says,
    "AlertDeadLetters": failure_says,
    AUDITED: digest_says,
}


def redrive_dead_letters(
    clients: Clients, stack: str, pause: Callable[[float], None] = time.sleep, output: str = "DeadLetters"
) -> int:
    """Give the messages of an output's queue back to the one they came from; how many.

    Raises SettingsError if AWS gives up.
    """
    deployed, sqs = DeployedStack(clients, stack), clients("sqs")
    dead_letters = deployed.dead_letter_queue(output)
    if not dead_letters.waiting:
        return 0
    try:
        sqs.start_message_move_task(SourceArn=dead_letters.arn)
    except ClientError as error:
        if error.response["Error"]["Code"].rpartition(".")[2] not in _UNSUPPORTED:
            raise
        source = deployed.source_of(dead_letters) if output == AUDITED else deployed.ingest_queue()
        return _move(sqs, dead_letters, source.url)
    return _watch(sqs, dead_letters.arn, pause)


def _watch(sqs: Any, arn: str, pause: Callable[[float], None]) -> int:
    """Wait for the task that SQS runs by itself; it goes on when we stop waiting."""
    moved = 0
    for _ in range(_WATCH_SECONDS):
        (task, *_) = sqs.list_message_move_tasks(SourceArn=arn, MaxResults=1)["Results"]
        moved = int(task.get("ApproximateNumberOfMessagesMoved") or 0)
        if task["Status"] == "FAILED":
            raise SettingsError(f"redrive failed after {moved} messages: {one_line(task.get('FailureReason', ''))}")
        if task["Status"] != "RUNNING":
            return moved
        pause(1)
    raise SettingsError(f"redrive: {moved} messages after {_WATCH_SECONDS} s, and SQS goes on; look with dlq list")


def _move(sqs: Any, dead_letters: Queue, target: str) -> int:
    """Move by hand, no more than waited at the start: first send, then delete, so that none is lost."""
    moved = 0
    for message in islice(chain.from_iterable(batches(sqs, dead_letters.url, _MOVE_SECONDS)), dead_letters.waiting):
        attributes = message.get("MessageAttributes") or {}
        sqs.send_message(QueueUrl=target, MessageBody=message["Body"], MessageAttributes=attributes)
        delete(sqs, dead_letters.url, message)
        moved += 1
    return moved


def _cells(dead_letter: DeadLetter, now: datetime) -> list[str | Cell]:
    age = str(timedelta(seconds=int((now - dead_letter.sent).total_seconds()))) if dead_letter.sent else ""
    return [dead_letter.queue, dead_letter.message, age, str(dead_letter.receives), "\n".join(dead_letter.says)]
