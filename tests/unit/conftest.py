"""Hits and records that the unit tests share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.record import make_record
from trailbell.engine.matcher import Match
from trailbell.engine.rulebook import Level, Rule, Undo
from trailbell.facts.facts import facts_of
from trailbell.hits.hit import Hit, make_hit
from trailbell.rulebook.cases import BASE_RECORD, merged


KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

RULE = Rule(
    rule_id="3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01",
    name="kms-key-disabled",
    stem="aws_kms_key_disabled",
    title="KMS Key Disabled",
    level=Level.HIGH,
    description="Every call with this key fails from now on.",
    detection=["field", "eventName", ["eq", "disablekey"]],
    gate={"eventSource": ("kms.amazonaws.com",), "eventName": ("disablekey",)},
    author="trailbell",
    tags=("attack.impact", "attack.t1489"),
    check=("Ask the person.",),
    undo=Undo(("aws kms enable-key --region {region} --key-id {resource.key}",), note="Works at any time."),
)


@pytest.fixture
def rules_folder(tmp_path: Path) -> Path:
    """An empty folder for rules."""
    folder = tmp_path / "rules"
    folder.mkdir()
    return folder


@pytest.fixture
def given_hit() -> Callable[..., Hit]:
    """Makes a hit of RULE; keyword arguments are laid over the record."""

    def make(rules: list[Rule] | None = None, **changes: Any) -> Hit:
        base = merged(
            BASE_RECORD,
            {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey", "resources": [{"ARN": KEY_ARN}]},
        )
        record = make_record(merged(base, changes), 4)
        place = Place("bucket", "AWSLogs/a.json.gz", 4)
        matches = [Match(rule) for rule in rules or [RULE]]
        return make_hit(record, facts_of(record), matches, matches[0].rule.level, place, "2026-09-01T09:18:57Z")

    return make


@pytest.fixture
def rule() -> Rule:
    """The rule the hits are of."""
    return RULE
