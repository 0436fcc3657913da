"""What the page asks for and how it is answered; whether it may ask is decided before (guard.py).

What waits for AWS, or may, runs in threads. Answers are JSON; `error` says what went wrong, `who` who must act.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from anyio.to_thread import run_sync
from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from trailbell.cli.serve.checks import Checks
from trailbell.cli.serve.guard import EXCHANGE, Guard
from trailbell.cli.serve.keys import Keys
from trailbell.cli.serve.outage import problem_of, who_acts
from trailbell.cli.serve.page_file import ServedPage
from trailbell.cli.serve.work import RefusedError, UnknownHitError, Work
from trailbell.errors import StateError, TrailbellError
from trailbell.text.safe_text import one_line


_LARGEST_BODY = 65_536  # bytes: many notes; one that is too long is refused with words, not by its size
_NUMBER = re.compile(r"-?[0-9]{1,15}")

T = TypeVar("T")
Ref = Annotated[str, msgspec.Meta(max_length=128)]


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody makes of a hit. version: of the state they looked at; note: of any length, refused with words."""

    ref: Ref
    action: Literal["ack", "resolve", "reopen", "note"]
    version: Annotated[int, msgspec.Meta(ge=0, lt=10**15)]
    note: str = ""
    resolved_as: Literal["", "false", "confirmed"] = msgspec.field(default="", name="as")


class Named(msgspec.Struct, forbid_unknown_fields=True):
    """Which check to run."""

    name: Literal["doctor", "audit"]


@dataclass(frozen=True, slots=True)
class Served:
    """All that the application needs. hosts: how a browser on this machine may call the server; exchanged: told when a
    printed key was used.
    """

    page: ServedPage
    keys: Keys
    hosts: tuple[str, ...]
    work: Work
    checks: Checks
    exchanged: Callable[[], None]


def application(served: Served) -> Starlette:
    """The application as ASGI has it."""
    work, checks = served.work, served.checks

    async def page(request: Request) -> Response:
        return HTMLResponse(served.page.html, headers={"content-security-policy": served.page.policy})

    async def changes(request: Request) -> Response:
        since = request.query_params.get("since", "-1")
        return await _answered(lambda: {**work.changes(_number(since)), "checks": checks.document()}, served)

    async def hit(request: Request) -> Response:
        return await _answered(partial(work.story, request.query_params.get("ref", "")), served)

    async def record(request: Request) -> Response:
        return await _answered(partial(work.record, request.query_params.get("ref", "")), served)

    async def change(request: Request) -> Response:
        asked = _decoded(await request.body(), Change)
        if isinstance(asked, Response):
            return asked
        act = partial(work.change, asked.ref, asked.action, asked.note, asked.resolved_as, asked.version)
        return await _answered(act, served)

    async def check(request: Request) -> Response:
        asked = _decoded(await request.body(), Named)
        if isinstance(asked, Response):
            return asked
        return _json({"started": checks.start(asked.name)}, 202)

    async def retry(request: Request) -> Response:
        work.retry()
        return _json({}, 202)

    post = partial(Route, methods=["POST"], max_body_size=_LARGEST_BODY)
    routes = [
        Route(served.keys.page, page),
        post(EXCHANGE, partial(_session, served)),
        Route("/api/changes", changes),
        Route("/api/hit", hit),
        Route("/api/record", record),
        post("/api/change", change),
        post("/api/check", check),
        post("/api/retry", retry),
    ]
    guard = Middleware(Guard, keys=served.keys, hosts=served.hosts)
    # Inside of the guard, so that what we did not foresee is answered with its headers; the terminal has the traceback.
    defects = Middleware(ServerErrorMiddleware, handler=_defect)
    return Starlette(routes=routes, middleware=[guard, defects])


async def _defect(request: Request, error: Exception) -> Response:
    """What is answered for a defect of our own."""
    return _json({"error": "trailbell has a defect and could not answer this: its terminal says what broke"}, 500)


async def _session(served: Served, request: Request) -> Response:
    """What a printed key is exchanged for; the guard took the key."""
    served.exchanged()
    return _json({"token": served.keys.token, "proof": served.keys.proof})


async def _answered(work: Callable[[], dict[str, Any]], served: Served) -> Response:
    """What some work gives, done in a thread; if it fails, why, and who must act."""
    try:
        return _json(await run_sync(work, abandon_on_cancel=True))
    except UnknownHitError as error:
        return _json({"error": str(error)}, 404)
    except RefusedError as error:
        return _json({"error": str(error)}, 400)
    except StateError as error:
        return _json({"error": str(error)}, 409)
    except (TrailbellError, BotoCoreError, ClientError) as error:
        served.work.aws.renew()
        who = who_acts(error, fixed_credentials=served.work.aws.has_fixed_credentials)
        return _json({"error": problem_of(error), "who": who}, 503)


def _number(text: str) -> int:
    """That of an earlier answer, or a negative one for all. Raises RefusedError for a text that is none."""
    if not _NUMBER.fullmatch(text):
        raise RefusedError("since: the number of an earlier answer, or a negative one for all")
    return int(text)


def _decoded(body: bytes, kind: type[T]) -> T | Response:
    """A request's body; the answer that refuses it where it is none."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _json({"error": one_line(str(error), 300)}, 400)


def _json(document: dict[str, Any], status: int = 200) -> Response:
    """ASCII JSON: whatever a record holds, it can be written."""
    return Response(json.dumps(document), status, media_type="application/json")
