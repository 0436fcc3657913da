"""A cold start makes a hundred thousand objects that stay: the garbage collector waits until it is over.

It would look through them a dozen times, for nothing: a sixth of the detector's cold start (docs/performance.md).
"""

import functools
import gc
from collections.abc import Callable
from typing import TypeVar


Made = TypeVar("Made")

gc.disable()  # importing this is a cold start's beginning


def ends_here(make: Callable[[], Made]) -> Callable[[], Made]:
    """Decorates what makes a function's parts. Over also where they could not be made: Lambda asks the same process
    again.
    """

    @functools.wraps(make)
    def made() -> Made:
        try:
            return make()
        finally:
            over()

    return made


def over() -> None:
    """Garbage is collected from now on, without what is there already."""
    if not gc.isenabled():  # once for a process: what is frozen is never given back
        gc.freeze()
        gc.enable()
