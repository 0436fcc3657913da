"""Mails and figures of the examples that README.md and docs/getting-started.md show are what the product gives."""

from collections import Counter
from functools import cache

from click.testing import CliRunner

from tests.golden.mails import mail
from tests.shipped import ROOT, shipped_rules
from trailbell.alerts.alert import Alert
from trailbell.alerts.grouping import group_hits
from trailbell.cli.local.expectation import expectation_for
from trailbell.cli.main import cli
from trailbell.cloudtrail.object_key import classify_key
from trailbell.engine.rulebook import Level, Rulebook
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.undoing import UNDONE


README = (ROOT / "README.md").read_text(encoding="utf-8")
STARTED = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
SEEN_AT = "2026-11-20T09:44:01Z"  # 4 min 50 s after the act in the README's mail


@cache
def alerts() -> list[Alert]:
    """What the log files of examples/ are told as, with the settings that rules are tested with."""
    hit_detector = HitDetector(Rulebook(shipped_rules()))
    hits: dict[tuple[str, str, str], Hit] = {}
    for file in sorted((ROOT / "examples" / "AWSLogs").rglob("CloudTrail/**/*.json.gz")):
        found = hit_detector.detect([file.read_bytes()], "trail", classify_key(str(file)), SEEN_AT, DetectionCounts())
        hits.update((hit.identity, hit) for hit in found)
    return group_hits(hits.values())


def test_mail_in_the_readme_is_the_one_that_arrives() -> None:
    """It is what people decide by; all of it down to the dots."""
    shown = README.partition("```\nSubject: ")[2].partition("\n  ...\n```")[0]
    (alert,) = [alert for alert in alerts() if alert.sample.name == "hsm-backup-deleted"]

    assert "\nUndo (until " in shown
    assert mail(alert).startswith(f"Subject: {shown}\n")


def test_figures_of_the_demo_are_counted() -> None:
    """A newcomer compares."""
    mailed = [alert for alert in alerts() if alert.sample.severity >= Level.MEDIUM]
    hits = sum(len(alert.hits) for alert in alerts())

    expected = expectation_for()
    expected.read(sorted((ROOT / "examples" / "AWSLogs").rglob("CloudTrail/**/*.json.gz")), SEEN_AT)
    said = {(*hit_id.split("/"), word) for hit_id, word in expected.follow_ups}
    followed_up = {hit_id for hit_id, _ in expected.follow_ups}
    undone = {hit_id for hit_id, word in expected.follow_ups if word == UNDONE}
    mails = {(expected.hits[account, event_id, ACT].name, word) for account, event_id, _, word in said}

    episodes = len(expected.episodes)  # each of a rule of its own, and none below medium
    assert f"{len(mailed) + episodes} mails for {hits} hits and {episodes} episodes;" in STARTED
    assert f"which is acts that say more together: {episodes + 1}." in STARTED  # and one of what is done again
    assert len(mails) == len(said), "acts of one rule would be one mail"
    assert f"{len(mails)} mails say what became of {len(followed_up)} acts\n" in STARTED
    late = 3  # one act is done again, first in a log file, which is reminded of, and then twice more by a live event
    levels = Counter(hit.level for alert in alerts() for hit in alert.hits) + Counter(critical=late)
    counts = ", ".join(
        f"{levels[level.word]} {level.word}" for level in sorted(Level, reverse=True) if levels[level.word]
    )
    both = len(mailed) + episodes + late + 1 + len(mails) + 1  # the late ones are an episode, too
    assert f"In short: {both} mails about {hits + late} hits ({counts}).\n" in STARTED
    assert f"in the table once and was notified once: {hits + late}." in STARTED
    assert f"{len(undone)} were undone and 1 reminded of" in STARTED


def test_summary_that_is_shown_is_what_scan_prints() -> None:
    """Line by line, apart from the spaces between columns."""
    shown = STARTED.partition("```\nlevel     count")[2].partition("```")[0].splitlines()[1:]
    result = CliRunner().invoke(cli, ["scan", str(ROOT / "examples" / "AWSLogs"), "--summary"], catch_exceptions=False)

    lines = [line.split() for line in result.stdout.splitlines()]
    assert len(shown) > 2
    assert [line for line in shown if line != "..." and line.split() not in lines] == []
