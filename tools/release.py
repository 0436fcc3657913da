"""`make release VERSION=1.2.3`: everything a release consists of, built from its tag. Nothing is uploaded.

Built are the source archive, the wheel (from that archive), bills of materials in CycloneDX's form from the locks, the
changelog's section, and SHA256SUMS of all of these. Times come from the tag's commit, owners, modes and orders are
fixed, and the locked tools build: whoever builds the same tag with the same Python gets the same bytes.
"""

import argparse
import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from tools.locks import ROOT


BOMS = {"requirements.txt": "", "lambdas/requirements.txt": "-functions"}
"""Lock → what its bill of materials is called by: all that `make setup` installs, and what runs in Lambda."""

_CYCLONEDX = ROOT / "build" / "release-tools" / "bin" / "cyclonedx-py"
_BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"


class ReleaseError(Exception):
    """Why there is no release; the message is for the person who asked for one."""


def main() -> None:
    """Build, and print what was built. Exit status 1 with the reason if there is nothing to release."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", help="such as 1.2.3; the tag is v1.2.3")
    parser.add_argument("--repository", type=Path, default=ROOT, help="the repository that has the tag")
    parser.add_argument("--target", type=Path, help="the folder to fill (default: build/release/VERSION)")
    given = parser.parse_args()
    target = given.target or ROOT / "build" / "release" / given.version
    try:
        files = release(given.repository, given.version, target.resolve())
    except ReleaseError as error:
        sys.exit(f"no release: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"no release: {error}\n{error.stderr or ''}")
    for file in files:
        print(f"{file.stat().st_size:>10,}  {file}")


def release(repository: Path, version: str, target: Path) -> list[Path]:
    """Build the release of a version's tag into a new folder; its files, SHA256SUMS last. Raises ReleaseError."""
    if target.exists():
        raise ReleaseError(f"{target} exists: remove it first, so that nothing old is taken for new")
    epoch = _git(repository, "log", "-1", "--format=%ct", _commit(repository, version)).strip()
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as scratch:
        tree, built = Path(scratch, "tree"), Path(scratch, "built")
        tree.mkdir()
        built.mkdir()
        _check_out(repository, _commit(repository, version), tree)
        _check_version(tree, version)
        section = changelog_section((tree / "CHANGELOG.md").read_text(encoding="utf-8"), version)
        # Bytecode is not written either: it would be one more thing that differs.
        environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        archive = _archive(tree, built, int(epoch), environment)
        _wheel(archive, built, environment)
        for lock, name in BOMS.items():
            bom = built / f"trailbell-{version}{name}.cdx.json"
            _bill_of_materials(tree, lock, bom, environment)
        (built / f"CHANGES-{version}.md").write_text(section, encoding="utf-8")
        target.mkdir(parents=True)
        files = [target / file.name for file in sorted(built.iterdir())]
        for file in files:
            file.write_bytes((built / file.name).read_bytes())
    sums = target / "SHA256SUMS"
    lines = (f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)
    sums.write_text("".join(lines), encoding="utf-8")
    return [*files, sums]


def changelog_section(changelog: str, version: str) -> str:
    """What the changelog says of a version, from its heading to the next. Raises ReleaseError where it has none."""
    heading = rf"^## \[?{re.escape(version)}\]?(?: [^\n]*)?\n"
    found = re.search(rf"{heading}.*?(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if not found:
        raise ReleaseError(f"CHANGELOG.md has no section for {version}: rename [Unreleased] and add the date")
    return found[0].rstrip() + "\n"


def _commit(repository: Path, version: str) -> str:
    if not re.fullmatch(r"\d+\.\d+\.\d+(?:[a-z0-9.]*)", version, re.ASCII):
        raise ReleaseError(f"{version!r} is no version such as 1.2.3")
    try:
        return _git(repository, "rev-parse", "--verify", "--quiet", f"refs/tags/v{version}^{{commit}}").strip()
    except subprocess.CalledProcessError:
        raise ReleaseError(f"there is no tag v{version}: git tag v{version} COMMIT") from None


def _check_version(tree: Path, version: str) -> None:
    written = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if written != version:
        raise ReleaseError(f"pyproject.toml says version {written}, the tag v{version}")


def _check_out(repository: Path, commit: str, tree: Path) -> None:
    """The committed files and no others, as Git keeps them."""
    command = ["git", "-C", str(repository), "archive", "--format=tar", commit]
    packed = subprocess.run(command, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(tree, filter="data")


def _archive(tree: Path, built: Path, epoch: int, environment: dict[str, str]) -> Path:
    """The source archive by setuptools, packed again: it keeps the times and the owner of whoever builds."""
    _build("build_sdist", tree, built, environment)
    (archive,) = built.glob("*.tar.gz")
    archive.write_bytes(_repacked(archive.read_bytes(), epoch))
    return archive


def _repacked(content: bytes, epoch: int) -> bytes:
    plain = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(content)) as given,
        tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as packed,
    ):
        for member in sorted(given.getmembers(), key=lambda one: one.name):
            clean = tarfile.TarInfo(member.name)
            clean.type, clean.size, clean.mtime = member.type, member.size, epoch
            clean.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            packed.addfile(clean, given.extractfile(member) if member.isfile() else None)
    return gzip.compress(plain.getvalue(), 9, mtime=epoch)


def _wheel(archive: Path, built: Path, environment: dict[str, str]) -> None:
    """The wheel from the source archive, which so proves that it builds."""
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(archive) as files:
        files.extractall(scratch, filter="data")
        (tree,) = Path(scratch).iterdir()
        _build("build_wheel", tree, built, environment)


def _build(hook: str, tree: Path, built: Path, environment: dict[str, str]) -> None:
    """Call setuptools in this environment, whose packages are locked, and not in one made of what an index has now."""
    command = [sys.executable, "-c", _BUILD, hook, str(built)]
    subprocess.run(command, check=True, cwd=tree, env=environment, capture_output=True, text=True)


def _bill_of_materials(tree: Path, lock: str, target: Path, environment: dict[str, str]) -> None:
    command = [
        *(str(_CYCLONEDX), "requirements", lock, "--pyproject", "pyproject.toml", "--mc-type", "application"),
        *("--output-reproducible", "--output-format", "JSON", "--spec-version", "1.6", "--output-file", str(target)),
    ]
    subprocess.run(command, check=True, cwd=tree, env=environment, capture_output=True, text=True)


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
