"""The doctor's and the audit's result: made in the background when somebody asks, kept with the time it was made."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trailbell.cli.audit.deployed import read_deployed
from trailbell.cli.doctor.stack_checks import check_stack
from trailbell.cli.serve.callers_aws import CallersAws
from trailbell.cli.serve.outage import problem_of
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import TrailbellError
from trailbell.ops.checks.finding import OK, PROBLEM, UNKNOWN, WARNING
from trailbell.text.times import iso_time


Make = Callable[[], dict[str, Any]]


@dataclass(slots=True)
class _Check:
    """A result, when it was made (""), whether it is being made, and why the last try gave none."""

    make: Make
    result: dict[str, Any] | None = None
    made_at: str = ""
    running_since: str = ""
    failed: str = ""
    failed_at: str = ""


class Checks:
    """Runs each of some checks once at a time; safe to be asked by many threads."""

    def __init__(self, makes: Mapping[str, Make]) -> None:
        self._checks = {name: _Check(make) for name, make in makes.items()}
        self._lock = threading.Lock()

    def start(self, name: str) -> bool:
        """Begin one in a thread of its own; False where it runs already. Raises KeyError for a name of none."""
        check = self._checks[name]
        with self._lock:
            if check.running_since:
                return False
            check.running_since = iso_time(datetime.now(UTC))
        threading.Thread(target=self._run, args=(check,), name=name, daemon=True).start()
        return True

    def document(self) -> dict[str, dict[str, Any]]:
        """How each stands, as JSON; `result` is null until there is one."""
        with self._lock:
            return {
                name: {
                    "result": check.result,
                    "madeAt": check.made_at,
                    "runningSince": check.running_since,
                    "failed": check.failed,
                    "failedAt": check.failed_at,
                }
                for name, check in self._checks.items()
            }

    def _run(self, check: _Check) -> None:
        result, failed = None, "it broke off: the terminal says why"  # what no line below foresees is our own defect
        try:
            result, failed = check.make(), ""
        except (TrailbellError, BotoCoreError, ClientError) as error:
            failed = problem_of(error)
        finally:
            with self._lock:
                check.failed, check.failed_at = failed, iso_time(datetime.now(UTC)) if failed else ""
                if result is not None:
                    check.result, check.made_at = result, iso_time(datetime.now(UTC))
                check.running_since = ""


def checks_of(aws: CallersAws) -> Checks:
    """The doctor's findings and the deployed audit's, as their commands print them."""
    return Checks({"doctor": lambda: _doctor(aws), "audit": lambda: _audit(aws)})


def _doctor(aws: CallersAws) -> dict[str, Any]:
    findings = check_stack(aws.client, aws.stack, datetime.now(UTC), embedded=aws.is_local)
    counts = {state: sum(one.state == state for one in findings) for state in (PROBLEM, UNKNOWN, WARNING, OK)}
    return {"counts": counts, "findings": [asdict(one) for one in findings]}


def _audit(aws: CallersAws) -> dict[str, Any]:
    found = read_deployed(aws.client("dynamodb"), aws.table(), Selection(), datetime.now(UTC))
    return {"green": found.is_green, "sentences": [*found.sentences()], **found.document()}
