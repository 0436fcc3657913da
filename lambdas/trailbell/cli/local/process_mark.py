"""What tells a process from a later one with its id: whose it is, when it started, and its command line."""

import os
from contextlib import suppress
from typing import Annotated

import msgspec
import psutil


# The kernel counts from boot, and when that was moves a little as the clock is set; no id comes round that fast.
_SAME_SECONDS = 2.0


class ProcessMark(msgspec.Struct, frozen=True):
    """A process: its id, its start in seconds since 1970, the user it runs as, and its command line.

    The id is never 0 or 1, which for a signal to a group mean one's own and everybody's.
    """

    pid: Annotated[int, msgspec.Meta(gt=1)]
    started: float
    owner: str
    command: tuple[str, ...]

    def strangeness(self) -> str:
        """Why no process of that id is the one that was marked, "" if one is."""
        try:
            now = mark_of(self.pid)
        except psutil.AccessDenied:
            return f"process {self.pid} is somebody else's now"
        except psutil.NoSuchProcess:
            return f"process {self.pid} has ended"
        if now.owner != self.owner:
            return f"process {self.pid} is somebody else's now"
        if now.command != self.command or abs(now.started - self.started) > _SAME_SECONDS:
            return f"process {self.pid} is another one now"
        return ""


class Kept(msgspec.Struct, frozen=True):
    """What is remembered of an embedded AWS: its address, the file it logs to, and its process."""

    endpoint: str
    log: str
    process: ProcessMark


def mark_of(pid: int) -> ProcessMark:
    """The mark of a running process. Raises psutil.NoSuchProcess, also if it has only not been waited for, and
    psutil.AccessDenied where the system does not say.
    """
    process = psutil.Process(pid)
    with process.oneshot():
        if process.status() == psutil.STATUS_ZOMBIE:
            raise psutil.ZombieProcess(pid)  # a NoSuchProcess
        return ProcessMark(pid, process.create_time(), process.username(), tuple(process.cmdline()))


def is_group_alive(group: int) -> bool:
    """Whether a process of a group still runs; one that has ended and that nobody waits for does not: in a container
    often nobody does.
    """
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False
