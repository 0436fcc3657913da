"""Exceptions mute what they say, as long as they say, and never what guards the trail; levels follow the actor."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.unit.log_files import examined
from trailbell.engine.rulebook import Level, Rulebook, dump_rulebook, load_rulebook
from trailbell.errors import RuleError
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.rulebook.build import build_rulebook
from trailbell.rulebook.cases import BASE_RECORD, merged
from trailbell.store.rows import hit_row


RULE = """\
title: T
id: 3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e0{number}
name: {name}
logsource: {{product: aws, service: cloudtrail}}
detection: {{s: {{eventName: DisableKey}}, condition: s}}
level: {level}
"""
EXCEPTION = """\
title: Rotation
logsource: {{product: aws, service: cloudtrail}}
owner: ops@example.com
reason: The rotator does this every night.
expires: {expires}
filter:
    rules: {rules}
    rotator: {{userAgent|contains: rotator}}
    condition: not rotator
"""
GOOD = EXCEPTION.format(rules="[kms-high]", expires="2026-12-31")
Build = Callable[..., Rulebook]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Builds a rulebook of a high and a low rule with the exceptions given, through its JSON."""
    rules, exceptions = tmp_path / "rules", tmp_path / "exceptions"
    rules.mkdir()
    exceptions.mkdir()
    for number, (name, level) in enumerate([("kms-high", "high"), ("kms-low", "low"), ("trail-guard", "medium")]):
        (rules / f"aws_{name}.yml").write_text(RULE.format(number=number, name=name, level=level))

    def make(*texts: str, **settings: tuple[str, ...]) -> Rulebook:
        for number, text in enumerate(texts):
            (exceptions / f"e{number}.yml").write_text(text)
        rulebook, _ = build_rulebook(rules, exceptions, settings, date(2026, 9, 1))
        return load_rulebook(dump_rulebook(rulebook))

    return make


def hit_of(rulebook: Rulebook, seen_at: str = "2026-09-01T10:00:00Z", **changes: Any) -> Hit:
    record = merged({**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}, changes)
    hit = HitDetector(rulebook).detect_record(record, seen_at)
    assert hit
    return hit


def test_exception_mutes_its_rule_and_the_next_strongest_speaks(build: Build) -> None:
    """What is excepted is not told; what another rule says about the same act still is."""
    rulebook = build(EXCEPTION.format(rules="[kms-high]", expires="2026-12-31"))

    other, rotator = hit_of(rulebook), hit_of(rulebook, userAgent="rotator/1")

    assert (other.name, other.also, other.also_muted) == ("kms-high", ("trail-guard", "kms-low"), ())
    assert (rotator.name, rotator.also, rotator.also_muted) == ("trail-guard", ("kms-low",), ("kms-high",))
    assert rotator.muted_by == ""


def test_hit_of_which_every_match_is_muted_is_kept_and_not_told(build: Build, tmp_path: Path) -> None:
    """The table says who muted it and why; its row is of a kind the notifier never sees."""
    build(EXCEPTION.format(rules="any", expires="2026-12-31"))
    (tmp_path / "rules" / "aws_trail-guard.yml").unlink()

    hit = hit_of(build(), userAgent="rotator/1")

    assert (hit.name, hit.muted_by, hit.muted_owner) == ("kms-high", "e0", "ops@example.com")
    assert hit.muted_reason == "The rotator does this every night."
    assert hit_row(hit, 0)["kind"] == "muted"


def test_expired_exception_stops_working_at_synth_and_at_run_time(build: Build, tmp_path: Path) -> None:
    """Forgotten exceptions must not outlive their reason, whether or not somebody deploys again."""
    rulebook = build(EXCEPTION.format(rules="[kms-high]", expires="2026-09-01"))

    assert hit_of(rulebook, "2026-09-01T23:59:59Z", userAgent="rotator").name == "trail-guard"
    assert hit_of(rulebook, "2026-09-02T00:00:00Z", userAgent="rotator").name == "kms-high"
    _, expired = build_rulebook(tmp_path / "rules", tmp_path / "exceptions", {}, date(2026, 9, 2))
    assert len(expired) == 1
    assert "expired on 2026-09-01" in expired[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (EXCEPTION.format(rules="[trail-guard]", expires="2026-12-31"), "cannot be muted"),
        (EXCEPTION.format(rules="[nobody]", expires="2026-12-31"), "no rule is called nobody"),
        (GOOD.replace("2026-12-31", "soon"), "expires is a date"),
        (
            GOOD.replace("owner: ops@example.com\n", ""),
            "needs owner",
        ),
        (GOOD.replace("reason:", "because:"), "needs reason"),
        (GOOD.replace("|contains", "|nosuch"), "nosuch"),
        (GOOD.replace("    rules:", "    # rules:"), "rules"),
        ("title: no filter\n", "needs a map `filter`"),
    ],
)
def test_exception_that_is_not_in_order_is_refused(build: Build, text: str, message: str) -> None:
    """An exception nobody answers for, or that names nothing, must not be deployed."""
    with pytest.raises(RuleError, match=r"e0\.yml") as caught:
        build(text)

    assert message in str(caught.value)


def test_level_follows_the_actor(build: Build) -> None:
    """Root is one level up; automation one level down, but not for what guards the trail."""
    root: dict[str, Any] = {"userIdentity": {"type": "Root", "accountId": "111122223333"}}
    rulebook = build(automation_roles=("arn:aws:iam::111122223333:role/Adm*",))

    assert hit_of(build(), **root).level == "critical"
    assert hit_of(build(), **root).level_note == "raised from high: root user"
    assert hit_of(rulebook).level == "medium"
    assert hit_of(rulebook).level_note == "lowered from high: automation role"
    guard = Rulebook(tuple(rule for rule in rulebook.rules if rule.name == "trail-guard"), frozenset(), ("*",))
    assert hit_of(guard).severity is Level.MEDIUM


def test_rule_with_once_per_day_gives_one_identity_a_day(build: Build, tmp_path: Path) -> None:
    """An unknown operation called a thousand times is one hit, not silence and not a thousand."""
    for file in (tmp_path / "rules").iterdir():
        file.write_text(file.read_text() + "once_per_day: true\n")
    rulebook = build()

    first, second = (hit_of(rulebook, eventID=f"e-{number}") for number in (1, 2))
    next_day = hit_of(rulebook, eventTime="2026-09-02T00:00:00Z")
    hostile = hit_of(rulebook, awsRegion="r", eventSource="x#" * 500)

    assert first.identity == second.identity != next_day.identity
    assert first.identity[1] == "2026-09-01-kms.amazonaws.com-DisableKey"
    assert hostile.identity[1].startswith("sha256-")


def test_record_nested_deeper_than_any_request_costs_only_itself(build: Build) -> None:
    """Newer Pythons parse deeper than they can walk; the file's other records are matched all the same."""
    deep = '{"d":' * 100_000 + "1" + "}" * 100_000
    good = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}
    malformed = json.dumps({**good, "eventID": None, "requestParameters": 0}).replace(
        '"requestParameters": 0', f'"requestParameters": {deep}'
    )

    hits, found = examined(HitDetector(build()), f'{{"Records": [{malformed}, {json.dumps(good)}]}}'.encode())

    assert [hit.place.index for hit in hits] == [1]
    assert [malformed.index for malformed in found.malformed] == [0]
    assert found.balanced


def test_exception_for_a_role_of_persons_is_reported(build: Build, tmp_path: Path) -> None:
    """Written when a role's sessions were one actor, it mutes nothing any more; nobody would know why it is loud."""
    role = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef"
    session = {
        "arn": "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/dana",
        "sessionContext": {"sessionIssuer": {"arn": role, "userName": "AWSReservedSSO_Ops_0123456789abcdef"}},
    }
    by_key = GOOD.replace("userAgent|contains: rotator", f"facts.actor.key: {role}")
    assert by_key != GOOD

    old = build(by_key)
    assert hit_of(old, userIdentity=session).name == "kms-high"
    _, expired = build_rulebook(tmp_path / "rules", tmp_path / "exceptions", {}, date(2026, 9, 1))
    assert "write facts.actor.role instead" in expired[0]

    new = build(by_key.replace("facts.actor.key", "facts.actor.role"))
    assert hit_of(new, userIdentity=session).name == "trail-guard"
