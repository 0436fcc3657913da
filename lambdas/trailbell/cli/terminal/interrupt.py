"""Ctrl-C as a question that is asked at the next good moment; pressed again, it ends at once."""

import signal
from types import FrameType


STATUS = 130
"""What a shell says of a command that Ctrl-C ended: 128 and the signal's number."""


class Interrupt:
    """While the `with` block runs, Ctrl-C is remembered instead of raised."""

    def __init__(self) -> None:
        self._asked = False
        self._before: object = None

    def __call__(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._asked

    def __enter__(self) -> "Interrupt":
        self._before = signal.signal(signal.SIGINT, self._remember)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]  # what signal itself returned

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
