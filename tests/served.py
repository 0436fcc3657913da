"""A served page in this process, over a real socket, and requests to it as a browser or anybody else sends them."""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trailbell.cli.options.connection import Connection
from trailbell.cli.serve.assembly import Asked, Assembled, assembled
from trailbell.cli.serve.callers_aws import CallersAws
from trailbell.cli.serve.listening import listen, server_of
from trailbell.cli.serve.watcher import Pace, Watcher
from trailbell.hits.query import HitQuery


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Served:
    """The parts that are served. address: as it was printed first."""

    parts: Assembled
    address: str

    @property
    def watcher(self) -> Watcher:
        return self.parts.watcher

    @property
    def host(self) -> str:
        return self.address.split("/")[2]

    @property
    def path(self) -> str:
        return f"/{self.address.split('/')[3]}/"

    @property
    def token(self) -> str:
        return self.parts.keys.token

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """A request with these headers and no others (but Host, where none is given)."""
        name, _, port = self.host.rpartition(":")
        connection = http.client.HTTPConnection(name.strip("[]"), int(port), timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for key, value in {"Host": self.host, **headers}.items():
                connection.putheader(key, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """As our own page asks."""
        return self.send("GET", path, {"X-Trailbell-Token": self.token, "Sec-Fetch-Site": "same-origin"})

    def post(self, path: str, document: object) -> Answer:
        """As our own page acts."""
        headers = {"X-Trailbell-Token": self.token, "Origin": f"http://{self.host}", "Sec-Fetch-Site": "same-origin"}
        return self.send("POST", path, headers, json.dumps(document).encode())

    def hits(self, since: int = -1) -> dict[str, dict[str, Any]]:
        """The hits that changed after a number, by their short ids, as the page unpacks them."""
        packed = self.get(f"/api/changes?since={since}").json["hits"]
        pool, found = packed["pool"], {}
        for row in packed["hits"]:
            texts = [[pool[one] for one in place] if isinstance(place, list) else pool[place] for place in row]
            hit = dict(zip(packed["columns"], texts, strict=True))
            found[str(hit["shortID"])] = hit
        return found


@contextmanager
def serving(
    question: HitQuery, *, limit: int = 5000, pace: Pace | None = None, host: str = "127.0.0.1"
) -> Iterator[Served]:
    """The table `hits` of whatever AWS this process has, served until the block ends; nothing is looked up before
    somebody has the watcher look, or starts it.
    """

    def asked(now: datetime) -> HitQuery:
        return question

    aws = CallersAws(Connection(local=False, table_given="hits", stack="trailbell"))
    bound = listen(host, 0)
    parts = assembled(aws, Asked(asked, limit, pace or Pace(new=0.1), "From the table hits."), bound)
    listening = threading.Event()
    server = server_of(parts.app, listening.set)
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    try:
        assert listening.wait(20)
        yield Served(parts, parts.address)
    finally:
        parts.watcher.stop()
        server.should_exit = True
        thread.join(10)
        bound.close()
