"""How a flow does the same for many: side by side, where its adapter can, or one after another."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol


class Each(Protocol):
    """Does something for each of many, side by side or not; what came of each, in order."""

    def __call__(self, do: Callable[[Any], Any], items: Iterable[Any], /) -> list[Any]:
        """Raises what the first that failed raised."""


def one_by_one(do: Callable[[Any], Any], items: Iterable[Any], /) -> list[Any]:
    """For each, one after another."""
    return [do(item) for item in items]
