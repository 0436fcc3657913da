"""Fuzzes one target, guided by coverage: `make fuzz`, or build/fuzz/bin/python -m tests.fuzz.drive TARGET SECONDS.

Runs in an environment of its own (build/fuzz: atheris, and what the functions need), with a rulebook and records
that tests/fuzz/prepare.py wrote there. A finding ends it with status 77 and is kept under build/fuzz/findings;
make it a line of the corpus (tests/fuzz/keep.py) and a test of its own.
https://github.com/google/atheris
"""

import json
import sys
from pathlib import Path

import atheris


with atheris.instrument_imports(include=["trailbell"]):
    from tests.fuzz.corpus_files import load_corpus
    from tests.fuzz.targets import NAMES, Targets
    from trailbell.engine.rulebook import load_rulebook


BUILD = Path(__file__).resolve().parents[2] / "build" / "fuzz"


def main() -> None:
    """Fuzz the target named for so many seconds; further arguments go to libFuzzer."""
    target, seconds, *more = sys.argv[1:]
    if target not in NAMES:
        sys.exit(f"no target {target}: one of {', '.join(NAMES)}")
    rulebook = load_rulebook((BUILD / "rulebook.json").read_text("utf-8"))
    targets = Targets(rulebook, json.loads((BUILD / "records.json").read_text("utf-8")))
    seeds, grown, findings = (BUILD / name / target for name in ("seeds", "corpus", "findings"))
    for folder in (seeds, grown, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(load_corpus(target)):
        (seeds / f"{number:04}").write_bytes(data)
    options = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=20", "-rss_limit_mb=2048"]
    options += [
        f"-artifact_prefix={findings}/",
        f"-dict={Path(__file__).parent / 'words.dict'}",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, *more, str(grown), str(seeds)], getattr(targets, target))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
