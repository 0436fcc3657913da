"""The two secrets of a run: one in the page's path, which browsers keep in their history, one that only requests carry.

The path alone opens an empty page. The token is behind the # of the printed address, which no browser sends; the page
takes it out of the address bar and puts it into a header. There is no cookie: one set by 127.0.0.1 goes to every port
of it, and so to servers of other people on this machine.
"""

import hmac
import secrets
from dataclasses import dataclass, field


HEADER = "x-trailbell-token"
"""The header that carries the token."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Random, 256 bits each; made anew with every start."""

    path: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def page(self) -> str:
        """The path of the page."""
        return f"/{self.path}/"

    def opens(self, path: str) -> bool:
        """Whether a path is the page's, in a time that does not tell how much of it is right."""
        return _is_same(path, self.page)

    def allows(self, token: str) -> bool:
        """Whether a token is the right one, likewise."""
        return _is_same(token, self.token)


def _is_same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())
