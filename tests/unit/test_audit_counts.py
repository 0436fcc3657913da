"""What a run of the audit says it counted, in its one line of log."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from trailbell.flows.audit import AuditCounters
from trailbell.flows.unlisted import UnlistedCounters
from trailbell.handlers import audit


@dataclass
class GivenUnlisted:
    counters: UnlistedCounters = field(default_factory=UnlistedCounters)

    def judge(self, now: str, is_time_left: Callable[[], bool], event_log: Any) -> None:
        self.counters.findings += 3
        self.counters.judged += 1


@dataclass
class GivenAudit:
    counters: AuditCounters = field(default_factory=AuditCounters)
    unlisted: GivenUnlisted = field(default_factory=GivenUnlisted)

    def overdue(self, now: str) -> None:
        self.counters.findings += 2


def test_findings_of_both_looks_are_one_sum(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two digests that are overdue and three log files in none are five findings, and not the larger number."""
    given = GivenAudit()
    monkeypatch.setattr(audit, "_audit", lambda: given)
    audit._metrics.cache_clear()

    audit.handler({}, None)

    *_, line = capsys.readouterr().out.splitlines()
    counts = json.loads(line)["counts"]
    assert (counts["AuditFindings"], counts["HoursJudged"]) == (5, 1)
