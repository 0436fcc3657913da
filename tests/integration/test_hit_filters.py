"""Each condition finds exactly its hits, whether a pointer says enough or the hit must be read."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from trailbell.errors import SettingsError, TableError
from trailbell.hits.hit import Hit
from trailbell.hits.query import HitQuery
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.query.hit_query import FoundHit, find_hits, find_page
from trailbell.store.rows import hit_key


GivenHit = Callable[..., Hit]
Keep = Callable[..., None]

WINDOW: dict[str, Any] = {
    "since": datetime(2026, 9, 15, tzinfo=UTC),
    "until": datetime(2026, 9, 16, 12, tzinfo=UTC),
}
ADDED = ("region", "outcome", "muted", "actorNames", "resourceNames")
KEY = "arn:aws:kms:eu-central-1:111122223333:key/aaaaaaaa-2222-3333-4444-555555555555"


@pytest.fixture
def keep(dynamodb: Any, table: str) -> Keep:
    def make(*hits: Hit) -> None:
        DynamoHitTable(dynamodb, table, 400).keep(hits)

    return make


@pytest.fixture
def requests(dynamodb: Any) -> Counter[str]:
    """How often each operation was called."""
    counts = Counter[str]()
    dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: counts.update([model.name]))
    return counts


def numbers(found: list[FoundHit]) -> list[int]:
    return [int(one.hit.event_id.rpartition("-")[2]) for one in found]


def forget_added_members(dynamodb: Any, table: str) -> None:
    """Leave pointers as they were written before they said more of their hits."""
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            if item["kind"] == {"S": "pointer"}:
                dynamodb.put_item(TableName=table, Item={k: v for k, v in item.items() if k not in ADDED})


@pytest.mark.parametrize("old", [False, True], ids=["pointers that say it", "older pointers"])
def test_each_condition_finds_its_hit_and_no_other(
    keep: Keep, given_hit: GivenHit, dynamodb: Any, table: str, *, old: bool
) -> None:
    """A row written before a member was added must be found by what is asked of that member."""
    keep(
        given_hit(1),
        given_hit(2, region="us-east-1"),
        given_hit(3, outcome="denied", error_message="User is not Authorized"),
        given_hit(4, muted_by="nightly"),
        given_hit(5, actor="arn:aws:iam::111122223333:role/Other"),
        given_hit(6, resources=(KEY, "arn:aws:kms:eu-central-1:111122223333:alias/App")),
        given_hit(7, level="critical"),
        given_hit(8, level="low", user_agent="Terraform/1.9", source_ip="203.0.113.66"),
    )
    if old:
        forget_added_members(dynamodb, table)

    def ask(**members: Any) -> set[int]:
        return set(numbers(find_page(dynamodb, table, HitQuery(**WINDOW | members), 50).hits))

    assert ask(region="us-east-1") == {2}
    assert ask(outcome="denied") == {3}
    assert ask(muted=True) == {4}
    assert ask(muted=False) == {1, 2, 3, 5, 6, 7, 8}
    assert ask(actor="ROLE/other") == {5}
    assert ask(resource="aaaaaaaa-2222") == {6}
    assert ask(resource="alias/app") == {6}
    assert ask(levels=("critical", "low")) == {7, 8}
    assert ask(text="terraform 203.0.113") == {8}
    assert ask(text="not authorized") == {3}
    assert ask(text="terraform 198.51.100") == set()
    assert ask(region="us-east-1", levels=("low",)) == set()
    assert ask(account="111122223333", outcome="denied") == {3}


def test_names_too_long_for_a_small_row_are_found_all_the_same(
    keep: Keep, given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """A pointer stays below 1 KB, so one with many resources does not name them."""
    many = tuple(f"arn:aws:ssm:eu-central-1:111122223333:parameter/{number:040d}" for number in range(30))
    keep(given_hit(1, resources=many), given_hit(2))

    found = find_page(dynamodb, table, HitQuery(**WINDOW, resource=many[17][-20:]), 10)

    assert numbers(found.hits) == [1]


def test_pages_follow_each_other_without_gap_or_repetition(
    keep: Keep, given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """Hits of one second stand side by side: a page that ends among them must not cost or repeat any."""
    keep(*(given_hit(number, event_time=f"2026-09-15T10:00:{number // 5:02}Z") for number in range(23)))

    for members in ({}, {"levels": ("high",)}, {"account": "111122223333"}, {"resource": given_hit().resources[0]}):
        token, sizes, seen = "", list[int](), list[int]()
        while True:
            page = find_page(dynamodb, table, HitQuery(**WINDOW | members), 6, token)
            sizes.append(len(page.hits))
            seen += numbers(page.hits)
            token = page.next_token
            if not token:
                break

        assert sizes == [6, 6, 6, 5], members
        assert len(set(seen)) == 23, members


def test_page_after_the_last_hit_of_an_arn_does_not_turn_to_its_neighbours(
    keep: Keep, given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """A whole ARN is taken for a part only if nothing has it; a later page of it is not "nothing"."""
    keep(given_hit(1, resources=(KEY,)), given_hit(2, resources=(KEY,)), given_hit(3, resources=(KEY + "-new",)))
    query = HitQuery(**WINDOW, resource=KEY)

    first = find_page(dynamodb, table, query, 1)
    second = find_page(dynamodb, table, query, 1, first.next_token)

    assert set(numbers(first.hits) + numbers(second.hits)) == {1, 2}
    assert second.next_token == ""


@pytest.mark.parametrize("token", ["x", "!!", "ZXhhY3QgYQ", "YnJvYWQgMjAyNi0wOS0xNQ=="])
def test_what_is_no_token_is_refused(dynamodb: Any, table: str, token: str) -> None:
    """A token cut short by a terminal must not silently start somewhere else."""
    if token.startswith("YnJv"):
        token = token[:5]
    with pytest.raises(SettingsError, match="--page-token"):
        find_page(dynamodb, table, HitQuery(**WINDOW), 5, token)


def test_first_page_costs_few_requests_and_reads_few_hits(
    keep: Keep, given_hit: GivenHit, dynamodb: Any, table: str, requests: Counter[str]
) -> None:
    """What benchmarks/ask.py measures at full size, held here in small: nothing is read that is not shown."""
    keep(*(given_hit(number, event_time=f"2026-09-16T10:{number // 60:02}:{number % 60:02}Z") for number in range(90)))
    requests.clear()

    page = find_page(dynamodb, table, HitQuery(**WINDOW), 10)

    assert len(page.hits) == 10
    assert set(requests) == {"Query", "BatchGetItem"}
    assert requests["Query"] <= 8  # the day's four shards, and at most a second look into each
    assert requests["BatchGetItem"] == 1


def test_nothing_is_scanned(keep: Keep, given_hit: GivenHit, dynamodb: Any, table: str, requests: Counter[str]) -> None:
    """A scan reads, and bills, the whole table."""
    keep(given_hit(1))
    requests.clear()

    for members in ({}, {"service": "nosuch"}, {"text": "nosuch"}, {"resource": "nosuch"}, {"actor": "root:1"}):
        list(find_hits(dynamodb, table, HitQuery(**WINDOW | members)))

    assert "Scan" not in requests


def test_hit_that_stands_for_a_day_is_found_from_any_hour_of_it(
    keep: Keep, given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """It is placed at the beginning of its day, where a window of the last hours does not reach."""
    keep(
        given_hit(1, event_time="2026-09-15T14:00:00Z", once="2026-09-15-kms.amazonaws.com-New"),
        given_hit(2, event_time="2026-09-15T09:00:00Z", once="2026-09-15-kms.amazonaws.com-Other"),
        given_hit(3, event_time="2026-09-15T13:00:00Z"),
        given_hit(4, event_time="2026-09-15T11:59:59Z"),
    )
    query = HitQuery(since=datetime(2026, 9, 15, 12, tzinfo=UTC), until=datetime(2026, 9, 15, 15, tzinfo=UTC))

    first = find_page(dynamodb, table, query, 1)
    second = find_page(dynamodb, table, query, 1, first.next_token)

    assert numbers(first.hits) == [3]
    assert numbers(second.hits) == [1]
    assert second.next_token == ""


def test_hit_of_a_newer_version_is_not_misread(keep: Keep, given_hit: GivenHit, dynamodb: Any, table: str) -> None:
    """An old command line on a new table must say so instead of showing half of a hit."""
    hit = given_hit(1)
    keep(replace(hit, format=2))
    assert hit_key(*hit.identity)

    with pytest.raises(TableError, match="newer trailbell"):
        find_page(dynamodb, table, HitQuery(**WINDOW), 5)
