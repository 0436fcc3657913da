"""What must hold for any bytes that lie where a digest, its metadata or public keys are looked for."""

import gzip
import hashlib
import json
from dataclasses import dataclass

from trailbell.audit.files import AuditedFile
from trailbell.audit.metadata import read_sidecar, signature_of
from trailbell.audit.public_keys import PublicKey, parse_public_keys
from trailbell.audit.read_digest import ReadDigest, read_digest
from trailbell.cloudtrail.digest import DigestDocument, parse_digest
from trailbell.cloudtrail.digest_key import delivery_span, parse_digest_key
from trailbell.errors import SettingsError


_PREFIX = "x-amz-meta-"
_MAX_ERROR = 1000


@dataclass
class _OneFile:
    """A bucket with one object."""

    body: bytes
    metadata: dict[str, str]
    keeps_signatures = True

    def read_digest(self, file: AuditedFile) -> tuple[bytes, dict[str, str]]:
        return self.body, self.metadata

    def read(self, file: AuditedFile) -> list[bytes]:
        return [self.body]

    def named(self, bucket: str, key: str, by: AuditedFile, home: str = "") -> AuditedFile | None:
        return None

    def beside(self, file: AuditedFile) -> tuple[AuditedFile, ...]:
        return ()

    def is_named_so(self, file: AuditedFile, bucket: str, key: str) -> bool:
        return True


def check_digest(data: bytes) -> None:
    """A key, a line break, and the content: read or not, the same from the file, from bytes and written anew."""
    name, _, content = data.partition(b"\n")
    _check_key(name.decode("utf-8", "surrogateescape"))
    document = parse_digest(content)
    if document:
        _check_document(document, content)
    whole = _read(gzip.compress(content, 1))
    assert (whole.document, whole.sha256) == (document, hashlib.sha256(content).hexdigest())
    assert not whole.trailing
    assert _read(gzip.compress(content, 1) + b"x").trailing
    bare = _read(content)  # whatever else lies there
    assert bool(bare.document) <= bool(bare.sha256)


def check_metadata(data: bytes) -> None:
    """Metadata beside a copy is read or not, and the same wherever it stands; keys are read or refused in short."""
    found = read_sidecar(data)
    assert all(isinstance(part, str) for entry in found.items() for part in entry)
    assert signature_of(found) == signature_of(found).lower()
    if not any(name.startswith(_PREFIX) for name in found):
        for wrapped in ({"Metadata": found}, {"ResponseMetadata": {"HTTPHeaders": _prefixed(found)}}):
            assert read_sidecar(json.dumps(wrapped).encode()) == found
    keys, said = _keys(data.decode("utf-8", "replace"))
    assert len(said) < _MAX_ERROR
    assert all(isinstance(key.der, bytes) and isinstance(key.named_rightly, bool) for key in keys)


def _keys(text: str) -> tuple[list[PublicKey], str]:
    try:
        return parse_public_keys(text, "keys.json"), ""
    except SettingsError as error:
        return [], str(error)


def _read(body: bytes) -> ReadDigest:
    return read_digest(AuditedFile("AWSLogs/x", "AWSLogs/x", "b"), _OneFile(body, {}))


def _check_key(text: str) -> None:
    key, span = parse_digest_key(text), delivery_span(text)
    if key:
        assert text.startswith(key.prefix)
        assert key.end.tzinfo
        assert f"/{key.trail.account}/CloudTrail-Digest/{key.trail.region}/" in f"/{text}"
    if span:
        assert span[0] < span[1] or span[0].year == 9999


def _check_document(document: DigestDocument, content: bytes) -> None:
    texts = (document.bucket, document.key, document.fingerprint, document.start_text, document.signed_previous)
    assert all(isinstance(text, str) for text in texts)
    assert document.signed_text("0").startswith(document.end_text.encode("utf-8", "surrogatepass"))
    assert document.well_formed == (None not in (document.start, document.end, document.logs))
    assert parse_digest(json.dumps(json.loads(content)).encode()) == document


def _prefixed(found: dict[str, str]) -> dict[str, str]:
    return {f"{_PREFIX}{name}": value for name, value in found.items()}
