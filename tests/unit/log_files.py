"""Log files made for tests, and what examining one gives."""

import gzip
import hashlib
import json
from typing import Any

from trailbell.cloudtrail.object_key import classify_key
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit


SEEN_AT = "2026-09-01T10:00:00Z"


def log_file(*records: Any) -> bytes:
    """A gzipped log file of these entries."""
    return gzip.compress(json.dumps({"Records": records}).encode())


def broken_log_file(*records: dict[str, Any]) -> bytes:
    """A gzipped log file that breaks off in the middle of the last of these records; those before it can be read.

    Each has a text that does not compress, so that what is read does not depend on how gzip packs it.
    """
    noise = [_noise(number) for number in range(len(records))]
    padded = [{**record, "padding": text} for record, text in zip(records, noise, strict=True)]
    return log_file(*padded)[:-3000]


def _noise(number: int) -> str:
    """Twelve thousand characters of no pattern, the same each time."""
    return "".join(hashlib.sha256(b"%d %d" % (number, part)).hexdigest() for part in range(190))


def examined(hit_detector: HitDetector, body: bytes) -> tuple[list[Hit], DetectionCounts]:
    """The hits of a log file, and the counts."""
    counts = DetectionCounts()
    return list(hit_detector.detect([body], "b", classify_key("k"), SEEN_AT, counts)), counts
