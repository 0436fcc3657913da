"""A server on this computer that answers as it is told, and remembers what it was sent."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Stub:
    """`answers` are taken one by one, the last for good: a status, or a word for how to misbehave."""

    address: str
    answers: list[int | str] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def next_answer(self) -> int | str:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def running_stub(certificate: Path | None = None) -> Iterator[Stub]:
    """A stub that speaks http, or https with a certificate and key."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    scheme = "http"
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    stub = Stub(f"{scheme}://localhost:{server.server_address[1]}/services/SECRET?token=SECRET")
    server.stub = stub  # type: ignore[attr-defined] # what its handlers look at
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer as told."""
        stub: Stub = self.server.stub  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stub.requests.append((self.path, dict(self.headers), body))
        match stub.next_answer():
            case int(status):
                self._answer(stub, status)
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                self.close_connection = True
                self.connection.close()
            case "slow":
                time.sleep(20)
            case "drip":
                self._drip()
            case "huge":
                self.send_response(200)
                self.end_headers()
                self._write(b"x" * 1_000_000, 200)
            case "nonsense":
                self._write(b"SSH-2.0-OpenSSH_9.6 SECRET\r\n", 1)
                self.close_connection = True

    def _answer(self, stub: Stub, status: int) -> None:
        text = b"SECRET in the answer"
        self.send_response(status)
        for name, value in stub.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self._write(text, 1)

    def _drip(self) -> None:
        """A header line each half second: no read takes long, and there is no end."""
        self.send_response(200)
        self.flush_headers()
        for number in range(80):
            self._write(f"X-Slow-{number}: SECRET\r\n".encode(), 1)
            time.sleep(0.5)

    def _write(self, data: bytes, times: int) -> None:
        try:
            for _ in range(times):
                self.wfile.write(data)
        except OSError:
            self.close_connection = True  # the other side has had enough

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def write_certificate(path: Path, host: str = "localhost", valid_days: int = 1) -> Path:
    """A self-signed certificate for a host, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    now, name = datetime.datetime.now(datetime.UTC), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    names: list[x509.GeneralName] = [x509.DNSName(host)]
    if host == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=valid_days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(pem) + secret)
    return path
