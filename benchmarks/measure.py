"""How everything is measured: contenders take turns in one run, and ratios of each round are what is reported.

A machine's speed drifts by half between minutes; what two contenders cost one after the other does not.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple


Contender = Callable[[bytes], object]


class Row(NamedTuple):
    """One line of the table: what, the target as text, and the least, middle and greatest of its rounds."""

    name: str
    target: str
    least: float
    median: float
    most: float


def row(name: str, target: str, values: Iterable[float]) -> Row:
    """The row of a list of measurements."""
    found = sorted(values)
    return Row(name, target, found[0], statistics.median(found), found[-1])


def ratios(costs: Mapping[str, list[float]], what: str, against: str) -> list[float]:
    """What one contender cost against another, round by round."""
    return [one / other for one, other in zip(costs[what], costs[against], strict=True)]


def keep() -> None:
    """Nobody pays for what another left behind, nor for looking through what all of them keep: a scan and a function
    in Lambda do not, either.
    """
    gc.collect()
    gc.freeze()


def take_turns(contenders: Mapping[str, Contender], inputs: Iterable[bytes]) -> dict[str, list[float]]:
    """CPU seconds of this thread for every contender on every input, the order changing from round to round."""
    costs: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    for given in inputs:
        order = order[1:] + order[:1]
        keep()
        for name in order:
            begun = time.thread_time()
            contenders[name](given)
            costs[name].append(time.thread_time() - begun)
    return costs
