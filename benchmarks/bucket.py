"""`trailbell scan s3://…` against downloading alone: the same log files, from a bucket of which each answer is late.

The bucket is a process of its own that speaks as much of S3's API as a listing and a download need, each answer late by
LATENCY seconds, as S3's are. Both sides use boto3 with as many downloads at once; the whole processes take turns.

`trailbell replay` downloads nothing: it puts the names of log files into the detector's queue.
"""

import asyncio
import multiprocessing
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from subprocess import run
from typing import cast
from urllib.parse import parse_qs, unquote, urlsplit

from benchmarks.folders import folders
from benchmarks.measure import Row, ratios, row
from trailbell.cli.scan.work import AHEAD


LATENCY = 0.03
_RECORDS = 80_000
_PAGE = 1000
_BUCKET = "trail"
_REQUEST = re.compile(rb"GET (\S+) HTTP/1\.1\r\n")
_DOWNLOAD = """
import sys
from concurrent.futures import ThreadPoolExecutor
import boto3
s3 = boto3.client("s3")
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=sys.argv[1], Prefix="AWSLogs/")
keys = [one["Key"] for page in pages for one in page["Contents"]]
def fetch(key):
    return len(s3.get_object(Bucket=sys.argv[1], Key=key)["Body"].read())
with ThreadPoolExecutor(int(sys.argv[2])) as pool:
    print(sum(pool.map(fetch, keys)))
"""


class _Bucket(asyncio.Protocol):
    """A connection to the bucket: one answer for each request, in order, each as late as S3's."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects, self._keys, self._received = objects, sorted(objects), b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connects."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """A request, or a part of one: they have no bodies."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            found = _REQUEST.match(head + b"\r\n")
            answer = self._object_or_listing(found[1].decode()) if found else _answer(b"", "400 Bad Request")
            asyncio.get_running_loop().call_later(LATENCY, self._transport.write, answer)

    def _object_or_listing(self, address: str) -> bytes:
        asked = urlsplit(address)
        key = unquote(asked.path).removeprefix(f"/{_BUCKET}").removeprefix("/")
        if not key:
            return _answer(self._listing(int(parse_qs(asked.query).get("continuation-token", ["0"])[0])))
        if key not in self._objects:
            return _answer(b"<Error><Code>NoSuchKey</Code></Error>", "404 Not Found")
        return _answer(self._objects[key])

    def _listing(self, start: int) -> bytes:
        keys = self._keys[start : start + _PAGE]
        more = start + _PAGE < len(self._keys)
        entries = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(self._objects[key])}</Size><ETag>&quot;e&quot;</ETag>"
            "<LastModified>2026-11-20T10:00:00.000Z</LastModified></Contents>"
            for key in keys
        )
        token = f"<NextContinuationToken>{start + _PAGE}</NextContinuationToken>" if more else ""
        return (
            f'<?xml version="1.0"?><ListBucketResult><Name>{_BUCKET}</Name><KeyCount>{len(keys)}</KeyCount>'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"
        ).encode()


def _answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f'HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nETag: "e"\r\nContent-Type: application/xml\r\n'
    return f"{head}Last-Modified: Fri, 20 Nov 2026 10:00:00 GMT\r\n\r\n".encode() + body


def _serve(folder: Path, port: Connection) -> None:
    objects = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.gz")}

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Bucket(objects), "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


def rows(given: Path | None = None, rounds: int = 5) -> Iterator[Row]:
    """Target k."""
    with tempfile.TemporaryDirectory() as name:
        made = folders(Path(name), given, _RECORDS)
        ours, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        server = context.Process(target=_serve, args=(made.small, theirs), daemon=True)
        server.start()
        try:
            environment = {
                **os.environ,
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ours.recv()}",
                "AWS_ACCESS_KEY_ID": "none",
                "AWS_SECRET_ACCESS_KEY": "none",
                "AWS_DEFAULT_REGION": "eu-central-1",
                "AWS_CONFIG_FILE": os.devnull,
            }
            costs = _take_turns(environment, rounds)
        finally:
            server.terminate()
    what = f"{made.what}, {made.files:,} files, {LATENCY * 1000:.0f} ms an answer, {AHEAD} at once"
    yield row(f"k. scan s3://, one job / downloading alone, wall, {what}", "<= 1.2", ratios(costs, "scan", "download"))
    yield row(f"   seconds: scan s3://, {what}", "", costs["scan"])
    yield row(f"   seconds: downloading alone, {what}", "", costs["download"])


def _take_turns(environment: dict[str, str], rounds: int) -> dict[str, list[float]]:
    scan = str(Path(sys.executable).parent / "trailbell")
    commands = {
        "scan": [scan, "scan", f"s3://{_BUCKET}/AWSLogs/", "-q", "-o", os.devnull, "--jobs", "1"],
        "download": [sys.executable, "-c", _DOWNLOAD, _BUCKET, str(AHEAD)],
    }
    costs: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds):
        for name in list(commands)[:: 1 if number % 2 else -1]:
            began = time.perf_counter()
            run(commands[name], env=environment, check=True, capture_output=True)
            costs[name].append(time.perf_counter() - began)
    return costs
