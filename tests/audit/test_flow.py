"""The live audit against worlds: what was read, what CloudTrail signed, what is remembered; and what is told of it."""

import functools
import gzip
import hashlib
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.audit.tamperings import a_digest, a_log
from tests.audit.world import BEGIN, BUCKET, HOUR, SHAPES, Stored, TrailSpec, World, fingerprint, key_pair, stamp
from tests.shipped import ROOT
from trailbell.audit.files import AuditedFile, NotReadError
from trailbell.audit.public_keys import GivenKeys, parse_public_keys
from trailbell.audit.verdict import Verdict
from trailbell.aws.audit_objects import audited_file
from trailbell.cloudtrail.digest_key import parse_digest_key
from trailbell.engine.rulebook import Level, Rule, Rulebook
from trailbell.flows.audit import TRIES, Audit, AuditTask
from trailbell.flows.unlisted import Unlisted
from trailbell.hits.audit_finding import Finding, FindingHits, Found
from trailbell.hits.hit import Hit
from trailbell.hits.ledger import ReadLog
from trailbell.rulebook.load import compile_rules
from trailbell.store.audits import DynamoAudits
from trailbell.store.dynamo import decode
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.ledger import DynamoLedger
from trailbell.store.switches import DynamoSwitches


TABLE = "hits"
NOW = stamp(BEGIN + 20 * HOUR)
SWITCHED_OFF = Rule(
    *("r-1", "trail-logging-stopped", "aws_trail_logging_stopped", "Stopped", Level.CRITICAL, "", []),
    gate={"eventSource": ("cloudtrail.amazonaws.com",), "eventName": ("stoplogging",)},
)
LONG_AGO = stamp(BEGIN - 48 * HOUR)


@functools.cache
def finding_hits() -> FindingHits:
    """By the rules that ship."""
    return FindingHits(Rulebook(compile_rules(ROOT / "rules" / "audit", {})))


class WorldFiles:
    """A world as a bucket."""

    keeps_signatures = True

    def __init__(self, world: World) -> None:
        self._world = world

    def named(self, bucket: str, key: str, by: AuditedFile, home: str = "") -> AuditedFile:
        return audited_file(bucket, key)

    def beside(self, file: AuditedFile) -> tuple[AuditedFile, ...]:
        return ()

    def is_named_so(self, file: AuditedFile, bucket: str, key: str) -> bool:
        return (file.bucket, file.place) == (bucket, key)

    def read(self, file: AuditedFile) -> list[bytes]:
        return [self.read_digest(file)[0]]

    def read_digest(self, file: AuditedFile) -> tuple[bytes, dict[str, str]]:
        stored = self._world.objects.get(file.place)
        if not stored:
            raise NotReadError(Verdict.MISSING)
        return stored.body, stored.metadata


@dataclass
class Deployment:
    """The audit with a table, and a detector that reads whatever it is sent; time passes when it has nothing to do."""

    world: World
    client: Any
    unreadable: set[str] = field(default_factory=set)
    repaired: list[str] = field(default_factory=list)
    waiting: list[AuditTask] = field(default_factory=list)
    stuck: bool = False

    def __post_init__(self) -> None:
        self.ledger = DynamoLedger(self.client, TABLE)
        self.audits = DynamoAudits(self.client, TABLE, 400)
        keys = GivenKeys(parse_public_keys(self.world.public_keys(), "keys"))
        self.outbox = outbox = DynamoHitTable(self.client, TABLE, 400)
        files = WorldFiles(self.world)
        findings = finding_hits()
        unlisted = Unlisted(files, self.ledger, self.audits, outbox, findings)
        switches = DynamoSwitches(self.client, TABLE, [SWITCHED_OFF])
        self.audit = Audit(files, keys, self.ledger, self.audits, outbox, self, unlisted, switches, findings)

    def repair(self, bucket: str, keys: Sequence[str]) -> None:
        for key in keys:
            self.repaired.append(key)
            self.read(key, repaired=True)

    def take_up(self, bucket: str, key: str, tries: int, seconds: int) -> None:
        self.waiting.append(AuditTask(bucket, key, tries))

    def digests_wait(self) -> bool:
        return self.stuck

    def read(self, key: str, *, repaired: bool = False) -> None:
        """What the detector does with a log file."""
        if key in self.unreadable or key not in self.world.objects:
            return
        content = gzip.decompress(self.world.objects[key].body)
        self.ledger.keep(ReadLog(BUCKET, key, hashlib.sha256(content).hexdigest(), len(content), 3, NOW, repaired))

    def read_all(self, *, but: Sequence[str] = ()) -> None:
        """Every log file is read but some."""
        for key in self.world.objects:
            if "/CloudTrail/" in key and key not in but:
                self.read(key)

    def run(self, digests: Sequence[str], now: str = NOW) -> None:
        """Take up digests, and what they lead to."""
        self.waiting += [AuditTask(BUCKET, key) for key in digests]
        for _ in range(500):
            if not self.waiting:
                return
            self.audit.take_up(self.waiting.pop(0), now)
        raise AssertionError("it never ends")

    def told(self) -> list[str]:
        """The slugs of the findings in the outbox, sorted."""
        pages = self.client.get_paginator("scan").paginate(TableName=TABLE)
        rows = [item for page in pages for item in page["Items"]]
        return sorted(row["name"]["S"] for row in rows if row["kind"]["S"] == "hit")

    def rows(self) -> list[dict[str, Any]]:
        """The audit's rows, by end."""
        months = [BEGIN.strftime("%Y-%m")]
        return [row for month in months for row in self.audits.of_month("111122223333", "us-east-1", month)]


def decoded_hits(client: Any) -> list[dict[str, Any]]:
    """The hits of the table."""
    pages = client.get_paginator("scan").paginate(TableName=TABLE)
    return [dict(row) for page in pages for row in map(decode, page["Items"]) if row["kind"] == "hit"]


def all_digests(world: World) -> list[str]:
    return [key for chain in world.chains for key in (*chain.digests, *chain.backfills)]


@contextmanager
def hit_table() -> Iterator[Any]:
    """A client with an empty table."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        names = (("pk", "HASH"), ("sk", "RANGE"))
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in names],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


@pytest.fixture
def table() -> Iterator[Any]:
    with hit_table() as client:
        yield client


def deploy(world: World, table: Any, since: str = LONG_AGO) -> Deployment:
    deployment = Deployment(world, table)
    deployment.audits.since(since)
    return deployment


@pytest.mark.parametrize("name", [name for name in SHAPES if "stopped" not in name])
def test_honest_history_tells_nothing_in_any_order(name: str, table: Any) -> None:
    """Digests come late, twice, and in any order; nothing is asked for again, nobody is notified."""
    world = World(1, SHAPES[name])
    deployment = deploy(world, table)
    deployment.read_all()
    digests = all_digests(world) * 2
    random.Random(name).shuffle(digests)  # noqa: S311 (an order, no secret)

    deployment.run(digests)

    assert deployment.told() == []
    assert deployment.repaired == []
    assert {row["verdict"] for row in deployment.rows()} == {"valid"}
    assert all(row["listed"] == row["read"] for row in deployment.rows())


def test_log_file_whose_notification_was_lost_is_read(table: Any) -> None:
    """The digest names it, it is sent through the queue again, and the audit is green."""
    world = World(2)
    lost = [a_log(world, world.chains[0])]
    deployment = deploy(world, table)
    deployment.read_all(but=lost)

    deployment.run(all_digests(world))

    assert deployment.repaired == lost
    assert deployment.told() == []
    assert sum(row["repaired"] for row in deployment.rows()) == 1
    assert sum(row["missing"] for row in deployment.rows()) == 0


def test_log_file_that_cannot_be_read_is_told_once_after_some_tries(table: Any) -> None:
    """Deleted or unreadable: nobody was notified of what it holds."""
    world = World(2)
    lost = a_log(world, world.chains[0])
    deployment = deploy(world, table)
    deployment.unreadable.add(lost)
    deployment.read_all()

    deployment.run(all_digests(world) * 2)

    assert deployment.repaired.count(lost) in range(TRIES - 1, 2 * TRIES)
    assert deployment.told() == ["audit-log-missing"]


def test_log_file_that_was_altered_before_it_was_read_is_told(table: Any) -> None:
    """What the alerts were based on is not what CloudTrail delivered, also if the true one is read later."""
    world = World(3)
    log = a_log(world, world.chains[0])
    true = world.objects[log].body
    world.objects[log].body = gzip.compress(b'{"Records":[]}')
    deployment = deploy(world, table)
    deployment.read_all()
    world.objects[log].body = true
    deployment.read(log)

    deployment.run(all_digests(world))

    assert deployment.told() == ["audit-log-altered"]


@pytest.mark.parametrize("audited_before", [False, True])
def test_deleted_digests_are_told_however_many(audited_before: bool, table: Any) -> None:
    """Before it was audited, or after: the next digest names it, and so does its own notification."""
    world = World(4)
    chain = world.chains[0]
    deployment = deploy(world, table)
    deployment.read_all()
    if audited_before:
        deployment.run(chain.digests[:4])
    for key in chain.digests[1:3]:
        del world.objects[key]

    deployment.run(chain.digests[3:])

    assert deployment.told() == ["audit-digest-deleted"]
    deployment.run(chain.digests[1:3])
    assert deployment.told() == ["audit-digest-deleted"] * 2


def test_digest_whose_notification_was_lost_is_found_by_the_next(table: Any) -> None:
    """And the one before that, and so on, back to what was audited or to the beginning of the ledger."""
    world = World(5)
    chain = world.chains[0]
    deployment = deploy(world, table)
    deployment.read_all()

    deployment.run(chain.digests[-1:])

    assert deployment.told() == []
    standard = [row for row in deployment.rows() if row["sk"].endswith("standard")]
    assert len(standard) == len(chain.digests)


@pytest.mark.parametrize("kind", ["altered", "signed by a stranger", "replaced", "moved", "with data behind"])
def test_digest_that_is_not_what_cloudtrail_wrote_is_told(kind: str, table: Any) -> None:
    """Each way to exchange the list of an hour."""
    from tests.audit import tamperings

    tamper = {
        "altered": tamperings.digest_altered,
        "signed by a stranger": tamperings.digest_signed_with_unknown_key,
        "replaced": tamperings.digest_signed_with_its_own_key,
        "moved": tamperings.digests_exchanged,
        "with data behind": tamperings.digest_second_member,
    }[kind]
    world = World(6)
    deployment = deploy(world, table)
    deployment.read_all()
    tamper(world, world.chains[0])

    deployment.run(all_digests(world))

    expected = "audit-digest-altered" if kind in ("replaced", "with data behind") else "audit-digest-forged"
    assert expected in deployment.told()


def test_digest_whose_key_is_listed_late_is_not_forged(table: Any) -> None:
    """The first one after a change of keys; it is taken up again, and told only if the key never comes."""
    world = World(6)
    deployment = deploy(world, table)
    deployment.read_all()
    listed, digest = deployment.audit.keys, world.chains[0].digests[0]
    deployment.audit.keys = GivenKeys([])

    deployment.audit.take_up(AuditTask(BUCKET, digest), NOW)
    assert (deployment.told(), deployment.waiting) == ([], [AuditTask(BUCKET, digest, 1)])
    deployment.audit.keys = listed
    deployment.run([])
    assert deployment.told() == []

    deployment.audit.keys = GivenKeys([])
    deployment.run([digest])
    assert deployment.told() == ["audit-digest-forged"]


def test_digest_that_was_replaced_after_it_was_audited_is_told(table: Any) -> None:
    """The bucket agrees with itself again; only the memory outside of it does not."""
    world = World(7)
    chain = world.chains[0]
    deployment = deploy(world, table)
    deployment.read_all()
    deployment.run(chain.digests[:3])
    row = deployment.rows()[-1]
    table.update_item(
        TableName=TABLE,
        Key={"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}},
        UpdateExpression="SET sha256 = :other",
        ExpressionAttributeValues={":other": {"S": "0" * 64}},
    )

    deployment.run([chain.digests[3]])

    assert "audit-digest-altered" in deployment.told()


@pytest.mark.parametrize("backwards", [False, True])
def test_trail_that_was_off_is_told_in_either_order(backwards: bool, table: Any) -> None:
    """Logging stopped and started: the chain begins anew, and whichever digest is audited second says so."""
    world = World(8, SHAPES["stopped and started"])
    digests = world.chains[0].digests
    deployment = deploy(world, table)
    deployment.read_all()

    deployment.run(digests[::-1] if backwards else digests)

    assert deployment.told() == ["audit-restart-unexplained"]


@pytest.mark.parametrize(
    ("who", "explains"),
    [
        ({}, True),
        ({"resources": ("arn:aws:cloudtrail:us-east-1:111122223333:trail/other",)}, False),
        ({"account": "444455556666"}, False),
        ({"event_time": stamp(BEGIN + HOUR)}, False),
        ({"outcome": "denied"}, False),
    ],
    ids=["this trail", "another trail", "another account", "long before", "denied"],
)
def test_restart_names_who_switched_the_trail_off(who: dict[str, Any], explains: bool, table: Any) -> None:
    """By the hit that the detector kept, also if it comes after the digest; told once, explained or not."""
    world = World(8, SHAPES["stopped and started"])
    deployment = deploy(world, table)
    deployment.read_all()
    said = finding_hits().hit(Finding(Found.LOG_MISSING, "111122223333", "us-east-1", "x", stamp(BEGIN)), NOW)
    stopped = replace(
        said,
        **{
            "rule_id": "r-1",
            "event_name": "StopLogging",
            "event_time": stamp(BEGIN + 4 * HOUR),
            "actor": replace(said.actor, name="Admin"),
            "resources": ("arn:aws:cloudtrail:us-east-1:111122223333:trail/acme-audit",),
            "quiet": True,
            **who,
        },
    )
    begun = world.chains[0].digests[4:]
    deployment.run(world.chains[0].digests[:4])
    deployment.audit.take_up(AuditTask(BUCKET, begun[0]), NOW)
    assert deployment.told() == []
    deployment.outbox.keep([stopped])

    deployment.run(begun)
    deployment.run(begun)

    assert deployment.told() == ["audit-chain-restarted" if explains else "audit-restart-unexplained"]
    (hit,) = decoded_hits(table)
    assert any("StopLogging by Admin" in one["value"] for one in hit["shown"]) is explains


def test_first_digest_of_a_trail_tells_nothing(table: Any) -> None:
    """A trail that is younger than the deployment begins with one."""
    world = World(9)
    deployment = deploy(world, table)
    deployment.read_all()

    deployment.run(world.chains[0].digests[:1])

    assert deployment.told() == []


def test_deployment_younger_than_the_trail_asks_for_nothing_from_before(table: Any) -> None:
    """What was delivered before the ledger began is nobody's to have read, and digests of then are not followed."""
    world = World(10)
    chain = world.chains[0]
    begin = BEGIN + 4 * HOUR
    deployment = deploy(world, table, stamp(begin))
    for key in world.objects:
        named = key.partition("_CloudTrail_us-east-1_")[2][:13]
        if named and datetime.strptime(f"{named}+0000", "%Y%m%dT%H%M%z") >= begin:
            deployment.read(key)
    for key in chain.digests[:2]:  # a lifecycle rule
        del world.objects[key]

    deployment.run(all_digests(world)[2:])

    assert deployment.told() == []
    assert deployment.repaired == []
    assert sum(row["before"] for row in deployment.rows()) > 0


def test_chain_that_stops_is_told_once(table: Any) -> None:
    """A digest comes every hour, also when nothing happened; three hours without one is something."""
    world = World(11, (TrailSpec(), TrailSpec("other", regions=("eu-central-1",))))
    deployment = deploy(world, table)
    deployment.read_all()
    deployment.run(all_digests(world))
    last = BEGIN + 8 * HOUR

    for hours, expected in ((2, 0), (4, 2), (5, 2), (30, 2)):
        deployment.audit.overdue(stamp(last + hours * HOUR))
        assert deployment.told() == ["audit-digest-overdue"] * expected, hours
    deployment.audit.overdue(stamp(last + timedelta(days=30)))
    assert deployment.told() == ["audit-digest-overdue"] * 2


def test_finding_is_a_hit_like_any_other(table: Any) -> None:
    """It is found by resource and time, has texts of its own, and its place is the digest."""
    world = World(12)
    deployment = deploy(world, table)
    deployment.read_all()
    digest = a_digest(world, world.chains[0])
    del world.objects[digest]
    kept: list[Hit] = []
    keep = deployment.audit.outbox.keep

    def remember(hits: Sequence[Hit]) -> int:
        kept.extend(hits)
        return keep(hits)

    deployment.audit.outbox.keep = remember  # type: ignore[method-assign]

    deployment.run([digest])

    (hit,) = kept
    assert (hit.level, hit.account, hit.region) == ("critical", "111122223333", "us-east-1")
    assert hit.resources == (f"arn:aws:s3:::{BUCKET}/{digest}",)
    assert (hit.place.bucket, hit.place.key) == (BUCKET, digest)
    assert hit.meaning
    assert hit.check


class KilledError(Exception):
    """The function was killed."""


@dataclass
class Killing:
    """Another object, whose calls are counted together with those of others; one of them kills, before or after."""

    inner: Any
    calls: list[str]
    at: int
    after: bool

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.inner, name)
        if not callable(method):
            return method

        def call(*arguments: Any, **named: Any) -> Any:
            self.calls.append(name)
            if len(self.calls) == self.at and not self.after:
                raise KilledError
            answer = method(*arguments, **named)
            if len(self.calls) == self.at and self.after:
                raise KilledError
            return answer

        return call


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_it_tells_the_same_once(after: bool, table: Any) -> None:
    """At any call: the message comes back, and neither loses a finding nor finds one twice."""
    for at in range(1, 100):
        world = World(13, hours=4)
        chain = world.chains[0]
        deployment = deploy(world, table)
        deployment.unreadable.add(chain.logs[chain.digests[2]][0])
        deployment.read_all()
        del world.objects[chain.digests[1]]
        calls: list[str] = []
        for name in ("ledger", "audits", "outbox", "queues"):
            setattr(deployment.audit, name, Killing(getattr(deployment.audit, name), calls, at, after))

        for digest in chain.digests[2:]:
            waiting = [AuditTask(BUCKET, digest)]
            while waiting:
                try:
                    deployment.audit.take_up(waiting[0], NOW)
                except KilledError:
                    continue  # SQS gives it back
                waiting.pop(0)
                waiting += [task for task in deployment.waiting if task.tries < TRIES]
                deployment.waiting.clear()

        assert deployment.told() == ["audit-digest-deleted", "audit-log-missing"], (at, calls)
        if len(calls) < at:
            return
        _empty(table)
    raise AssertionError("there are more calls than were tried")


def _empty(table: Any) -> None:
    for page in table.get_paginator("scan").paginate(TableName=TABLE):
        for item in page["Items"]:
            table.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})


def of_kind(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    """The hits of a kind of finding."""
    return [hit for hit in decoded_hits(deployment.client) if hit["name"] == name]


def test_what_an_audited_digest_listed_is_remembered_when_it_is_written_over(table: Any) -> None:
    """And then deleted: the damage is bounded by what was read of it before."""
    world = World(1)
    chain = world.chains[0]
    deployment = deploy(world, table)
    deployment.read_all()
    deployment.run(chain.digests[:3])
    before = deployment.rows()[-1]
    world.objects[chain.digests[2]] = Stored(gzip.compress(b"{}"))
    deployment.run([chain.digests[2]])

    after = deployment.rows()[-1]
    del world.objects[chain.digests[2]]
    deployment.run([chain.digests[3]])

    assert after["verdict"] == "invalid-format"
    assert [after[name] for name in ("sha256", "listed", "read")] == [
        before[name] for name in ("sha256", "listed", "read")
    ]
    was = f"it was audited before: {before['read']} of its {before['listed']} log files were read"
    assert was in str(of_kind(deployment, "audit-digest-forged"))
    assert was in str(of_kind(deployment, "audit-digest-deleted"))


def restarts_after(world: World, end: datetime) -> str:
    """A starting digest of a chain that was off until then; its key."""
    model = world.chains[0].digests[2]
    key = f"{model.rpartition('_')[0]}_{end:%Y%m%dT%H%M%SZ}.json.gz"
    pair = world.key_for("us-east-1", end)
    document = world.document(model) | {
        "digestS3Object": key,
        "digestStartTime": stamp(end - HOUR),
        "digestEndTime": stamp(end),
        "digestPublicKeyFingerprint": fingerprint(pair),
        "logFiles": [],
    }
    world.put_digest(key, document | {name: None for name in document if name.startswith("previous")}, pair)
    return key


@pytest.mark.parametrize("days", [3, 70, 300])
@pytest.mark.parametrize("backwards", [False, True])
def test_trail_that_was_off_for_long_is_told(backwards: bool, days: int, table: Any) -> None:
    """However long, and also if something newer was audited before."""
    world = World(8)
    begun = restarts_after(world, BEGIN + timedelta(days=days))
    deployment = deploy(world, table)
    deployment.read_all()
    digests = [world.chains[0].digests[-1], begun]

    deployment.run(digests[::-1] if backwards else digests)

    (hit,) = of_kind(deployment, "audit-restart-unexplained")
    assert begun in str(hit["resources"])


def test_told_as_missing_and_read_in_the_end_heals(table: Any) -> None:
    """Somebody redrove the dead letters: the day is green again, and nobody is told another time."""
    world = World(2)
    lost = a_log(world, world.chains[0])
    digest = next(key for key, logs in world.chains[0].logs.items() if lost in logs)
    deployment = deploy(world, table)
    deployment.read_all(but=[lost])
    deployment.unreadable.add(lost)
    deployment.waiting.append(AuditTask(BUCKET, digest))
    while deployment.told() == []:
        deployment.audit.take_up(deployment.waiting.pop(0), NOW)
    asked = deployment.repaired.count(lost)
    deployment.unreadable.clear()
    deployment.read(lost)

    deployment.run([])

    row = deployment.audits.audited(parse_digest_key(digest))  # type: ignore[arg-type]
    assert row
    assert (row["missing"], row["read"]) == (0, row["listed"])
    assert deployment.told() == ["audit-log-missing"]
    assert deployment.repaired.count(lost) == asked


def test_listed_files_that_nobody_reads_are_not_asked_for(table: Any) -> None:
    """What CloudTrail counts or finds unusual is in digests, too."""
    world = World(3)
    digest = a_digest(world, world.chains[0])
    document = world.document(digest)
    (log, *_) = world.chains[0].logs[digest]
    insight = {"s3Bucket": BUCKET, "s3Object": log.replace("CloudTrail/", "CloudTrail-Insight/"), "hashValue": "0" * 64}
    listed = len(document["logFiles"])
    document["logFiles"].append(insight)
    world.put_digest(digest, document, world.key_for("us-east-1", datetime.fromisoformat(document["digestEndTime"])))
    deployment = deploy(world, table)
    deployment.read_all()

    deployment.run([digest])

    assert (deployment.told(), deployment.repaired) == ([], [])
    assert [row["listed"] for row in deployment.rows() if row["key"] == digest] == [listed]


def test_each_way_to_replace_a_digest_is_told(table: Any) -> None:
    """Of one digest: data behind its end, and another one before it than there was."""
    world = World(7)
    chain = world.chains[0]
    deployment = deploy(world, table)
    deployment.read_all()
    deployment.run(chain.digests[:4])
    true = world.objects[chain.digests[2]]
    world.objects[chain.digests[2]] = Stored(gzip.compress(b"{}"), true.metadata)
    deployment.run([chain.digests[3]])
    world.objects[chain.digests[2]] = true
    world.objects[chain.digests[3]].body += gzip.compress(b"{}")
    deployment.run([chain.digests[3]] * 2)

    whys = [str(hit["shown"]) for hit in of_kind(deployment, "audit-digest-altered")]
    assert [sum(why in text for text in whys) for why in ("chain-broken", "trailing-data")] == [1, 1]


def test_digest_that_cloudtrail_did_not_sign_leads_nowhere(table: Any) -> None:
    """What it names is not even read: whoever wrote it would choose that."""
    world = World(10)
    deployment = deploy(world, table)
    chain = world.chains[0]
    forged = chain.digests[2]
    document = world.document(forged) | {"previousDigestS3Object": chain.digests[0]}
    world.put_digest(forged, document, key_pair("evil"))
    asked: list[str] = []
    read = deployment.audit.files.read_digest
    deployment.audit.files.read_digest = lambda file: (asked.append(file.key), read(file))[1]  # type: ignore

    deployment.run([forged])

    assert set(asked) == {forged}
    assert deployment.told() == ["audit-digest-forged"]


def test_beginning_of_a_version_before_is_taken_over_once(table: Any) -> None:
    """It did not say which queue it was of; from then on a switched-off audit is noticed."""
    DynamoAudits(table, TABLE, 400).since(LONG_AGO)

    assert DynamoAudits(table, TABLE, 400, "one queue").since(NOW) == LONG_AGO
    assert DynamoAudits(table, TABLE, 400, "one queue").since(NOW) == LONG_AGO
    assert DynamoAudits(table, TABLE, 400, "another queue").since(NOW) == NOW
