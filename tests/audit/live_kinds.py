"""What happens to a deployment with the audit on, one function each: what is told of it is a row of docs/audit.md.

The docstring of a function is its row.
"""

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.audit import tamperings
from tests.audit.test_arrivals import HERE, NOW, until
from tests.audit.test_flow import LONG_AGO, Deployment, all_digests, deploy, finding_hits, hit_table
from tests.audit.test_flow import NOW as LATER
from tests.audit.test_silence import BUSY, FELL, put_hours, watch
from tests.audit.world import BEGIN, HOUR, SHAPES, Stored, World, stamp
from trailbell.audit.arrivals import text_of_hour
from trailbell.hits.audit_finding import Finding, Found


Happening = Callable[[Any], Deployment]

HAPPENINGS: list[Happening] = []

_HOURS = 5


def happening(function: Happening) -> Happening:
    """One that is a row."""
    HAPPENINGS.append(function)
    return function


def told_of(happens: Happening) -> list[str]:
    """The hits of it, by the end of the second day."""
    with hit_table() as client:
        deployment = happens(client)
        deployment.audit.unlisted.judge(stamp(BEGIN + 20 * HOUR + timedelta(hours=49)), lambda: True, _Failing())
        return sorted(set(deployment.told()))


class _Failing:
    def failed(self, what: str, error: Exception) -> None:
        raise AssertionError(what) from error


def _read(client: Any, shape: str = "one trail", hours: int = _HOURS) -> Deployment:
    """A deployment that has read all log files, and audited nothing yet."""
    deployment = deploy(World(2, SHAPES[shape], hours), client)
    deployment.read_all()
    return deployment


def _audited(deployment: Deployment) -> Deployment:
    deployment.run(all_digests(deployment.world))
    return deployment


def _a_log(world: World) -> str:
    return world.chains[0].logs[world.chains[0].digests[2]][0]


@happening
def honest(client: Any) -> Deployment:
    """Log files and digests come late, twice and in any order."""
    deployment = _read(client)
    digests = all_digests(deployment.world) * 2
    deployment.world.random.shuffle(digests)
    deployment.run(digests)
    return deployment


@happening
def notification_lost(client: Any) -> Deployment:
    """The notification of a log file is lost: it is read when its digest names it."""
    world = World(2, hours=_HOURS)
    deployment = deploy(world, client)
    deployment.read_all(but=[_a_log(world)])
    return _audited(deployment)


@happening
def log_deleted(client: Any) -> Deployment:
    """A log file is deleted before it is read."""
    world = World(2, hours=_HOURS)
    deployment = deploy(world, client)
    del world.objects[_a_log(world)]
    deployment.read_all()
    return _audited(deployment)


@happening
def log_altered(client: Any) -> Deployment:
    """A log file is altered before it is read."""
    world = World(2, hours=_HOURS)
    deployment = deploy(world, client)
    world.objects[_a_log(world)] = Stored(gzip.compress(b'{"Records":[]}'))
    deployment.read_all()
    return _audited(deployment)


@happening
def log_exchanged(client: Any) -> Deployment:
    """A log file is exchanged after its digest was audited."""
    deployment = _audited(_read(client))
    deployment.world.objects[_a_log(deployment.world)] = Stored(gzip.compress(b'{"Records":[]}'))
    deployment.read(_a_log(deployment.world))
    return deployment


@happening
def log_added(client: Any) -> Deployment:
    """A log file that CloudTrail never delivered is added."""
    world = World(2, hours=_HOURS)
    world.objects[_a_log(world).replace("Z_", "Z_f0rged")] = Stored(world.content())
    deployment = deploy(world, client)
    deployment.read_all()
    return _audited(deployment)


@happening
def log_added_later(client: Any) -> Deployment:
    """The same, long after the digests of the time in its name."""
    deployment = _audited(_read(client))
    forged = _a_log(deployment.world).replace("Z_", "Z_f0rged")
    deployment.world.objects[forged] = Stored(deployment.world.content())
    deployment.read(forged)
    return deployment


@happening
def second_trail(client: Any) -> Deployment:
    """A second trail with validation writes to the same bucket."""
    return _audited(_read(client, "two trails in a bucket"))


@happening
def second_trail_without_validation(client: Any) -> Deployment:
    """A second trail without validation writes to the same bucket and prefix."""
    deployment = _read(client, "two trails in a bucket")
    first = deployment.world.chains[0]
    deployment.run([*first.digests, *first.backfills])
    return deployment


@happening
def digest_deleted(client: Any) -> Deployment:
    """A digest is deleted."""
    deployment = _read(client)
    gone = deployment.world.chains[0].digests[2]
    del deployment.world.objects[gone]
    deployment.run([key for key in all_digests(deployment.world) if key != gone])
    return deployment


@happening
def digest_forged(client: Any) -> Deployment:
    """A digest is altered and signed with a key that CloudTrail does not know."""
    deployment = _read(client)
    tamperings.digest_signed_with_unknown_key(deployment.world, deployment.world.chains[0])
    return _audited(deployment)


@happening
def digest_replaced(client: Any) -> Deployment:
    """A digest is replaced by another one that CloudTrail signed for the same place."""
    deployment = _read(client)
    tamperings.digest_signed_with_its_own_key(deployment.world, deployment.world.chains[0])
    return _audited(deployment)


@happening
def trail_stopped(client: Any) -> Deployment:
    """Logging is stopped and started, and the record of it was read."""
    deployment = _read(client, "stopped and started", 7)
    said = finding_hits().hit(Finding(Found.LOG_MISSING, HERE.account, HERE.region, "x", stamp(BEGIN)), LATER)
    resources = (f"arn:aws:cloudtrail:us-east-1:{HERE.account}:trail/acme-audit",)
    stopped = replace(said, rule_id="r-1", event_name="StopLogging", event_time=stamp(BEGIN + 4 * HOUR))
    deployment.outbox.keep([replace(stopped, resources=resources, quiet=True)])
    return _audited(deployment)


@happening
def trail_stopped_unseen(client: Any) -> Deployment:
    """The same, and no record says who did it."""
    return _audited(_read(client, "stopped and started", 7))


@happening
def digests_stop(client: Any) -> Deployment:
    """An account and Region has no digest any more."""
    deployment = _audited(_read(client))
    deployment.audits.since(LONG_AGO)
    deployment.audit.overdue(LATER)
    return deployment


@happening
def audit_waits(client: Any) -> Deployment:
    """The audit stands still while digests wait."""
    deployment = _audited(_read(client))
    deployment.stuck = True
    deployment.audit.overdue(LATER)
    return deployment


@happening
def account_silent(client: Any) -> Deployment:
    """An account and Region without digests delivers no log file any more, while others do."""
    put_hours(client, BUSY, until(NOW))
    put_hours(client, HERE, until(FELL))
    watch(client).judge(text_of_hour(NOW))
    return deploy(World(2, hours=_HOURS), client)


@happening
def nothing_arrives(client: Any) -> Deployment:
    """Nobody's log files come any more: the alarm `Silence` fires."""
    for source in (BUSY, HERE):
        put_hours(client, source, until(FELL))
    watch(client).judge(text_of_hour(NOW))
    return deploy(World(2, hours=_HOURS), client)
