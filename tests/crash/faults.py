"""What goes wrong, where: a plan names the calls to AWS that fail, and how.

A call is known by what it is about ("put H#1#e-7/r") and how often that was asked for, never by its place in
some order, so that a schedule can be run again, and threads do not change it.
"""

import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError


class Killed(BaseException):
    """The function's process ends here, without any code of ours running on."""


THROTTLED = "throttled"  # an error that asks to come again later, nothing was done
FAILED = "failed"  # an error of the service's own, nothing was done
TIMEOUT = "timed out"  # no answer, nothing was done
LOST = "answer lost"  # no answer, but it was done
BEFORE = "killed before"
AFTER = "killed after"
PARTLY = "partly done"  # DynamoDB leaves a part of a batch undone, and says so
PARTLY_KILLED = "killed when partly done"
CUT = "cut off"  # the connection breaks within a body
OVERTAKEN = "overtaken"  # another worker does all of the same message meanwhile
AGAIN = "delivered again"

ANY_CALL = (THROTTLED, FAILED, TIMEOUT, LOST, BEFORE, AFTER)
BATCH_CALL = (*ANY_CALL, PARTLY, PARTLY_KILLED)
_CODES = {THROTTLED: "ProvisionedThroughputExceededException", FAILED: "InternalServerError"}
DEADLY = {BEFORE, AFTER, PARTLY_KILLED}

Plan = Callable[[str, int, tuple[str, ...]], str | None]
"""Given a call, how often it was made before, and what can happen to it: what happens, None for nothing."""


@dataclass
class Faults:
    """Asks the plan at every call, remembers what happened, and when."""

    plan: Plan
    calls: dict[str, tuple[str, ...]] = field(default_factory=dict)
    happened: list[tuple[int, int, str, str]] = field(default_factory=list)
    time: int = 0
    invocation: int = 0
    mended: bool = False
    dead: bool = False
    _made: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """A new invocation begins, in a process that lives."""
        with self._lock:
            self.invocation += 1
            self.dead = False

    def at(self, call: str, kinds: tuple[str, ...]) -> str | None:
        """What happens to this call. A process that was killed makes none."""
        with self._lock:
            if self.dead:
                raise Killed(call)
            self.time += 1
            made = self._made[call]
            self._made[call] += 1
            self.calls[f"{call} {made}"] = kinds
            kind = None if self.mended else self.plan(call, made, kinds)
            if kind:
                self.happened.append((self.time, self.invocation, f"{call} {made}", kind))
            if kind in DEADLY:
                self.dead = True
            return kind

    def between(self, invocation: int, since: int) -> bool:
        """Whether something went wrong in an invocation at that time or later; being overtaken is nothing wrong."""
        return any(
            when >= since and which == invocation and kind != OVERTAKEN for when, which, _, kind in self.happened
        )


def before(kind: str | None, call: str) -> None:
    """Raise what keeps a call from being done."""
    if kind in _CODES:
        raise ClientError({"Error": {"Code": _CODES[kind], "Message": "not now"}}, call)
    if kind == TIMEOUT:
        raise ConnectTimeoutError(endpoint_url=call)
    if kind == BEFORE:
        raise Killed(call)


def after(kind: str | None, call: str) -> None:
    """Raise what keeps the answer of a call that was done from being heard."""
    if kind == LOST:
        raise ReadTimeoutError(endpoint_url=call)
    if kind in (AFTER, PARTLY_KILLED):
        raise Killed(call)


def nothing(call: str, made: int, kinds: tuple[str, ...]) -> None:
    """The plan of a good day."""


def scripted(script: Mapping[str, str]) -> Plan:
    """Exactly these: call and number → what happens."""
    return lambda call, made, kinds: script.get(f"{call} {made}")


def chosen(seed: int) -> Plan:
    """By chance, the same for a seed: some calls fail at first, a few until somebody mends it."""
    rate, broken = _draw(seed, "rate", 40) / 100, _draw(seed, "broken", 6) / 100

    def plan(call: str, made: int, kinds: tuple[str, ...]) -> str | None:
        if broken and _draw(seed, f"broken {call}", 1000) < broken * 1000:
            lasting = [kind for kind in kinds if kind in (THROTTLED, FAILED, TIMEOUT, BEFORE, PARTLY, CUT)]
            return lasting[_draw(seed, f"how {call}", len(lasting))] if lasting else None
        if made < 3 and _draw(seed, f"{call} {made}", 1000) < rate * 1000:
            return kinds[_draw(seed, f"how {call} {made}", len(kinds))]
        return None

    return plan


def part_of(items: Iterable[str], call: str) -> list[str]:
    """Some of them: those that were done when a batch was partly done; not all, and the same each time."""
    ordered = sorted(items)
    return ordered[: _draw(0, call, len(ordered))]


def _draw(seed: int, name: str, below: int) -> int:
    return zlib.crc32(f"{seed} {name}".encode()) % below
