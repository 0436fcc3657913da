"""Log files made for tests, and what examining one gives."""

import gzip
import json
from typing import Any

from trailbell.cloudtrail.object_key import classify_key
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit


SEEN_AT = "2026-09-01T10:00:00Z"


def log_file(*records: Any) -> bytes:
    """A gzipped log file of these entries."""
    return gzip.compress(json.dumps({"Records": records}).encode())


def examined(hit_detector: HitDetector, body: bytes) -> tuple[list[Hit], DetectionCounts]:
    """The hits of a log file, and the counts."""
    counts = DetectionCounts()
    return list(hit_detector.detect([body], "b", classify_key("k"), SEEN_AT, counts)), counts
