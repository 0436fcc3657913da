"""What reading takes of memory: the peak of a process while it reads one log file, above what it took before it
read anything (the rulebook loaded, the prefilter not yet imported).

Each measurement is a process of its own; /proc/self/clear_refs resets the peak the kernel keeps (Linux).
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.corpus import MIXES, write_log_file
from benchmarks.measure import Row, row
from benchmarks.reading import shipped_rules
from trailbell.engine.rulebook import Rulebook, dump_rulebook


_MB = 1024 * 1024
_RECORD = 1400  # bytes, about
_SIZES = (50, 500)

_CODE = """
import sys
from pathlib import Path
from trailbell.cloudtrail.object_key import classify_key
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.engine.rulebook import load_rulebook

def status(name):
    return int(Path("/proc/self/status").read_text().split(name + ":")[1].split()[0]) * 1024

def pieces(path):
    with open(path, "rb") as stream:
        while piece := stream.read(256 * 1024):
            yield piece

hit_detector = HitDetector(load_rulebook(Path(sys.argv[1]).read_text(encoding="utf-8")), full_parse_bytes=0)
def detect(path):
    counts, seen_at = DetectionCounts(), "2026-11-20T10:00:00Z"
    return sum(1 for _ in hit_detector.detect(pieces(path), "b", classify_key("k"), seen_at, counts, 10**10))
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
detect(sys.argv[2])
print(status("VmHWM") - before)
"""


def memory(rounds: int = 3) -> Iterator[Row]:
    """Target e: megabytes above the idle process."""
    with tempfile.TemporaryDirectory() as folder:
        rulebook = Path(folder) / "rulebook.json"
        rulebook.write_text(dump_rulebook(Rulebook(shipped_rules())), encoding="utf-8")
        for mix in MIXES:
            for size in _SIZES:
                path = Path(folder) / "log.json.gz"
                inflated = write_log_file(path, mix, size * _MB // _RECORD, seed=size)
                peaks = [_peak(rulebook, path) / _MB for _ in range(rounds)]
                yield row(f"e. MB above idle, {mix}, {inflated / _MB:.0f} MB inflated", "<= 8", peaks)


def _peak(*paths: Path) -> int:
    done = subprocess.run([sys.executable, "-c", _CODE, *map(str, paths)], capture_output=True, text=True, check=True)
    return int(done.stdout)
