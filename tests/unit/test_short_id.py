"""The short id of a hit: the same for ever, and enough to find it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbell.alerts.alert import Alert, alert_document
from trailbell.alerts.chat_text import chat_text
from trailbell.alerts.mail import mail_text
from trailbell.cli.options.connection import Connection
from trailbell.hits.hit import Hit, raised
from trailbell.hits.hit_id import parse_hit_name
from trailbell.hits.short_id import LONGEST, SHORT, read_short_id, shard_of, short_id
from trailbell.store.rows import SHARDS
from trailbell.text.times import iso_time


GivenHit = Callable[..., Hit]

IDENTITY = ("111122223333", "6f3c1a52-0c2b-4a44-9d0e-2f5b8b0a1c11", "act")


def test_short_id_never_changes() -> None:
    """It stands in mails that are years old: a new version must find what an old one named."""
    assert short_id(IDENTITY, "2026-11-26T10:00:00Z") == "h5ym7nq7"
    assert short_id(IDENTITY, "2026-11-26T10:00:00Z", 12) == "h5ym7nq7r6qy"
    assert SHARDS == 4


@given(st.datetimes(datetime(1970, 1, 1), datetime(2130, 1, 1)), st.uuids(), st.integers(SHORT, LONGEST))
def test_short_id_says_where_the_hit_is(moment: datetime, event: object, length: int) -> None:
    """Day and partition are read from it, in whatever year and however long it is, up to a day ahead of our clock."""
    text = iso_time(moment.replace(tzinfo=UTC))
    identity = ("111122223333", str(event), "act")

    short = read_short_id(short_id(identity, text, length))

    assert short is not None
    assert short.shard == shard_of(str(event))
    for now in (moment.date(), moment.date() - timedelta(days=1), moment.date() + timedelta(days=400)):
        assert short.days(now)[0] == moment.date()
    assert all(day <= date(2060, 1, 2) for day in short.days(date(2060, 1, 1)))


@given(st.dates(date(1970, 1, 1), date(2130, 1, 1)), st.text(), st.integers(SHORT, LONGEST))
def test_the_eight_characters_are_the_first_of_more(day: date, event: str, length: int) -> None:
    """They are made in a shorter way than the rest."""
    identity = ("111122223333", event.encode("utf-8", "replace").decode(), "act")

    assert short_id(identity, f"{day}T10:00:00Z", length).startswith(short_id(identity, f"{day}T10:00:00Z"))


def test_short_id_is_read_as_people_write_it() -> None:
    """From a phone, in capitals, with the letters that look like digits."""
    assert read_short_id("GZ6R4MZ7") == read_short_id("gz6r4mz7")
    assert read_short_id("1o1a2b3c") == read_short_id("lOia2b3c") == read_short_id("101a2b3c")


@pytest.mark.parametrize(
    "text", [IDENTITY[1], "/".join(IDENTITY), "gz6r4mz", "gz6r4mzu", "261126-0a1b2c3d", "", "é" * 8]
)
def test_other_names_are_no_short_ids(text: str) -> None:
    """What named a hit before still does."""
    assert read_short_id(text) is None


def test_stronger_verdict_has_the_short_id_of_its_act(given_hit: GivenHit) -> None:
    """The second mail is about the same thing: it belongs to the same thread, and is closed with it."""
    hit = given_hit()

    assert raised(hit, "medium", "x").short_id == hit.short_id
    assert parse_hit_name(hit.short_id).short == read_short_id(hit.short_id)


def test_hits_of_a_day_share_a_short_id_as_seldom_as_promised() -> None:
    """27 bits tell a day's hits apart: some two of 20,000 share them with a probability of 0.78, of 200 with 0.0001."""
    ids = [short_id((*IDENTITY[:1], f"event-{number}", "act"), "2026-11-26") for number in range(20_000)]

    assert len(ids) - len(set(ids)) <= 6  # 1.5 expected
    assert len(set(ids[:200])) == 200


def test_longer_ids_tell_apart_what_eight_characters_do_not() -> None:
    """Whoever is told that two hits go by one name is given more characters of each."""
    first, second = ((*IDENTITY[:1], event, "act") for event in ("event-11114", "event-12588"))

    assert short_id(first, "2026-11-26") == short_id(second, "2026-11-26")
    assert short_id(first, "2026-11-26", 9) != short_id(second, "2026-11-26", 9)


def test_mail_and_chat_hold_commands_to_paste(given_hit: GivenHit) -> None:
    """Whoever is woken up must not look up an id; beyond ten hits the line says that there are more."""
    hits = [given_hit(eventID=f"11111111-0000-4000-8000-{number:012d}") for number in range(12)]
    first = hits[0].short_id

    one, crowd = mail_text(hits[:1]), mail_text(hits)
    elsewhere = chat_text(Alert(tuple(hits[:1]), where="--stack other"), 3000)

    for word in ("ack", "resolve", "undo"):
        assert f": trailbell {word} {first}\n" in one
        assert f"`trailbell {word} {first} --stack other`" in elsewhere
    assert f"acknowledge (the first 10 of 12): trailbell ack {' '.join(hit.short_id for hit in hits[:10])}\n" in crowd
    assert alert_document(Alert(tuple(hits)))["shortId"] == first


@pytest.mark.parametrize(
    ("connection", "options"),
    [
        (Connection(False, "", "trailbell"), ""),
        (Connection(False, "", "other"), "--stack other"),
        (Connection(False, "my table", "other"), "--table 'my table'"),
        (Connection(True, "", "trailbell"), "--local"),
    ],
)
def test_commands_lead_to_the_table_that_was_asked(connection: Connection, options: str) -> None:
    """What `trailbell hit --stack other` shows is pasted into the same shell."""
    assert connection.options == options
