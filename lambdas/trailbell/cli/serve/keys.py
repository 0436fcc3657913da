"""The secrets of a run, 256 bits each, made anew with every start.

One is in the page's path and opens an empty page. One stands behind the # of the printed address, which no browser
sends; but a browser keeps the address in its history, so it is good for one exchange: the page gives it for the token
that its requests carry, and for the proof that answers carry. The page never sends the proof; so a program that takes
the port later, and hears the token, does not have it. There is no cookie: one set by 127.0.0.1 goes to every port of
it, and so to servers of other people on this machine.
"""

import hmac
import secrets


HEADER = "x-trailbell-token"
"""The header that carries the token; at the exchange, the key."""

PROOF = "x-trailbell-proof"
"""The header by which the page knows that an answer is from the process that gave it its token."""


class Keys:
    """What a run's secrets are, and the one exchange of each printed key; belongs to one thread, the event loop's."""

    def __init__(self) -> None:
        self.path, self.token, self.proof = (secrets.token_urlsafe(32) for _ in range(3))
        self._once = secrets.token_urlsafe(32)

    @property
    def page(self) -> str:
        """The path of the page."""
        return f"/{self.path}/"

    @property
    def once(self) -> str:
        """The key that the next exchange takes."""
        return self._once

    def exchange(self, key: str) -> bool:
        """Whether a key is the one that was printed last; from then on another one is."""
        if not _is_same(key, self._once):
            return False
        self._once = secrets.token_urlsafe(32)
        return True

    def opens(self, path: str) -> bool:
        """Whether a path is the page's, in a time that does not tell how much of it is right."""
        return _is_same(path, self.page)

    def allows(self, token: str) -> bool:
        """Whether a token is the right one, likewise."""
        return _is_same(token, self.token)


def _is_same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())
