"""What a live event lacks, and its log file has: notified of as if there were the log file alone."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from tests.integration.live_chain import KEY, Chain, chain_on
from tests.unit.conftest import RULE
from tests.unit.live_events import record
from trailbell.engine.rulebook import Level, Rule, RuleException


IN_PRODUCTION = ["field", "eventContext.tagContext.resourceTags.env", ["eq", "prod"]]
TAGGED = {"eventContext": {"tagContext": {"resourceTags": {"env": "prod"}}}}
DISABLED = ["field", "eventName", ["eq", "disablekey"]]
NEVER = ["field", "userAgent", ["eq", "nobody"]]
MONTH_LATER = "2026-10-02T09:00:00Z"


def excepted(still_alerts: list[Any]) -> Rule:
    return replace(RULE, exceptions=(RuleException("ours", "ops", "it tests", "2999-12-31", still_alerts),))


MUTED = excepted(NEVER)
STRONG = replace(
    RULE,
    rule_id="aaaaaaaa-6a3b-4d0b-9d7e-6f5a2b1c8e01",
    name="production-key-disabled",
    level=Level.CRITICAL,
    detection=["and", [DISABLED, IN_PRODUCTION]],
)

RULES = {
    "muted-beside-a-strong-one": ((MUTED, STRONG), 1),
    "mutes-but-in-production": ((excepted(IN_PRODUCTION),), 1),
    "mutes-in-production": ((excepted(["not", IN_PRODUCTION]),), 0),
    "by-negation": ((replace(RULE, detection=["and", [DISABLED, ["not", IN_PRODUCTION]]]),), 0),
    "compares-with-it": (
        (replace(RULE, detection=["not", ["field", "awsRegion", ["fieldref", IN_PRODUCTION[1], "eq"]]]),), 1
    ),
    "by-a-keyword": ((replace(RULE, detection=["and", [DISABLED, ["not", ["keyword", ["eq", "prod"]]]]]),), 0),
    "muted": ((MUTED,), 0),
    "plain": ((RULE,), 1),
}  # fmt: skip
ORDERS = [
    order for length in (1, 2, 3) for order in product(("live", "log_file"), repeat=length) if "log_file" in order
]


@pytest.fixture
def chain(dynamodb: Any, table: str) -> Chain:
    chain = chain_on(dynamodb, table)
    chain.given = record(**TAGGED)
    return chain


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
@pytest.mark.parametrize("name", RULES)
def test_what_is_notified_is_what_the_log_file_says(
    chain: Chain, read_rows: Any, name: str, order: tuple[str, ...]
) -> None:
    """In any order, and however often one comes."""
    (chain.rule, *others), notified = RULES[name]
    chain.others = tuple(others)

    assert sum(getattr(chain, source)() for source in order) == notified
    assert len(read_rows("hit")) == notified
    assert len(read_rows("muted")) == 1 - notified if "mute" in name else not read_rows("muted")


def test_log_file_in_place_of_what_was_muted_live_has_all_its_own(chain: Chain, read_rows: Any) -> None:
    chain.rule, chain.others = MUTED, (STRONG,)
    chain.live()
    (muted,) = read_rows("muted")
    chain.log_file()

    hit = chain.hit()
    assert (muted["hitId"], muted["live"]["region"]) == (hit.hit_id, "us-east-1")
    assert (hit.name, hit.level, hit.muted_by, hit.place.key) == (STRONG.name, "critical", "", KEY)
    assert (hit.also_muted, hit.live) == ((MUTED.name,), None)


def test_weaker_one_that_was_notified_live_is_raised_by_the_log_file(chain: Chain, read_rows: Any) -> None:
    chain.rule, chain.others = RULE, (STRONG,)

    assert (chain.live(), chain.log_file()) == (1, 0)
    assert {row["sk"]: row["name"] for row in read_rows("hit")} == {
        "act": RULE.name,
        "raised-to-critical": STRONG.name,
    }


def test_log_file_that_comes_again_once_its_exception_is_over_notifies_nobody(chain: Chain, read_rows: Any) -> None:
    """It was muted by both; that somebody lifts the exception a month later is no news of then."""
    chain.rule = MUTED
    chain.live()
    chain.log_file()
    chain.rule = RULE

    assert chain.log_file(at=MONTH_LATER) == 0
    assert read_rows("hit") == []


def test_quiet_replay_leaves_what_was_muted_live_to_the_log_file(chain: Chain) -> None:
    chain.rule, chain.others = MUTED, (STRONG,)
    chain.live()

    assert chain.quiet_replay(MONTH_LATER) == 0
    assert chain.hit().muted_by == "ours"


@pytest.mark.parametrize(
    ("happened", "members"),
    [
        pytest.param("2026-09-01T09:14:07Z", {"replay-name": "again"}, id="of-today-by-name"),
        pytest.param("2026-06-01T09:14:07Z", {"replay-name": "again"}, id="old-by-name"),
        pytest.param("2026-06-01T09:14:07Z", {}, id="old"),
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_archive_that_is_replayed_pages_nobody(
    chain: Chain, read_rows: Any, happened: str, members: dict[str, Any], *, known: bool
) -> None:
    """Neither of what is not known yet, nor of what was kept quiet before; the log file itself still does."""
    chain.given = record(eventTime=happened)
    if known:
        chain.quiet_replay(MONTH_LATER)

    assert chain.live(**members) == 0
    assert (len(read_rows("quiet")), read_rows("hit"), read_rows("log-place")) == (1, [], [])
    assert chain.log_file() == 1
    assert [row["place"]["key"] for row in read_rows("hit")] == [KEY]


def test_place_found_by_a_replay_of_the_archive_is_none(chain: Chain, read_rows: Any) -> None:
    """A live event comes after one that was quiet: no log file has been read."""
    chain.live(**{"replay-name": "again"})

    assert chain.live() == 1
    assert read_rows("log-place") == []


@pytest.mark.parametrize("once", [False, True])
def test_place_found_by_a_quiet_replay_is_kept(chain: Chain, *, once: bool) -> None:
    """Also where a day is one hit."""
    chain.rule = replace(RULE, once_per_day=once)
    chain.quiet_replay("2026-09-03T09:00:00Z")

    assert chain.live() == 1
    assert (chain.hit().live is not None, chain.hit().place.key) == (True, KEY)


def test_place_of_another_event_of_the_day_is_not(chain: Chain, read_rows: Any) -> None:
    chain.rule = replace(RULE, once_per_day=True)
    chain.given = record(eventID="e-2", eventTime="2026-09-01T08:00:00Z")
    chain.quiet_replay("2026-09-03T09:00:00Z")
    chain.given = record()

    assert chain.live() == 1
    assert read_rows("log-place") == []


@pytest.mark.parametrize("caller", ["111122223333", "999999999999"])
@pytest.mark.parametrize("first", ["live", "log_file"])
def test_record_without_recipient_is_one_hit_of_the_account_it_was_put_in(
    chain: Chain, read_rows: Any, caller: str, first: str
) -> None:
    chain.given = record(userIdentity={"type": "AWSAccount", "accountId": caller, "principalId": "AIDAX"})
    del chain.given["recipientAccountId"]
    then = "log_file" if first == "live" else "live"

    assert (getattr(chain, first)(), getattr(chain, then)()) == (1, 0)
    assert [row["account"] for row in read_rows("hit")] == ["111122223333"]
