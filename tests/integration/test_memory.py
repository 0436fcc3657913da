"""Ten of the largest log files at once stay far below the detector's memory at its configured size."""

import gzip
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings
from trailbell.engine.rulebook import dump_rulebook
from trailbell.rulebook.build import build_rulebook
from trailbell.rulebook.cases import BASE_RECORD


MB = 1024 * 1024
ROOT = Path(__file__).parents[2]
RULE = ROOT / "rules" / "kms" / "aws_kms_key_disabled.yml"

# The real handler; S3 gives the same file for every key, the table takes everything.
RUN = """
import json, sys
from botocore.response import StreamingBody
from trailbell.aws.clients import Clients
from trailbell.handlers import detector

class Aws:
    def get_object(self, **request):
        body = open(sys.argv[2 if "hits" in request["Key"] else 1], "rb")
        return {"Body": StreamingBody(body, None)}
    def batch_write_item(self, **request): return {}
    def put_item(self, **request): return {}
    def query(self, **request): return {"Items": []}

def peak():
    # Not getrusage: its peak is the parent's, too, from before this program was loaded.
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))) // 1024

Clients.client = lambda self, service: Aws()
def batch(*names):
    keys = [f"AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/{name}.json.gz" for name in names]
    return {"Records": [{"eventSource": "aws:sqs", "messageId": key, "body": json.dumps(
        {"s3Bucket": "b", "s3ObjectKey": [key]})} for key in keys]}

detector._detector(), detector._metrics()
idle = peak()
answer = detector.handler(batch("hits", *range(9)), None)
print(json.dumps({"idle": idle, "peak": peak(), "answer": answer}))
"""


def given_log_file(path: Path, megabytes: int, **members: Any) -> None:
    """A log file of so many megabytes, inflated; every record with an id of its own."""
    record = json.dumps({**BASE_RECORD, **members, "eventID": "?", "additionalEventData": "x" * 600})
    before, _, after = json.dumps({"Records": ["?"]}).partition('"?"')
    count = megabytes * MB // len(record)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(before.encode())
        file.write(",".join(record.replace("?", f"e-{path.stem}-{n:012d}", 1) for n in range(count)).encode())
        file.write(after.encode())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
def test_batch_of_large_log_files_fits_into_the_detectors_memory(tmp_path: Path) -> None:
    """A function that runs out of memory is killed without a word, and takes its whole batch along, five times over."""
    given_log_file(tmp_path / "plain.gz", 60)
    given_log_file(tmp_path / "hits.gz", 12, eventSource="kms.amazonaws.com", eventName="DisableKey")
    (tmp_path / "exceptions").mkdir()
    book, _ = build_rulebook(RULE, tmp_path / "exceptions", {}, date.today())
    (tmp_path / "rulebook.json").write_text(dump_rulebook(book), encoding="utf-8")
    environment = {
        **os.environ,
        "TRAILBELL_TABLE": "hits",
        "TRAILBELL_RETENTION_DAYS": "1",
        "TRAILBELL_TRAIL_BUCKET": "b",
        "TRAILBELL_TRAIL_PREFIX": "AWSLogs/",
        "TRAILBELL_MAX_INFLATED_BYTES": str(Settings().max_inflated_mb * MB),
        "TRAILBELL_RULEBOOK": str(tmp_path / "rulebook.json"),
    }

    command = [sys.executable, "-c", RUN, str(tmp_path / "plain.gz"), str(tmp_path / "hits.gz")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    *_, last = done.stdout.splitlines()
    notified = json.loads(last)
    counted = json.loads(done.stdout.splitlines()[-2])["counts"]
    assert notified["answer"] == {"batchItemFailures": []}
    assert counted["ObjectsRead"] == 10
    assert counted["BytesInflated"] > 9 * 59 * MB
    assert counted["HitsNew"] > 5_000
    assert notified["peak"] < Settings().detector_memory_mb / 4
