"""Log files that were read and that no digest lists: told two days later, and never while a digest may still come."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.audit.tamperings import a_log
from tests.audit.test_flow import NOW, Deployment, all_digests, deploy, table
from tests.audit.world import BEGIN, BUCKET, HOUR, SHAPES, Chain, Stored, World, stamp
from trailbell.audit.files import NotReadError
from trailbell.audit.verdict import Verdict
from trailbell.cloudtrail.digest_key import delivery_span
from trailbell.flows.unlisted import UnlistedCounters
from trailbell.hits.ledger import LedgerHour, ReadLog


__all__ = ["table"]

LATER = stamp(BEGIN + 20 * HOUR + timedelta(hours=49))
UNLISTED = "audit-log-unlisted"


class Failures:
    def __init__(self) -> None:
        self.failures: list[str] = []

    def failed(self, what: str, error: Exception) -> None:
        self.failures.append(f"{what}: {error}")


def judge(deployment: Deployment, now: str = LATER, *, time_left: bool = True) -> list[str]:
    """What the schedule does; what it failed at."""
    log = Failures()
    deployment.audit.unlisted.judge(now, lambda: time_left, log)
    return log.failures


def forge(world: World, chain: Chain, hour: int = 2) -> str:
    """Somebody writes a log file beside those of an hour."""
    forged = chain.logs[chain.digests[hour]][0].replace("Z_", "Z_f0rged")
    world.objects[forged] = Stored(world.content())
    return forged


def doubted(deployment: Deployment) -> list[LedgerHour]:
    return [hour for hour, _ in deployment.ledger.doubted("9999")]


@pytest.mark.parametrize("name", SHAPES)
def test_honest_history_is_never_told_of(name: str, table: Any) -> None:
    """Trails of every shape; digests in any order, log files that only a backfill digest lists, and all read late."""
    world = World(1, SHAPES[name])
    deployment = deploy(world, table)
    deployment.read_all()
    digests = all_digests(world)
    random.Random(name).shuffle(digests)  # noqa: S311 (an order, no secret)
    deployment.run(digests)

    assert judge(deployment) == []

    assert UNLISTED not in deployment.told()
    assert doubted(deployment) == []


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("shape", ["one trail", "two trails in a bucket"])
def test_forged_log_file_is_told_once_and_two_days_later(is_late: bool, shape: str, table: Any) -> None:
    """Whether it is read before its digest was audited or long after."""
    world = World(2, SHAPES[shape])
    chain = world.chains[0]
    deployment = deploy(world, table)
    if not is_late:
        forge(world, chain)
    deployment.read_all()
    deployment.run(all_digests(world))
    if is_late:
        deployment.read(forge(world, chain))

    judge(deployment, NOW)
    assert UNLISTED not in deployment.told()
    for _ in range(2):
        judge(deployment)

    assert deployment.told() == [UNLISTED]


@pytest.mark.parametrize("hours", [20, 50])
def test_log_file_without_a_time_in_its_name_is_told_when_its_day_is_proven(hours: int, table: Any) -> None:
    """Any name will do for who only wants it read; only its folder says a day."""
    world = World(2, hours=hours)
    chain = world.chains[0]
    tomorrow = f"{BEGIN + timedelta(days=1):/%Y/%m/%d/}"
    deployment = deploy(world, table)
    forged = f"{'/'.join(chain.digests[0].split('/')[:2])}/CloudTrail/us-east-1{tomorrow}evil.json.gz"
    world.objects[forged] = Stored(world.content())
    deployment.read_all()

    deployment.run(all_digests(world), stamp(BEGIN + hours * HOUR))
    judge(deployment, stamp(BEGIN + (hours + 50) * HOUR))

    assert deployment.told() == ([UNLISTED] if hours == 50 else [])


def test_digest_that_has_not_come_leaves_its_log_files_alone(table: Any) -> None:
    """Nor one that was deleted, which is told by itself; nor is what it would have listed told when others prove."""
    world = World(3)
    chain = world.chains[0]
    deployment = deploy(world, table)
    forge(world, chain, hour=2)
    deployment.read_all()
    del world.objects[chain.digests[2]]

    deployment.run([key for key in all_digests(world) if key != chain.digests[2]])
    judge(deployment)

    assert UNLISTED not in deployment.told()
    assert "audit-digest-deleted" in deployment.told()


@pytest.mark.parametrize("validated", [True, False])
def test_log_files_of_a_second_trail_are_told_only_if_nothing_lists_them(validated: bool, table: Any) -> None:
    """A trail without validation looks like somebody who writes log files; so says the mail."""
    world = World(4, SHAPES["two trails in a bucket"])
    deployment = deploy(world, table)
    deployment.read_all()
    first, second = world.chains

    deployment.run([*first.digests, *first.backfills, *((*second.digests, *second.backfills) if validated else ())])
    judge(deployment)

    assert (UNLISTED in deployment.told()) is not validated


@pytest.mark.parametrize("is_late", [False, True])
def test_log_file_that_is_exchanged_is_told_once(is_late: bool, table: Any) -> None:
    """Before its digest was audited, which tells, or after it, which only its hour's judgement does."""
    world = World(7)
    chain = world.chains[0]
    deployment = deploy(world, table)
    deployment.read_all()
    log = chain.logs[chain.digests[2]][0]

    def exchange() -> None:
        world.objects[log] = Stored(world.content())
        deployment.read(log)

    if not is_late:
        exchange()
    deployment.run(all_digests(world))
    if is_late:
        exchange()
    assert deployment.told() == ([] if is_late else ["audit-log-altered"])
    for _ in range(2):
        judge(deployment)

    assert deployment.told() == ["audit-log-altered"]


@pytest.mark.parametrize("year", ["0001", "1999", "9999"])
def test_any_time_may_stand_in_a_name(year: str, table: Any) -> None:
    """Nothing is proven of it, and nobody looks through two thousand years of digests."""
    world = World(8)
    deployment = deploy(world, table)
    old = a_log(world, world.chains[0])
    forged = old.replace("2026/11", f"{year}/11").replace("_2026", f"_{year}")
    world.objects[forged] = Stored(world.content())
    deployment.read(forged)
    deployment.ledger.doubt(LedgerHour.of(forged), NOW)
    asked: list[str] = []
    table.meta.events.register("before-call.dynamodb.Query", lambda **call: asked.append("query"))

    assert judge(deployment) == []

    assert deployment.told() == []
    assert len(asked) < 10


def test_hour_that_cannot_be_judged_is_judged_later(table: Any) -> None:
    """A digest that may not be read says nothing, and holds up no other hour."""
    world = World(5)
    deployment = deploy(world, table)
    forge(world, world.chains[0], hour=2)
    deployment.read_all()
    deployment.run(all_digests(world))
    unlisted = deployment.audit.unlisted
    waiting = len(doubted(deployment))

    class Denied(type(unlisted.files)):  # type: ignore[misc]
        def read_digest(self, file: Any) -> Any:
            raise NotReadError(Verdict.DENIED)

    deployment.audit.unlisted = replace(unlisted, files=Denied(world), counters=UnlistedCounters())
    assert judge(deployment)
    assert deployment.audit.unlisted.counters.failed > 0
    deployment.audit.unlisted = unlisted
    assert judge(deployment, time_left=False) == []
    assert unlisted.counters.left > 0
    assert 0 < len(doubted(deployment)) <= waiting
    assert UNLISTED not in deployment.told()

    judge(deployment)
    assert deployment.told().count(UNLISTED) == 1
    assert doubted(deployment) == []


def test_hour_is_in_doubt_only_where_something_is(table: Any) -> None:
    """What is read in time, and listed, costs no row; what comes in a backfill digest is in doubt until then."""
    world = World(6)
    chain = world.chains[0]
    deployment = deploy(world, table)
    for digest in (*chain.digests, *chain.backfills):
        for log in world.document(digest)["logFiles"]:
            span = delivery_span(log["s3Object"])
            assert span
            read = ReadLog(BUCKET, log["s3Object"], log["hashValue"], 100, 3, stamp(span[0] + timedelta(minutes=6)))
            deployment.ledger.keep(read)
    assert doubted(deployment) == []

    deployment.run(chain.digests)

    late = {LedgerHour.of(log) for key in chain.backfills for log in chain.logs[key]}
    assert set(doubted(deployment)) == late
