"""A request to a secret address ends in time, goes to the internet alone, and its failure does not repeat it."""

import socket
import ssl
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.stub_server import Stub, running_stub, write_certificate
from trailbell.alerts.https_post import Answer, HttpsPost
from trailbell.errors import ChannelError


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as stub:
        yield stub


def post(address: str, seconds: float = 5.0, **options: Any) -> Answer:
    https = HttpsPost(**{"loopback": True, **options})
    return https.post(address, b"{}", {"X-Here": "1"}, time.monotonic() + seconds)


def failure_of(address: str, seconds: float = 5.0, **options: Any) -> str:
    """What a request that fails says, in the whole traceback as a log would have it."""
    with pytest.raises(ChannelError) as caught:
        post(address, seconds, **options)
    written = "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    assert "SECRET" not in written
    assert "localhost" not in written
    return str(caught.value)


def test_request_arrives_as_it_is(stub: Stub) -> None:
    """Path and query of the address are where its secret is."""
    assert post(stub.address) == Answer(200)

    ((path, headers, body),) = stub.requests
    assert (path, body, headers["X-Here"]) == ("/services/SECRET?token=SECRET", b"{}", "1")


def test_redirect_is_an_answer_like_any_other(stub: Stub) -> None:
    """Followed, it would take the alert to whoever the other side names: a metadata service, for one."""
    stub.answers, stub.headers = [302], {"Location": stub.address}

    assert post(stub.address).status == 302
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("header", "wait"),
    [("2", 2.0), ("0", 0.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("soon", None), ("-1", None), ("9" * 500, 1e9)],
)
def test_wait_that_is_asked_for_is_read(stub: Stub, header: str, wait: float | None) -> None:
    """A header of nonsense must not end the batch."""
    stub.answers, stub.headers = [429], {"Retry-After": header}

    found = post(stub.address).wait

    assert found == (None if wait is None else pytest.approx(wait, rel=0.01))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("reset", "it cannot be reached (ConnectionResetError)"),
        ("nonsense", "it cannot be reached (BadStatusLine)"),
        ("slow", "it did not answer in time"),
    ],
)
def test_server_that_misbehaves_is_said_in_our_words(stub: Stub, answer: str, said: str) -> None:
    """The libraries' exceptions quote what they were given, and what came back."""
    stub.answers = [answer]
    began = time.monotonic()

    assert failure_of(stub.address, seconds=1.0) == said
    assert time.monotonic() - began < 2.0


def test_head_that_never_ends_is_cut_off(stub: Stub) -> None:
    """No single read takes long; all together would take the function's time. The status has come, and counts."""
    stub.answers = ["drip"]
    began = time.monotonic()

    assert post(stub.address, seconds=1.0) == Answer(200)
    assert time.monotonic() - began < 2.0


def test_huge_answer_is_not_read(stub: Stub) -> None:
    """Two hundred megabytes are more than the function's memory likes."""
    stub.answers = ["huge"]
    began = time.monotonic()

    assert post(stub.address).status == 200
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(("host", "valid_days"), [("localhost", 1), ("other.example", 1), ("localhost", -1)])
def test_certificate_that_is_not_trusted_is_refused(tmp_path: Path, host: str, valid_days: int) -> None:
    """Self-signed, of another host, expired: whoever answers there may be anybody."""
    certificate = write_certificate(tmp_path / "bad.pem", host, valid_days)
    trusted = ssl.create_default_context()
    if (host, valid_days) != ("localhost", 1):
        trusted.load_verify_locations(certificate)

    with running_stub(certificate) as stub:
        assert failure_of(stub.address, tls=trusted) == "the certificate of its host is not trusted"
        assert stub.requests == []


def test_https_with_a_trusted_certificate_is_taken(tmp_path: Path) -> None:
    """The one way there is in Lambda."""
    certificate = write_certificate(tmp_path / "good.pem")

    with running_stub(certificate) as stub:
        assert post(stub.address, tls=ssl.create_default_context(cafile=certificate)).status == 200


def test_silent_host_does_not_hold_up_the_handshake(tmp_path: Path) -> None:
    """A connection that is taken and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"https://localhost:{server.getsockname()[1]}/SECRET"

        assert failure_of(address, seconds=0.5) == "it did not answer in time"


def test_closed_port_and_unknown_host_are_told_apart() -> None:
    """One is an outage, the other a wrong address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert failure_of(f"https://localhost:{port}/SECRET") == "it cannot be reached (ConnectionRefusedError)"
    assert failure_of("https://SECRET.invalid/", loopback=False) == "its host cannot be found"


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.com/SECRET",
        "ftp://hooks.example.com/SECRET",
        "hooks.example.com/SECRET",
        "https:///SECRET",
        "https://user:x@hooks.example.com/SECRET",
        "https://hooks.example.com:0/SECRET",
        "https://hooks.example.com:99999/SECRET",
        "https://hooks.example.com/SECRET x",
        "https://hooks.example.com/SECRET\r\nX-Other: 1",
        "https://[::1/SECRET",
        "https://hööks.example.com/SECRET",
        '{"url": "https://hooks.example.com/SECRET"}',
    ],
)
def test_what_is_no_https_address_is_refused(address: str) -> None:
    """Without TLS whoever listens has the address; a line break would be a header of its own."""
    assert failure_of(address, loopback=False).startswith("what is stored is not an https address")


@pytest.mark.parametrize(
    "found",
    [
        *("169.254.169.254", "169.254.170.2", "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1"),
        *("0.1.2.3", "::1", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254"),
    ],
)
def test_address_that_is_not_public_is_refused(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    """Whoever owns a name chooses its addresses: metadata and run-time interfaces are not for webhooks."""
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.114.7", 443))
    looked_up = [public, (socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: looked_up)

    said = failure_of("https://hooks.example.com/SECRET", loopback=False)

    assert said == "its host has an address that is not public, which is refused"
