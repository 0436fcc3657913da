"""Cold start: CPU time from nothing to a function that is ready, against bare boto3 clients for the same services.

    python -m benchmarks.cold_start [rounds]

Every start is a process of its own and they take turns; its CPU time is what the kernel says when it is over.
Measured is the asset as it is deployed, with the shipped rulebook, on this machine's Python and botocore. Both sides
have the same copy of boto3 with all of its bytecode, nothing else of this checkout's packages, and end as soon as they
are ready: a function in Lambda is never torn down, which takes a fifth of such a process.
"""

import compileall
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import boto3

from benchmarks.measure import Row, row
from infra.asset import AUDIT_LOCK, LOCK, build_asset
from trailbell.cli.local.local_aws import machine_architecture
from trailbell.cli.options.rulebooks import find_placeholders
from trailbell.rulebook.build import build_rulebook


ROUNDS = 11
_LAMBDAS_OWN = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")
_ROOT = Path(__file__).resolve().parent.parent
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "TRAILBELL_TABLE": "hits",
    "TRAILBELL_TOPIC_ARN": "arn:aws:sns:eu-central-1:111122223333:alerts",
    "TRAILBELL_RETENTION_DAYS": "400",
    "TRAILBELL_TRAIL_BUCKET": "trail",
    "TRAILBELL_TRAIL_PREFIX": "AWSLogs/",
    "TRAILBELL_MAX_INFLATED_BYTES": "100000000",
    "TRAILBELL_OPERATIONS_TOPIC_ARN": "arn:aws:sns:eu-central-1:111122223333:operations",
    "TRAILBELL_CANARY_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/111122223333/canaries",
    "TRAILBELL_CANARY_MINUTES": "20",
    "TRAILBELL_AUDIT_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/111122223333/audit",
    "TRAILBELL_INGEST_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/111122223333/ingest",
    "PYTHONDONTWRITEBYTECODE": "1",  # as in Lambda, where the asset cannot be written to
}
_MADE = {"detector": "_detector", "notifier": "_parts", "clock": "_parts", "audit": "_audit"}  # by a cold start
_SERVICES = {
    "detector": ("s3", "dynamodb", "sqs"),  # the queue's where digests are audited, as in this environment
    "notifier": ("sns", "dynamodb"),
    "clock": ("dynamodb", "sns", "sqs", "ssm"),
    "audit": ("s3", "dynamodb", "sqs"),
}


def rows(rounds: int = ROUNDS) -> list[Row]:
    """Every function, started from its asset, against its services' boto3 clients."""
    with tempfile.TemporaryDirectory() as folder:
        of_all, of_audit = _assets(Path(folder) / "all", LOCK), _assets(Path(folder) / "audit", AUDIT_LOCK)
        runtime = _runtime(Path(folder) / "runtime")
        starts: dict[str, Callable[[], float]] = {}
        for name, services in _SERVICES.items():
            clients = "; ".join(f"boto3.client({service!r})" for service in services)
            starts[f"{name} boto3"] = _start(f"import boto3; {clients}", runtime)
            ready = f"from trailbell.handlers import {name} as one; one.{_MADE[name]}(); one._metrics()"
            with_bytecode, without = of_audit if name == "audit" else of_all
            starts[name] = _start(ready, with_bytecode, runtime)
            starts[f"{name} without bytecode"] = _start(ready, without, runtime)
        times: dict[str, list[float]] = {name: [] for name in starts}
        for start in starts.values():  # once for the disk's cache
            start()
        for _ in range(rounds):
            for name, start in starts.items():
                times[name].append(start())
    return [
        row(
            f"cold start: {label} / bare boto3 clients",
            target,
            (ours / theirs for ours, theirs in zip(times[label], times[f"{name} boto3"], strict=True)),
        )
        for name in _SERVICES
        for label, target in ((name, "<= 0.8"), (f"{name} without bytecode", "-"))
    ]


def _assets(folder: Path, lock: Path) -> tuple[Path, Path]:
    """The asset for this machine and Python, and the same as a synth by another Python makes it."""
    rulebook, _ = build_rulebook(_ROOT / "rules", _ROOT / "exceptions", find_placeholders(()), date.today())
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    made = build_asset(machine_architecture(), python, rulebook, folder, lock)
    bare = folder / "bare"
    made.rename(folder / "made")
    for path in (folder / "made").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = bare / path.relative_to(folder / "made")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return folder / "made", bare


def _runtime(folder: Path) -> Path:
    """boto3 and what it needs, as in Lambda beside the asset; in a checkout only what ran once has bytecode."""
    site = Path(boto3.__file__).parents[1]
    folder.mkdir()
    for name in _LAMBDAS_OWN:
        path = site / name
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, folder / name)
    compileall.compile_dir(folder, quiet=1)
    return folder


def _start(code: str, *folders: Path) -> Callable[[], float]:
    path = os.pathsep.join(map(str, folders))
    environment = {**_ENVIRONMENT, "PATH": os.environ.get("PATH", ""), "PYTHONPATH": path}
    return lambda: _cpu_seconds(f"{code}; import os; os._exit(0)", environment)


def _cpu_seconds(code: str, environment: Mapping[str, str]) -> float:
    # -S: no site-packages, so neither its .pth files nor wheels that Lambda has not.
    child = os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", code], environment)
    _, status, used = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"a start failed: {code}")
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    for name, target, low, middle, high in rows(*(int(text) for text in sys.argv[1:2])):
        print(f"{name:70} {target:18} {low:6.2f} {middle:6.2f} {high:6.2f}")
