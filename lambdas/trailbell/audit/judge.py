"""The verdict on each digest: is it what it says it is, did CloudTrail sign it, and does it follow the one it names?

The order of the checks decides which word is said where several fit: invalid-format, moved, unsigned, no-key, bad-key,
bad-signature, trailing-data, chain-broken.
"""

from collections.abc import Iterable, Mapping, Sequence

from trailbell.audit.files import AuditedFile, Files
from trailbell.audit.public_keys import Keys, window_of
from trailbell.audit.read_digest import ReadDigest
from trailbell.audit.verdict import Verdict
from trailbell.cloudtrail.digest import DigestDocument


class Judge:
    """Judges digests; what signatures said is kept."""

    def __init__(self, files: Files, keys: Keys) -> None:
        self._files, self._keys = files, keys
        self._signed: dict[tuple[AuditedFile, str], Verdict] = {}

    def judge(self, digests: Iterable[ReadDigest]) -> dict[AuditedFile, Verdict]:
        """The verdict on each of the digests, which are all that there are of one account and region."""
        by_file = {digest.file: digest for digest in digests}
        carriers = self._carriers(by_file)
        first = {file: self._first(digest, carriers.get(file, ())) for file, digest in by_file.items()}
        return {file: self._last(digest, first, carriers, by_file) for file, digest in by_file.items()}

    def is_signed(self, digest: ReadDigest) -> bool:
        """Whether a digest is proven by the signature that lies with it."""
        return self._first(digest, ()) is Verdict.VALID

    def previous_file(self, digest: ReadDigest) -> AuditedFile | None:
        """The file that a digest names as the one before it; None if it names none, or that is not there."""
        previous = digest.document.previous if digest.document else None
        return digest.names(self._files, previous.bucket, previous.key) if previous else None

    def _carriers(self, by_file: Mapping[AuditedFile, ReadDigest]) -> dict[AuditedFile, list[ReadDigest]]:
        """Of each digest those that carry its signature, where signatures do not lie with the files.

        Whoever carries it need not be proven: a signature proves itself.
        """
        found: dict[AuditedFile, list[ReadDigest]] = {}
        if self._files.keeps_signatures:
            return found
        for digest in by_file.values():
            file = self.previous_file(digest)
            if file:
                found.setdefault(file, []).append(digest)
        return found

    def _first(self, digest: ReadDigest, carriers: Sequence[ReadDigest]) -> Verdict:
        """The verdict without what comes before: VALID where CloudTrail signed the content."""
        document = digest.document
        if digest.not_read:
            return digest.not_read
        if not document or not document.well_formed:
            return Verdict.INVALID_FORMAT
        if not digest.key or not self._files.is_named_so(digest.file, document.bucket, document.key):
            return Verdict.MOVED
        signatures = [digest.signature] if digest.signature else _carried(carriers)
        if not signatures:
            return Verdict.UNSIGNED
        found = [self._check(digest, document, signature) for signature in signatures]
        return Verdict.VALID if Verdict.VALID in found else found[0]

    def _check(self, digest: ReadDigest, document: DigestDocument, signature: str) -> Verdict:
        asked = (digest.file, signature)
        if asked not in self._signed:
            self._signed[asked] = self._verify(digest, document, signature)
        return self._signed[asked]

    def _verify(self, digest: ReadDigest, document: DigestDocument, signature: str) -> Verdict:
        from trailbell.audit.signature import BadKeyError, is_signed  # late: see there

        assert digest.key
        window = window_of(digest.key.end, backfill=digest.key.backfill, generated=digest.generated)
        keys = self._keys.find(digest.key.trail.region, document.fingerprint, window)
        if not keys:
            return Verdict.NO_KEY
        text, verdict = document.signed_text(digest.sha256), Verdict.BAD_KEY
        for key in keys:
            try:
                if is_signed(text, signature, key.der):
                    return Verdict.VALID
            except BadKeyError:
                continue
            verdict = Verdict.BAD_SIGNATURE
        return verdict

    def _last(
        self,
        digest: ReadDigest,
        first: Mapping[AuditedFile, Verdict],
        carriers: Mapping[AuditedFile, Sequence[ReadDigest]],
        by_file: Mapping[AuditedFile, ReadDigest],
    ) -> Verdict:
        verdict = first[digest.file]
        if verdict is Verdict.BAD_SIGNATURE and not digest.signature:
            accused = any(_accuses(carrier, first[carrier.file], digest) for carrier in carriers[digest.file])
            return Verdict.BAD_SIGNATURE if accused else Verdict.UNSIGNED
        if verdict is not Verdict.VALID:
            return verdict
        if digest.trailing:
            return Verdict.TRAILING_DATA
        return Verdict.VALID if self._follows(digest, by_file) else Verdict.CHAIN_BROKEN

    def _follows(self, digest: ReadDigest, by_file: Mapping[AuditedFile, ReadDigest]) -> bool:
        """Whether the digest that it names, if it is there, has the hash and the signature that it states."""
        previous = digest.document.previous if digest.document else None
        file = self.previous_file(digest)
        before = by_file.get(file) if file else None
        if not previous or not before or before.not_read not in (None, Verdict.INVALID_FORMAT):
            return True
        if not before.sha256:
            return not previous.sha256  # what has no content has not the one that was hashed
        return _agree(previous.sha256, before.sha256) and _agree(previous.signature, before.signature)


def _carried(carriers: Sequence[ReadDigest]) -> list[str]:
    found = [carrier.document.previous for carrier in carriers if carrier.document]
    return list(dict.fromkeys(previous.signature for previous in found if previous and previous.signature))


def _accuses(carrier: ReadDigest, verdict: Verdict, digest: ReadDigest) -> bool:
    """Whether a signature that a digest carries, and that does not fit the one before it, tells of that one.

    Whose fault it is can only be said where the carrier is what CloudTrail wrote; where no one carries its own
    signature, as that of a copy's newest digest, it is believed if it states another content, too.
    """
    previous = carrier.document.previous if carrier.document else None
    believed = verdict is Verdict.UNSIGNED and previous is not None and not _agree(previous.sha256, digest.sha256)
    return believed or verdict is Verdict.VALID


def _agree(stated: str, found: str) -> bool:
    """Whether two texts are equal; what is not known disagrees with nothing."""
    return not stated or not found or stated == found
