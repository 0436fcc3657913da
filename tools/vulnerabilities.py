"""Are there known vulnerabilities in what is locked? Three answers: none, these, or nobody could tell.

The third is never taken for the first: pip-audit answers "No known vulnerabilities found" also where the index knows
no package at all. Asked are PyPI, then OSV; where neither can be reached, a copy of OSV's data (Advisories) will do.
https://github.com/pypa/pip-audit   https://google.github.io/osv.dev/data/#data-dumps   https://ossf.github.io/osv-schema/
"""

import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from tools.locks import Locked, canonical, read_lock


_SERVICES = ("pypi", "osv")
_SECONDS = 600

Run = Callable[[Sequence[str]], str]
"""Runs a command and gives its standard output, whatever its exit status."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source said about a lock: findings, one sentence each, or why it cannot say."""

    source: str
    findings: tuple[str, ...] = ()
    unknown: str = ""


def run(command: Sequence[str]) -> str:
    """Run a command for its output; what it says on standard error is not needed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    return done.stdout


def ask_pip_audit(program: Path, lock: Path, run: Run = run) -> Answer:
    """Ask the services in turn; the first that knows every package of the lock has the word."""
    reasons = []
    for service in _SERVICES:
        options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "-f", "json", "-s", service)
        answer = _read_pip_audit(service, run([str(program), *options, "-r", str(lock)]))
        if not answer.unknown:
            return answer
        reasons.append(f"{service}: {answer.unknown}")
    return Answer("pip-audit", unknown="; ".join(reasons))


def _read_pip_audit(service: str, output: str) -> Answer:
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        return Answer(service, unknown="not reached")
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    found = tuple(_flaw(package, flaw) for package in packages for flaw in package.get("vulns", ()))
    if skipped and not found:
        return Answer(
            service, unknown=f"knows nothing of {len(skipped)} of {len(packages)} packages ({skipped[0]} ...)"
        )
    return Answer(service, found)


def _flaw(package: Mapping[str, Any], flaw: Mapping[str, Any]) -> str:
    fixed = ", ".join(flaw["fix_versions"]) or "no version"
    return f"{package['name']} {package['version']}: {flaw['id']}, fixed in {fixed}"


def ask_npm(program: Path, folder: Path, run: Run = run) -> Answer:
    """Ask npm's registry about package-lock.json."""
    try:
        report = json.loads(run([str(program), "audit", "--json", "--prefix", str(folder)]))
    except ValueError:
        return Answer("npm", unknown="npm audit gave no answer")
    if "vulnerabilities" not in report:
        return Answer("npm", unknown=str(report.get("message") or report.get("error", "no answer"))[:200])
    flaws = report["vulnerabilities"].items()
    return Answer("npm", tuple(f"{name}: {flaw.get('severity')}, {flaw.get('range')}" for name, flaw in flaws))


class Advisories:
    """A copy of OSV's data for PyPI (all.zip): for machines that reach no service."""

    def __init__(self, path: Path) -> None:
        self._affected: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                advisory = json.loads(archive.read(name))
                for affected in () if advisory.get("withdrawn") else advisory.get("affected", ()):
                    package = affected.get("package", {})
                    if package.get("ecosystem") == "PyPI":
                        key = canonical(package["name"])
                        self._affected.setdefault(key, []).append((advisory["id"], affected))

    def ask(self, lock: Path) -> Answer:
        """What the copy says about a lock."""
        packages = read_lock(lock.read_text(encoding="utf-8"))
        return Answer("advisories", tuple(found for package in packages for found in self._about(package)))

    def _about(self, package: Locked) -> Iterator[str]:
        for advisory, affected in self._affected.get(package.name, ()):
            if _is_affected(package.version, affected):
                yield f"{package.name} {package.version}: {advisory}"


def _is_affected(version: str, affected: Mapping[str, Any]) -> bool:
    if version in affected.get("versions", ()):
        return True
    ranges = (one["events"] for one in affected.get("ranges", ()) if one.get("type") == "ECOSYSTEM")
    return any(_in_range(Version(version), events) for events in ranges)


def _in_range(version: Version, events: Sequence[Mapping[str, str]]) -> bool:
    """OSV's own way: the last event at or before the version decides."""
    inside = False
    for event in sorted(events, key=lambda event: _version(next(iter(event.values())))):
        kind, at = next(iter(event.items()))
        if kind == "introduced" and version >= _version(at):
            inside = True
        elif (kind == "fixed" and version >= _version(at)) or (kind == "last_affected" and version > _version(at)):
            inside = False
    return inside


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")
