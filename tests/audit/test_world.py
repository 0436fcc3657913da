"""The audit against a world of our own: every tampering is told, alone and in pairs; of an honest history, nothing."""

from datetime import datetime
from itertools import permutations
from pathlib import Path

import pytest

from tests.audit.audited import Told, audit, honest
from tests.audit.tamperings import KINDS, Expected, Tampering
from tests.audit.world import BEGIN, HOUR, SHAPES, TrailSpec, World, below
from trailbell.cloudtrail.digest_key import delivery_span, parse_digest_key


HARMLESS = {"valid", "unproven", "beyond", "gap"}


def apply(expected: Expected, told: Told) -> Told:
    """What is told once a tampering is expected; gaps are compared by their causes."""
    words = {**told, **{key: word for key, word in expected.items() if key != "gap"}}
    return {key: word for key, word in words.items() if word}


def without_gaps(told: Told) -> tuple[Told, set[str]]:
    """The verdicts, and the causes of gaps."""
    gaps = {word for key, word in told.items() if key.startswith("gap ")}
    return {key: word for key, word in told.items() if not key.startswith("gap ")}, gaps


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", SHAPES)
def test_honest_history_tells_nothing(name: str, seed: int, tmp_path: Path) -> None:
    """Whoever is told of what nobody did reads the next message less carefully."""
    world = World(seed, SHAPES[name])

    status, told = audit(tmp_path, world)

    verdicts, gaps = without_gaps(told)
    assert (status, verdicts) == (0, honest(world))
    assert gaps == ({"restart"} if "stopped" in name else set())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("seed", range(3))
def test_tampering_is_told_by_its_word_and_nothing_else_is(kind: Tampering, seed: int, tmp_path: Path) -> None:
    """A finding that names the wrong file sends people to the wrong place."""
    world = World(seed, (TrailSpec(), TrailSpec("other_us-east-1", regions=("eu-central-1",), prefix="more")))
    before = honest(world)
    expected = kind.do(world, world.chains[seed % 2])

    status, told = audit(tmp_path, world)

    verdicts, gaps = without_gaps(told)
    assert verdicts == apply(expected, before)
    assert gaps == ({expected["gap"]} if "gap" in expected else set())
    assert status == int(kind.told)


PAIRS = list(permutations([kind for kind in KINDS if kind.told], 2))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_of_two_tamperings_each_is_told(part: int, tmp_path: Path) -> None:
    """One fault must not hide another: each is told, or its digest is, or that nothing is proven of its time."""
    for number, (one, other) in enumerate(PAIRS[part::8]):
        world = World(number, hours=6)
        before = honest(world)
        first = one.do(world, world.chains[0])
        try:
            second = other.do(world, world.chains[0])
        except (KeyError, ValueError, IndexError, OSError, EOFError):
            continue  # the first has left nothing to tamper with

        status, told = audit(tmp_path / str(number), world)

        assert status == 1, (one.name, other.name)
        touched = {key for key in (*first, *second) if key != "gap"}
        unproven = {key for key, word in told.items() if word == "unproven"}
        for key, word in before.items():
            if key not in touched | unproven:
                assert told.get(key, "") in (word, "chain-broken"), (one.name, other.name, key)
        for expected in (first, second):
            keys = {key for key in expected if key != "gap"}
            keys |= {below(one) for one, logs in world.chains[0].logs.items() if keys & set(map(below, logs))}
            heard = any(told.get(key, "valid") not in HARMLESS for key in keys)
            assert heard or any(in_a_gap(key, told) for key in keys), (one.name, other.name, expected, told)


def in_a_gap(key: str, told: Told) -> bool:
    """Whether a digest, or a log file of this name, is of a time of which the audit says that nothing is proven."""
    digest, log = parse_digest_key(key), delivery_span(key)
    since, until = (digest.end - HOUR / 2, digest.end - HOUR / 2) if digest else log or (BEGIN, BEGIN)
    gaps = [name.split()[1:] for name, cause in told.items() if name.startswith("gap ") and cause == "lost"]
    return any(datetime.fromisoformat(one) <= until and since <= datetime.fromisoformat(other) for one, other in gaps)
