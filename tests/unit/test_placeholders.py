"""Placeholders: what the deployer's settings put into rules, and what the stack adds by itself."""

from pathlib import Path

import pytest

from trailbell.engine.rulebook import Rulebook
from trailbell.hits.detect import HitDetector
from trailbell.rulebook.load import compile_rules
from trailbell.rulebook.placeholders import DEPLOYER_ROLES, NAMES, with_our_own


RULE = """
title: Deployed
logsource: {product: aws, service: cloudtrail}
detection:
    selection:
        eventSource: example.amazonaws.com
        userIdentity.arn|expand: '%deployer_roles%'
    condition: selection
level: low
"""


@pytest.mark.parametrize(
    ("role", "matches"),
    [
        ("arn:aws:iam::111122223333:role/cdk-hnb659fds-deploy-role-111122223333-eu-central-1", True),
        ("arn:aws-cn:iam::111122223333:role/cdk-hnb659fds-cfn-exec-role-111122223333-cn-north-1", True),
        ("arn:aws:iam::111122223333:role/cdk-hnb659fds-lookup-role-111122223333-eu-central-1", False),
        ("arn:aws:iam::111122223333:role/x-cdk-hnb659fds-deploy-role-1", False),
        ("arn:*:iam::*:role/cdk-hnb659fds-deploy-role", False),
    ],
)
def test_a_star_in_a_setting_stands_for_any_characters(tmp_path: Path, role: str, matches: bool) -> None:
    """Taken for itself, a pattern would match no role, and every deployment of ours would be an attack."""
    (tmp_path / "deployed.yml").write_text(RULE, encoding="utf-8")
    rules = compile_rules(tmp_path, {"deployer_roles": DEPLOYER_ROLES})
    record = {"eventSource": "example.amazonaws.com", "userIdentity": {"arn": role}}

    assert bool(HitDetector(Rulebook(rules)).detect_record(record, "2026-09-01T09:18:57Z")) is matches


def test_what_the_stack_knows_of_itself_is_guarded() -> None:
    """A deployer who names other things as well must not lose these."""
    given = {"trail_bucket": "logs", "trail_prefix": "org", "trail_key_arn": "arn:aws:kms:x:1:key/k"}
    listed = {"trail_buckets": ("old-logs",), "own_resources": ("tooling",), "trail_prefixes": ("old",)}

    ours = with_our_own(listed, given)

    assert set(ours) == set(NAMES)
    assert ours["trail_buckets"] == ("old-logs", "logs")
    assert ours["own_resources"] == ("tooling", "trailbell")
    assert ours["trail_prefixes"] == ("old", "org")
    assert ours["trail_keys"] == ("arn:aws:kms:x:1:key/k",)
    assert ours["trusted_accounts"] == ()


def test_what_nobody_names_has_a_default_that_nothing_is_added_to() -> None:
    """Naming a deployer takes the right from the usual ones; naming a trail says that the others are not read."""
    assert with_our_own({}, {})["deployer_roles"] == DEPLOYER_ROLES
    assert with_our_own({}, {})["trails"] == ("trailbell",)
    assert with_our_own({}, {"trail_bucket": "logs"})["trails"] == ("*",)
    named = with_our_own({"deployer_roles": ("arn:aws:iam::1:role/ci",), "trails": ("main",)}, {"trail_bucket": "logs"})
    assert (named["deployer_roles"], named["trails"]) == (("arn:aws:iam::1:role/ci",), ("main",))
