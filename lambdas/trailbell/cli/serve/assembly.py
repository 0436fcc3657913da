"""All parts of a served page, put together for one socket."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette

from trailbell.cli.serve.app import Served, application
from trailbell.cli.serve.callers_aws import CallersAws
from trailbell.cli.serve.checks import checks_of
from trailbell.cli.serve.keys import Keys
from trailbell.cli.serve.known_hits import KnownHits
from trailbell.cli.serve.listening import hosts_of
from trailbell.cli.serve.page_file import served_page
from trailbell.cli.serve.watcher import Pace, Question, Watcher
from trailbell.cli.serve.work import Work


@dataclass(frozen=True, slots=True)
class Asked:
    """Which hits are shown, how many at most, how often they are looked for, and where they are from, for a person."""

    question: Question
    limit: int
    pace: Pace
    source: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """The application, its secrets, and what keeps its hits fresh (not started yet). root: its address without path."""

    app: Starlette
    keys: Keys
    watcher: Watcher
    root: str

    @property
    def address(self) -> str:
        """What opens the page in one tab, once."""
        return f"{self.root}{self.keys.page}#key={self.keys.once}"


def assembled(
    aws: CallersAws, asked: Asked, bound: socket.socket, opened: Callable[[str], None] = lambda _: None
) -> Assembled:
    """The parts, with keys of their own. opened: told the address for another tab, whenever the last one was used."""
    keys, hosts, known = Keys(), hosts_of(bound), KnownHits(asked.limit)
    watcher = Watcher(aws, known, asked.question, asked.limit, asked.pace)
    work = Work(aws, known, watcher, asked.source)

    def exchanged() -> None:
        opened(parts.address)

    app = application(Served(served_page(asked.source), keys, hosts, work, checks_of(aws), exchanged))
    parts = Assembled(app, keys, watcher, f"http://{hosts[0]}")
    return parts
