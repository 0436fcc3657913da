"""`make audit`: locks, licences, secrets in the repository, and known vulnerabilities of what is locked.

Exit status: 0 all was looked at and nothing found; 1 something was found; 2 something could not be looked at.
"""

import argparse
import sys
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

from tools.licences import licence_faults
from tools.locks import LOCKS, ROOT, lock_faults
from tools.secret_scan import secret_faults, tracked_files
from tools.vulnerabilities import Advisories, Answer, ask_npm, ask_pip_audit


def main() -> None:
    """Print one line for each thing looked at, with what was found below it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--advisories", type=Path, help="a copy of OSV's data for PyPI (all.zip), asked instead")
    advisories = parser.parse_args().advisories
    found = [
        _notify("locks have hashes", (fault for lock in LOCKS for fault in lock_faults(lock, lock.read_text("utf-8")))),
        _notify("licences are allowed", licence_faults(distributions())),
        _notify("no secrets in tracked files", secret_faults(tracked_files(ROOT))),
    ]
    copy = Advisories(advisories) if advisories else None
    answers = {}
    for lock in LOCKS:
        answer = copy.ask(lock) if copy else ask_pip_audit(ROOT / "build" / "audit" / "bin" / "pip-audit", lock)
        answers[lock.relative_to(ROOT)] = answer
    answers[Path("package-lock.json")] = ask_npm(ROOT / ".venv" / "bin" / "npm", ROOT)
    found += [_notify_answer(lock, answer) for lock, answer in answers.items()]
    unknown = [str(lock) for lock, answer in answers.items() if answer.unknown]
    if unknown:
        print(f"\nNOT CHECKED for known vulnerabilities: {', '.join(unknown)}.")
        print("Run it where an advisory service is reached, or give a copy of the data with --advisories.")
    sys.exit(1 if any(found) else 2 if unknown else 0)


def _notify(what: str, faults: Iterable[str]) -> bool:
    found = list(faults)
    print(f"{'FOUND' if found else 'ok':<12} {what}")
    for fault in found:
        print(f"             {fault}")
    return bool(found)


def _notify_answer(lock: Path, answer: Answer) -> bool:
    if answer.unknown:
        print(f"{'NOT CHECKED':<12} vulnerabilities in {lock}: {answer.unknown}")
        return False
    return _notify(f"no known vulnerabilities in {lock} ({answer.source})", answer.findings)


if __name__ == "__main__":
    main()
