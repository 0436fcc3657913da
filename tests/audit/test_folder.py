"""`trailbell audit` of a folder: which copies it takes, whose signatures, how it ends."""

import gzip
import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.audit.audited import audit, honest
from tests.audit.tamperings import a_digest, a_log
from tests.audit.world import BEGIN, HOUR, SHAPES, TrailSpec, World, below, key_pair
from trailbell.cli.main import cli
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import SettingsError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["audit", *map(str, arguments)], catch_exceptions=False)


@pytest.mark.parametrize("name", SHAPES)
def test_without_sidecars_the_next_digest_carries_the_signature(name: str, tmp_path: Path) -> None:
    """Copying loses S3's metadata; only what no digest follows is then unsigned, and what it lists unproven."""
    world = World(3, SHAPES[name])

    status, told = audit(tmp_path, world, sidecars=False)

    last = [key for chain in world.chains for key in (chain.digests[-1], chain.backfills[-1])]
    for chain in world.chains:  # nor is the last before a stop followed by any
        last += [one for one, other in zip(chain.digests, chain.digests[1:], strict=False) if _restarts(world, other)]
    expected = honest(world) | {below(key): "unsigned" for key in last}
    listed = [below(log) for chain in world.chains for key in last for log in chain.logs.get(key, ())]
    assert status == 1
    assert {key: word for key, word in told.items() if not key.startswith("gap ")} == expected | dict.fromkeys(
        listed, "unproven"
    )


def _restarts(world: World, digest: str) -> bool:
    return world.document(digest)["previousDigestS3Object"] is None


def test_signature_that_only_an_altered_digest_carries_accuses_nobody(tmp_path: Path) -> None:
    """Where the carrier is not what CloudTrail wrote, the one before it is unsigned, not forged."""
    world = World(3)
    first, second = world.chains[0].digests[1:3]
    document = world.document(second)
    document["previousDigestSignature"] = "00" * 256
    world.put_digest(second, document, key_pair("stranger"))

    _, told = audit(tmp_path, world, sidecars=False)

    assert (told[below(second)], told[below(first)]) == ("bad-signature", "unsigned")


def test_altered_digest_is_told_without_sidecars(tmp_path: Path) -> None:
    """The signature that the next one carries is of what was there before."""
    world = World(3)
    digest = a_digest(world, world.chains[0])
    document = world.document(digest)
    document["logFiles"] = []
    world.put_digest(digest, document, key_pair("stranger"))

    _, told = audit(tmp_path, world, sidecars=False)

    assert told[below(digest)] == "bad-signature"


@pytest.mark.parametrize("inside", ["AWSLogs", "AWSLogs/111122223333", ""])
def test_copy_may_begin_at_any_level(inside: str, tmp_path: Path) -> None:
    """People copy what they need; a prefix may have come with it, or AWSLogs/ itself stayed behind."""
    world = World(4)
    keys = world.write(tmp_path)
    content = tmp_path / "content"
    shutil.copytree(tmp_path / "copy" / "AWSLogs", content)

    for place in (tmp_path / "copy" / inside, content):
        result = run(place, "--public-keys", keys, "--format", "jsonl")

        assert result.exit_code == 0, result.stderr
        assert {json.loads(line)["key"] for line in result.stdout.splitlines()} == set(honest(world))


def test_two_copies_with_different_prefixes_do_not_mix(tmp_path: Path) -> None:
    """Each log file is compared with the digest beside it, and is one line."""
    world = World(4)
    keys = world.write(tmp_path)
    shutil.copytree(tmp_path / "copy" / "AWSLogs", tmp_path / "copy" / "other" / "AWSLogs")

    result = run(tmp_path / "copy", "--public-keys", keys, "--format", "jsonl")

    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 2 * len(honest(world))


def test_since_until_account_and_region_choose(tmp_path: Path) -> None:
    """What is not asked for is not named, and what began before is no fault."""
    world = World(5, SHAPES["organisation trail"])
    keys = world.write(tmp_path)
    since, until = BEGIN + 2 * HOUR, BEGIN + 6 * HOUR

    result = run(
        tmp_path / "copy",
        *("--public-keys", keys, "--format", "jsonl", "--account", "444455556666", "--region", "eu-central-1"),
        *("--since", since.isoformat(), "--until", until.isoformat()),
    )

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    digests = [line for line in lines if line["type"] == "digest"]
    assert result.exit_code == 0, result.stderr
    assert all("/444455556666/" in line["key"] and "/eu-central-1/" in line["key"] for line in lines)
    assert {line["verdict"] for line in digests} == {"valid"}
    assert {line["verdict"] for line in lines if line["type"] == "log"} <= {"valid", "unproven"}


def test_table_says_it_by_day_and_names_what_is_wrong(tmp_path: Path) -> None:
    """What a person reads: a row for each day, then each fault."""
    world = World(6)
    keys = world.write(tmp_path)
    log, digest = a_log(world, world.chains[0]), world.chains[0].digests[-3]
    (tmp_path / "copy" / log).unlink()
    (tmp_path / "copy" / digest).unlink()

    result = run(tmp_path / "copy", "--public-keys", keys)

    assert result.exit_code == 1
    assert "2026-11-20  111122223333  us-east-1" in result.stdout
    assert "1 missing, gap of 1 h (lost)" in result.stdout
    assert f"digest {below(digest)}" in result.stdout
    assert f"log {below(log)}" in result.stdout
    assert "2 missing, altered or not as signed; gaps: 1" in result.stderr


def test_json_is_one_document_of_days_and_verdicts(tmp_path: Path) -> None:
    """For programs that want both."""
    world = World(7, SHAPES["stopped and started"])
    keys = world.write(tmp_path)

    document = json.loads(run(tmp_path / "copy", "--public-keys", keys, "--format", "json").stdout)

    gap = next(line for line in document["verdicts"] if line["type"] == "gap")
    assert document["schema"] == "trailbell.audit/1"
    assert {"account", "region", "day", "listed", "digests", "logs", "gaps", "chain"} == set(document["days"][0])
    assert sum(day["logs"].get("valid", 0) for day in document["days"]) == sum(
        line["type"] == "log" and line["verdict"] == "valid" for line in document["verdicts"]
    )
    assert gap == {
        "type": "gap",
        "verdict": "gap",
        "account": "111122223333",
        "region": "us-east-1",
        "trail": "acme-audit",
        "from": "2026-11-21T01:01:21Z",
        "to": "2026-11-21T03:01:31Z",
        "cause": "restart",
    }


def test_nothing_to_prove_with_is_an_error_and_not_a_success(tmp_path: Path) -> None:
    """The AWS CLI says "No digests found" and ends with 0, also where somebody emptied the bucket."""
    world = World(8)
    keys = world.write(tmp_path)
    shutil.rmtree(tmp_path / "copy" / "AWSLogs" / "111122223333" / "CloudTrail-Digest")

    with pytest.raises(SettingsError, match="no digest files"):
        run(tmp_path / "copy", "--public-keys", keys)
    with pytest.raises(SettingsError, match="no digest files"):
        run(tmp_path, "--public-keys", keys, "--since", "2026-11-25")


def test_folder_without_keys_and_credentials_says_what_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own error would speak of credentials alone."""
    World(8).write(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(SettingsError, match="--public-keys FILE"):
        run(tmp_path / "copy")


def test_key_that_is_not_its_fingerprint_is_named(tmp_path: Path) -> None:
    """Somebody edited the file of keys; what it proves is nothing."""
    world = World(9)
    keys = world.write(tmp_path)
    document = json.loads(keys.read_text())
    for entry in document["PublicKeyList"]:
        entry["Value"] = "bm8ga2V5"
    keys.write_text(json.dumps(document))

    result = run(tmp_path / "copy", "--public-keys", keys, "--format", "jsonl")

    words = {json.loads(line)["verdict"] for line in result.stdout.splitlines()}
    assert (result.exit_code, words) == (1, {"bad-key", "unproven"})
    assert "does not have this fingerprint" in result.stderr


def test_log_file_under_a_name_of_its_own_is_told(tmp_path: Path) -> None:
    """The detector reads it by its folder, so an audit must not pass it over; its day has to be proven as a whole."""
    world = World(1, hours=40)
    folder = world.chains[0].digests[0].partition("/CloudTrail-Digest/")[0]
    whole_day, first_day = (f"{folder}/CloudTrail/us-east-1/2026/11/{day}/evil.json.gz" for day in (21, 20))
    for key in (whole_day, first_day):
        world.objects[key] = world.objects[a_log(world, world.chains[0])]

    _, told = audit(tmp_path, world)

    assert (told[below(whole_day)], told[below(first_day)]) == ("unlisted", "unproven")


def test_log_file_of_a_time_that_another_trail_does_not_cover_is_unproven(tmp_path: Path) -> None:
    """Its name does not say whose it is: it may be of the trail whose digest is gone."""
    world = World(2, SHAPES["two trails in a bucket"])
    chain = world.chains[0]
    digest = chain.digests[2]
    folder = digest.partition("/CloudTrail-Digest/")[0]
    forged = world.new_log(folder, chain.account, chain.region, BEGIN + 2 * HOUR + timedelta(minutes=30))
    later = world.new_log(folder, chain.account, chain.region, BEGIN + 5 * HOUR + timedelta(minutes=30))
    del world.objects[digest]

    _, told = audit(tmp_path, world)

    assert (told[below(forged)], told[below(later)]) == ("unproven", "unlisted")


@pytest.mark.parametrize("prefix", ["", "team/AWSLogs/logs/"])
def test_deletion_in_one_of_two_copies_is_told(prefix: str, tmp_path: Path) -> None:
    """The other copy's file proves nothing of this one."""
    world = World(4, (TrailSpec(prefix=prefix.rstrip("/")),))
    keys = world.write(tmp_path)
    shutil.copytree(tmp_path / "copy", tmp_path / "both" / "a")
    shutil.copytree(tmp_path / "copy", tmp_path / "both" / "b")
    first, digest = world.chains[0].digests[1:3]
    log = world.chains[0].logs[first][0]
    (tmp_path / "both" / "a" / log).unlink()
    (tmp_path / "both" / "b" / digest).unlink()

    result = run(tmp_path / "both", "--public-keys", keys, "--format", "jsonl")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert sorted(line["verdict"] for line in lines if line.get("key") == below(log)) == ["missing", "valid"]
    assert sorted(line["verdict"] for line in lines if line.get("key") == below(digest)) == ["missing", "valid"]


def test_deletion_behind_a_change_of_prefix_in_one_of_two_copies_is_told(tmp_path: Path) -> None:
    """The digest before lies under the old prefix of the same copy."""
    world = World(4, SHAPES["prefix changed"])
    keys = world.write(tmp_path)
    shutil.copytree(tmp_path / "copy", tmp_path / "both" / "a")
    shutil.copytree(tmp_path / "copy", tmp_path / "both" / "b")
    assert run(tmp_path / "both", "--public-keys", keys).exit_code == 0
    last_before = next(
        one
        for one, other in zip(world.chains[0].digests, world.chains[0].digests[1:], strict=False)
        if other.startswith("moved/") and not one.startswith("moved/")
    )
    (tmp_path / "both" / "a" / last_before).unlink()

    result = run(tmp_path / "both", "--public-keys", keys, "--format", "jsonl")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert sorted(line["verdict"] for line in lines if line.get("key") == below(last_before)) == ["missing", "valid"]


def test_digests_and_log_files_may_be_copied_to_different_places(tmp_path: Path) -> None:
    """Nothing of an account's log files lies beside its digests, so they are looked for elsewhere."""
    world = World(4)
    keys = world.write(tmp_path)
    account = Path("AWSLogs") / "111122223333"
    logs = tmp_path / "copy" / "logs" / account
    logs.mkdir(parents=True)
    shutil.move(tmp_path / "copy" / account / "CloudTrail", logs / "CloudTrail")

    result = run(tmp_path / "copy", "--public-keys", keys, "--format", "jsonl")

    assert result.exit_code == 0, result.stderr
    assert {line["key"]: line["verdict"] for line in map(json.loads, result.stdout.splitlines())} == honest(world)


def test_folder_that_is_a_link_is_named(tmp_path: Path) -> None:
    """Not followed, else it may lead in circles; passed over, all in it would be missing and nothing said why."""
    world = World(4)
    keys = world.write(tmp_path)
    (tmp_path / "copy" / "AWSLogs").rename(tmp_path / "elsewhere")
    (tmp_path / "copy" / "AWSLogs").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(SettingsError, match="AWSLogs: is a link"):
        run(tmp_path / "copy", "--public-keys", keys)


def test_altered_digest_before_the_newest_is_told_without_sidecars(tmp_path: Path) -> None:
    """Nobody carries the newest digest's signature, but it states what was in the one before."""
    world = World(3)
    digest = world.chains[0].digests[-2]
    document = world.document(digest)
    document["logFiles"] = []
    document["padding"] = 1
    world.put_digest(digest, document, key_pair("stranger"))

    _, told = audit(tmp_path, world, sidecars=False)

    assert (told[below(digest)], told[below(world.chains[0].digests[-1])]) == ("bad-signature", "unsigned")


def test_newest_digest_that_contradicts_itself_accuses_nobody_without_sidecars(tmp_path: Path) -> None:
    """It states the content that is there, and a signature that is not of it: who altered what cannot be said."""
    world = World(3)
    last, newest = world.chains[0].digests[-2:]
    document = world.document(newest)
    document["previousDigestSignature"] = "00" * 256
    world.put_digest(newest, document, key_pair("stranger"))

    _, told = audit(tmp_path, world, sidecars=False)

    assert (told[below(last)], told[below(newest)]) == ("unsigned", "unsigned")


def test_first_digest_of_the_time_that_is_missing_is_no_beginning(tmp_path: Path) -> None:
    """Older ones are there, though nobody asked for them."""
    world = World(5)
    keys = world.write(tmp_path)
    first = world.chains[0].digests[2]  # no backfill digest is of its hour
    since = datetime.fromisoformat(world.document(first)["digestEndTime"])
    (tmp_path / "copy" / first).unlink()

    result = run(tmp_path / "copy", "--public-keys", keys, "--since", since.isoformat(), "--format", "jsonl")

    told = {line["key"]: line["verdict"] for line in map(json.loads, result.stdout.splitlines()) if "key" in line}
    assert (result.exit_code, told[below(first)]) == (1, "missing")


@pytest.mark.parametrize("time", ["0001-01-01", "9999-12-31"])
def test_since_and_until_may_be_any_date(time: str, tmp_path: Path) -> None:
    """Who wants everything writes such dates."""
    world = World(5)
    keys = world.write(tmp_path)
    option = "--since" if time < "2026" else "--until"
    moment = datetime.fromisoformat(f"{time}T23:00:00Z")

    assert Selection(since=moment if time < "2026" else None, until=moment).may_hold(
        f"AWSLogs/111122223333/CloudTrail/us-east-1/{time[:4]}"
    )
    assert run(tmp_path / "copy", "--public-keys", keys, option, time).exit_code == 0


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b'{"PublicKeyList": []}', "no-key"),
        (b'{"us-east-1": {"PublicKeyList": []}}', "no-key"),
        (b'{"PublicKeyList": [{"Fingerprint": "FINGERPRINT", "Value": null}]}', "bad-key"),
        (b'{"PublicKeyList": [{"Fingerprint": "FINGERPRINT"}, {"Fingerprint": "\\ud800"}]}', "bad-key"),
    ],
)
def test_file_without_the_key_gives_verdicts(content: bytes, word: str, tmp_path: Path) -> None:
    """CloudTrail's answer of a time without keys is one, too."""
    world = World(9)
    keys = world.write(tmp_path)
    digest = world.chains[0].digests[1]
    keys.write_bytes(content.replace(b"FINGERPRINT", world.document(digest)["digestPublicKeyFingerprint"].encode()))

    result = run(tmp_path / "copy", "--public-keys", keys, "--format", "jsonl")

    told = {line["key"]: line["verdict"] for line in map(json.loads, result.stdout.splitlines())}
    assert (result.exit_code, told[below(digest)]) == (1, word)


@pytest.mark.parametrize("form", ["utf-8-sig", "utf-16", "appended", "by region"])
def test_keys_are_read_as_people_store_them(form: str, tmp_path: Path) -> None:
    """A mark at the beginning, what PowerShell writes, one answer behind the other, one for each Region."""
    world = World(9)
    keys = world.write(tmp_path)
    text = keys.read_text()
    answer = json.loads(text)
    one, other = ({"PublicKeyList": [entry]} for entry in answer["PublicKeyList"])
    if form == "appended":
        keys.write_text(f"{json.dumps(one)}\n\n{json.dumps(other)}\n")
    elif form == "by region":
        keys.write_text(json.dumps({"us-east-1": one, "more": [{"eu-west-1": other}]}))
    else:
        keys.write_bytes(text.encode(form))

    assert run(tmp_path / "copy", "--public-keys", keys).exit_code == 0


@pytest.mark.parametrize(
    "body",
    [b"no gzip", gzip.compress(b"no JSON"), gzip.compress(b"[]"), b""],
    ids=["plain", "no JSON", "a list", "empty"],
)
def test_digest_after_a_broken_one_is_broken_off(body: bytes, tmp_path: Path) -> None:
    """However it was broken: what is there is not what the next one states."""
    world = World(9)
    first, second = world.chains[0].digests[1:3]
    world.objects[first].body = body

    _, told = audit(tmp_path, world)

    assert (told[below(first)], told[below(second)]) == ("invalid-format", "chain-broken")


@pytest.mark.parametrize("logs", [None, 7, "text", {}, [7]])
def test_digest_without_a_list_is_of_no_valid_form(logs: object, tmp_path: Path) -> None:
    """Said before anything of its signature, as of a digest that lacks another member."""
    world = World(9)
    one, other = world.chains[0].digests[1:3]
    for digest in (one, other):
        document = {**world.document(digest), "logFiles": logs}
        if digest == other:
            del document["logFiles"]
        world.put_digest(digest, document, key_pair("stranger"))

    _, told = audit(tmp_path, world)

    assert {told[below(one)], told[below(other)]} == {"invalid-format"}
