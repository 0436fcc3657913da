"""One act on the alerter: what is done, how it is undone, and the alarms and the link of the chain that it touches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.e2e.acts.stack import ActedOn


Do = Callable[[ActedOn], Iterator[None]]
"""Does the act, yields, and undoes it; one that cannot be undone ends there."""


@dataclass(frozen=True)
class Act:
    """A row of the table.

    alarms: those that fire in time, by their names in ops/advice.toml; declared, because nothing evaluates them here.
            One that the stack does not have is not shown.
    cut:    the link of the chain that is cut, at which a canary stays away; "" if it comes back.
    missed: whether the clock, which sends canaries, is left to miss them.
    once:   whether only a canary stays away that is there at that moment.
    flown:  whether a canary is sent while it is done, on the deployed stack.
    """

    part: str
    what: str
    do: Do
    alarms: tuple[str, ...] = ()
    cut: str = ""
    missed: bool = True
    once: bool = False
    flown: bool = False


# What stops, and the alarms that watch for it (infra/watch.py).
FEED = ("Silence",)
READING = ("OldestNotification", "Silence")
DETECTOR_FAILS = ("DetectorErrors", "OldestNotification", "Silence", "DeadLettersNotEmpty")
TABLE_REFUSES = (*DETECTOR_FAILS, "ClockErrors")  # the clock, too, can neither read nor write what is due
HANDOVER = ("HitsNotReceived",)
NOTIFIER_FAILS = ("NotifierErrors", "DeliveryDelayed", "AlertDeadLettersNotEmpty")
PUBLISHING = ("DeliveryFailing", "DeliveryDelayed", "AlertDeadLettersNotEmpty")


def call(service: str, operation: str, /, **arguments: object) -> Do:
    """An act of one call without undo; arguments that can be called are given the stack."""

    def do(stack: ActedOn) -> Iterator[None]:
        given = {name: value(stack) if callable(value) else value for name, value in arguments.items()}
        stack.try_to(service, operation, **given)
        yield

    return do


def undone(do: Do, *undo: Do) -> Do:
    """An act, and the acts that undo it, in their order."""

    def both(stack: ActedOn) -> Iterator[None]:
        yield from do(stack)
        for one in undo:
            for _ in one(stack):
                pass

    return both
