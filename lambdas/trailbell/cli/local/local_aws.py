"""The embedded AWS: ministack as a process on 127.0.0.1, from an environment of its own (.ministack)."""

import os
import platform
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from trailbell.cli.paths import checkout
from trailbell.errors import LocalError


REGION = "us-east-1"
ACCOUNT = "123456789012"
_OF_PYTHONS = ("PYTHON", "VIRTUAL_ENV", "CONDA_", "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT")
_READY_SECONDS = 60
_STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A running embedded AWS: its address, its process (a group of its own), and the file it logs to.

    child: the process, if this one started it.
    """

    endpoint: str
    pid: int
    log: Path
    child: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    def client(self, service: str, config: Config | None = None) -> Any:
        """A boto3 client of the embedded AWS, never of a real one. config: how long it waits, as botocore does else."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            config=config,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 (the embedded AWS takes anything)
        )

    def environment(self, base: Mapping[str, str] = os.environ) -> dict[str, str]:
        """`base` for a child process that must talk to this AWS and cannot reach a real one."""
        clean = without_callers_python(base)
        return {
            **{name: value for name, value in clean.items() if not name.startswith(("AWS_", "CDK_"))},
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CI": "true",
        }

    def stop(self) -> None:
        """End the process and those it started; nothing if it is gone already."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                return
            if self._is_gone():
                return
        raise LocalError(f"the embedded AWS (process {self.pid}) cannot be stopped")

    def _is_gone(self) -> bool:
        from trailbell.cli.local.process_mark import is_group_alive  # here, as psutil comes with an extra

        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            if not is_group_alive(self.pid):
                if self.child:
                    self.child.wait()  # lets the kernel forget it
                return True
            time.sleep(0.05)
        return False


def start_local_aws(folder: Path) -> LocalAws:
    """Start ministack on a free port, logging into `folder`. Raises LocalError when it does not come up."""
    program = checkout(".ministack/bin/ministack") / ".ministack" / "bin" / "ministack"
    folder.mkdir(parents=True, exist_ok=True)
    log, port = folder / "ministack.log", _free_port()
    inherited = without_callers_python(os.environ)
    environment = {
        **{name: value for name, value in inherited.items() if not name.startswith("AWS_")},
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program], stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder, start_new_session=True
        )
    aws = LocalAws(f"http://localhost:{port}", process.pid, log, process)
    deadline = time.monotonic() + _READY_SECONDS
    while not _is_ready(port):
        if process.poll() is not None or time.monotonic() > deadline:
            aws.stop()
            raise LocalError(f"the embedded AWS did not come up; see {log}")
        time.sleep(0.1)
    return aws


def without_callers_python(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what the caller's shell says of Pythons.

    Ours are named by their paths; of another environment, or one that cannot be read, theirs would take the packages
    (PYTHON...), and uv fails where it finds none (VIRTUAL_ENV, CONDA_..., UV_PYTHON).
    """
    return {name: value for name, value in environment.items() if not name.startswith(_OF_PYTHONS)}


def machine_architecture() -> str:
    """This machine's architecture as the setting `architecture` names it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
