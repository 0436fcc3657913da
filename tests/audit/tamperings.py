"""Everything that can be done to a trail bucket, one function each: it changes a world and says what must be told.

The docstring of a function is its row in docs/audit.md.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.audit.world import HOUR, Chain, World, below, fingerprint, key_pair


Expected = dict[str, str]
"""Verdicts by key (from AWSLogs/ on) that are no longer `valid`; with "gap", the cause of a gap."""

TRAILER = 8  # bytes after a gzip member's data: checksum and size


@dataclass(frozen=True, slots=True)
class Tampering:
    """A kind of tampering: what it does to a world, and whether files alone tell it."""

    do: Callable[[World, Chain], Expected]
    told: bool

    @property
    def name(self) -> str:
        """Its function's name in words."""
        return self.do.__name__.replace("_", " ")

    @property
    def row(self) -> str:
        """One sentence on it."""
        return (self.do.__doc__ or "").strip().rstrip(".")


KINDS: list[Tampering] = []


def tells(function: Callable[[World, Chain], Expected]) -> Callable[[World, Chain], Expected]:
    """A tampering that must be told."""
    KINDS.append(Tampering(function, told=True))
    return function


def harmless(function: Callable[[World, Chain], Expected]) -> Callable[[World, Chain], Expected]:
    """Something that is no tampering, or one that no file shows: nothing is told."""
    KINDS.append(Tampering(function, told=False))
    return function


def a_digest(world: World, chain: Chain) -> str:
    """A digest with log files, with digests before and after it, and not the last before a stop."""
    return world.random.choice([key for key in chain.digests[1:4] if chain.logs[key]])


def a_log(world: World, chain: Chain) -> str:
    """A log file that a standard digest lists."""
    return world.random.choice(world.logs(chain))


def after(chain: Chain, digest: str) -> str:
    """The digest that names a digest."""
    return chain.digests[chain.digests.index(digest) + 1]


def unproven(chain: Chain, *digests: str) -> Expected:
    """Log files whose digest is gone or invalid."""
    return {below(log): "unproven" for digest in digests for log in chain.logs[digest]}


def invalid(chain: Chain, digest: str, verdict: str) -> Expected:
    """A digest that proves nothing any more, and that the next one does not agree with."""
    told = {below(digest): verdict, "gap": "lost", **unproven(chain, digest)}
    return told | {below(after(chain, digest)): "chain-broken"}


# --- log files


@tells
def log_deleted(world: World, chain: Chain) -> Expected:
    """A log file is deleted."""
    log = a_log(world, chain)
    del world.objects[log]
    return {below(log): "missing"}


@tells
def log_altered(world: World, chain: Chain) -> Expected:
    """A record is taken out of a log file."""
    log = a_log(world, chain)
    records = json.loads(gzip.decompress(world.objects[log].body))["Records"]
    world.objects[log].body = gzip.compress(json.dumps({"Records": records[1:]}).encode())
    return {below(log): "altered"}


@tells
def log_exchanged(world: World, chain: Chain) -> Expected:
    """Two log files change places."""
    one, other = world.random.sample(world.logs(chain), 2)
    world.objects[one], world.objects[other] = world.objects[other], world.objects[one]
    return {below(one): "altered", below(other): "altered"}


@tells
def log_renamed(world: World, chain: Chain) -> Expected:
    """A log file gets another name."""
    log = a_log(world, chain)
    other = log.replace("Z_", "Z_0")
    world.objects[other] = world.objects.pop(log)
    return {below(log): "missing", below(other): "unlisted"}


@tells
def log_cut(world: World, chain: Chain) -> Expected:
    """A log file ends early."""
    log = a_log(world, chain)
    world.objects[log].body = world.objects[log].body[: len(world.objects[log].body) // 2]
    return {below(log): "invalid-format"}


@tells
def log_trailer_cut(world: World, chain: Chain) -> Expected:
    """A log file lacks the eight bytes of its checksum."""
    log = a_log(world, chain)
    world.objects[log].body = world.objects[log].body[:-TRAILER]
    return {below(log): "invalid-format"}


@tells
def log_emptied(world: World, chain: Chain) -> Expected:
    """A log file has no bytes."""
    log = a_log(world, chain)
    world.objects[log].body = b""
    return {below(log): "invalid-format"}


@tells
def log_not_compressed(world: World, chain: Chain) -> Expected:
    """A log file has its content, but is not compressed."""
    log = a_log(world, chain)
    world.objects[log].body = gzip.decompress(world.objects[log].body)
    return {below(log): "invalid-format"}


@tells
def log_second_member(world: World, chain: Chain) -> Expected:
    """A second gzip member with forged records follows in a log file."""
    log = a_log(world, chain)
    world.objects[log].body += gzip.compress(b'{"Records":[]}')
    return {below(log): "trailing-data"}


@tells
def log_with_bytes_after(world: World, chain: Chain) -> Expected:
    """Bytes of no meaning follow in a log file."""
    log = a_log(world, chain)
    world.objects[log].body += b"\0" * world.random.randint(1, 600)
    return {below(log): "trailing-data"}


@tells
def log_forged(world: World, chain: Chain) -> Expected:
    """A log file is added."""
    log = a_log(world, chain)
    folder = log[: log.rindex("/CloudTrail/")]
    digest = next(key for key in chain.digests if log in chain.logs[key])
    start = world.document(digest)["digestStartTime"]
    forged = world.new_log(folder, chain.account, chain.region, datetime.fromisoformat(start) + HOUR / 3)
    return {below(forged): "unlisted"}


@harmless
def log_compressed_anew(world: World, chain: Chain) -> Expected:
    """A log file is compressed anew, with the same content."""
    log = a_log(world, chain)
    world.objects[log].body = gzip.compress(gzip.decompress(world.objects[log].body), 1)
    return {}


# --- digests: their bytes


@tells
def digest_deleted(world: World, chain: Chain) -> Expected:
    """A digest is deleted."""
    digest = a_digest(world, chain)
    del world.objects[digest]
    return {below(digest): "missing", "gap": "lost", **unproven(chain, digest)}


@tells
def two_digests_deleted(world: World, chain: Chain) -> Expected:
    """Two digests in a row are deleted."""
    first, second = chain.digests[1:3]
    del world.objects[first], world.objects[second]
    return {below(first): "", below(second): "missing", "gap": "lost", **unproven(chain, first, second)}


@tells
def digest_deleted_with_its_logs(world: World, chain: Chain) -> Expected:
    """A digest is deleted, and all log files of its hour."""
    digest = a_digest(world, chain)
    for key in [digest, *chain.logs[digest]]:
        del world.objects[key]
    return {below(digest): "missing", "gap": "lost"} | {below(log): "" for log in chain.logs[digest]}


@tells
def backfill_deleted(world: World, chain: Chain) -> Expected:
    """A backfill digest is deleted that a later one names."""
    digest = chain.backfills[0]
    del world.objects[digest]
    return {below(digest): "missing", **unproven(chain, digest)}


@tells
def newest_backfill_deleted(world: World, chain: Chain) -> Expected:
    """The newest backfill digest is deleted: its log files are in no digest any more."""
    digest = chain.backfills[-1]
    del world.objects[digest]
    return {below(digest): "", **{below(log): "unlisted" for log in chain.logs[digest]}}


@tells
def digest_altered(world: World, chain: Chain) -> Expected:
    """A log file is taken out of a digest."""
    digest = a_digest(world, chain)
    document = world.document(digest)
    document["logFiles"] = document["logFiles"][1:]
    world.objects[digest].body = gzip.compress(json.dumps(document).encode())
    return invalid(chain, digest, "bad-signature")


@tells
def digest_of_another_period(world: World, chain: Chain) -> Expected:
    """The times in a digest are changed."""
    digest = a_digest(world, chain)
    document = world.document(digest)
    document["digestEndTime"] = document["digestStartTime"]
    world.objects[digest].body = gzip.compress(json.dumps(document).encode())
    return invalid(chain, digest, "bad-signature")


@tells
def digest_signed_by_a_stranger(world: World, chain: Chain) -> Expected:
    """A digest is altered and signed with another key, under the fingerprint of the real one."""
    digest = a_digest(world, chain)
    document = world.document(digest)
    document["logFiles"] = []
    world.put_digest(digest, document, key_pair("stranger"))
    return invalid(chain, digest, "bad-signature")


@tells
def digest_signed_with_unknown_key(world: World, chain: Chain) -> Expected:
    """A digest is altered and signed with a key that CloudTrail does not know."""
    digest = a_digest(world, chain)
    document = world.document(digest)
    document["digestPublicKeyFingerprint"] = fingerprint(key_pair("stranger"))
    world.put_digest(digest, document, key_pair("stranger"))
    return invalid(chain, digest, "no-key")


@tells
def digest_signed_with_its_own_key(world: World, chain: Chain) -> Expected:
    """A digest is replaced by another one that CloudTrail signed for the same place."""
    digest = a_digest(world, chain)
    document = world.document(digest)
    dropped = below(document["logFiles"].pop(0)["s3Object"])
    pair = next(pair for pair in _pairs(chain) if fingerprint(pair) == document["digestPublicKeyFingerprint"])
    world.put_digest(digest, document, pair)
    return {below(after(chain, digest)): "chain-broken", dropped: "unlisted"}


@tells
def digests_exchanged(world: World, chain: Chain) -> Expected:
    """Two digests change places."""
    first, second = chain.digests[1:3]
    world.objects[first], world.objects[second] = world.objects[second], world.objects[first]
    told = {below(first): "moved", below(second): "moved", "gap": "lost", **unproven(chain, first, second)}
    return told | {below(chain.digests[3]): "chain-broken"}


@tells
def digest_moved(world: World, chain: Chain) -> Expected:
    """A digest gets the name of another hour."""
    digest = a_digest(world, chain)
    other = digest.replace("31Z.json", "32Z.json").replace("07Z.json", "08Z.json")
    world.objects[other] = world.objects.pop(digest)
    return {below(digest): "missing", below(other): "moved", "gap": "lost", **unproven(chain, digest)}


@tells
def digest_copied(world: World, chain: Chain) -> Expected:
    """A copy of a digest lies beside it under a name that is no digest's."""
    digest = a_digest(world, chain)
    other = digest.replace(".json.gz", "-copy.json.gz")
    world.objects[other] = world.objects[digest]
    return {below(other): "moved"}


@tells
def digest_cut(world: World, chain: Chain) -> Expected:
    """A digest ends early."""
    digest = a_digest(world, chain)
    world.objects[digest].body = world.objects[digest].body[:-40]
    return invalid(chain, digest, "invalid-format")


@tells
def digest_trailer_cut(world: World, chain: Chain) -> Expected:
    """A digest lacks the eight bytes of its checksum."""
    digest = a_digest(world, chain)
    world.objects[digest].body = world.objects[digest].body[:-TRAILER]
    return invalid(chain, digest, "invalid-format")


@tells
def digest_no_json(world: World, chain: Chain) -> Expected:
    """A digest's content is no JSON."""
    digest = a_digest(world, chain)
    world.objects[digest].body = gzip.compress(b"{nothing")
    return invalid(chain, digest, "invalid-format")


@tells
def digest_without_a_field(world: World, chain: Chain) -> Expected:
    """A digest lacks its fingerprint."""
    digest = a_digest(world, chain)
    document = world.document(digest)
    del document["digestPublicKeyFingerprint"]
    world.objects[digest].body = gzip.compress(json.dumps(document).encode())
    return invalid(chain, digest, "invalid-format")


@tells
def digest_second_member(world: World, chain: Chain) -> Expected:
    """A second gzip member follows in a digest."""
    digest = a_digest(world, chain)
    world.objects[digest].body += gzip.compress(b"{}")
    return {below(digest): "trailing-data"}


@harmless
def digest_compressed_anew(world: World, chain: Chain) -> Expected:
    """A digest is compressed anew, with the same content."""
    digest = a_digest(world, chain)
    world.objects[digest].body = gzip.compress(gzip.decompress(world.objects[digest].body), 1)
    return {}


# --- digests: their signatures, which lie in the metadata


@tells
def digest_signature_removed(world: World, chain: Chain) -> Expected:
    """A digest's metadata has no signature (a digest that is the newest of its trail)."""
    digest = chain.digests[-1]
    world.objects[digest].metadata.clear()
    return {below(digest): "unsigned", **unproven(chain, digest)}


@tells
def digest_signature_of_another(world: World, chain: Chain) -> Expected:
    """A digest's metadata has the signature of another digest."""
    first, second = chain.digests[1:3]
    world.objects[first].metadata["signature"] = world.objects[second].metadata["signature"]
    told = {below(first): "bad-signature", "gap": "lost", **unproven(chain, first)}
    return told | {below(second): "chain-broken"}


@tells
def digest_signature_no_hexadecimal(world: World, chain: Chain) -> Expected:
    """A digest's signature is no hexadecimal number."""
    digest = a_digest(world, chain)
    world.objects[digest].metadata["signature"] = "no signature"
    return invalid(chain, digest, "bad-signature")


# --- what no file shows


@harmless
def newest_digest_deleted(world: World, chain: Chain) -> Expected:
    """The newest digest is deleted: nothing names it."""
    digest = chain.digests[-1]
    del world.objects[digest]
    return {below(digest): "", **unproven(chain, digest)}


@harmless
def oldest_digest_deleted(world: World, chain: Chain) -> Expected:
    """The oldest digest is deleted, as a lifecycle does, too."""
    digest = chain.digests[0]
    del world.objects[digest]
    return {below(digest): "beyond", **unproven(chain, digest)}


def _pairs(chain: Chain) -> Iterator[RSAPrivateKey]:
    return (key_pair(f"{chain.region} {age}") for age in ("old", "new"))
