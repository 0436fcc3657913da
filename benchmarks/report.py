"""The report of 10,000 hits in a headless Chromium: milliseconds until it is there, and for what is done in it.

    .venv/bin/python -m benchmarks.report [--rounds 5]

Needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver).
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.browser.chromium import chromium, find_browser
from tests.browser.test_report import many, measure, write


Row = tuple[str, str, float, float, float]
"""Name, target, and of the milliseconds min, median and max."""

HITS = 10_000
TARGETS = {"first render": "<= 1000", "ready": "<= 1000", "filter": "<= 100", "sort": "<= 100", "scroll": "<= 100"}


def rows(rounds: int = 5) -> list[Row]:
    """One row for each thing a reader waits for."""
    found = find_browser()
    if not found:
        sys.exit("needs chromium and chromedriver")
    with tempfile.TemporaryDirectory() as folder, chromium(*found) as page:
        file = write(Path(folder) / "report.html", many(HITS))
        print(f"{HITS} hits, {file.stat().st_size / 1e6:.1f} MB", file=sys.stderr)
        taken = [measure(page, file) for _ in range(rounds)]
    return [
        (f"report: {name}, ms", target, *_spread([times[name] for times in taken])) for name, target in TARGETS.items()
    ]


def _spread(values: list[float]) -> tuple[float, float, float]:
    return min(values), median(values), max(values)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="the report in a browser")
    parser.add_argument("--rounds", type=int, default=5)
    for title, target, low, middle, high in rows(**vars(parser.parse_args())):
        print(f"{title:<30} {target:>8} {low:7.0f} {middle:7.0f} {high:7.0f}")
