"""A socket on loopback and nowhere else, and the server on it until Ctrl-C."""

import ipaddress
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import uvicorn
from starlette.applications import Starlette

from trailbell.cli.terminal.interrupt import Interrupt
from trailbell.errors import SettingsError


_LAST_WORDS = 5  # seconds for what is being written when Ctrl-C comes

_REDIRECT = """<!doctype html>
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url={url}">
"""


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes any that is free. Raises SettingsError for an address that others can reach.

    Nothing is looked up: a name may lead anywhere.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise SettingsError(f"--host {host}: {_LOOPBACK}") from None
    if not address.is_loopback or (address.version == 6 and address.ipv4_mapped):
        raise SettingsError(f"--host {host}: {_LOOPBACK}")
    bound = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # a port just left can be taken again; on Windows two would share it
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((str(address), port))
        bound.listen()
    except OSError as error:
        bound.close()
        raise SettingsError(f"--port {port}: {error.strerror}: give another, or none for any that is free") from None
    return bound


_LOOPBACK = (
    "only this machine may connect: give 127.0.0.1, ::1 or localhost. From elsewhere, tunnel to the same port: "
    "ssh -L PORT:127.0.0.1:PORT this-machine"
)


def hosts_of(bound: socket.socket) -> tuple[str, ...]:
    """How a browser on this machine may call the server, first as it is printed."""
    address, port = bound.getsockname()[:2]
    literal = f"[{address}]" if ":" in address else address
    return (f"{literal}:{port}", f"localhost:{port}")


class Server(uvicorn.Server):
    """Says when it listens, so that whoever is told its address can reach it, and end it."""

    def __init__(self, config: uvicorn.Config, listens: Callable[[], None]) -> None:
        super().__init__(config)
        self._listens = listens

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it; then it says so."""
        await super().startup(sockets)
        self._listens()


def run_server(app: Starlette, bound: socket.socket, listens: Callable[[], None]) -> None:
    """Serve until Ctrl-C; `listens` is called once it can be reached, not at all where Ctrl-C came before."""
    with Interrupt() as stopped:  # until uvicorn listens to signals, and when it hands them on at its end

        def started() -> None:
            if stopped():
                server.should_exit = True
            else:
                listens()

        server = server_of(app, started)
        server.run(sockets=[bound])


def server_of(app: Starlette, listens: Callable[[], None]) -> Server:
    """A server that says nothing of itself, in its answers and on the terminal, but what is our own defect."""
    config = uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,  # who asks is who connects
        server_header=False,
        timeout_graceful_shutdown=_LAST_WORDS,
    )
    return Server(config, listens)


def leave(status: int) -> NoReturn:
    """End the process. Threads that still wait for AWS, whose answers nobody needs, are not waited for."""
    sys.stdout.flush()
    sys.stderr.flush()
    if threading.active_count() > 1:  # Python would wait for those of pools, daemons or not
        os._exit(status)
    sys.exit(status)


@contextmanager
def private_redirect(url: str) -> Iterator[str]:
    """The address of a file that only its owner can read and that leads to the page.

    A browser is started with it: what programs are started with, everybody on a machine can see.
    """
    handle, name = tempfile.mkstemp(prefix="trailbell-", suffix=".html", dir=os.environ.get("XDG_RUNTIME_DIR") or None)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(_REDIRECT.format(url=url))
        yield Path(name).as_uri()
    finally:
        with suppress(OSError):
            os.unlink(name)
