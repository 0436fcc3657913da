"""Delivery brings one alert to everybody: related hits are looked up, then the alert topic is notified, then the
other channels.

The alert topic is the promise: what it does not take is raised, comes back with the stream and is delivered again. All
else is done for the alert's sake and must neither stop nor delay it:

    related hits    Looked up before, with little patience. When that fails, or a batch has used up its look-ups or
                    its time, alerts go out without, and say so.
    other channels  are notified after the topic and before the hits are marked as notified, so that a crash in between
                    notifies everybody again and leaves nobody out. One that fails is not tried again by the stream:
                    that would hold up every alert behind it. The client's own retries are all it gets; then the
                    failure is logged with the alert's id, counted and alarmed. The topic has the alert in any case,
                    and the hit is in the table. A channel that failed twice in a batch is left alone for the rest of
                    it, each alert it misses being logged and counted as well.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from typing import Protocol

from trailbell.alerts.alert import Alert
from trailbell.alerts.channel import Channel
from trailbell.alerts.quiet import QuietMinutes
from trailbell.errors import ChannelError
from trailbell.flows.claims import AlertTopic
from trailbell.flows.rate_limit import RateLimit
from trailbell.hits.related import Related
from trailbell.lazy_dataclass import dataclass


MAX_LOOKUPS = 25
"""Related hits are looked up for so many alerts of a batch, the most severe; a storm is not to become queries."""

MAX_SECONDS = 5.0
"""What looking up may take of a batch, the look-up that is running not counted."""

_MAX_FAILURES = 2
_NO_ACTOR = {"service", "unknown"}  # whose hits have nothing to do with each other

_FAILED = "could not be read; the alert did not wait"
_SKIPPED = "not looked up; many alerts came at once"


class RelatedHits(Protocol):
    """What else an actor did."""

    def before(self, alert: Alert) -> Related:
        """The hits of the alert's actor before it, or raise."""


class DeliveryLog(Protocol):
    """Where the flow writes what a person may want to read later."""

    def dropped(self, what: str, error: Exception) -> None:
        """Something that alerts do not depend on could not be done, and will not be tried again."""


@dataclass(slots=True)
class DeliveryCounters:
    """Counts of a batch's delivery, beside the alerts themselves.

    related_*:  alerts whose related hits were read, could not be read, or were not looked up.
    channels_*: alerts delivered to channels beside the alert topic, and not delivered to them, over all channels.
    """

    related_read: int = 0
    related_failed: int = 0
    related_skipped: int = 0
    channels_notified: int = 0
    channels_failed: int = 0


@dataclass(slots=True)
class Delivery:
    """An alert topic that notifies the channels, too. Make one for each batch: it counts, and knows who failed.

    rate_limit: what is waited for before each alert; runbook: the deployer's address of runbooks; clock: seconds that
    only grow; where: options of the commands in mails that lead to this deployment, "" for none; quiet: how long
    quiet periods are.
    """

    topic: AlertTopic
    related: RelatedHits
    channels: Sequence[Channel]
    event_log: DeliveryLog
    rate_limit: RateLimit
    runbook: str = ""
    clock: Callable[[], float] = time.monotonic
    where: str = ""
    quiet: QuietMinutes = field(default_factory=QuietMinutes)
    counters: DeliveryCounters = field(default_factory=DeliveryCounters)
    _lookups: int = 0
    _seconds: float = 0.0
    _failures: Counter[str] = field(default_factory=Counter)

    def notify(self, alert: Alert) -> None:
        """Deliver one alert; raises what the alert topic raises."""
        alert = replace(
            alert,
            related=self._look_up(alert),
            runbook=self.runbook,
            where=self.where,
            quiet_minutes=self.quiet.seconds(alert.sample.name, alert.sample.level) // 60,
        )
        self.rate_limit.wait()
        self.topic.notify(alert)
        for channel in self.channels:
            if channel.wants(alert):
                self._notify(channel, alert)

    def _look_up(self, alert: Alert) -> Related | None:
        """What else the actor did; None where that is no question: several actors, none we know, or a follow-up."""
        if alert.follow_ups or alert.sample.actor.kind in _NO_ACTOR or len({hit.actor.key for hit in alert.hits}) > 1:
            return None
        if self._lookups >= MAX_LOOKUPS or self._seconds >= MAX_SECONDS or self._failures["related hits"]:
            self.counters.related_skipped += 1
            return Related(note=_FAILED if self._failures["related hits"] else _SKIPPED)
        self._lookups += 1
        began = self.clock()
        try:
            related = self.related.before(alert)
        except Exception as error:  # whatever it is, the alert goes out
            self._failures["related hits"] += 1
            self.counters.related_failed += 1
            self.event_log.dropped(f"related hits of alert {alert.sample.hit_id}", error)
            return Related(note=_FAILED)
        finally:
            self._seconds += self.clock() - began
        self.counters.related_read += 1
        return related

    def _notify(self, channel: Channel, alert: Alert) -> None:
        if self._failures[channel.name] >= _MAX_FAILURES:
            self._missed(channel, alert, ChannelError(f"{channel.name} failed {_MAX_FAILURES} times in this batch"))
            return
        try:
            channel.notify(alert)
        except Exception as error:  # the alert topic has the alert; see above
            self._failures[channel.name] += 1
            self._missed(channel, alert, error)
        else:
            self.counters.channels_notified += 1

    def _missed(self, channel: Channel, alert: Alert, error: Exception) -> None:
        self.counters.channels_failed += 1
        self.event_log.dropped(f"{channel.name} of alert {alert.sample.hit_id}", error)
