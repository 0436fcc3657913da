"""The parts of an audit: members and their hashes, digest documents, sidecars, lists of public keys, chains."""

import base64
import gzip
import hashlib
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.world import fingerprint, key_pair, public_der, sign
from trailbell.audit.chain import Cause, Coverage, Gap, Proven, all_hold, gaps
from trailbell.audit.files import AuditedFile
from trailbell.audit.metadata import read_sidecar, signature_of
from trailbell.audit.public_keys import parse_public_keys, window_of
from trailbell.audit.signature import BadKeyError, is_signed
from trailbell.aws.audit_objects import AuditObjects
from trailbell.aws.public_keys import AwsKeys
from trailbell.cloudtrail.digest import parse_digest
from trailbell.cloudtrail.digest_key import Trail
from trailbell.cloudtrail.member import Member, hash_member
from trailbell.errors import LogFileError, SettingsError
from trailbell.hits.ledger import ReadLog
from trailbell.store.ledger import DynamoLedger


T = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
DIGEST: dict[str, Any] = {
    "digestStartTime": "2026-11-20T09:01:31Z",
    "digestEndTime": "2026-11-20T10:01:31Z",
    "digestS3Bucket": "bucket",
    "digestS3Object": "AWSLogs/key",
    "digestPublicKeyFingerprint": "00",
    "previousDigestSignature": None,
    "logFiles": [],
}


# --- the first member


@given(st.binary(max_size=200_000), st.integers(1, 70_000), st.binary(max_size=40))
def test_first_member_is_hashed_in_any_pieces(content: bytes, size: int, after: bytes) -> None:
    """However it is delivered: the hash of the content, and whether anything follows."""
    body = gzip.compress(content) + after

    found = hash_member(body[at : at + size] for at in range(0, len(body), size))

    assert found == Member(hashlib.sha256(content).hexdigest(), bool(after))


@given(st.binary(max_size=2000), st.data())
def test_every_cut_is_told(content: bytes, data: st.DataObject) -> None:
    """Also within the last eight bytes, which the AWS CLI does not miss."""
    body = gzip.compress(content)
    cut = data.draw(st.integers(0, len(body) - 1))

    with pytest.raises(LogFileError):
        hash_member([body[:cut]])


def test_checksum_that_does_not_fit_is_told() -> None:
    """The bytes arrived, but not as they were written."""
    body = bytearray(gzip.compress(b"content"))
    body[-8] ^= 1

    with pytest.raises(LogFileError, match="not valid gzip"):
        hash_member([bytes(body)])


def test_a_bomb_is_not_kept() -> None:
    """A digest is kept as a whole, so it has a limit."""
    with pytest.raises(LogFileError, match="larger than"):
        hash_member([gzip.compress(b"0" * 5_000_000)], bytearray(), 1_000_000)


def test_isal_and_zlib_agree_on_what_is_broken() -> None:
    """What inflates here and what inflated for the digest must not differ."""
    body = gzip.compress(b"content" * 100)
    for broken in (body[:-1], body[:-8], body[:12], b"plain", b"", b"\x1f\x8b"):
        member = zlib.decompressobj(31)
        try:
            member.decompress(broken)
            whole = member.eof
        except zlib.error:
            whole = False
        assert not whole
        with pytest.raises(LogFileError):
            hash_member([broken])


# --- documents


@pytest.mark.parametrize("name", [name for name in DIGEST if name != "logFiles"])
def test_digest_lacks_nothing(name: str) -> None:
    """What every digest has must be there, and be text."""
    without = {key: value for key, value in DIGEST.items() if key != name}

    assert parse_digest(json.dumps(DIGEST).encode())
    assert parse_digest(json.dumps(without).encode()) is None
    assert parse_digest(json.dumps(DIGEST | {name: 7}).encode()) is None


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_digest_is_none(text: bytes) -> None:
    """Whatever somebody puts there."""
    assert parse_digest(text) is None


@pytest.mark.parametrize("logs", [None, 7, "[]", {}, [7], [{}], [{"s3Bucket": "b", "s3Object": 1, "hashValue": "x"}]])
def test_list_that_is_none_is_not_well_formed(logs: object) -> None:
    """CloudTrail signed no such list; that of an empty hour is there, and empty."""
    broken = parse_digest(json.dumps(DIGEST | {"logFiles": logs}).encode())
    empty = parse_digest(json.dumps(DIGEST | {"logFiles": []}).encode())

    assert broken
    assert not broken.well_formed
    assert empty
    assert empty.well_formed


def test_signed_text_ends_with_null_in_a_starting_digest() -> None:
    """Four lines, and the word for what is not there."""
    document = parse_digest(json.dumps(DIGEST).encode())

    assert document
    assert document.signed_text("ab") == b"2026-11-20T10:01:31Z\nbucket/AWSLogs/key\nab\nnull"


# --- signatures and keys


@pytest.mark.parametrize("form", [PublicFormat.PKCS1, PublicFormat.SubjectPublicKeyInfo])
def test_both_forms_of_a_key_verify(form: PublicFormat) -> None:
    """The API gives PKCS #1; one sample of the documentation is the other."""
    content = json.dumps(DIGEST).encode()
    document = parse_digest(content)
    signature = sign(key_pair("a"), DIGEST, content)

    assert document
    text = document.signed_text(hashlib.sha256(content).hexdigest())
    assert is_signed(text, signature, public_der(key_pair("a"), form))
    assert is_signed(text, signature.upper(), public_der(key_pair("a"), form))
    assert not is_signed(text, signature, public_der(key_pair("b"), form))
    assert not is_signed(text + b"\n", signature, public_der(key_pair("a"), form))
    assert not is_signed(text, "zz", public_der(key_pair("a"), form))


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"nothing",
        generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ],
    ids=["empty", "no DER", "elliptic curve"],
)
def test_what_is_no_rsa_key_is_told_apart(der: bytes) -> None:
    """A wrong signature and a wrong key are two things."""
    with pytest.raises(BadKeyError):
        is_signed(b"text", "00", der)


@pytest.mark.parametrize(
    "names", [("Fingerprint", "Value", "PublicKeyList"), ("fingerprint", "value", "publicKeyList")]
)
@pytest.mark.parametrize("several", [False, True])
def test_lists_of_keys_are_read_as_they_are_printed(names: tuple[str, str, str], several: bool) -> None:
    """One answer or several in a list, in the spelling of the CLI or of the documentation."""
    fingerprint_name, value, top = names
    der = public_der(key_pair("a"))
    answer = {top: [{fingerprint_name: fingerprint(key_pair("a")), value: base64.b64encode(der).decode()}]}

    found = parse_public_keys(json.dumps([answer, {top: []}] if several else answer), "keys.json")

    assert [(key.fingerprint, key.der, key.named_rightly) for key in found] == [(fingerprint(key_pair("a")), der, True)]


def test_value_that_is_no_base64_is_no_key() -> None:
    """Its digests are told as bad-key, not as unsigned."""
    (key,) = parse_public_keys('{"PublicKeyList": [{"Fingerprint": "AB", "Value": "§"}]}', "keys.json")

    assert (key.fingerprint, key.der, key.named_rightly) == ("ab", b"", False)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"PublicKeyList": 7}', "7", "[" * 100_000])
def test_file_without_keys_is_refused_by_its_name(text: str) -> None:
    """Else every digest would be no-key, and nobody knew why."""
    with pytest.raises(SettingsError, match=r"keys\.json"):
        parse_public_keys(text, "keys.json")


class ListPublicKeys:
    """CloudTrail of one region, with pages of one key; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def list_public_keys(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        first = "NextToken" not in asked
        entry = {"Fingerprint": "aa" if first else "bb", "Value": b"first" if first else b"second"}
        return {"PublicKeyList": [entry]} | ({"NextToken": "more"} if first else {})


def test_keys_are_asked_for_once_for_a_day_and_all_pages_are_read() -> None:
    """The AWS CLI reads the first page alone; each call is a record in the trail."""
    service, regions = ListPublicKeys(), []
    keys = AwsKeys(lambda region: regions.append(region) or service)  # type: ignore[func-returns-value] # both
    window = window_of(T + 10 * HOUR, backfill=False, generated="")

    found = [keys.find("eu-west-1", name, window) for name in ("BB", "aa", "cc", "cc")]

    assert [[key.der for key in one] for one in found] == [[b"second"], [b"first"], [], []]
    assert regions == ["eu-west-1"]
    assert [asked.get("NextToken") for asked in service.asked] == [None, "more"]
    assert service.asked[0]["StartTime"] <= T + 9 * HOUR
    assert service.asked[0]["EndTime"] >= T + 12 * HOUR


def test_key_that_came_since_is_found() -> None:
    """CloudTrail changes its key in the middle of a day; the digest after that is not forged."""
    service, now = ListPublicKeys(), [T + 10 * HOUR]
    answers: list[dict[str, Any]] = [{"PublicKeyList": []}]
    service.list_public_keys = lambda **asked: service.asked.append(asked) or answers[-1]  # type: ignore[method-assign, func-returns-value] # both
    keys = AwsKeys(lambda region: service, lambda: now[0])

    assert not keys.find("eu-west-1", "new", window_of(T + 10 * HOUR, backfill=False, generated=""))
    answers.append({"PublicKeyList": [{"Fingerprint": "new", "Value": b"der"}]})
    now[0] += HOUR
    found = keys.find("eu-west-1", "new", window_of(T + 11 * HOUR, backfill=False, generated=""))

    assert [key.der for key in found] == [b"der"]
    assert len(service.asked) == 2


def test_a_key_may_come_into_force_after_the_digest_and_that_of_a_backfill_when_it_was_made() -> None:
    """A digest just after a change is signed with a key that is not in its period."""
    made = "2026-11-22T08:00:00Z"
    standard = window_of(T, backfill=False, generated=made)
    backfill = window_of(T, backfill=True, generated=made)
    unknown = window_of(T, backfill=True, generated="")

    assert (standard.until, backfill.since, backfill.until) == (T + 2 * HOUR, T + 55 * HOUR, T + 57 * HOUR)
    assert unknown.until > T + 2 * HOUR


@pytest.mark.parametrize("end", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)])
@pytest.mark.parametrize("generated", ["", "0001-01-01", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+05:00"])
@pytest.mark.parametrize("backfill", [False, True])
def test_keys_of_times_without_cloudtrail_are_not_asked_for(end: datetime, generated: str, backfill: bool) -> None:
    """A digest's name is anybody's text; CloudTrail would refuse the time, and each refusal is a record."""
    service = ListPublicKeys()
    keys = AwsKeys(lambda region: service)

    assert keys.find("eu-west-1", "aa", window_of(end, backfill=backfill, generated=generated)) == []
    assert service.asked == []


# --- buckets and the ledger


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("", "k"),
        ("\ud800abc", "k"),
        ("a b c", "k"),
        ("x/y", "k"),
        ("bucket", ""),
        ("bucket", "\udfff"),
        ("bucket", "k" * 1025),
    ],
)
def test_name_that_no_object_has_is_not_asked_for(bucket: str, key: str) -> None:
    """S3's library raises for it, and a digest may name anything."""
    by = AuditedFile("AWSLogs/k", "AWSLogs/k", "bucket")

    assert AuditObjects(None).named(bucket, key, by) is None
    assert AuditObjects(None).named("bucket", "AWSLogs/k", by) == by


class OneTable:
    """Takes a row that is new."""

    def __init__(self) -> None:
        self.put: list[dict[str, Any]] = []

    def put_item(self, **asked: Any) -> dict[str, Any]:
        self.put.append(asked["Item"])
        return {}


@pytest.mark.parametrize("stamp", ["99991231T2359", "00010101T0000", "20261120T2130"])
@pytest.mark.parametrize("kind", ["CloudTrail", "CloudTrail-NetworkActivity"])
def test_log_file_of_any_time_is_kept_in_the_ledger(stamp: str, kind: str) -> None:
    """Else its message came again for ever."""
    day = f"{stamp[:4]}/{stamp[4:6]}/{stamp[6:8]}"
    key = f"AWSLogs/111122223333/{kind}/us-east-1/{day}/111122223333_{kind}_us-east-1_{stamp}Z_abc.json.gz"
    table = OneTable()

    DynamoLedger(table, "table").keep(ReadLog("bucket", key, "ab", 1, 1, "2026-11-20T21:30:00Z", repaired=False))

    hour = f"{day.replace('/', '-')}T{stamp[9:11]}"
    # One that is read long after the time in its name puts its hour in doubt.
    doubted = [{"S": "L#late"}] if stamp.startswith("0001") else []
    assert [row["pk"] for row in table.put] == [{"S": f"L#111122223333#us-east-1#{hour}"}, *doubted]


# --- metadata


@pytest.mark.parametrize(
    "document",
    [
        {"Metadata": {"signature": "AB", "signature-algorithm": "SHA256withRSA"}},
        {"signature": "AB", "signature-algorithm": "SHA256withRSA"},
        {"x-amz-meta-signature": "AB", "X-Amz-Meta-Signature-Algorithm": "SHA256withRSA"},
        {"ResponseMetadata": {"HTTPHeaders": {"x-amz-meta-signature": "AB", "x-amz-meta-signature-algorithm": "S"}}},
        {"ETag": "x", "ContentLength": 7, "Metadata": {"Signature": "AB", "Signature-Algorithm": "S"}},
    ],
)
def test_signature_is_found_in_every_form_of_metadata(document: dict[str, Any]) -> None:
    """As S3's tools print it, or as somebody wrote it down."""
    assert signature_of(read_sidecar(json.dumps(document).encode())) == "ab"


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"\xff", b"{}", b'{"signature": 7}', b'{"Metadata": {"signature": "ab"}}']
)
def test_metadata_without_signature_or_algorithm_has_none(text: bytes) -> None:
    """The AWS CLI wants both."""
    assert signature_of(read_sidecar(text)) == ""


# --- chains


TRAIL = Trail("111122223333", "us-east-1", "t", "us-east-1")
PERIODS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 3), st.booleans(), st.booleans()), unique_by=lambda one: one[0]
)


def proven(start: int, hours: int = 1, starting: bool = False, linked: bool = True) -> Proven:
    return Proven(T + start * HOUR, T + (start + hours) * HOUR, starting, linked and not starting)


@given(PERIODS)
def test_gap_is_a_time_that_no_proven_digest_covers(periods: list[tuple[int, int, bool, bool]]) -> None:
    """Hour by hour, the slow way: nothing in a gap is covered, and it ends where a digest begins that has no link."""
    digests = [proven(*period) for period in periods]

    for gap in gaps(TRAIL, digests):
        inside = [one for one in digests if one.start >= gap.since and one.end <= gap.until]
        assert gap.since < gap.until
        assert not inside
        assert any(one.start == gap.until and one.starting == (gap.cause is Cause.RESTART) for one in digests)
        assert any(one.end == gap.since for one in digests)


def test_gaps_say_why() -> None:
    """A link that is lost, and a chain that began anew; the first digest of all has nothing before it."""
    digests = [proven(0, starting=True), proven(1), proven(4, linked=False), proven(5), proven(9, starting=True)]

    assert gaps(TRAIL, digests) == [
        Gap(TRAIL, T + 2 * HOUR, T + 4 * HOUR, Cause.LOST),
        Gap(TRAIL, T + 6 * HOUR, T + 9 * HOUR, Cause.RESTART),
    ]
    assert gaps(TRAIL, [proven(0), proven(1, starting=True)]) == [], "no time in between"


@given(PERIODS, st.integers(0, 30), st.integers(0, 3))
def test_a_time_is_covered_if_every_hour_of_it_is(
    periods: list[tuple[int, int, bool, bool]], since: int, hours: int
) -> None:
    """The slow way, hour by hour."""
    digests = [proven(*period) for period in periods]
    covered = {start + hour for start, length, *_ in periods for hour in range(length)}

    found = Coverage(digests).holds(T + since * HOUR, T + (since + max(hours, 1)) * HOUR)

    assert found == all(hour in covered for hour in range(since, since + max(hours, 1)))


def test_of_several_trails_every_one_must_cover_a_time() -> None:
    """A log file's name does not say whose it is."""
    one, other = Coverage([proven(0, 3)]), Coverage([proven(0), proven(2)])

    assert all_hold([one], T + HOUR, T + 2 * HOUR)
    assert not all_hold([one, other], T + HOUR, T + 2 * HOUR)
    assert not all_hold([], T, T)
