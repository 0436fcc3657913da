"""A thread that looks into the table while a page is open: new hits, what became of known ones, all anew."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trailbell.cli.serve.callers_aws import CallersAws
from trailbell.cli.serve.known_hits import KnownHits
from trailbell.cli.serve.outage import Outage, met, silence
from trailbell.errors import TrailbellError
from trailbell.hits.query import HitQuery
from trailbell.store.deliveries import alerts_of
from trailbell.store.query.hit_follow import Follower
from trailbell.store.query.hit_query import find_found
from trailbell.store.states import DynamoHitStates
from trailbell.text.times import iso_time


# Between two looks at one thing, in seconds. What is new costs a request or two, states a read each, all of it two
# reads a hit; so each has its pace, and nothing is asked while no page asks.
STATES_EVERY = 30.0
WHOLE_EVERY = 600.0
_UNWATCHED = 60.0
_MOST_STATES = 500
_SILENCE = 10.0  # seconds without an answer that are nothing yet, beside three times the pause between looks
_DEFECT = "trailbell has a defect and looks no more"
_AHEAD = timedelta(minutes=5)  # clocks may be so far apart

Question = Callable[[datetime], HitQuery]
"""The question to the table as of now: its window moves on."""


@dataclass(slots=True)
class Pace:
    """Seconds between two looks for new hits, at states, and at all of it; after how many without a page it pauses."""

    new: float = 5.0
    states: float = STATES_EVERY
    whole: float = WHOLE_EVERY
    unwatched: float = _UNWATCHED


@dataclass(slots=True)
class _Looked:
    """When each was last looked at, by the monotonic clock; at no time yet is long ago."""

    states: float = field(default=float("-inf"))
    whole: float = field(default=float("-inf"))


class Watcher:
    """Keeps `known` as the table is. One thread runs it; any may ask how it stands."""

    def __init__(self, aws: CallersAws, known: KnownHits, question: Question, limit: int, pace: Pace) -> None:
        self._aws, self._known, self._question, self._limit, self._pace = aws, known, question, limit, pace
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._watched = time.monotonic()
        self.was_asked = False  # by any page, ever
        self._follower: Follower | None = None
        self._looked = _Looked()
        self._read_at: datetime | None = None
        self._began: datetime | None = None
        self._outage: Outage | None = None
        self._state = threading.Lock()

    def start(self) -> threading.Thread:
        """Run it in a thread that does not keep the process alive."""
        thread = threading.Thread(target=self.run, name="watcher", daemon=True)
        thread.start()
        return thread

    def run(self) -> None:
        """Look, pause, and look again, until it is stopped."""
        try:
            while not self._stopped.is_set():
                self.look()
                self._wake.wait(self._pause())
                self._wake.clear()
        finally:
            if not self._stopped.is_set():  # whatever nobody foresaw is our own defect, and no page may look alive
                self._broke_off()

    def stop(self) -> None:
        """End `run` at its next step."""
        self._stopped.set()
        self._wake.set()

    def watched(self) -> None:
        """A page asked: go on, at once where it had paused."""
        was_paused = self._is_unwatched()
        self._watched, self.was_asked = time.monotonic(), True
        if was_paused:
            self._wake.set()

    def hurry(self) -> None:
        """Look now, without the pause that is left."""
        self._wake.set()

    def standing(self) -> dict[str, Any]:
        """When the table was last read, and what keeps it from being read, as JSON."""
        with self._state:
            read = iso_time(self._read_at) if self._read_at else ""
            return {"readAt": read, "outage": self._outage.document() if self._outage else self._silence()}

    def look(self) -> None:
        """One look at whatever is due; trouble is kept, to be told and tried again."""
        try:
            self._began = datetime.now(UTC)
            self._look(self._began, time.monotonic())
        except (TrailbellError, BotoCoreError, ClientError) as error:
            self._trouble(error)
        else:
            with self._state:
                self._read_at, self._outage = datetime.now(UTC), None
        finally:
            self._began = None

    def _silence(self) -> dict[str, Any] | None:
        """What is told while a look is under way and AWS has not answered anything for too long; else None."""
        began = self._began
        if began is None:
            return None
        since = max(began, self._aws.answered_at)
        is_too_long = datetime.now(UTC) - since > timedelta(seconds=3 * self._pace.new + _SILENCE)
        return silence(since) if is_too_long else None

    def _look(self, now: datetime, clock: float) -> None:
        client, table = self._aws.client("dynamodb"), self._aws.table()
        if self._follower is None or clock - self._looked.whole >= self._pace.whole:
            self._look_whole(client, table, now)
            self._looked.whole = self._looked.states = clock
            return
        new = self._follower.look(now)
        self._known.take_alerts(alerts_of(client, table, [one.hit for one in new]) if new else {})
        self._known.take(new)
        if clock - self._looked.states >= self._pace.states:
            asked = self._known.unresolved(_MOST_STATES)
            self._known.take_states(DynamoHitStates(client, table).of(asked), asked)
            self._known.take_alerts(alerts_of(client, table, self._known.untold(_MOST_STATES)))
            self._looked.states = clock

    def _look_whole(self, client: Any, table: str, now: datetime) -> None:
        """All hits of the window. What the follower meets first is not new after it."""
        query = self._question(now)
        follower = Follower(client, table, query, ahead=_AHEAD)
        follower.look(now)
        found = list(islice(find_found(client, table, query), self._limit + 1))
        self._known.take_alerts(alerts_of(client, table, [one.hit for one in found]))
        self._known.replace(found[: self._limit], left_out=len(found) > self._limit)
        for one in found:
            follower.give(one)
        self._follower = follower

    def _trouble(self, error: Exception) -> None:
        with self._state:
            fixed = self._aws.has_fixed_credentials
            self._outage = met(error, self._outage, datetime.now(UTC), self._pace.new, fixed_credentials=fixed)
        self._aws.renew()
        self._follower = None  # its client is of before

    def _broke_off(self) -> None:
        now = datetime.now(UTC)
        with self._state:
            self._outage = Outage(_DEFECT, "you: start it again, and report what its terminal says", now, 1, now)

    def _pause(self) -> float | None:
        """Seconds until the next look; None until a page asks again."""
        if self._is_unwatched():
            return None
        with self._state:
            if self._outage is None:
                return self._pace.new
            return max((self._outage.next_try - datetime.now(UTC)).total_seconds(), 0.1)

    def _is_unwatched(self) -> bool:
        return time.monotonic() - self._watched > self._pace.unwatched
