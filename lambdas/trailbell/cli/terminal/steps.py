"""Long steps, shown while they run: a spinner on a terminal, a line at the start and end elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def step(console: Console, what: str) -> Iterator[None]:
    """Show that `what` is being done, and how long it took."""
    began = time.monotonic()
    if console.is_terminal:
        with console.status(f"{what} ..."):
            yield
    else:
        console.print(f"{what} ...")
        yield
    console.print(f"  done: {what} ({time.monotonic() - began:.1f} s)")
