"""The canary's way: sent by the clock, found by the detector, published by the notifier, and back with the clock.

Where one does not come back in time, operations are notified which link broke, as far as its rows say. It is the only
check that takes the same way as an alert: whatever stops alerts stops it, too.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Protocol

from trailbell.hits.canary import SEEN_IN_FILE, SEEN_LIVE, Canary, Returned, canary_of, seen
from trailbell.hits.due import Due
from trailbell.hits.hit import Hit, seconds_between
from trailbell.lazy_dataclass import dataclass


DUE_KIND = "canary"


class Canaries(Protocol):
    """The rows of canaries."""

    def add(self, name: str, step: str, **members: str | int) -> bool:
        """Write a step once; whether it was not there yet."""

    def steps(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        """The steps of a canary, with their members."""


class CanaryQueue(Protocol):
    """The queue that canaries come back to."""

    def receive(self) -> Iterable[Returned]:
        """What has come back and is not done."""

    def done(self, returned: Returned) -> None:
        """It need not come again."""


class Operations(Protocol):
    """Who is notified when the alerter itself is in trouble."""

    def notify(self, subject: str, text: str) -> None:
        """Send a message, or raise."""


class Deadlines(Protocol):
    """Where the clock finds what is to be done later."""

    def add(self, due: Due) -> None:
        """Have something done at a time."""


@dataclass(slots=True)
class CanaryCounters:
    """seconds: from each act to its publication."""

    sent: int = 0
    returned: int = 0
    missing: int = 0
    seconds: list[int] = field(default_factory=list)


def keep_canary(canaries: Canaries, hit: Hit) -> bool:
    """Write that the detector has found a canary, and by which source; whether it is the first time.

    A forged name is no canary.
    """
    canary = canary_of(hit)
    if canary is None or hit.quiet:
        return False
    step = SEEN_LIVE if hit.live else SEEN_IN_FILE
    for name in (step, f"{step} {canary.nonce}"):  # the second where one came before, which may be forged
        if canaries.add(canary.name, name, nonce=canary.nonce, at=hit.seen_at, seconds=hit.delay):
            break
    return canaries.add(canary.name, "detected", nonce=canary.nonce, eventTime=hit.event_time, at=hit.seen_at)


@dataclass(frozen=True, slots=True)
class CanaryWatch:
    """The clock's part.

    act:     makes the call that CloudTrail records, for a parameter's name; raises what AWS refuses.
    minutes: how long a canary may take; 0 sends none.
    """

    canaries: Canaries
    queue: CanaryQueue
    operations: Operations
    deadlines: Deadlines
    act: Callable[[str], None]
    minutes: int
    counters: CanaryCounters = field(default_factory=CanaryCounters)

    def run(self, now: str) -> None:
        """Take what has come back, then send this hour's."""
        self.collect(now)
        if self.minutes:
            self.send(now[:13], now)

    def send(self, name: str, now: str) -> Canary | None:
        """Send a canary of a name; None where that was sent before.

        Its deadline is written first and the act done last: a crash in between is a canary that never comes back, of
        which operations are notified. The other order could lose one in silence.
        """
        canary = Canary(name, secrets.token_hex(16))
        if "sent" in self.canaries.steps(name):
            return None
        self.deadlines.add(Due(_later(now, self.minutes), DUE_KIND, name))
        if not self.canaries.add(name, "sent", nonce=canary.nonce, at=now):
            return None
        self.act(canary.parameter)
        self.counters.sent += 1
        return canary

    def collect(self, now: str) -> None:
        """Take canaries out of their queue: each is timed and counted once, however often its message comes."""
        for returned in self.queue.receive():
            name, nonce = returned.canary.name, returned.canary.nonce
            if self.canaries.steps(name).get("sent", {}).get("nonce") == nonce:
                seconds = seconds_between(returned.event_time, returned.published_at)
                if self.canaries.add(name, "returned", at=now, seconds=seconds):
                    self.counters.returned += 1
                    self.counters.seconds.append(seconds)
                self.deadlines.add(Due(now, DUE_KIND, name))  # where it was reported missing, it is back
            self.queue.done(returned)

    def judge(self, due: Due, now: str) -> bool:
        """At its deadline, and when it has come back: notify operations that it is missing, that it came live and in no
        log file, or that it is back after all, each once. Whether all that was to be said is said.
        """
        steps = self.canaries.steps(due.id)
        if "returned" not in steps:
            self.counters.missing += 1
            subject = f"trailbell: the canary of {due.id} has not come back"
            return self._notify_once(due.id, "reported", steps, now, (subject, broken_link(due.id, steps)))
        if self._lacks_log_file(steps, now):
            subject = f"trailbell: the canary of {due.id} came live, and not by a log file"
            return self._notify_once(due.id, "log file reported", steps, now, (subject, _no_log_file(due.id, steps)))
        if "reported" not in steps:
            return True
        back = steps["returned"]
        text = (
            f"The canary of {due.id} came back at {back['at']}, {back['seconds']} s from its act to its publication.\n"
        )
        return self._notify_once(due.id, "recovered", steps, now, (f"trailbell: the canary of {due.id} is back", text))

    def _lacks_log_file(self, steps: Mapping[str, Mapping[str, Any]], now: str) -> bool:
        """Whether a live event brought it back, and no log file has brought it by its deadline: then alerts still come,
        and nothing stands behind them.
        """
        is_live_alone = bool(seen(steps, SEEN_LIVE)) and not seen(steps, SEEN_IN_FILE)
        return is_live_alone and "sent" in steps and now >= _later(steps["sent"]["at"], self.minutes)

    def _notify_once(self, name: str, step: str, steps: Mapping[str, Any], now: str, message: tuple[str, str]) -> bool:
        """Notify operations; whether they are. Of several runs within ten minutes one does it, by claiming the step.

        A run that ends between claim and message leaves a claim that no longer counts ten minutes later. The other
        order, remembering first, would lose the message.
        """
        if step in steps:
            return True
        if not self.canaries.add(name, f"{step} {now[:15]}", at=now):
            return False
        self.operations.notify(*message)
        self.canaries.add(name, step, at=now)
        return True


def broken_link(name: str, steps: Mapping[str, Mapping[str, Any]]) -> str:
    """What a canary's steps say of where it was lost, and what to do."""
    lines = [f"The canary of {name} has not come back: alerts may not reach anybody.", ""]
    for step, who in (("sent", "clock"), ("detected", "detector"), ("published", "notifier")):
        at = steps.get(step, {}).get("at", "")
        lines.append(f"  {step:<10} {at or 'not seen'}  ({who})")
    return "\n".join(
        [*lines, "", _lost_between(steps), "", "Next: trailbell doctor, then trailbell doctor --fire.", ""]
    )


def _no_log_file(name: str, steps: Mapping[str, Any]) -> str:
    live = seen(steps, SEEN_LIVE)
    return "\n".join(
        [
            f"A live event brought the canary of {name} {live['seconds']} s after its act; its log file was not read.",
            "",
            "Live events are best effort: what EventBridge drops stands in log files alone. Either CloudTrail does not"
            " deliver them, or their notifications do not reach the queue, or the detector cannot read them.",
            "",
            "Next: trailbell doctor, then trailbell doctor --fire.",
            "",
        ]
    )


def _lost_between(steps: Mapping[str, Any]) -> str:
    if "sent" not in steps:
        return "It was not sent: the clock was stopped in the middle. The next one says more."
    if "detected" not in steps:
        return (
            "The detector has not seen it. Either CloudTrail does not record or deliver this account's calls (trail,"
            " selectors, bucket), or its notification does not reach the queue, or the detector does not read it."
        )
    if "published" not in steps:
        return (
            "It is in the table and the notifier has not published it: its stream mapping, its function or the topic."
        )
    return "The alert topic took it and the canary's queue did not get it: a subscription, a policy or the queue."


def _later(now: str, minutes: int) -> str:
    return f"{datetime.fromisoformat(now) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


class CanaryTopic(Protocol):
    """The alert topic, as far as a canary needs it."""

    def notify_canary(self, canary: Canary, event_time: str) -> None:
        """Publish a canary, or raise."""


class RelayLog(Protocol):
    """Where the relay writes what a person may want to read later."""

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be done and will be tried again."""


@dataclass(frozen=True, slots=True)
class StreamCanary:
    """A canary in the table's stream, and its place there."""

    sequence: str
    canary: Canary
    event_time: str


@dataclass(frozen=True, slots=True)
class CanaryRelay:
    """The notifier's part: canaries from the stream are published like alerts, to the same topic."""

    topic: CanaryTopic
    canaries: Canaries
    event_log: RelayLog
    now: Callable[[], str]

    def relay(self, entries: Iterable[StreamCanary]) -> list[str]:
        """Publish canaries; the sequence numbers of those that must come back."""
        failed = []
        for entry in entries:
            try:
                self.topic.notify_canary(entry.canary, entry.event_time)
                self.canaries.add(entry.canary.name, "published", at=self.now())
            except Exception as error:  # the boundary: logged, and back to the stream
                self.event_log.failed(f"canary {entry.canary.name}", error)
                failed.append(entry.sequence)
        return failed
