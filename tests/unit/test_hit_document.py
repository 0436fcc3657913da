"""A hit's document is made in one walk, with short ways for what most hits hold: compared with the plain way."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbell.cloudtrail.origin import NO_PLACE, LiveEvent, Place
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit, hit_document, hit_from_document, shown_document, shown_name


_SPELT = {
    "event_id": "eventID",
    "shared_event_id": "sharedEventID",
    "request_id": "requestID",
    "source_ip": "sourceIPAddress",
}
_HIT = Hit(
    **{part.name: part.name for part in fields(Hit)[:13]},  # type: ignore[arg-type] # texts by their names
    actor=Actor("iam-user", "IAM user ci", "arn:aws:iam::111122223333:user/ci"),
    resources=("a", "b"),
    place=Place("bucket", "key", 3),
    seen_at="2026-09-01T09:14:07Z",
    tags=("attack.impact",),
    shown=(("to bucket", "other"),),
    quiet=True,
)


def _spelt(name: str) -> str:
    head, *rest = name.split("_")
    return _SPELT.get(name, head + "".join(map(str.capitalize, rest)))


def _plain(value: Any) -> dict[str, Any]:
    """Member by member: what is empty is left out, but for numbers."""
    document: dict[str, Any] = {}
    for part in fields(value):
        member = getattr(value, part.name)
        if not member and not (part.type is int and type(member) is int):
            continue
        if isinstance(member, tuple):
            member = list(member)
        document[_spelt(part.name)] = _plain(member) if is_dataclass(member) else member
    return document


def _plain_document(hit: Hit) -> dict[str, Any]:
    first = {"hitId": hit.hit_id, "shortId": hit.short_id, "service": hit.service}
    document = {**first, **_plain(hit)}
    if hit.shown:
        document["shown"] = shown_document(hit)
    return document


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"place": NO_PLACE},
        {"place": Place("", "folder/file", 0)},
        {"place": NO_PLACE, "live": LiveEvent("id", "111122223333", "us-east-1")},
        {"actor": Actor("role", "a", "b", console=True), "shown": (), "quiet": False},
        {"format": 0, "replayed": True},
        {"resources": (), "undo": ("aws kms enable-key",), "level_note": "raised"},
    ],
)
def test_it_is_what_the_plain_way_gives(members: dict[str, Any]) -> None:
    hit = replace(_HIT, **members)

    assert list(hit_document(hit).items()) == list(_plain_document(hit).items())
    assert hit_from_document(hit_document(hit)) == hit


@pytest.mark.parametrize(
    "members",
    [
        {"place": {"index": "first"}},
        {"place": {"index": None, "bucket": ["a"]}},
        {"place": {"index": 0, "key": 7}},
        {"title": ["a", "b"], "quiet": "yes", "format": "1"},
        {"title": 0, "level": None, "tags": "attack"},
        {"actor": {"kind": ["x"], "console": 1}},
    ],
)
def test_rows_that_somebody_else_wrote_come_out_as_plainly(members: dict[str, Any]) -> None:
    document = {name: value for name, value in hit_document(_HIT).items() if name not in members} | members
    hit = hit_from_document(document)
    if any(isinstance(getattr(hit.actor, part.name), tuple) for part in fields(Actor)):
        hit = replace(hit, actor=_HIT.actor)  # actors are remembered by their members' texts

    assert list(hit_document(hit).items()) == list(_plain_document(hit).items())


def test_documents_do_not_share_what_can_be_changed() -> None:
    """Who makes a row or a line of a document may add to it, and must not add to the next hit's."""
    first, second = hit_document(_HIT), hit_document(_HIT)
    for member in (first["actor"], first["place"]):
        member.clear()
    for name in ("resources", "tags", "shown"):
        first[name].clear()

    assert second == hit_document(_HIT) == _plain_document(_HIT)


@given(st.uuids().map(str))
def test_a_uuid_is_kept_as_it_is(uuid: str) -> None:
    """So that ids are not looked through for secrets and links."""
    assert shown_name(uuid) == uuid
