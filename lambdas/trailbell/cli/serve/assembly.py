"""All parts of a served page, put together for one socket."""

import socket
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
    """The application, what keeps its hits fresh (not started yet), and the address that opens it, with its key."""

    app: Starlette
    watcher: Watcher
    address: str


def assembled(aws: CallersAws, asked: Asked, bound: socket.socket) -> Assembled:
    """The parts, with keys of their own."""
    keys, hosts, known = Keys(), hosts_of(bound), KnownHits(asked.limit)
    watcher = Watcher(aws, known, asked.question, asked.limit, asked.pace)
    work = Work(aws, known, watcher, asked.source)
    app = application(Served(served_page(asked.source), keys, hosts, work, checks_of(aws)))
    return Assembled(app, watcher, f"http://{hosts[0]}{keys.page}#key={keys.token}")
