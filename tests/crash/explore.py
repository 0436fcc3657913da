"""Schedules of faults, one after another: every single fault there can be, then many at once by chance.

.venv/bin/python -m tests.crash.explore --schedules 20000        (make stress)
.venv/bin/python -m tests.crash.explore --seed 4711              one of them again, cut down to what matters
"""

import argparse
import sys
import time
from dataclasses import dataclass

from tests.crash.faults import chosen, nothing, scripted
from tests.crash.world import Broken, World
from trailbell.store import dynamo


_STORMS = (0, 0, 0, 30)  # more than DynamoDB takes in one batch of marks
_LIVE = (1.0, 0.5, 0.0, 0.2, 0.8)


@dataclass
class Tried:
    """How many schedules were tried, how many faults they held, and how many hits were told twice for a reason."""

    schedules: int = 0
    faults: int = 0
    told_twice: int = 0
    hits: int = 0
    hits_by_live: int = 0

    def add(self, world: World) -> None:
        self.schedules += 1
        self.faults += len(world.faults.happened)
        self.told_twice += world.twice
        self.hits += world.hits
        self.hits_by_live += world.by_live

    def __str__(self) -> str:
        return (
            f"{self.schedules} schedules with {self.faults} faults: no hit lost, "
            f"{self.told_twice} told twice, each because of a fault between publication and mark; of {self.hits} hits"
            f" {self.hits_by_live} by a live event first, each in its log file since"
        )


def try_every_single_fault(tried: Tried) -> None:
    """Each call of a good day, failing once in each way it can. Raises Broken with the script of the first."""
    quiet = World(nothing)
    quiet.run()
    tried.add(quiet)
    for call, kinds in quiet.faults.calls.items():
        for kind in kinds:
            _try({call: kind}, 0, 0, tried)


def try_by_chance(seeds: range, tried: Tried) -> None:
    """Many faults at once, chosen by each seed. Raises Broken with the seed and the smallest script that breaks."""
    for seed in seeds:
        world = World(chosen(seed), seed, _storm(seed), _live(seed))
        try:
            world.run()
        except Broken as broken:
            raise Broken(f"seed {seed}: {broken}\nthe faults it takes: {_least(seed)}") from broken
        tried.add(world)


def _try(script: dict[str, str], seed: int, storm: int, tried: Tried) -> None:
    world = World(scripted(script), seed, storm)
    try:
        world.run()
    except Broken as broken:
        raise Broken(f"{script}: {broken}") from broken
    tried.add(world)


def _storm(seed: int) -> int:
    return _STORMS[seed % len(_STORMS)]


def _live(seed: int) -> float:
    """The share of records that live events bring, too."""
    return _LIVE[seed % len(_LIVE)]


def _least(seed: int) -> dict[str, str]:
    """The faults of a seed's schedule without those that it breaks without."""
    world = World(chosen(seed), seed, _storm(seed), _live(seed))
    _breaks(world)
    script = {call: kind for _, _, call, kind in world.faults.happened}
    for call in list(script):
        less = {other: kind for other, kind in script.items() if other != call}
        if _breaks(World(scripted(less), seed, _storm(seed), _live(seed))):
            script = less
    return script


def _breaks(world: World) -> bool:
    try:
        world.run()
    except Broken:
        return True
    return False


def main() -> None:
    """Try as many as are asked for, and say how many held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=2000, help="how many by chance")
    parser.add_argument("--seed", type=int, default=None, help="only this one")
    options = parser.parse_args()
    without_pauses()
    tried, began = Tried(), time.monotonic()
    try:
        if options.seed is None:
            try_every_single_fault(tried)
        start = options.seed or 0
        try_by_chance(range(start, start + (options.schedules if options.seed is None else 1)), tried)
    except Broken as broken:
        sys.exit(f"BROKEN: {broken}")
    sys.stdout.write(f"{tried} ({time.monotonic() - began:.0f} s)\n")


def without_pauses() -> None:
    """Retries wait for nobody here."""
    dynamo._FIRST_PAUSE = 0.0


if __name__ == "__main__":
    main()
