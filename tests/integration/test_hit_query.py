"""Questions to the hit table are answered newest first, from whichever pointers are narrowest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from trailbell.hits.hit import Hit, kept_actor, kept_resource
from trailbell.hits.query import HitQuery
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.query.hit_query import find_hits


GivenHit = Callable[..., Hit]
Keep = Callable[..., None]
Ask = Callable[..., list[int]]

KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = "arn:aws:kms:eu-central-1:111122223333:key/99999999-8888-7777-6666-555555555555"
ADMIN = "arn:aws:iam::111122223333:role/Admin"


@pytest.fixture
def keep(dynamodb: Any, table: str) -> Keep:
    def make(*hits: Hit, retention_days: int = 400) -> None:
        DynamoHitTable(dynamodb, table, retention_days).keep(hits)

    return make


@pytest.fixture
def ask(dynamodb: Any, table: str) -> Ask:
    """The numbers of the hits that answer a question, in the order given; without a window, those of mid-September."""

    def make(**members: Any) -> list[int]:
        window = {"since": datetime(2026, 9, 13, tzinfo=UTC), "until": datetime(2026, 9, 17, tzinfo=UTC)}
        query = HitQuery(**window | members)
        return [int(hit.event_id.rpartition("-")[2]) for hit in find_hits(dynamodb, table, query)]

    return make


def test_hits_come_newest_first_across_shards_and_days(
    keep: Keep, ask: Ask, given_hit: GivenHit, read_rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    """Shards and days read one after the other would show yesterday's hits above today's."""
    times = [
        f"2026-09-{day:02}T{hour:02}:{minute:02}:00Z" for day in (14, 15, 16) for hour in (0, 23) for minute in range(9)
    ]
    shuffled = [(number * 31) % len(times) for number in range(len(times))]
    keep(*(given_hit(number, event_time=times[number]) for number in shuffled))

    found = ask()

    shards = {row["pk"] for row in read_rows("pointer") if row["pk"].startswith("T#2026-09-15#")}
    assert len(shards) == 4
    assert found == sorted(range(len(times)), reverse=True)


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"rules": ("rule-1",)}, id="rule"),
        pytest.param({"actor": ADMIN}, id="actor"),
        pytest.param({"account": "444455556666"}, id="account"),
        pytest.param({"resource": KEY}, id="resource"),
        pytest.param({}, id="time"),
    ],
)
def test_hits_come_newest_first_across_months(
    keep: Keep, ask: Ask, given_hit: GivenHit, members: dict[str, Any]
) -> None:
    """Partitions end with the month, questions do not."""
    times = ["2026-07-31T23:59:59Z", "2026-08-01T00:00:00Z", "2026-08-31T12:00:00Z", "2026-09-01T00:00:01Z"]
    keep(
        *(
            given_hit(number, event_time=times[number], rule_id="rule-1", account="444455556666", actor=ADMIN)
            for number in (2, 0, 3, 1)
        )
    )

    window = {"since": datetime(2026, 7, 31, tzinfo=UTC), "until": datetime(2026, 9, 2, tzinfo=UTC)}
    assert ask(**window, **members) == [3, 2, 1, 0]


def test_rule_finds_its_own_hits_and_those_it_matched_too(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """One record is one hit, told by the strongest rule; asking for a weaker one must find it as well."""
    keep(
        given_hit(1, rule_id="rule-1"),
        given_hit(2, rule_id="rule-2", also=("one",), also_ids=("rule-1",)),
        given_hit(3, rule_id="rule-3"),
    )

    assert set(ask(rules=("rule-1",))) == {1, 2}
    assert set(ask(rules=("rule-2",))) == {2}
    assert ask(rules=("rule-4",)) == []


def test_hit_of_several_rules_asked_for_comes_once(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """A hit stands under each of its rules, and is one hit all the same."""
    keep(
        given_hit(1, rule_id="rule-1", event_time="2026-09-15T10:00:01Z"),
        given_hit(2, rule_id="rule-2", event_time="2026-09-15T10:00:02Z", also=("one",), also_ids=("rule-1",)),
        given_hit(3, rule_id="rule-2", event_time="2026-09-15T10:00:03Z"),
    )

    assert ask(rules=("rule-1", "rule-2")) == [3, 2, 1]


@pytest.mark.parametrize(
    "name",
    [
        "arn:aws:s3:::www.example.com",
        "arn:aws:kms:eu-central-1:111122223333:alias/\u0430dmin",  # a Cyrillic letter
        "arn:aws:iam::111122223333:access-key/AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_name_made_harmless_is_found_as_aws_spells_it(keep: Keep, ask: Ask, given_hit: GivenHit, name: str) -> None:
    """People paste an ARN from the console; that a hit holds it otherwise is not theirs to know."""
    kept, key = kept_resource(name), kept_actor(name)
    keep(given_hit(1, resources=(kept,), user_agent=kept), given_hit(2, actor=key))
    part = name.rpartition(":")[2]

    assert kept != name
    assert [ask(resource=text) for text in (name, kept, part)] == [[1], [1], [1]]
    assert [ask(actor=text) for text in (name, key, part)] == [[2], [2], [2]]
    assert set(ask(text=part)) == {1, 2}


def test_actor_is_found_by_key_and_by_part_of_its_text(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """The key comes from a machine, the part from a person who remembers a name."""
    keep(given_hit(1), given_hit(2, actor=ADMIN), given_hit(3, actor="root:111122223333"))

    assert ask(actor=ADMIN) == [2]
    assert ask(actor="ROLE/admin") == [2]
    assert ask(actor="root:111122223333") == [3]
    assert set(ask(actor="session CI")) == {1, 2, 3}
    assert ask(actor="nobody") == []


def test_resource_is_found_by_arn_and_by_part(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """Who looks into what happened to a key has its ARN, or its id."""
    keep(
        given_hit(1, resources=(KEY,)),
        given_hit(2, resources=(OTHER_KEY, "cks-1234567890abcdef0"), event_time="2026-09-15T10:00:01Z"),
        given_hit(3, resources=()),
    )

    assert ask(resource=KEY) == [1]
    assert ask(resource=OTHER_KEY) == [2]
    assert ask(resource="KEY/99999999") == [2]
    assert ask(resource="cks-1234567890abcdef0") == [2]
    assert ask(resource="555555555555") == [2, 1]
    assert ask(resource="66666666-0000") == []


def test_arn_is_taken_for_a_part_only_if_nothing_has_it(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """No answer reads as "nothing happened"; a neighbour's hits read as this one's."""
    alias = "arn:aws:kms:eu-central-1:111122223333:alias/app"
    keep(
        given_hit(1, resources=(alias,), actor=ADMIN),
        given_hit(2, resources=(f"{alias}-new",), actor=f"{ADMIN}-new", event_time="2026-09-15T10:00:01Z"),
    )

    assert ask(resource=alias) == [1]
    assert ask(resource=alias[:-1]) == [2, 1]
    assert ask(actor=ADMIN) == [1]
    assert ask(actor=ADMIN[:-1]) == [2, 1]


def test_long_names_are_found(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """Names too long for a key stand there as their hash, and so must the question."""
    long = "arn:" + "x" * 2000
    keep(given_hit(1, resources=(long + "r",), actor=long + "a"), given_hit(2))

    assert ask(resource=long + "r") == [1]
    assert ask(actor=long + "a") == [1]


def test_account_service_and_level_are_asked_for(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """Each condition alone must keep out what it does not name."""
    keep(
        given_hit(1),
        given_hit(2, account="444455556666"),
        given_hit(3, event_source="ssm.amazonaws.com"),
        given_hit(4, level="critical"),
    )

    assert ask(account="444455556666") == [2]
    assert ask(service="ssm") == [3]
    assert ask(levels=("critical",)) == [4]
    assert ask(levels=("low",)) == []


@pytest.mark.parametrize("wrong", ["rules", "actor", "resource", "account", "service", "levels"])
def test_conditions_are_combined(keep: Keep, ask: Ask, given_hit: GivenHit, wrong: str) -> None:
    """A condition forgotten once another chose the partition shows hits that were not asked for."""
    right = {
        "rules": ("rule-1",),
        "actor": ADMIN,
        "resource": KEY,
        "account": "111122223333",
        "service": "kms",
        "levels": ("high",),
    }
    keep(given_hit(1, rule_id="rule-1", actor=ADMIN, resources=(KEY,)))

    assert ask(**right) == [1]
    assert ask(**right | {wrong: ("another",) if isinstance(right[wrong], tuple) else "another"}) == []


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({}, id="time"),
        pytest.param({"resource": KEY}, id="resource"),
        pytest.param({"account": "111122223333"}, id="account"),
    ],
)
def test_window_holds_both_its_ends(keep: Keep, ask: Ask, given_hit: GivenHit, members: dict[str, Any]) -> None:
    """A window that loses its first or last second hides the hit somebody copied the time from."""
    times = ["09:59:59", "10:00:00", "10:30:00", "11:00:00", "11:00:01"]
    keep(*(given_hit(number, event_time=f"2026-09-15T{time}Z") for number, time in enumerate(times)))
    window = {"since": datetime(2026, 9, 15, 10, tzinfo=UTC), "until": datetime(2026, 9, 15, 11, tzinfo=UTC)}

    assert ask(**window, **members) == [3, 2, 1]


def test_window_across_midnight_reads_both_days(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """A window shorter than a day can touch two of them."""
    keep(
        given_hit(1, event_time="2026-09-14T23:50:00Z"),
        given_hit(2, event_time="2026-09-15T00:05:00Z"),
    )
    window = {"since": datetime(2026, 9, 14, 23, 45, tzinfo=UTC), "until": datetime(2026, 9, 15, 0, 10, tzinfo=UTC)}

    assert ask(**window) == [2, 1]


@pytest.mark.parametrize("members", [{}, {"resource": KEY}, {"account": "111122223333"}])
def test_expired_hits_are_not_shown(keep: Keep, ask: Ask, given_hit: GivenHit, members: dict[str, Any]) -> None:
    """DynamoDB removes an expired row within days, not at once."""
    keep(given_hit(1), retention_days=-1)
    keep(given_hit(2))

    assert ask(**members) == [2]


def test_muted_hit_is_shown(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """An exception keeps a hit from the inboxes, not from whoever asks."""
    keep(given_hit(1, muted_by="nightly-rotation"))

    assert ask() == [1]


def test_pointer_without_its_hit_is_passed_over(
    keep: Keep, ask: Ask, given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """A crash between the two writes leaves pointers, which must not break the answer."""
    keep(given_hit(1), given_hit(2))
    account, event_id, rule_id = given_hit(1).identity
    dynamodb.delete_item(TableName=table, Key={"pk": {"S": f"H#{account}#{event_id}"}, "sk": {"S": rule_id}})

    assert ask() == [2]
    assert ask(account=account) == [2]


@pytest.mark.parametrize("members", [{}, {"account": "111122223333"}, {"resource": KEY}])
def test_more_hits_than_a_page_are_all_found_in_order(
    keep: Keep, ask: Ask, given_hit: GivenHit, members: dict[str, Any]
) -> None:
    """DynamoDB gives 100 rows a request; the 101st hit is no less a hit."""
    keep(*(given_hit(number, event_time=f"2026-09-15T{number // 60:02}:{number % 60:02}:00Z") for number in range(130)))

    assert ask(**members) == sorted(range(130), reverse=True)


def test_hit_is_found_as_it_was_kept(keep: Keep, given_hit: GivenHit, dynamodb: Any, table: str) -> None:
    """What a person reads in `trailbell hits` must be what the alert said."""
    hit = given_hit(1, undo=("aws kms enable-key",), also=("weak",), also_ids=("rule-2",))
    keep(hit)
    query = HitQuery(datetime(2026, 9, 15, tzinfo=UTC), datetime(2026, 9, 16, tzinfo=UTC))

    assert list(find_hits(dynamodb, table, query)) == [hit]


def test_hit_that_stands_for_a_day_is_found_once(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """Each of its records points at the same row; a page that names a row twice is refused by DynamoDB."""
    for number, hour in enumerate((9, 11, 8)):
        keep(given_hit(number, event_time=f"2026-09-15T{hour:02}:00:00Z", once="2026-09-15-kms.amazonaws.com-NewCall"))

    assert ask() == [0]


def test_persons_are_found_by_their_own_key_and_by_their_role(keep: Keep, ask: Ask, given_hit: GivenHit) -> None:
    """Who asks for the permission set must not miss those who signed in with it; who asks for one gets that one."""
    name = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
    role = f"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/{name}"
    dana, erin = (f"arn:aws:sts::111122223333:assumed-role/{name}/{person}" for person in ("dana", "erin"))
    time = "2026-09-15T10:00:00Z"
    first, second, older = given_hit(1, event_time=time), given_hit(2, event_time=time), given_hit(3, event_time=time)
    keep(
        replace(first, actor=replace(first.actor, key=dana, role=role)),
        replace(second, actor=replace(second.actor, key=erin, role=role)),
        replace(older, actor=replace(older.actor, key=role)),  # as an earlier version wrote it
    )

    assert ask(actor=dana) == [1]
    assert ask(actor=erin) == [2]
    assert sorted(ask(actor=role)) == [1, 2, 3]
    assert sorted(ask(actor=name)) == [1, 2, 3]
