"""The deployed product under load and faults: is anything lost, is anybody told twice, how fast is it?

    .venv/bin/python -m benchmarks.soak --files 2000

Deploys the real stack into the embedded AWS and puts log files as fast as it takes them. Meanwhile answers of the
topic get lost, the table throttles for a while, detector and notifier are killed at work, and the topic is down for
a while. At the end what Lambda gave up is redriven (`trailbell dlq redrive`) and what has no
mark is told (`trailbell undelivered --deliver`): the embedded AWS drops a stream batch of which a part was given back,
where AWS keeps it and tries again; see docs/reliability.md.
"""

import argparse
import gzip
import json
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.faulty_proxy import DOWN, LOST, THROTTLED, FaultyProxy, Seen
from trailbell.cli.dead_letters.dlq import redrive_dead_letters
from trailbell.cli.dead_letters.undelivered import find_undelivered_hits, redrive_alerts
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import STACK, bootstrap, deploy
from trailbell.cli.local.inbox import Inbox
from trailbell.cli.local.local_aws import LocalAws, start_local_aws
from trailbell.hits.query import HitQuery
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.query.hit_query import find_hits


_PUTTERS = 4
_HITS_A_FILE = 3
_NOISE = 20
_MET = {LOST: 1, THROTTLED: 1, DOWN: 5}  # requests: a publish is tried four times before it is given up
_PATIENCE = 60  # seconds to wait for a fault to be met


@dataclass
class Soak:
    """One run. `expected` holds the event ids of all hits, `put` and `told` the seconds by event id.

    hidden_seconds: until the messages of a killed detector come again; 12 minutes when deployed.
    """

    aws: LocalAws
    proxy: FaultyProxy
    files: int
    fault_seconds: float
    hidden_seconds: int
    expected: set[str] = field(default_factory=set)
    put: dict[str, float] = field(default_factory=dict)
    notified: dict[str, list[float]] = field(default_factory=dict)
    kills: int = 0
    swept: int = 0
    redriven: int = 0
    putting_seconds: float = 0.0
    all_seconds: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Everything from the first file to the last alert."""
        self._prepare()
        inbox = Inbox(self.aws, self.stack.output("AlertTopic"))
        with ThreadPoolExecutor(2) as pool:
            listener = pool.submit(self._listen, inbox)
            began = time.monotonic()
            try:
                for number, trouble in enumerate(self._troubles()):
                    met = pool.submit(trouble)
                    began_putting = time.monotonic()
                    self._put_wave(number)
                    self.putting_seconds += time.monotonic() - began_putting
                    met.result()
                self._settle()
                self.all_seconds = self._last() - began
                self._redrive()
                self._settle()
            finally:
                self._over.set()
            listener.result()

    @property
    def stack(self) -> DeployedStack:
        """The deployed stack."""
        return DeployedStack(self.aws.client, STACK)

    def kept(self) -> list[str]:
        """The event ids in the table, as `trailbell hits` finds them."""
        day = datetime(2026, 9, 1, tzinfo=UTC)
        query = HitQuery(since=day, until=day + timedelta(days=1))
        return [hit.event_id for hit in find_hits(self.aws.client("dynamodb"), self.stack.output("HitTable"), query)]

    def _prepare(self) -> None:
        """Functions go through the proxy; what a killed detector held comes again soon."""
        functions = self.aws.client("lambda")
        for function in (self.stack.stream_function(), self._detector()):
            found = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
            variables = {**found, "AWS_ENDPOINT_URL": self.proxy.address}
            functions.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
        url = self.stack.ingest_queue().url
        self.aws.client("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"VisibilityTimeout": str(self.hidden_seconds)}
        )

    def _detector(self) -> str:
        mappings = self.aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        (function,) = [entry["FunctionArn"] for entry in mappings if ":sqs:" in entry["EventSourceArn"]]
        return str(function)

    def _troubles(self) -> list[Callable[[], None]]:
        """What happens while each part of the files is put and worked on."""
        return [
            lambda: None,
            lambda: self._deal(LOST),
            lambda: self._deal(THROTTLED),
            lambda: self._kill_at_work(self._detector()),
            lambda: self._kill_at_work(self.stack.stream_function()),
            lambda: self._deal(DOWN),
        ]

    def _put_wave(self, number: int) -> None:
        """One part of the files, as fast as they are taken."""
        waves = len(self._troubles())
        with ThreadPoolExecutor(_PUTTERS) as pool:
            list(pool.map(self._put, range(self.files * number // waves, self.files * (number + 1) // waves)))

    def _put(self, number: int) -> None:
        records = [_act(number, which) for which in range(_HITS_A_FILE)]
        # Trails overlap: a record of the file before is in this one, too.
        records += [_act(max(number - 1, 0), 0), *([{**BASE_RECORD, "eventName": "ListKeys"}] * _NOISE)]
        body = gzip.compress(json.dumps({"Records": records}).encode())
        key = f"AWSLogs/{_account(number)}/CloudTrail/us-east-1/2026/09/01/{number}.json.gz"
        now = time.monotonic()
        for record in records[:_HITS_A_FILE]:
            self.expected.add(record["eventID"])
            self.put.setdefault(record["eventID"], now)
        self.aws.client("s3").put_object(Bucket=TRAIL_BUCKET, Key=key, Body=body)

    def _deal(self, fault: str) -> None:
        """A fault of the way, from when it is first met for so many seconds."""
        with self.proxy.faulty(fault):
            self._wait_until(lambda: self.proxy.seen.faults[fault] >= _MET[fault])
            time.sleep(self.fault_seconds / (10 if fault == LOST else 1))

    def _kill_at_work(self, function: str) -> None:
        """Kill the processes of a function once the functions are at work on what was put."""
        begun = self.proxy.seen.requests
        self._wait_until(lambda: self.proxy.seen.requests > begun + 5)
        self._kill(function)

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError("a fault was never met: the test shows less than it should")
            time.sleep(0.02)

    def _kill(self, function: str) -> None:
        """Kill the processes that run a function now, as Lambda's host may die."""
        name = function.rpartition(":")[2]
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, ValueError):
                status = (process / "stat").read_text().rpartition(")")[2].split()
                environment = (process / "environ").read_bytes().split(b"\0")
                if int(status[1]) == self.aws.pid and f"AWS_LAMBDA_FUNCTION_NAME={name}".encode() in environment:
                    os.kill(int(process.name), signal.SIGKILL)
                    self.kills += 1

    def _listen(self, inbox: Inbox) -> None:
        """Until it is over: who is told what, and when."""
        while not self._over.is_set():
            for alert in inbox.receive(1):
                for hit_id in alert["hitIds"]:
                    self.notified.setdefault(hit_id.split("/")[1], []).append(time.monotonic())

    def _settle(self) -> None:
        """Until queue and inbox have been quiet for as long as a killed detector's messages stay hidden."""
        quiet_since, notified = time.monotonic(), -1
        while time.monotonic() - quiet_since < self.hidden_seconds / 2:
            time.sleep(0.5)
            now_notified = sum(map(len, self.notified.values()))
            if self.stack.ingest_queue().waiting or now_notified != notified:
                quiet_since, notified = time.monotonic(), now_notified

    def _redrive(self) -> None:
        """What a person on call does afterwards."""
        self.redriven = redrive_dead_letters(self.aws.client, STACK)
        if self.redriven:
            self._settle()
        redrive_alerts(self.aws.client, STACK)
        hits = find_undelivered_hits(self.aws.client, self.stack)
        delivery = hits.notify(hits.seen_between(datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC)))
        self.swept = delivery.notified_now

    def _last(self) -> float:
        return max((max(times) for times in self.notified.values()), default=time.monotonic())


def soak(files: int, fault_seconds: float, folder: Path) -> Soak:
    """Deploy, run, and stop everything again; what came of it."""
    aws = start_local_aws(folder)
    try:
        aws.client("s3").create_bucket(Bucket=TRAIL_BUCKET)
        bootstrap(aws)
        deploy(aws, TRAIL_BUCKET)
        return soak_deployed(aws, files, fault_seconds)
    finally:
        aws.stop()


def soak_deployed(aws: LocalAws, files: int, fault_seconds: float, hidden_seconds: int = 10) -> Soak:
    """The same in an embedded AWS that holds the deployed stack. Raises AssertionError when a promise breaks."""
    proxy = FaultyProxy(aws.endpoint)
    try:
        run = Soak(aws, proxy, files, fault_seconds, hidden_seconds)
        run.run()
        judge(run)
    finally:
        proxy.stop()
    return run


def judge(run: Soak) -> None:
    """Nothing lost, nothing twice but in the crash window. Raises AssertionError."""
    kept, seen = run.kept(), run.proxy.seen
    if sorted(kept) != sorted(run.expected):
        raise AssertionError(
            f"{len(run.expected)} hits expected, {len(kept)} in the table, {len(set(kept))} of them distinct"
        )
    if set(run.notified) != run.expected:
        raise AssertionError(f"{len(run.expected - set(run.notified))} hits were never told")
    if seen.in_spite:
        raise AssertionError(f"{len(seen.in_spite)} hits were told though they carried a mark")


def report(run: Soak) -> str:
    """What a run came to, for people."""
    seen: Seen = run.proxy.seen
    first = sorted(min(run.notified[event_id]) - run.put[event_id] for event_id in run.expected)
    dealt = ", ".join(f"{name}: {count} requests" for name, count in sorted(seen.faults.items()))
    return "\n".join(
        (
            f"{run.files} log files, {len(run.expected)} hits: 0 lost",
            f"told twice: {len(seen.again)}, each because of a fault between publication and mark",
            f"faults: {dealt}; {run.kills} processes killed",
            f"read again from the dead-letter queue: {run.redriven} messages; told by the sweep: {run.swept} hits",
            f"put in {run.putting_seconds:.1f} s ({run.files / run.putting_seconds:.0f} files/s),"
            f" all told by themselves in {run.all_seconds:.1f} s ({run.files / run.all_seconds:.0f} files/s)",
            f"from put to alert: median {statistics.median(first):.1f} s,"
            f" 95 % {first[len(first) * 95 // 100]:.1f} s, longest {first[-1]:.1f} s",
        )
    )


def _act(number: int, which: int) -> dict[str, Any]:
    """The record of a hit; each file has an account and an actor of its own."""
    arn = f"arn:aws:iam::{_account(number)}:user/u"
    return {
        **BASE_RECORD,
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "eventID": f"{number:08d}-0000-4000-8000-{which:012d}",
        "recipientAccountId": _account(number),
        "userIdentity": {"type": "IAMUser", "userName": "u", "arn": arn},
    }


def _account(number: int) -> str:
    return f"{100_000_000_000 + number}"


def main() -> None:
    """Run it and print what came of it; exit status 1 when a promise broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--fault-seconds", type=float, default=8.0, help="how long table and topic are troubled")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = soak(options.files, options.fault_seconds, Path(folder))
        except AssertionError as broken:
            sys.exit(f"BROKEN: {broken}")
    print(report(run))


if __name__ == "__main__":
    main()
