"""The engine against what other engines agree on, the rules against a real hour; skipped where the data is absent."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trailbell.alerts.grouping import group_hits
from trailbell.cli.scan.log_files import find_log_files
from trailbell.cli.scan.work import hits_in
from trailbell.cloudtrail.record import GATE_FIELDS
from trailbell.engine.event_time import time_text
from trailbell.engine.matcher import Matcher, matching
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.correlation_cases import episodes_in
from trailbell.rulebook.exceptions import apply_filters
from trailbell.rulebook.load import compile_rule_set, compile_rules, load_rules
from trailbell.rulebook.placeholders import NAMES


ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
HOUR = DATA / "cloudtrail" / "AWSLogs" / "218007301253"
CASES = DATA / "sigma" / "cases.jsonl"
SETTINGS = dict.fromkeys(NAMES, ())

pytestmark = pytest.mark.skipif(not CASES.is_file(), reason="shared data is not on this machine")


def cases() -> Iterator[Any]:
    if CASES.is_file():
        with CASES.open(encoding="utf-8") as lines:
            for line in lines:
                case = json.loads(line)
                yield pytest.param(case, id=case["case_id"])


REFUSED = ("placeholder %", "cannot be decided while events still arrive", "group-by is missing")
"""Valid Sigma that we refuse with a reason: placeholders without a setting of that name, what a further event may undo,
and groups of everybody's events.
"""


def refused_for_a_reason(errors: tuple[str, ...]) -> bool:
    return all(any(reason in error for reason in REFUSED) for error in errors)


@pytest.mark.parametrize("case", list(cases()))
def test_engine_agrees_with_the_others(case: dict[str, Any], tmp_path: Path) -> None:
    """Cases from five engines' suites, those on which they agree."""
    (tmp_path / "rule.yml").write_text(case["rule_yaml"], encoding="utf-8")
    found = apply_filters(load_rules(tmp_path, {}, any_source=True), {})

    if case["kind"] == "parse_ok":
        assert refused_for_a_reason(found.errors), found.errors
    elif case["kind"] == "reject":
        assert found.errors
    else:
        matches = matching(Matcher(found.rules, GATE_FIELDS).candidates(case["event"]), case["event"], {}, "")
        titles = sorted(match.rule.title for match in matches)
        expected = case["expected"]
        assert titles == sorted(expected["titles"]) if isinstance(expected, dict) else bool(titles) is expected


def hits_of(rules: Path) -> list[Hit]:
    hit_detector = HitDetector(Rulebook(compile_rules(rules, SETTINGS)))
    return list(hits_in(find_log_files([HOUR]).files, hit_detector, "2026-11-26T00:00:00Z"))


def test_sigmahq_rules_run_unmodified_and_match_109_times() -> None:
    """Four independent engines agree on this number over the same records."""
    hits = hits_of(DATA / "sigmahq")

    assert sum(1 + len(hit.also) for hit in hits) == 109


def test_real_hour_gives_a_handful_of_alerts() -> None:
    """2,900 records of an attack exercise: trail, selectors, parameters and command, and little else."""
    hits = {hit.identity: hit for hit in hits_of(ROOT / "rules")}.values()

    alerts = group_hits(hits)

    notified = Counter({alert.sample.name: len(alert.hits) for alert in alerts})
    assert len(alerts) == 8
    assert set(notified) == {
        *("trail-deleted", "trail-selectors-blinded", "trail-updated", "cloudtrail-trail-created"),
        *("ssm-parameter-destroyed", "ssm-parameters-read-in-bulk", "ssm-shell-command-sent"),
        "identity-denied-on-destructive",
    }
    assert notified["ssm-parameter-destroyed"] == 40
    assert {hit.outcome for hit in hits if not hit.name.startswith("identity-denied")} == {"success"}


def all_records() -> list[dict[str, Any]]:
    """Every record of the shared log files that can be read."""
    found = []
    for path in sorted((DATA / "cloudtrail").rglob("*.json.gz")):
        try:
            content = json.loads(gzip.decompress(path.read_bytes()))
        except ValueError:
            continue  # one that is malformed on purpose
        records = content.get("Records") if isinstance(content, dict) else None
        found += [one for one in records or () if isinstance(one, dict)]
    return found


def test_episodes_of_the_real_records_are_the_attack_and_nothing_else() -> None:
    """One hand read 42 parameters, deleted two trails and destroyed parameters; another tried what it may do."""
    found = compile_rule_set(ROOT / "rules", SETTINGS)
    records = all_records()

    episodes = {
        one.correlation.rule.name: (Counter(records[at]["eventName"] for at in one.events if isinstance(at, int)), one)
        for one in episodes_in(make_rulebook(found.rules, SETTINGS, found.correlations), records)
    }

    assert {name: events for name, (events, _) in episodes.items()} == {
        "ssm-parameter-sweep": {"GetParameter": 82, "GetParameters": 5},
        "trail-stopped-then-write": {"DeleteTrail": 2, "PutEventSelectors": 1, "DeleteParameter": 40},
        # Counted by identity-denied-then-write: nothing was written after it, so nobody is told.
        "identity-denied-burst": dict.fromkeys(
            ("DescribeInstanceInformation", "GetParameters", "ResumeSession", "SendCommand", "StartSession"), 1
        ),
    }
    times = {name: (time_text(one.first), time_text(one.last)) for name, (_, one) in episodes.items()}
    assert times["ssm-parameter-sweep"] == ("2023-07-10T11:58:10Z", "2023-07-10T12:08:04Z")
    assert times["trail-stopped-then-write"] == ("2023-07-10T12:00:08Z", "2023-07-10T12:08:27Z")
