"""A world of our own: key pairs, trails, log files and digests, written as CloudTrail writes them, and signed.

    [prefix/]AWSLogs/[organisation/]account/CloudTrail{,-Digest}/region/...

The history of a trail in one account and region is a list of hours. In each, log files are delivered; at its end a
digest lists them, but for those that came late, which a backfill digest lists. It may stop and start again.
"""

import base64
import gzip
import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


BEGIN = datetime(2026, 11, 20, 21, tzinfo=UTC)
HOUR = timedelta(hours=1)
BUCKET = "world-trail-bucket"


@cache
def key_pair(name: str) -> RSAPrivateKey:
    """A key pair for a name; made once for each run of the tests."""
    return generate_private_key(65537, 2048)


def public_der(key: RSAPrivateKey, form: PublicFormat = PublicFormat.PKCS1) -> bytes:
    """The public half as CloudTrail gives it."""
    return key.public_key().public_bytes(Encoding.DER, form)


def fingerprint(key: RSAPrivateKey) -> str:
    """As CloudTrail's keys have it: the MD5 of the DER."""
    return hashlib.md5(public_der(key), usedforsecurity=False).hexdigest()


def sign(key: RSAPrivateKey, document: dict[str, Any], content: bytes) -> str:
    """The signature of a digest, written down here a second time: tests do not ask the code they test."""
    before = document["previousDigestSignature"]
    text = "\n".join(
        [
            document["digestEndTime"],
            f"{document['digestS3Bucket']}/{document['digestS3Object']}",
            hashlib.sha256(content).hexdigest(),
            "null" if before is None else before,
        ]
    )
    return key.sign(text.encode(), PKCS1v15(), SHA256()).hex()


def stamp(moment: datetime) -> str:
    """A moment as documents have it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(slots=True)
class Stored:
    """An object: its bytes, and its metadata as S3's library gives them."""

    body: bytes
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrailSpec:
    """A trail. offset: after the full hour, when its periods end. stopped: hours without logging, then a new chain.

    moved_after: the hour from which on it writes to another prefix (its chain goes on).
    """

    name: str = "acme-audit"
    home: str = "us-east-1"
    accounts: tuple[str, ...] = ("111122223333",)
    regions: tuple[str, ...] = ("us-east-1",)
    organisation: str = ""
    prefix: str = ""
    offset: timedelta = timedelta(minutes=1, seconds=31)
    stopped: tuple[int, ...] = ()
    moved_after: int = 10_000


@dataclass(slots=True)
class Chain:
    """One trail's digests in one account and region, oldest first, and which log files each lists."""

    spec: TrailSpec
    account: str
    region: str
    digests: list[str] = field(default_factory=list)
    backfills: list[str] = field(default_factory=list)
    logs: dict[str, list[str]] = field(default_factory=dict)


class World:
    """Objects by key, the chains that they are of, and the keys that they are signed with."""

    bucket = BUCKET

    def __init__(self, seed: int, specs: tuple[TrailSpec, ...] = (TrailSpec(),), hours: int = 8) -> None:
        self.random = random.Random(seed)  # noqa: S311 (a history, no secret)
        self.objects: dict[str, Stored] = {}
        self.chains: list[Chain] = []
        self.hours = hours
        for spec in specs:
            for account in spec.accounts:
                for region in spec.regions:
                    self._live(spec, account, region)

    def key_for(self, region: str, moment: datetime) -> RSAPrivateKey:
        """The pair a region signs with: each has its own, and changes it once in the history."""
        return key_pair(f"{region} {'new' if moment >= BEGIN + 4 * HOUR else 'old'}")

    def public_keys(self) -> str:
        """What `aws cloudtrail list-public-keys` prints of all regions' keys, merged."""
        regions = sorted({region for chain in self.chains for region in chain.spec.regions})
        keys = [key_pair(f"{region} {age}") for region in regions for age in ("old", "new")]
        return json.dumps(
            {
                "PublicKeyList": [
                    {
                        "Value": base64.b64encode(public_der(key)).decode(),
                        "ValidityStartTime": 1795000000.0,
                        "ValidityEndTime": 1798000000.0,
                        "Fingerprint": fingerprint(key),
                    }
                    for key in keys
                ]
            }
        )

    def write(self, folder: Path, *, sidecars: bool = True) -> Path:
        """Write the world as a copy on a disk, and its public keys beside; the file of the keys is returned."""
        for key, stored in self.objects.items():
            path = folder / "copy" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(stored.body)
            if sidecars and "/CloudTrail-Digest/" in key:
                path.with_name(f"{path.name}.metadata.json").write_text(json.dumps({"Metadata": stored.metadata}))
        keys = folder / "keys.json"
        keys.write_text(self.public_keys())
        return keys

    def document(self, key: str) -> dict[str, Any]:
        """A digest's document."""
        document: dict[str, Any] = json.loads(gzip.decompress(self.objects[key].body))
        return document

    def put_digest(self, key: str, document: dict[str, Any], pair: RSAPrivateKey, generated: str = "") -> None:
        """Write and sign a digest."""
        content = json.dumps(document).encode()
        metadata = {"signature": sign(pair, document, content), "signature-algorithm": "SHA256withRSA"}
        if generated:
            metadata["backfill-generation-timestamp"] = generated
        self.objects[key] = Stored(gzip.compress(content, mtime=0), metadata)

    def logs(self, chain: Chain) -> list[str]:
        """The log files that a chain's standard digests list."""
        return [log for digest in chain.digests for log in chain.logs[digest]]

    def new_log(self, folder: str, account: str, region: str, delivered: datetime) -> str:
        """Deliver a log file of a few records."""
        named = delivered - timedelta(minutes=self.random.randint(0, 9))
        named -= timedelta(minutes=named.minute % 5)
        tail = "".join(self.random.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=16))
        name = f"{account}_CloudTrail_{region}_{named:%Y%m%dT%H%M}Z_{tail}.json.gz"
        key = f"{folder}/CloudTrail/{region}/{named:%Y/%m/%d}/{name}"
        self.objects[key] = Stored(self.content())
        return key

    def content(self) -> bytes:
        """The bytes of the next log file."""
        records = [{"eventVersion": "1.11", "eventID": f"{self.random.getrandbits(128):032x}"} for _ in range(3)]
        return gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)

    def deliveries(self, hour: int) -> list[int]:
        """In which minutes of an hour log files are delivered: hours 1 to 3 have some, for tamperings to work on."""
        some = [self.random.randint(1, 59) for _ in range(self.random.choice((0, 1, 2, 3)))]
        return sorted([*some, 20, 40] if hour in (1, 2, 3) else some)

    def late(self, hour: int, logs: list[str]) -> list[str]:
        """Which of an hour's log files come too late for its digest."""
        return logs[:1] if hour in (1, 3) else []

    def _live(self, spec: TrailSpec, account: str, region: str) -> None:
        chain = Chain(spec, account, region)
        self.chains.append(chain)
        previous: str | None = None
        for hour in range(self.hours):
            start = BEGIN + spec.offset + hour * HOUR
            if hour in spec.stopped:
                previous = None
                continue
            folder = self._folder(spec, account, hour)
            delivered = [start + timedelta(minutes=minute) for minute in self.deliveries(hour)]
            logs = [self.new_log(folder, account, region, moment) for moment in delivered]
            final = hour + 1 in spec.stopped
            end = start + (timedelta(minutes=59, seconds=50) if final else HOUR)
            late = self.late(hour, logs)
            listed = [log for log in logs if log not in late]
            key = self._digest_key(spec, account, region, folder, end)
            self._sign(chain, key, (start, end), listed, previous)
            previous = key
            chain.digests.append(key)
            if late:
                before = chain.backfills[-1] if chain.backfills else None
                backfill = key.replace(".json.gz", "_backfill.json.gz")
                self._sign(chain, backfill, (start, end), late, before, generated=stamp(end + 5 * HOUR))
                chain.backfills.append(backfill)
        last = BEGIN + spec.offset + self.hours * HOUR + timedelta(minutes=12)
        self.new_log(self._folder(spec, account, self.hours), account, region, last)  # its digest is not there yet

    def _folder(self, spec: TrailSpec, account: str, hour: int) -> str:
        prefix = "moved" if hour > spec.moved_after else spec.prefix
        return "/".join(part for part in (prefix, "AWSLogs", spec.organisation, account) if part)

    def _digest_key(self, spec: TrailSpec, account: str, region: str, folder: str, end: datetime) -> str:
        name = f"{account}_CloudTrail-Digest_{region}_{spec.name}_{spec.home}_{end:%Y%m%dT%H%M%SZ}.json.gz"
        return f"{folder}/CloudTrail-Digest/{region}/{end:%Y/%m/%d}/{name}"

    def _sign(
        self,
        chain: Chain,
        key: str,
        period: tuple[datetime, datetime],
        logs: list[str],
        previous: str | None,
        generated: str = "",
    ) -> None:
        start, end = period
        pair = self.key_for(chain.region, datetime.fromisoformat(generated) if generated else end)
        times = [stamp(start), stamp(end)] if logs else [None, None]
        document = {
            "awsAccountId": chain.account,
            "digestStartTime": stamp(start),
            "digestEndTime": stamp(end),
            "digestS3Bucket": self.bucket,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": fingerprint(pair),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": times[1],
            "oldestEventTime": times[0],
            **self._previous(previous),
            "logFiles": [
                {
                    "s3Bucket": self.bucket,
                    "s3Object": log,
                    "hashValue": hashlib.sha256(gzip.decompress(self.objects[log].body)).hexdigest(),
                    "hashAlgorithm": "SHA-256",
                    "newestEventTime": times[1],
                    "oldestEventTime": times[0],
                }
                for log in logs
            ],
        }
        self.put_digest(key, document, pair, generated)
        chain.logs[key] = logs

    def _previous(self, key: str | None) -> dict[str, str | None]:
        names = ("Bucket", "Object")
        if key is None:
            empty: dict[str, str | None] = {f"previousDigestS3{name}": None for name in names}
            rest = ("previousDigestHashValue", "previousDigestHashAlgorithm", "previousDigestSignature")
            return empty | dict.fromkeys(rest)
        stored = self.objects[key]
        return {
            "previousDigestS3Bucket": self.bucket,
            "previousDigestS3Object": key,
            "previousDigestHashValue": hashlib.sha256(gzip.decompress(stored.body)).hexdigest(),
            "previousDigestHashAlgorithm": "SHA-256",
            "previousDigestSignature": stored.metadata["signature"],
        }


def below(key: str) -> str:
    """A key from AWSLogs/ on."""
    return key[key.rindex("AWSLogs/") :]


_TWO_REGIONS = ("us-east-1", "eu-central-1")
_TWO_ACCOUNTS = ("111122223333", "444455556666")
_SECOND = TrailSpec("eu-west-1_x.y-z", "eu-west-1", offset=timedelta(minutes=31, seconds=7))

SHAPES = {
    "one trail": (TrailSpec(),),
    "multi-region trail": (TrailSpec(regions=_TWO_REGIONS),),
    "organisation trail": (TrailSpec(accounts=_TWO_ACCOUNTS, regions=_TWO_REGIONS, organisation="o-abc123"),),
    "two trails in a bucket": (TrailSpec(), _SECOND),
    "prefix": (TrailSpec(prefix="team/AWSLogs/logs"),),
    "prefix changed": (TrailSpec(moved_after=4),),
    "stopped and started": (TrailSpec(stopped=(4, 5)),),
    "two trails, one stopped": (TrailSpec(stopped=(4, 5)), _SECOND),
}
"""Trails of every shape, by name."""
