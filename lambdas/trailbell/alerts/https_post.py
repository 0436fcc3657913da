"""One https request to an address that is itself a secret: in time, to a public host, its address never repeated.

http.client and no library: botocore has loaded it already, so it costs a cold start nothing; it follows no redirect,
heeds no proxy, and reads no more of an answer than is asked of it. Its exceptions quote the address, so they end here.
"""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

from trailbell.errors import ChannelError
from trailbell.lazy_dataclass import dataclass


_TIMEOUT = 3.0  # seconds for the other side to say something


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, and how many seconds to wait before trying again (None: it does not say)."""

    status: int
    wait: float | None = None


class HttpsPost:
    """Posts to addresses of the internet.

    loopback: take http, and an address of this computer, too. For tests: in Lambda that is the run time's interface.
    """

    def __init__(self, *, loopback: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self._loopback = loopback
        self._tls = tls or ssl.create_default_context()

    def post(self, address: str, body: bytes, headers: Mapping[str, str], deadline: float) -> Answer:
        """One request. Only the head of the answer is read, and until the deadline (of time.monotonic), however slowly
        it comes. Raises ChannelError that says nothing of the address.
        """
        target = self._target(address)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        connection: HTTPConnection | None = None
        guard: threading.Timer | None = None
        try:
            connection, sock = self._connect(target, deadline)
            guard = threading.Timer(max(deadline - time.monotonic(), 0), _cut, [sock])
            guard.start()
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, _seconds(answer.getheader("Retry-After", "")))
        except (OSError, HTTPException, ValueError) as error:
            trouble = "it did not answer in time" if time.monotonic() >= deadline else _trouble(error)
        finally:
            if guard:
                guard.cancel()
            if connection:
                connection.close()
        # Raised out here, so that the library's exception, which may quote the address, is no part of this one.
        raise ChannelError(trouble)

    def _target(self, address: str) -> SplitResult:
        try:
            target = urlsplit(address)
            whole = bool(target.hostname) and (target.port is None or target.port > 0)
        except ValueError:
            whole = False
        schemes = ("https", "http") if self._loopback else ("https",)
        plain = address.isascii() and address.isprintable() and " " not in address
        if not whole or not plain or target.scheme not in schemes or target.username or target.password:
            raise ChannelError("what is stored is not an https address without user and password")
        return target

    def _connect(self, target: SplitResult, deadline: float) -> tuple[HTTPConnection, socket.socket]:
        """A connection and its socket, the handshake still to come.

        Its address was looked up once and checked: looked up again, by http.client, it could be another.
        """
        host, secure = str(target.hostname), target.scheme == "https"
        port = target.port or (443 if secure else 80)
        found = [place for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if not self._loopback and not all(_is_public(str(place[0])) for place in found):
            raise _NotPublicError
        sock = _open_socket([str(place[0]) for place in found], port, deadline)
        connection = HTTPConnection(host, port)
        if secure:
            connection = HTTPSConnection(host, port, context=self._tls)
            sock = self._tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        connection.sock = sock
        return connection, sock


class _NotPublicError(OSError):
    """The host has an address that is not public: link-local (where metadata services are), private or loopback."""


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    return (getattr(found, "ipv4_mapped", None) or found).is_global


def _open_socket(addresses: list[str], port: int, deadline: float) -> socket.socket:
    """A connection to the first that takes one, within the time that is left."""
    failure: OSError = TimeoutError()
    for address in addresses:
        seconds = min(_TIMEOUT, deadline - time.monotonic())
        if seconds <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=seconds)
        except OSError as error:
            failure = error
    raise failure


def _cut(sock: socket.socket) -> None:
    """End a connection under whoever reads from it. Not SSLSocket's own shutdown, which is not made for that."""
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return  # it has ended already


def _trouble(error: Exception) -> str:
    """An error in words without its text, which may quote the address."""
    match error:
        case _NotPublicError():
            return "its host has an address that is not public, which is refused"
        case ssl.SSLCertVerificationError():
            return "the certificate of its host is not trusted"
        case socket.gaierror():
            return "its host cannot be found"
        case TimeoutError():
            return "it did not answer in time"
    return f"it cannot be reached ({type(error).__name__})"


def _seconds(text: str) -> float | None:
    """A Retry-After header: seconds, or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return None
