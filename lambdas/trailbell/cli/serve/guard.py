"""What comes before every request: is it from our own page, on this machine, with the token?

Another web site may have its visitor's browser ask us (Origin, Sec-Fetch-Site), or name us by a host of its own that it
points here (DNS rebinding: Host). Another person of this machine may ask us directly: without the keys all is refused
alike. https://owasp.org/www-community/attacks/csrf, https://fetch.spec.whatwg.org/#origin-header
"""

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trailbell.cli.serve.keys import HEADER, PROOF, Keys


API = "/api/"
"""Below it is all that holds or changes anything; the page itself holds nothing."""

EXCHANGE = "/api/session"
"""Where a printed key is given for the token: the only path that takes a key, and once."""

_ALWAYS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
_REFUSED = "403: open the address that `trailbell serve` printed in your terminal, as it stands there\n"


class Guard:
    """Refuses what is not ours with 403, and puts the headers on every answer. hosts: how this server may be called."""

    def __init__(self, app: ASGIApp, keys: Keys, hosts: Sequence[str]) -> None:
        self._app, self._keys, self._hosts = app, keys, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers[name] = value
                headers.setdefault("content-security-policy", _NOTHING)
                if allowed and scope["path"].startswith(API):
                    headers[PROOF] = self._keys.proof
            await send(message)

        allowed = scope["type"] == "http" and self._allows(scope)
        answer = self._app if allowed else PlainTextResponse(_REFUSED, 403)
        await answer(scope, receive, send_guarded)

    def _allows(self, scope: Scope) -> bool:
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        host, origin = headers.getlist("host"), headers.getlist("origin")
        if len(host) != 1 or host[0] not in self._hosts:
            return False
        if origin not in ([], [f"http://{host[0]}"]):
            return False
        if not path.startswith(API):
            return method in ("GET", "HEAD") and self._keys.opens(path)
        if method == "POST" and not origin:  # every browser sends it with a POST
            return False
        from_page, key = headers.get("sec-fetch-site", "same-origin") == "same-origin", headers.get(HEADER, "")
        if path == EXCHANGE:
            return from_page and method == "POST" and self._keys.exchange(key)
        return from_page and self._keys.allows(key)
