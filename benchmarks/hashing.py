"""What the ledger's hash costs: a log file inflated and hashed against inflated alone, and against detected in.

.venv/bin/python -m benchmarks hashing
"""

import hashlib
from datetime import date

from benchmarks.corpus import log_file
from benchmarks.measure import Row, ratios, row, take_turns
from trailbell.cli.options.rulebooks import find_rulebook
from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES
from trailbell.cloudtrail.object_key import classify_key
from trailbell.hits.detect import DetectionCounts, HitDetector


_ROUNDS = 12
_RECORDS = 1000
_KEY = classify_key("AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20/a.json.gz")


def rows(rounds: int = _ROUNDS) -> list[Row]:
    """Ratios of processor time."""
    detector = HitDetector(find_rulebook(None, ()), 0)

    def inflated(body: bytes) -> None:
        for _ in inflate([body], MAX_INFLATED_BYTES):
            pass

    def hashed(body: bytes) -> None:
        sha256 = hashlib.sha256()
        for block in inflate([body], MAX_INFLATED_BYTES):
            sha256.update(block)

    def detected(body: bytes) -> None:
        list(detector.detect_all([body], "", _KEY, f"{date.today()}T00:00:00Z", DetectionCounts()))

    def ledger(body: bytes) -> None:
        sha256, counts = hashlib.sha256(), DetectionCounts()
        list(detector.detect_all([body], "", _KEY, f"{date.today()}T00:00:00Z", counts, MAX_INFLATED_BYTES, sha256))

    detected(log_file("general", _RECORDS, 1))  # the prefilter is imported
    inputs = [log_file("general", _RECORDS, 2 + number) for number in range(rounds)]
    contenders = {"inflated": inflated, "hashed": hashed, "detected": detected, "ledger": ledger}
    costs = take_turns(contenders, inputs)
    return [
        row("inflating and hashing / inflating, general, 1,000 records", "", ratios(costs, "hashed", "inflated")),
        row("  the detector with the ledger's hash / without", "", ratios(costs, "ledger", "detected")),
    ]
