"""Log files made for tests, and what examining one gives."""

import gzip
import json
from typing import Any

from trailbell.hits.detect import Examination, Examiner
from trailbell.hits.hit import Hit


SEEN_AT = "2026-09-01T10:00:00Z"


def log_file(*records: Any) -> bytes:
    """A gzipped log file of these entries."""
    return gzip.compress(json.dumps({"Records": records}).encode())


def examined(examiner: Examiner, body: bytes) -> tuple[list[Hit], Examination]:
    """The hits of a log file, and the counts."""
    counts = Examination()
    return list(examiner.examine([body], "b", "k", SEEN_AT, counts)), counts
