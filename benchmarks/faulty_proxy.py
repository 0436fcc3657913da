"""A way to the embedded AWS on which things go wrong: what the functions ask goes through here.

It sees every request, so it also knows what was published, and which hits carried a mark by then.
"""

import http.client
import json
import sys
import threading
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


THROTTLED = "table throttled"
DOWN = "topic down"
LOST = "answer of publish lost"

_DROPPED = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass
class Seen:
    """What passed: which faults were dealt, each hit's publications, and which hits have a mark.

    again: hits that were published again before a mark said they were told, which a crash excuses.
    in_spite: hits that were published though they had a mark, which nothing excuses.
    """

    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    published: Counter[str] = field(default_factory=Counter)
    marked: set[str] = field(default_factory=set)
    in_spite: set[str] = field(default_factory=set)

    @property
    def again(self) -> set[str]:
        """Hits told more than once."""
        return {hit for hit, times in self.published.items() if times > 1}


class FaultyProxy:
    """Listens on 127.0.0.1 and passes on to a local port, but for the faults switched on."""

    def __init__(self, target: str) -> None:
        parts = urllib.parse.urlsplit(target)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.faults = set[str]()
        self.seen, self.lock = Seen(), threading.Lock()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        """What to give the functions as AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def faulty(self, fault: str) -> Iterator[None]:
        """One of the faults, for as long as the block runs."""
        self.faults.add(fault)
        try:
            yield
        finally:
            self.faults.discard(fault)

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def deals(self, fault: str) -> bool:
        """Whether a fault is switched on; counted as dealt."""
        with self.lock:
            if fault not in self.faults:
                return False
            self.seen.faults[fault] += 1
            return True

    def published(self, hits: list[str]) -> None:
        """An alert about these hits reached the topic."""
        with self.lock:
            self.seen.in_spite.update(hit for hit in hits if hit in self.seen.marked)
            self.seen.published.update(hits)

    def marked(self, hits: list[str]) -> None:
        """Marks of these hits reached the table."""
        with self.lock:
            self.seen.marked.update(hits)


class _Server(ThreadingHTTPServer):
    """Silent about functions that were killed while they talked to it."""

    def handle_error(self, *about: Any) -> None:
        """Anything else is a defect of ours, and shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*about)


class _Handler(BaseHTTPRequestHandler):
    """One connection of a function; set apart by the proxy it belongs to."""

    proxy: FaultyProxy
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hits = _published_hits(body)
        with self.proxy.lock:
            self.proxy.seen.requests += 1
        if hits and self.proxy.deals(DOWN):
            self._answer(503, {"Content-Type": "text/xml"}, b"<ErrorResponse/>")
        elif self._is_table_write() and self.proxy.deals(THROTTLED):
            error = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
            document = json.dumps({"__type": error, "message": "slow down"}).encode()
            self._answer(400, {"Content-Type": "application/x-amz-json-1.0"}, document)
        else:
            self._forward(body, hits)

    do_GET = do_POST = do_PUT = do_HEAD = _pass  # noqa: N815 (http.server's names)

    def _is_table_write(self) -> bool:
        return self.headers.get("X-Amz-Target", "").endswith((".PutItem", ".BatchWriteItem"))

    def _forward(self, body: bytes, hits: list[str]) -> None:
        connection = http.client.HTTPConnection(self.proxy.host, self.proxy.port, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status == 200:
            if hits:
                self.proxy.published(hits)
            elif self._is_table_write():
                self.proxy.marked(_marked_hits(body))
        if hits and self.proxy.deals(LOST):
            self.close_connection = True
            return
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _DROPPED}
        self._answer(answer.status, headers, content)

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except ConnectionError:  # the function was killed meanwhile
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing: thousands of lines."""


def _published_hits(body: bytes) -> list[str]:
    """The hits of an alert, if the body is SNS's Publish, form-encoded; else none."""
    if not body.startswith((b"Action=Publish", b"TopicArn=")):
        return []
    form = urllib.parse.parse_qs(body.decode())
    return list(json.loads(json.loads(form["Message"][0])["default"])["hitIds"])


def _marked_hits(body: bytes) -> list[str]:
    """The hits whose marks a BatchWriteItem writes, as hit ids."""
    request: Mapping[str, Any] = json.loads(body)
    items = [entry["PutRequest"]["Item"] for entries in request.get("RequestItems", {}).values() for entry in entries]
    keys = [(item["pk"]["S"].split("#", 2), item["sk"]["S"]) for item in items]
    return [f"{parts[1]}/{parts[2]}/{rule}" for parts, rule in keys if parts[0] == "N"]
