"""History sent through the queue: what a message says, how fast, how much it costs, and where it stopped."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from trailbell.cli.replay.command import Rate, send_all
from trailbell.cli.scan.state import State
from trailbell.cloudtrail.notification import ObjectRef, parse_notification
from trailbell.errors import NotificationError
from trailbell.lookback.replay import estimate, replay_message
from trailbell.ops.ingest_queue import SqsIngestQueue


KEY = "a b/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20/ä+%2F&.json.gz"
REFS = [ObjectRef("trail", f"{number}.json.gz", size=1000) for number in range(25)]


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


class Queue:
    """Takes messages, except for what it refuses as often as told."""

    def __init__(self, refusals: int = 0, *, fault: bool = False) -> None:
        self.bodies: list[str] = []
        self._refusals, self._fault = refusals, fault

    def send_message_batch(self, QueueUrl: str, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        failed = []
        if self._refusals:
            self._refusals -= 1
            failed = [{"Id": Entries[0]["Id"], "Code": "InternalError", "SenderFault": self._fault}]
        refused = {entry["Id"] for entry in failed}
        self.bodies += [entry["MessageBody"] for entry in Entries if entry["Id"] not in refused]
        return {"Failed": failed}


def ingest_queue(queue: Queue) -> SqsIngestQueue:
    return SqsIngestQueue(queue, "url", pause=lambda _: None)


@pytest.mark.parametrize("notify", [True, False])
def test_message_is_read_as_one_of_s3(notify: bool) -> None:
    """The same object, whatever its key holds; whether to tell is beside it."""
    ref = ObjectRef("trail", KEY, size=17)

    (read,) = parse_notification(replay_message(ref, notify=notify)).objects

    assert read == ObjectRef("trail", KEY, size=17, notify=notify, replay=True)


def test_nothing_but_a_plain_no_makes_a_notification_quiet() -> None:
    """Whatever is not understood is told."""
    message = replay_message(REFS[0], notify=False)

    for other in ('"false"', "0", "null", "[]"):
        (ref,) = parse_notification(message.replace("false", other)).objects
        assert ref.notify, other
    for body in ('{"Records": [], "trailbell": {"notify": false}}', '{"trailbell": {"notify": false}}'):
        with pytest.raises(NotificationError):
            parse_notification(body)


def test_no_more_are_sent_than_the_rate_allows() -> None:
    """The queue must not fill faster than the detector empties it."""
    clock, queue = Clock(), Queue()

    sent = send_all(REFS, ingest_queue(queue), 5.0, False, None, lambda: False, clock, clock.pause)

    assert sent == len(queue.bodies) == 25
    assert clock.now == pytest.approx(20 / 5)


def test_interrupted_replay_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Each log file is sent once, in two runs."""
    queue, clock = Queue(), Clock()
    state = tmp_path / "state"

    first = State(state, {"output": "replay"}, ["", ""])
    send_all(REFS, ingest_queue(queue), 50.0, False, first, lambda: len(queue.bodies) >= 10, clock, clock.pause)
    second = State(state, {"output": "replay"}, ["", ""])
    list(second.lines())
    left = [ref for ref in REFS if str(ref) not in second.done]
    send_all(left, ingest_queue(queue), 50.0, False, second, lambda: False, clock, clock.pause)

    assert len(left) == 15
    assert sorted(queue.bodies) == sorted(replay_message(ref, notify=False) for ref in REFS)


def test_refused_messages_are_sent_again_and_told_at_last() -> None:
    """SQS may take nine of ten."""
    queue = Queue(refusals=2)

    ingest_queue(queue).send(["a", "b", "c"])

    assert sorted(queue.bodies) == ["a", "b", "c"]
    with pytest.raises(NotificationError, match="1 messages not taken"):
        ingest_queue(Queue(refusals=99)).send(["a", "b"])
    with pytest.raises(NotificationError, match="not taken"):
        ingest_queue(Queue(refusals=1, fault=True)).send(["a"])


def test_estimate_grows_with_files_bytes_and_slowness() -> None:
    """Before it starts, somebody decides whether it is worth it."""
    month = estimate([50_000] * 100_000, 50.0)

    assert (month.files, month.size) == (100_000, 5_000_000_000)
    assert month.seconds == 2000
    assert 0.03 < month.dollars < 0.2
    assert estimate([], 50.0).dollars == 0
    assert month.dollars_a_million_hits == pytest.approx(4.375)


@pytest.mark.parametrize(("text", "rate"), [("50/s", 50), ("600/min", 10), ("7200/h", 2), ("2.5", 2.5)])
def test_rates(text: str, rate: float) -> None:
    """As people say them."""
    assert Rate().convert(text, None, None) == rate


@pytest.mark.parametrize("text", ["0/s", "fast", "-1/s", "5/d", ""])
def test_rates_that_are_none(text: str) -> None:
    """A misread rate empties a budget or takes a year."""
    with pytest.raises(click.BadParameter):
        Rate().convert(text, None, None)
