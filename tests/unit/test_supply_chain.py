"""What we install is what we looked at: locked with hashes, under licences we allow; and no secret is committed."""

import gzip
import json
import re
import tomllib
import zipfile
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools.licences import licence_faults
from tools.locks import LOCKS, ROOT, canonical, lock_faults, read_lock
from tools.secret_scan import FIXTURES, FIXTURES_IN, SCANNER, secret_faults, tracked_files
from tools.vulnerabilities import Advisories, ask_npm, ask_pip_audit


needs_scanner = pytest.mark.skipif(not SCANNER.exists(), reason="make build/tokens/.ready installs the scanner")
RUN_TIME_LOCK = ROOT / "lambdas" / "requirements.txt"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_hashes(lock: Path) -> None:
    """Without them an index, or who sits before it, decides what runs here."""
    assert list(lock_faults(lock, lock.read_text("utf-8"))) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_lock_is_of_its_source(lock: Path) -> None:
    """A pin that was changed without `make lock` changes nothing but what people read."""
    locked = {(package.name, package.version) for package in read_lock(lock.read_text("utf-8"))}
    asked = re.findall(r"^\s*\"?([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s\";]+)", LOCKS[lock].read_text("utf-8"), re.M)

    assert asked
    assert {(canonical(name), version) for name, version in asked} - {("setuptools", "84.2.1")} <= locked


def test_npm_lock_has_a_hash_for_every_package() -> None:
    """npm ci checks what stands there, and nothing where nothing stands."""
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]

    assert [name for name, entry in packages.items() if name and not entry.get("integrity")] == []


def test_functions_get_what_was_asked_for_and_no_more() -> None:
    """Every run-time wheel is paid for at each cold start, and runs with the functions' rights."""
    packages = {package.name: package for package in read_lock(RUN_TIME_LOCK.read_text("utf-8"))}
    asked = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", RUN_TIME_LOCK.with_suffix(".in").read_text("utf-8"), re.M)

    direct = {name for name, package in packages.items() if any("requirements.in" in via for via in package.via)}
    assert direct == {canonical(name) for name, _ in asked}
    for package in packages.values():
        others = {via.lstrip("# ") for via in package.via}
        assert package.name in direct or others & set(packages), f"nothing asks for {package.name}"


def test_every_install_step_is_hashed() -> None:
    """One step that takes what it gets makes the locks of the others worthless."""
    makefile = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    steps = [line for line in makefile.splitlines() if re.search(r"\bpip install\b|\bnpm (?:install|i|ci)\b", line)]

    assert len(steps) >= 5
    for step in steps:
        ours = "--no-deps --no-build-isolation --editable ." in step  # this checkout, by a locked setuptools
        assert "--require-hashes" in step or "npm ci" in step or ours, step


def test_licences_are_allowed() -> None:
    """A new dependency comes with conditions that somebody must have read."""
    assert list(licence_faults(distributions())) == []


def test_licences_of_what_we_ship_have_no_conditions() -> None:
    """What is in the functions' asset is handed on to whoever deploys it."""
    shipped = [distribution(package.name) for package in read_lock(RUN_TIME_LOCK.read_text("utf-8"))]

    assert list(licence_faults(shipped, shipped=True)) == []
    assert list(licence_faults([distribution("pysigma")], shipped=True)), "it would be told"


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a secret in the second line of each file, gzipped in the last."""
    folder = tmp_path_factory.mktemp("secrets")
    for number, secret in enumerate(SECRETS):
        (folder / f"{number}.py").write_text(f"first = 1\nsecond = '{secret}'\n", "utf-8")
    (folder / "inside.json.gz").write_bytes(gzip.compress(f"\n'{RANDOM_TOKEN}'".encode()))
    (folder / "told.py").write_text(f"\ntoken = '{RANDOM_TOKEN}'  # kingfisher:ignore\n", "utf-8")
    return folder


RANDOM_TOKEN = "ghp_" + "kX9vQ2mLp7RtYw3ZsB8nHc4DfG6jKa1EoU5i"
SECRETS = (
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "aws_secret_access_key = " + "abcdefghij" * 4,
    "-----BEGIN PRIVATE"
    + " KEY-----\n"
    + ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj" * 8)
    + "\n-----END PRIVATE KEY-----",
    RANDOM_TOKEN,
    "https://user:" + "hunter22@git.example.com",
    ".".join(
        ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiJxMm1McDdSdFl3M1pzIn0", "kX9vQ2mLp7RtYw3ZsB8nHc4DfG6jKa1EoU5iTqVxabc"]
    ),
    "xoxb-" + "123456789012-1234567890123-" + "kX9vQ2mLp7RtYw3ZsB8nHc4D",
)


@pytest.fixture(scope="module")
def faults(made_up: Path) -> list[str]:
    """What is found in all that git tracks, and in the folder of made-up secrets: the scanner starts once for both."""
    return list(secret_faults([*tracked_files(ROOT), *sorted(made_up.iterdir())]))


@needs_scanner
def test_no_secret_is_committed(faults: list[str], made_up: Path) -> None:
    """What was pushed once is known for ever."""
    assert [fault for fault in faults if not fault.startswith(str(made_up))] == []


@needs_scanner
@pytest.mark.parametrize("number", range(len(SECRETS)))
def test_a_secret_would_be_found(number: int, faults: list[str], made_up: Path) -> None:
    """A scan that finds nothing proves little, unless it finds what it should."""
    found = [fault for fault in faults if fault.startswith(f"{made_up / str(number)}.py:2: ")]

    assert found
    assert not any(SECRETS[number] in fault for fault in found)


@needs_scanner
def test_secret_is_found_in_an_archive_and_beside_a_comment_that_excuses_it(faults: list[str], made_up: Path) -> None:
    """Only FIXTURES_IN excuses, with a reason."""
    for name in ("inside.json.gz", "told.py"):
        assert any(fault.startswith(str(made_up / name)) for fault in faults)


def test_fixtures_are_explained() -> None:
    """What is let through has a reason."""
    assert all(len(reason) > 10 for reason in (*FIXTURES.values(), *FIXTURES_IN.values()))


LOCK = "jinja2==2.10 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via x\n"


@pytest.mark.parametrize(
    ("output", "unknown", "findings"),
    [
        pytest.param("", "not reached", 0, id="no answer"),
        pytest.param(
            '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}',
            "knows nothing of 1 of 1",
            0,
            id="knows nothing",
        ),
        pytest.param('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', "", 0, id="clean"),
        pytest.param(
            '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}]}',
            "",
            1,
            id="vulnerable",
        ),
    ],
)
def test_silence_is_no_answer(output: str, unknown: str, findings: int) -> None:
    """pip-audit says "No known vulnerabilities found", with status 0, where the index knows no package at all."""
    answer = ask_pip_audit(Path("pip-audit"), Path("lock"), lambda command: output)

    assert unknown in answer.unknown
    assert bool(answer.unknown) == bool(unknown)
    assert len(answer.findings) == findings


def test_npm_that_cannot_ask_is_no_answer() -> None:
    """A registry without advisories answers with an error, which is not an empty report."""
    assert ask_npm(Path("npm"), ROOT, lambda command: '{"message": "405 Method Not Allowed"}').unknown
    assert ask_npm(Path("npm"), ROOT, lambda command: "").unknown
    assert not ask_npm(Path("npm"), ROOT, lambda command: '{"vulnerabilities": {}}').unknown


@pytest.mark.parametrize(
    ("affected", "found"),
    [
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}]}, True),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10"}]}]}, False),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2.11"}]}]}, False),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1"}, {"last_affected": "2.10"}]}]}, True),
        ({"versions": ["2.10"]}, True),
        ({"versions": ["2.9"]}, False),
    ],
)
def test_a_copy_of_the_advisories_answers_without_network(
    affected: dict[str, object], found: bool, tmp_path: Path
) -> None:
    """Where no service is reached, the file that OSV publishes is as good."""
    lock, copy = tmp_path / "requirements.txt", tmp_path / "all.zip"
    lock.write_text(LOCK, "utf-8")
    advisory = {"id": "GHSA-x", "affected": [{"package": {"ecosystem": "PyPI", "name": "Jinja2"}, **affected}]}
    with zipfile.ZipFile(copy, "w") as archive:
        archive.writestr("GHSA-x.json", json.dumps(advisory))

    assert Advisories(copy).ask(lock).findings == (("jinja2 2.10: GHSA-x",) if found else ())


def test_ranges_of_the_package_hold_the_locked_versions() -> None:
    """Outside them nobody has tried what we try every day; without a lower end, an installer may take anything old."""
    locked = {one.name: one.version for one in read_lock((ROOT / "requirements.txt").read_text("utf-8"))}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked = [*project["project"]["dependencies"]]
    asked += [one for extra in project["project"]["optional-dependencies"].values() for one in extra]
    ranges = [Requirement(one) for one in asked if not one.startswith("trailbell[")]
    build = [Requirement(one) for one in project["build-system"]["requires"]]

    assert len(ranges) > 15
    for one in (*ranges, *build):
        if one.name != "setuptools":
            assert locked[canonical(one.name)] in one.specifier, one
        assert any(part.operator in (">=", "==") for part in one.specifier), f"{one} has no lower end"
    assert all(part.operator == "==" for one in build for part in one.specifier), "a release is built by known tools"
