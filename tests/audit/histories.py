"""Histories of a deployment with the audit on, by seed: what happens when, and what must be told of it.

Time passes hour by hour: log files are read, digests come (late, twice, or without a notification), the schedule asks
what is overdue. The audit may be killed at any call, be behind, or be switched off and on. Somebody may tamper. What
must and what may be told is written down where it is done, without asking the audit.
"""

import gzip
import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.audit.test_flow import Deployment, KilledError, decoded_hits
from tests.audit.world import BEGIN, BUCKET, HOUR, Chain, Stored, TrailSpec, World, fingerprint, key_pair, stamp
from trailbell.cloudtrail.digest_key import parse_digest_key
from trailbell.flows.audit import TRIES, AuditTask
from trailbell.store.audits import DynamoAudits


Told = tuple[str, str]
"""The slug of a finding, and the key of the file that it names."""

MINUTE = timedelta(minutes=1)
HOURS = 9
NOBODY = datetime.max.replace(tzinfo=BEGIN.tzinfo)


class BusyWorld(World):
    """A world in which log files come every hour."""

    def deliveries(self, hour: int) -> list[int]:
        return sorted([self.random.randint(1, 59), 20, 40, 50])


class Flaky:
    """Another object; now and then a call kills its caller, before or after it was done."""

    def __init__(self, inner: Any, kills: Callable[[], str]) -> None:
        self._inner, self._kills = inner, kills

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            when = self._kills()
            if when == "before":
                raise KilledError
            answer = method(*arguments, **named)
            if when == "after":
                raise KilledError
            return answer

        return call


@dataclass
class History:
    """One history. must: what has to be told; may: what can be, besides; off, behind: from when until when."""

    seed: int
    client: Any
    stopped: tuple[int, ...] = ()
    off: tuple[datetime, datetime] = (NOBODY, NOBODY)
    behind: tuple[datetime, datetime] = (NOBODY, NOBODY)
    kills: float = 0.0
    must: set[Told] = field(default_factory=set)
    may: set[Told] = field(default_factory=set)
    silent_from: int = HOURS

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 (a history, no secret)
        self.world = BusyWorld(self.seed, (TrailSpec(stopped=self.stopped),), HOURS)
        self.later = dict(self.world.objects)  # what is still to come
        self.world.objects.clear()
        self.deployment = Deployment(self.world, self.client)
        self.deployment.take_up = self._take_up  # type: ignore[method-assign]
        self.held: list[tuple[datetime, AuditTask]] = []
        self.now, self._events, self._order = BEGIN, list[tuple[datetime, int, Callable[[], None]]](), itertools.count()
        self._quiet = False
        for name in ("ledger", "audits", "outbox", "queues"):
            setattr(self.deployment.audit, name, Flaky(getattr(self.deployment.audit, name), self._kill))
        self._switched_on(BEGIN - 48 * HOUR)
        self.times = {key: self._delivered(key) for key in self.later}
        self.duplicated = {key for key in self.later if self.random.random() < 0.3}
        self.unheard = set[str]()  # digests whose notification is lost
        self.read_at = {key: self.times[key] + self._minutes(1, 10) for key in self.later if "/CloudTrail/" in key}

    @property
    def chain(self) -> Chain:
        """Its only chain."""
        return self.world.chains[0]

    @property
    def standard(self) -> list[str]:
        """The digests that come, but for backfills, oldest first."""
        return [key for key in self.chain.digests if key in self.later]

    def end(self, digest: str) -> datetime:
        """The end of a digest's period."""
        key = parse_digest_key(digest)
        assert key
        return key.end

    def at(self, moment: datetime, do: Callable[[], None]) -> None:
        """Have something done at a moment."""
        heapq.heappush(self._events, (moment, next(self._order), do))

    def put(self, key: str, stored: Stored) -> None:
        """Put an object, and notify of it if it is a digest."""
        self.world.objects[key] = stored
        if "/CloudTrail-Digest/" in key and key not in self.unheard and not self._is_off():
            for _ in range(2 if key in self.duplicated else 1):
                self._take_up(BUCKET, key, 0, 900 + self.random.randint(0, 60))

    def run(self) -> list[Told]:
        """Let it happen; what was told, each time that it was."""
        for key, stored in self.later.items():
            self.at(self.times[key], lambda key=key, stored=stored: self.put(key, stored))  # type: ignore[misc]
        for key, moment in self.read_at.items():
            self.at(moment, lambda key=key: self._read(key))  # type: ignore[misc]
        last = self.end(self.standard[-1])
        asked_until = last + (2 * HOUR + 50 * MINUTE if self.silent_from == HOURS else 12 * HOUR)
        moment = BEGIN + 17 * MINUTE
        while moment < asked_until:
            self.at(moment, self._ask)
            moment += HOUR
        if self.off[0] != NOBODY:
            self.at(self.off[0], self.held.clear)
            self.at(self.off[1], lambda: self._switched_on(self.now, "another queue"))
            self.at(self.off[1], self._ask)
        if self.behind[0] != NOBODY:
            self.at(self.behind[1], self._catch_up)
        while self._events:
            self.now, _, do = heapq.heappop(self._events)
            do()
        return [
            (hit["name"], resource.partition(":::")[2].partition("/")[2])
            for hit in decoded_hits(self.client)
            for resource in hit["resources"]
        ]

    def _switched_on(self, moment: datetime, queue: str = "a queue") -> None:
        audits = DynamoAudits(self.client, "hits", 400, queue)
        audits.since(stamp(moment))
        self.deployment.audits = audits
        self.deployment.audit.audits = Flaky(audits, self._kill)

    def _is_off(self) -> bool:
        return self.off[0] <= self.now < self.off[1]

    def _is_behind(self) -> bool:
        return self.behind[0] <= self.now < self.behind[1]

    def _minutes(self, first: int, last: int) -> timedelta:
        return self.random.randint(first, last) * MINUTE

    def _delivered(self, key: str) -> datetime:
        if "/CloudTrail/" in key:
            named = datetime.strptime(f"{key.partition('_CloudTrail_us-east-1_')[2][:13]}+0000", "%Y%m%dT%H%M%z")
            return named + self._minutes(3, 9)
        return self.end(key) + self._minutes(2, 15) + (5 * HOUR if "_backfill" in key else timedelta(0))

    def _read(self, key: str) -> None:
        if not self._is_off():
            self.deployment.read(key)

    def _ask(self) -> None:
        if self._is_off():
            return
        self.deployment.stuck = self._is_behind() and bool(self.held)
        self._quiet = False
        with suppress(KilledError):  # the next run is the retry
            self.deployment.audit.overdue(stamp(self.now))

    def _take_up(self, bucket: str, key: str, tries: int, seconds: int) -> None:
        sent, task = self.now, AuditTask(bucket, key, tries)
        self.at(self.now + timedelta(seconds=seconds), lambda: self._receive(sent, task))

    def _receive(self, sent: datetime, task: AuditTask) -> None:
        if self._is_off() or sent < self.off[1] <= self.now:
            return  # its queue is gone
        if self._is_behind():
            self.held.append((sent, task))
            return
        waited = int((self.now - sent).total_seconds())
        self._quiet = task.tries > TRIES
        while True:
            try:
                self.deployment.audit.take_up(AuditTask(task.bucket, task.key, task.tries, waited), stamp(self.now))
            except KilledError:
                continue  # SQS gives it back
            return

    def _catch_up(self) -> None:
        waiting, self.held = self.held, []
        self.random.shuffle(waiting)
        for sent, task in waiting:
            self.at(self.now + self._minutes(0, 40), lambda sent=sent, task=task: self._receive(sent, task))  # type: ignore[misc]

    def _kill(self) -> str:
        if self._quiet or self.random.random() >= self.kills:
            return ""
        return self.random.choice(("before", "after"))


def come_late(history: History, first: int) -> None:
    """A digest comes after the next one, and another one's notification is lost."""
    late, lost = history.standard[first], history.standard[first + 2]
    history.times[late] = history.end(history.standard[first + 1]) + 45 * MINUTE
    history.unheard.add(lost)


def alter_logs(history: History, first: int) -> None:
    """Two log files of a digest hold something else; the second is read when the digest was taken up already."""
    digest = history.standard[first]
    logs = history.chain.logs[digest]
    for number, log in enumerate(logs[:2]):
        history.later[log] = Stored(gzip.compress(b'{"Records":[]}' + b" " * number))
        history.must.add(("audit-log-altered", log))
    history.read_at[logs[0]] = history.times[digest] + 20 * MINUTE
    history.deployment.unreadable.add(logs[0])  # nor can it be read when it is asked for
    history.at(history.times[digest] + 19 * MINUTE, lambda: history.deployment.unreadable.discard(logs[0]))


def lose_log(history: History, first: int) -> None:
    """A log file is deleted before it is read."""
    log = history.chain.logs[history.standard[first]][-1]
    history.later.pop(log)
    history.must.add(("audit-log-missing", log))


def delete_digest(history: History, first: int) -> None:
    """A digest is deleted, before or after it was audited, and before the next one comes."""
    digest = history.standard[first + 1]
    minutes = history.random.choice((3, 40))
    history.at(history.times[digest] + minutes * MINUTE, lambda: history.world.objects.__delitem__(digest))
    history.must.add(("audit-digest-deleted", digest))


def write_over_digest(history: History, first: int) -> None:
    """Something else is written over a digest that was audited; what it listed is told no more if it was not yet."""
    digest, following = history.standard[first], history.standard[first + 1]
    pending = {told for told in history.must if told[1] in history.chain.logs[digest]}
    history.must -= pending
    history.may |= pending
    content = history.random.choice((b"{}", b"garbage"))
    history.at(history.times[digest] + 25 * MINUTE, lambda: history.put(digest, Stored(gzip.compress(content))))
    history.must.add(("audit-digest-forged", digest))
    history.may.add(("audit-digest-altered", following))


def forge_digest(history: History, first: int, end: str = "20991231T235959Z") -> None:
    """A digest that CloudTrail did not write, of a time to come, well made or not."""
    model = history.standard[first]
    forged = f"{model.rpartition('_')[0]}_{end}.json.gz"
    pair = key_pair("evil")

    def forge() -> None:
        stored = Stored(gzip.compress(b"{}"))
        if history.random.random() < 0.5:
            document: dict[str, Any] = {
                "digestS3Bucket": BUCKET,
                "digestS3Object": forged,
                "digestPublicKeyFingerprint": fingerprint(pair),
                "digestStartTime": "2099-12-31T22:59:59Z",
                "digestEndTime": "2099-12-31T23:59:59Z",
                "previousDigestSignature": None,
                "logFiles": [],
            }
            history.world.put_digest(forged, document, pair)
            stored = history.world.objects[forged]
        history.put(forged, stored)

    history.at(history.times[model], forge)
    history.must.add(("audit-digest-forged", forged))


def fall_silent(history: History, first: int) -> None:
    """No digest comes any more from some hour on."""
    history.silent_from = HOURS - 2
    for key in [key for key in history.later if history.times[key] > BEGIN + history.silent_from * HOUR + 30 * MINUTE]:
        del history.later[key], history.times[key]
        history.read_at.pop(key, None)
    history.must.add(("audit-digest-overdue", history.standard[-1]))


TAMPERINGS: Sequence[Callable[[History, int], None]] = (  # in the order in which several are done to one history
    alter_logs,
    lose_log,
    write_over_digest,
    forge_digest,
    fall_silent,
)
