"""What a first page of `trailbell hits` costs on a large table: requests, rows read, milliseconds, by filter.

    .venv/bin/python -m benchmarks.ask                      100,000 hits over 30 days, pages of 20 and 100
    .venv/bin/python -m benchmarks.ask --hits 10000 --latency-ms 0 --only rule --only account

The table is in this process's memory (benchmarks/table.py): requests and rows are what AWS would count, and the
milliseconds are the command's own work plus --latency-ms for each request that is waited for (default 10, about
what DynamoDB takes in the same region). Each query is made twice and the second time counts: the first makes
the rows.
"""

import argparse
import inspect
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.table import MemoryTable
from trailbell.cloudtrail.origin import Place
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit
from trailbell.hits.query import HitQuery
from trailbell.store.query.hit_query import find_hits


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


def filters(window: HitQuery) -> dict[str, HitQuery]:
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
    known = {part.name for part in fields(HitQuery)}
    found = {}
    for name, members in asked.items():
        usable = {key: value for key, value in members.items() if key in known}
        if usable or not members:
            found[name] = replace(window, **usable)
    return found


def first_page(client: Any, query: HitQuery, size: int) -> int:
    """Query as the command does; how many hits were found."""
    try:
        from trailbell.store.query.hit_query import find_page
    except ImportError:  # before there were pages
        return len(list(islice(find_hits(client, "hits", query), size)))
    return len(find_page(client, "hits", query, size).hits)


def measure(
    client: Any, table: MemoryTable, sizes: list[int], only: list[str]
) -> Iterator[tuple[str, int, int, Counter[str], float]]:
    """(filter, page size, hits found, counts, seconds) for each filter and size."""
    window = HitQuery(since=NOW - timedelta(days=DAYS), until=NOW)
    for name, query in filters(window).items():
        for size in sizes if name in (only or [name]) else []:
            first_page(client, query, size)
            table.take_counts()
            began = time.monotonic()
            found = first_page(client, query, size)
            yield name, size, found, table.take_counts(), time.monotonic() - began


def main() -> None:
    """Fill, ask, print."""
    options = argparse.ArgumentParser(description=inspect.getdoc(inspect.getmodule(main)))
    options.add_argument("--hits", type=int, default=100_000)
    options.add_argument("--latency-ms", type=float, default=10)
    options.add_argument("--pages", type=int, nargs="+", default=[20, 100])
    options.add_argument("--only", action="append", default=[], help="a filter by its name; repeatable")
    given = options.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": REGION}
    client = boto3.client("dynamodb", config=Config(max_pool_connections=16))
    began = time.monotonic()
    table = MemoryTable(make_hits(given.hits), given.latency_ms / 1000)
    table.serve(client)
    made = f"made in {time.monotonic() - began:.0f} s"
    print(f"{given.hits} hits, {table.rows} rows over {DAYS} days, {made}; {given.latency_ms:g} ms a request")
    print(f"{'filter':<26}{'page':>5}{'found':>6}{'requests':>9}{'pointers':>9}{'hits read':>10}{'ms':>8}")
    for name, size, found, counts, took in measure(client, table, given.pages, given.only):
        line = f"{name:<26}{size:>5}{found:>6}{counts['requests']:>9}{counts['Query']:>9}"
        print(f"{line}{counts['BatchGetItem']:>10}{took * 1000:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
