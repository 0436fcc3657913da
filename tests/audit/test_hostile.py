"""Whoever can write into the folder writes anything: names, documents, metadata. Each file has a verdict."""

import gzip
import json
import math
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.audit.audited import Told, audit, honest
from tests.audit.world import World, below, fingerprint, key_pair
from trailbell.cli.main import cli


TIMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+05:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "2026-11-20",
    "2026-W01-1",
)
NAMED_TIMES = ("00010101T0000", "99991231T2359", "00000000T0000", "20261120T2130", "20261331T9999")
DEEP = 900  # levels: JSON takes them, one call for each would be too many
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.sampled_from([math.nan, math.inf, "", "\ud800", "\udfff" * 3, "\0", "null", "a" * 5000, *TIMES]),
        st.text(st.characters(codec=None), max_size=20),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    [
        "awsAccountId",
        "digestStartTime",
        "digestEndTime",
        "digestS3Bucket",
        "digestS3Object",
        "digestPublicKeyFingerprint",
        "digestSignatureAlgorithm",
        "newestEventTime",
        "previousDigestS3Bucket",
        "previousDigestS3Object",
        "previousDigestHashValue",
        "previousDigestHashAlgorithm",
        "previousDigestSignature",
        "logFiles",
    ]
)
LISTED = st.sampled_from(["s3Bucket", "s3Object", "hashValue", "hashAlgorithm"])
BODIES = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=60).map(gzip.compress),
    ANYTHING.map(lambda value: gzip.compress(json.dumps(value).encode())),
    st.sampled_from(["[", '{"a":', '{"Metadata":']).map(lambda text: gzip.compress(text.encode() * DEEP)),
)
SIDECARS = st.one_of(
    st.binary(max_size=60),
    ANYTHING.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(
        st.sampled_from(["signature", "Signature-Algorithm", "x-amz-meta-backfill-generation-timestamp", "Metadata"]),
        ANYTHING,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(TIMES).map(lambda at: json.dumps({"backfill-generation-timestamp": at}).encode()),
    st.just(b'{"Metadata":' * DEEP + b"{}" + b"}" * DEEP),
)
PARTS = st.sampled_from(["x", "CloudTrail", "CloudTrail-Digest", "..x", "\udc80", "2026", "us-east-1", " ", "a" * 230])


@st.composite
def renamed(draw: st.DrawFn, key: str) -> str:
    """A name for a file, somewhere in its account's folder: CloudTrail's with another time, a suffix, a folder."""
    folder, _, name = key.rpartition("/")
    stamp = next(part for part in reversed(name.split("_")) if part[:8].isdigit() and "T" in part).partition("Z")[0]
    other = draw(st.sampled_from(NAMED_TIMES))
    changed = name.replace(stamp, other + "00" if len(stamp) > len(other) else other)
    how = draw(st.sampled_from(["time", "backfill", "case", "deeper", "higher", "part"]))
    if how == "time":
        return f"{folder}/{changed}"
    if how == "backfill":
        return f"{folder}/{changed.replace('.json.gz', '_backfill.json.gz')}"
    if how == "case":
        return f"{folder}/{name.replace('.json.gz', '.JSON.GZ')}"
    if how == "deeper":
        return f"{folder}/{draw(PARTS)}/{name}"
    if how == "higher":
        return f"{folder.rsplit('/', draw(st.integers(1, 4)))[0]}/{name}"
    return f"{folder}/{draw(PARTS)}.json.gz"


Act = Callable[[World], None]


def set_field(digest: str, field: str, value: Any, listed: str, signed: bool) -> Act:
    """Write anything into a digest (into its list, where `listed` names a member), signed anew or not."""

    def act(world: World) -> None:
        document = world.document(digest)
        (document["logFiles"][0] if listed and document["logFiles"] else document)[listed or field] = value
        pairs = [key_pair(f"us-east-1 {age}") for age in ("old", "new")]
        pair = next((pair for pair in pairs if fingerprint(pair) == document["digestPublicKeyFingerprint"]), pairs[0])
        stored = world.objects[digest]
        stored.body = gzip.compress(json.dumps(document).encode())
        if signed:
            with suppress(TypeError, AttributeError, UnicodeEncodeError):  # nobody can sign that
                world.put_digest(digest, document, pair)

    return act


def put(key: str, body: bytes) -> Act:
    def act(world: World) -> None:
        world.objects[key].body = body

    return act


def rename(key: str, other: str) -> Act:
    def act(world: World) -> None:
        world.objects[other] = world.objects[key]

    return act


def _world() -> World:
    return World(1, hours=4)


_KEYS = sorted(_world().objects)
_DIGESTS = [key for key in _KEYS if "/CloudTrail-Digest/" in key]
DIGESTS, KEYS = st.sampled_from(_DIGESTS), st.sampled_from(_KEYS)
ACTS = st.one_of(
    st.builds(set_field, DIGESTS, FIELDS, ANYTHING, st.one_of(st.just(""), st.just(""), LISTED), st.booleans()),
    st.builds(put, KEYS, BODIES),
    KEYS.flatmap(lambda key: st.builds(rename, st.just(key), renamed(key))),
)


@given(st.lists(ACTS, min_size=1, max_size=4), st.dictionaries(DIGESTS, SIDECARS, max_size=2), st.booleans())
@example([set_field(_DIGESTS[1], "previousDigestSignature", "\ud800", "", False)], {}, True)
@example([set_field(_DIGESTS[1], "digestS3Bucket", "\ud800", "", False)], {}, False)
@example([set_field(_DIGESTS[1], "digestStartTime", "0001-01-01T00:00:00+05:00", "", True)], {}, True)
@example(
    [put(_DIGESTS[1], gzip.compress(b'{"a":' * DEEP))], {_DIGESTS[2]: b'{"Metadata":' * 900 + b"{}" + b"}" * 900}, True
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_lies_there_has_a_verdict(acts: list[Act], sidecars: dict[str, bytes], with_sidecars: bool) -> None:
    """One file that nobody can read must not keep the others from being audited, nor go unnamed."""
    world = _world()
    for act in acts:
        try:
            act(world)
        except (ValueError, TypeError, KeyError, OSError, EOFError):
            continue  # an act before has left nothing that this one can change

    with TemporaryDirectory() as place:
        folder = Path(place)
        keys = world.write(folder, sidecars=with_sidecars)
        for digest, text in sidecars.items():
            (folder / "copy" / f"{digest}.metadata.json").write_bytes(text)
        lines, table = (
            CliRunner().invoke(
                cli,
                ["audit", str(folder / "copy"), "--public-keys", str(keys), "--format", form],
                catch_exceptions=False,
            )
            for form in ("jsonl", "table")
        )

    told = [json.loads(line) for line in lines.stdout.splitlines()]
    assert lines.exit_code == table.exit_code
    assert {below(key) for key in world.objects} <= {line["key"] for line in told if line["type"] != "gap"}


# --- names and places


MOVES: dict[str, tuple[Callable[[str], str], str]] = {
    "a folder deeper": (lambda key: key.replace("/111122223333_", "/old/111122223333_"), "moved"),
    "beside the years": (lambda key: f"{key.partition('/2026/')[0]}/{key.rpartition('/')[2]}", "moved"),
    "beside the regions": (lambda key: f"{key.partition('/us-east-1/')[0]}/{key.rpartition('/')[2]}", "moved"),
    "in the account's folder": (
        lambda key: f"{key.partition('/CloudTrail-Digest/')[0]}/{key.rpartition('/')[2]}",
        "moved",
    ),
    "in another case": (lambda key: key.replace(".json.gz", ".JSON.GZ"), "moved"),
    "in a folder in another case": (lambda key: key.replace("/CloudTrail-Digest/", "/cloudtrail-digest/"), "moved"),
    "among the log files": (lambda key: key.replace("/CloudTrail-Digest/", "/CloudTrail/"), "moved"),
}


@pytest.mark.parametrize("name", MOVES)
def test_digest_that_was_moved_is_named_wherever_it_lies(name: str, tmp_path: Path) -> None:
    """The newest: nothing names it, so it would be gone without a word."""
    world = World(1)
    move, word = MOVES[name]
    digest = world.chains[0].digests[-1]
    world.objects[move(digest)] = world.objects.pop(digest)

    status, told = audit(tmp_path, world)

    assert (status, told[below(move(digest))]) == (1, word)


@pytest.mark.parametrize("name", [name for name in MOVES if name != "among the log files"])
def test_log_file_that_was_added_anywhere_is_unlisted(name: str, tmp_path: Path) -> None:
    """Whoever reads a whole prefix reads it."""
    world = World(1)
    log = world.logs(world.chains[0])[0]
    move = MOVES[name][0]
    other = move(log.replace("/CloudTrail/", "/CloudTrail-Digest/")).replace("-Digest/", "/").replace("-digest/", "/")
    other = other if other != log else move(log)
    if name == "in the account's folder":
        other = f"{log.partition('/CloudTrail/')[0]}/{log.rpartition('/')[2]}"
    world.objects[other] = world.objects[log]

    status, told = audit(tmp_path, world)

    assert (status, told[below(other)], told[below(log)]) == (1, "unlisted", "valid")


def test_forged_log_file_of_network_activity_is_unlisted(tmp_path: Path) -> None:
    """Its name says when it was delivered, as that of every log file does."""
    world = World(1)
    log = world.logs(world.chains[0])[0]
    forged = log.replace("CloudTrail/", "CloudTrail-NetworkActivity/").replace(
        "_CloudTrail_", "_CloudTrail-NetworkActivity_"
    )
    world.objects[forged] = world.objects[log]

    _, told = audit(tmp_path, world)

    assert told[below(forged)] == "unlisted"


def _run(*arguments: object) -> tuple[int, Told, str]:
    result = CliRunner().invoke(cli, ["audit", *map(str, arguments), "--format", "jsonl"], catch_exceptions=False)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return result.exit_code, {line["key"]: line["verdict"] for line in lines if line["type"] != "gap"}, result.stderr


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A pipe never ends, and a link may lead nowhere."""
    world = World(1)
    keys = world.write(tmp_path)
    pipe, nowhere, itself, folder = world.chains[0].digests[-1], *world.logs(world.chains[0])[:3]
    for key in (pipe, nowhere, itself, folder):
        (tmp_path / "copy" / key).unlink()
    os.mkfifo(tmp_path / "copy" / pipe)
    (tmp_path / "copy" / nowhere).symlink_to(tmp_path / "nowhere")
    (tmp_path / "copy" / itself).symlink_to(tmp_path / "copy" / itself)
    (tmp_path / "copy" / folder).mkdir()

    status, told, _ = _run(tmp_path / "copy", "--public-keys", keys)

    assert (status, told[below(pipe)]) == (1, "invalid-format")
    assert {told[below(key)] for key in (nowhere, itself, folder)} == {"missing"}


def test_name_as_long_as_can_be_has_a_verdict(tmp_path: Path) -> None:
    """Its sidecar's would be longer than a disk takes."""
    world = World(1)
    digest = world.chains[0].digests[-1]
    other = f"{digest.rpartition('/')[0]}/{'a' * 247}.json.gz"
    world.objects[other] = world.objects[digest]

    assert audit(tmp_path, world, sidecars=False)[1][below(other)] == "moved"


def test_digest_that_leads_nowhere_is_told_though_nothing_names_it(tmp_path: Path) -> None:
    """It was listed, and then not there."""
    world = World(1)
    keys = world.write(tmp_path)
    newest = world.chains[0].digests[-1]
    (tmp_path / "copy" / newest).unlink()
    (tmp_path / "copy" / newest).symlink_to(tmp_path / "nowhere")

    assert _run(tmp_path / "copy", "--public-keys", keys)[1][below(newest)] == "missing"


def test_large_digest_is_not_kept(tmp_path: Path) -> None:
    """Three bytes of JSON are seventy of memory; the function that audits has half a gigabyte."""
    world = World(1)
    fits, larger = world.chains[0].digests[1:3]
    for digest, size in ((fits, 8_000_000), (larger, 8_400_000)):
        world.put_digest(digest, {**world.document(digest), "padding": "x" * size}, key_pair("us-east-1 old"))

    told = audit(tmp_path, world)[1]

    assert (told[below(fits)], told[below(larger)]) == ("valid", "invalid-format")


def test_sidecars_of_log_files_are_no_log_files(tmp_path: Path) -> None:
    """Who writes down the metadata of each object of a bucket has an honest copy; without its file one is told."""
    world = World(1)
    keys = world.write(tmp_path)
    logs = world.logs(world.chains[0])
    for log in logs:
        (tmp_path / "copy" / f"{log}.metadata.json").write_text("{}")
    (tmp_path / "copy" / logs[0]).with_name("notes.txt").write_text("mine")

    status, told, said = _run(tmp_path / "copy", "--public-keys", keys)

    assert (status, told) == (0, honest(world))
    assert "passed over: 1 files" in said

    (tmp_path / "copy" / logs[0]).unlink()
    assert f"{below(logs[0])}.metadata.json" in _run(tmp_path / "copy", "--public-keys", keys)[1]
