"""What a first page of `trailalert hits` costs on a large table: requests, rows read, milliseconds, by filter.

    .venv/bin/python -m benchmarks.ask                      100,000 hits over 30 days, pages of 20 and 100
    .venv/bin/python -m benchmarks.ask --hits 10000 --latency-ms 0

The table is moto's, in this process, so its own time is no measure of DynamoDB's: each request waits --latency-ms
more (default 10, about what DynamoDB takes in the same region), and requests and rows are what AWS would count.
Two things are done to moto: rows are put into its table directly, because 800,000 of them through its API would
take most of an hour; and a query looks at its own partition only, where moto sorts the whole table first.
"""

import argparse
import inspect
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import boto3
from botocore.config import Config
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from trailalert.aws.dynamo import encode
from trailalert.aws.hit_query import Question, find_hits
from trailalert.aws.rows import hit_row, pointer_rows
from trailalert.core.actor import Actor
from trailalert.core.hit import Hit, Place


REGION = "eu-central-1"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAYS = 30
ACCOUNTS = [f"1111222233{number:02}" for number in range(20)]
REGIONS = [REGION, "us-east-1", "eu-west-1"]
# Weights as an unquiet organisation would see them; the rarest of each is one hit in a thousand.
SERVICES = {"kms": 550, "ssm": 380, "cloudtrail": 50, "cloudhsm": 19, "iotfleethub": 1}
LEVELS = {"low": 500, "medium": 390, "high": 100, "critical": 9, "informational": 1}
OUTCOMES = {"success": 900, "denied": 80, "failed": 19, "dryrun": 1}


def make_hits(count: int) -> Iterator[Hit]:
    """Hits spread evenly over DAYS, the same every time."""
    rng = random.Random(7)  # noqa: S311 (data of a benchmark)
    for number in range(count):
        moment = NOW - timedelta(seconds=DAYS * 86400 * number / count)
        service = rng.choices(list(SERVICES), list(SERVICES.values()))[0]
        level = rng.choices(list(LEVELS), list(LEVELS.values()))[0]
        outcome = rng.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
        account, region = rng.choice(ACCOUNTS), rng.choice(REGIONS)
        role = f"arn:aws:iam::{account}:role/Role{rng.randrange(200)}"
        rule = rng.randrange(100)
        keys = [f"arn:aws:kms:{region}:{account}:key/{rng.randrange(5000):08x}-2222-3333-4444-555555555555"]
        yield Hit(
            account=account,
            event_id=f"ca7e0000-0000-4000-8000-{number:012d}",
            rule_id=f"3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c{rule:04d}",
            rule=f"aws_rule_{rule}",
            name=f"rule-{rule}",
            title=f"Something Happened To Something {rule}",
            level=level,
            event_time=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            event_source=f"{service}.amazonaws.com",
            event_name="DisableKey",
            region=region,
            partition="aws",
            outcome=outcome,
            actor=Actor("role", f"role {role[31:]}, session s{number % 50}", role, name=role[26:]),
            resources=tuple(keys * (number % 10 != 0)),
            place=Place("trail", f"AWSLogs/{account}/CloudTrail/{region}/2026/11/01/{number}.json.gz", 3),
            seen_at=(moment + timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            source_ip="203.0.113.66",
            user_agent="aws-cli/2.31.4 md/Botocore#1.40.49 ua/2.1 os/linux#6.16.8 md/arch#x86_64 lang/python#3.13.7",
            meaning="Every encrypt and decrypt call with this key fails from now on. " * 4,
            also_ids=(f"3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c{(rule + 1) % 100:04d}",) if number % 3 == 0 else (),
            muted_by="nightly-rotation" if number % 50 == 0 else "",
            error_message="User is not authorized" if outcome == "denied" else "",
        )


def filters(window: Question) -> dict[str, Question]:
    """The questions that are asked, by what they filter on; those this version cannot ask are left out."""
    hit = next(islice(make_hits(20), 13, None))
    asked: dict[str, dict[str, Any]] = {
        "none": {},
        "last 24 h": {"since": NOW - timedelta(hours=24)},
        "rule": {"rules": (hit.rule_id,)},
        "actor, key": {"actor": hit.actor.key},
        "actor, part": {"actor": "role199"},
        "resource, ARN": {"resource": hit.resources[0]},
        "resource, id": {"resource": hit.resources[0].rpartition("/")[2]},
        "account": {"account": ACCOUNTS[3]},
        "region": {"region": "us-east-1"},
        "service, 38 %": {"service": "ssm"},
        "service, 0.1 %": {"service": "iotfleethub"},
        "level, 10 %": {"levels": ("high",), "level": "high"},
        "level, 0.9 %": {"levels": ("critical",), "level": "critical"},
        "level, 0.1 %": {"levels": ("informational",), "level": "informational"},
        "outcome, 8 %": {"outcome": "denied"},
        "outcome, 0.1 %": {"outcome": "dryrun"},
        "muted, 2 %": {"muted": True},
        "not muted": {"muted": False},
        "text, 8 %": {"text": "not authorized"},
        "open": {"states": ("open", "acked")},
        "account and level 0.9 %": {"account": ACCOUNTS[3], "levels": ("critical",), "level": "critical"},
        "nothing at all": {"service": "nosuch"},
    }
    known = {part.name for part in fields(Question)}
    found = {}
    for name, members in asked.items():
        usable = {key: value for key, value in members.items() if key in known}
        if usable or not members:
            found[name] = replace(window, **usable)
    return found


class Meter:
    """Counts what a client asks for, and makes each request wait as a network does."""

    def __init__(self, client: Any, latency: float) -> None:
        self._lock, self._latency = threading.Lock(), latency
        self.counts = Counter[str]()
        client.meta.events.register("after-call.dynamodb", self._count)

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        time.sleep(self._latency)
        rows = parsed.get("ScannedCount") or sum(map(len, parsed.get("Responses", {}).values()))
        with self._lock:
            self.counts["requests"] += 1
            self.counts["rows of " + model.name] += rows

    def take(self) -> Counter[str]:
        """What was counted since the last time."""
        counts, self.counts = self.counts, Counter()
        return counts


def query_own_partition_only() -> None:
    """Keep moto from sorting the whole table for each query."""
    asked, ordered = threading.local(), dict[str, list[Item]]()
    query = Table.query

    def faster(self: Any, hash_key: Any, *arguments: Any, **named: Any) -> Any:
        asked.key = hash_key.value
        return query(self, hash_key, *arguments, **named)

    def all_items(self: Any) -> list[Item]:
        if asked.key not in ordered:
            found = self.items.get(asked.key, {}).values()
            ordered[asked.key] = sorted(found, key=lambda item: str(item.range_key.value))
        return list(ordered[asked.key])

    Table.query, Table.all_items = faster, all_items


def fill(client: Any, hits: int) -> tuple[int, float]:
    """Create the table and put the rows into it; how many, and the seconds it took."""
    client.create_table(
        TableName="hits",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table = dynamodb_backends["123456789012"][REGION].tables["hits"]
    began, rows, expires = time.monotonic(), 0, int(time.time()) + 86400
    for hit in make_hits(hits):
        for row in (*pointer_rows(hit, expires), hit_row(hit, expires)):
            attributes = encode(row)
            table_item = Item(_typed(attributes["pk"]), _typed(attributes["sk"]), attributes)
            table.items[row["pk"]][row["sk"]] = table_item
            rows += 1
    return rows, time.monotonic() - began


def _typed(attribute: dict[str, str]) -> Any:
    from moto.dynamodb.models.dynamo_type import DynamoType

    return DynamoType(attribute)


def first_page(client: Any, question: Question, size: int) -> int:
    """Ask as the command does; how many hits came."""
    try:
        from trailalert.aws.hit_query import find_page
    except ImportError:  # before there were pages
        return len(list(islice(find_hits(client, "hits", question), size)))
    return len(find_page(client, "hits", question, size).hits)


def measure(client: Any, meter: Meter, sizes: list[int]) -> Iterator[tuple[str, int, int, Counter[str], float]]:
    """(filter, page size, hits found, counts, seconds) for each filter and size."""
    window = Question(since=NOW - timedelta(days=DAYS), until=NOW)
    for name, question in filters(window).items():
        for size in sizes:
            meter.take()
            began = time.monotonic()
            found = first_page(client, question, size)
            yield name, size, found, meter.take(), time.monotonic() - began


def main() -> None:
    """Fill, ask, print."""
    options = argparse.ArgumentParser(description=inspect.getdoc(inspect.getmodule(main)))
    options.add_argument("--hits", type=int, default=100_000)
    options.add_argument("--latency-ms", type=float, default=10)
    options.add_argument("--pages", type=int, nargs="+", default=[20, 100])
    given = options.parse_args()
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_DEFAULT_REGION=REGION)
    with mock_aws():
        query_own_partition_only()
        client = boto3.client("dynamodb", config=Config(max_pool_connections=16))
        rows, seconds = fill(client, given.hits)
        print(
            f"{given.hits} hits, {rows} rows over {DAYS} days, made in {seconds:.0f} s; {given.latency_ms} ms a request"
        )
        print(f"{'filter':<26}{'page':>5}{'found':>6}{'requests':>9}{'pointers':>9}{'rows got':>9}{'ms':>8}")
        for name, size, found, counts, took in measure(
            client, Meter(client, given.latency_ms / 1000), sizes=given.pages
        ):
            pointers, rows = counts["rows of Query"], counts["rows of BatchGetItem"]
            print(f"{name:<26}{size:>5}{found:>6}{counts['requests']:>9}{pointers:>9}{rows:>9}{took * 1000:>8.0f}")


if __name__ == "__main__":
    main()
