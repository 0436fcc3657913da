"""A hit made the quick way is the one that its class makes."""

import copy
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from trailbell.cloudtrail.origin import NO_PLACE
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit, hit_document
from trailbell.hits.quickly import quick_maker


_ACTOR = Actor("iam-user", "IAM user ci", "arn:aws:iam::111122223333:user/ci")
_NEEDED = {part.name: part.name for part in fields(Hit)[:13]} | {
    "actor": _ACTOR,
    "resources": ("a",),
    "place": NO_PLACE,
    "seen_at": "2026-09-01T09:14:07Z",
}
_GIVEN = _NEEDED | {"undo": ("aws kms enable-key",), "quiet": True}

_quick_hit = quick_maker(Hit)


def test_it_is_what_the_class_makes() -> None:
    quick, plain = _quick_hit(**_GIVEN), Hit(**_GIVEN)  # type: ignore[arg-type] # texts and others by their names

    assert type(quick) is Hit
    assert quick == plain
    assert hash(quick) == hash(plain)
    assert repr(quick) == repr(plain)
    assert hit_document(quick) == hit_document(plain)
    assert all(getattr(quick, part.name) == getattr(plain, part.name) for part in fields(Hit))


def test_it_stays_frozen() -> None:
    quick = _quick_hit(**_GIVEN)  # type: ignore[arg-type] # the same

    with pytest.raises(FrozenInstanceError):
        quick.level = "low"  # type: ignore[misc] # on purpose


def test_it_can_be_replaced_and_copied() -> None:
    quick, plain = _quick_hit(**_GIVEN), Hit(**_GIVEN)  # type: ignore[arg-type] # the same

    assert replace(quick, level="low") == replace(plain, level="low")
    assert copy.copy(quick) == plain
    assert copy.deepcopy(quick) == plain


@pytest.mark.parametrize("wrong", [{}, _NEEDED | {"unknown": "x"}])
def test_wrong_arguments_are_refused_alike(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Hit(**wrong)  # type: ignore[arg-type] # on purpose
    with pytest.raises(TypeError):
        _quick_hit(**wrong)  # type: ignore[arg-type] # on purpose
