"""A few threads that make requests side by side, shared by everybody who has some to make."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar


Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """At most `count` requests at once, whoever asks for them."""

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, "worker")

    def each(self, do: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """What `do` gives for each item, in order.

        Raises what the first that failed raised, once nothing of this call runs any more; what had not begun
        by then is not done.
        """
        todo = list(items)
        if len(todo) < 2:
            return [do(item) for item in todo]
        running = [self._pool.submit(do, item) for item in todo]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            for future in running:
                future.cancel()
            wait(running)
        for future in running:
            if not future.cancelled() and (error := future.exception()):
                raise error
        return [future.result() for future in running]
