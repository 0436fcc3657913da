"""The list of operations whose denied attempts are notified is worked out from the rules."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.shipped import shipped_rules
from trailbell.alerts.grouping import group_hits
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import RuleError
from trailbell.hits.detect import HitDetector
from trailbell.rulebook.build import build_rulebook
from trailbell.rulebook.cases import BASE_RECORD, CASE_SETTINGS
from trailbell.rulebook.high_operations import BEGINNINGS, HIGH, HIGH_ON_RESOURCE, RESOURCES, high_operations
from trailbell.rulebook.load import compile_rules, load_rules


ROOT = Path(__file__).resolve().parents[2]
DENIED = "identity-denied-on-destructive"
WATCHED = frozenset({"kms.amazonaws.com", "ssm.amazonaws.com"})

RULE = """\
title: {name}
name: {name}
logsource: {{product: aws, service: cloudtrail}}
detection:
{detection}
level: {level}
"""
ASKING = RULE.format(
    name="denied",
    level="medium",
    detection="""\
    selection:
        facts.outcome: denied
        facts.operation|expand: '%high_operations%'
    condition: selection""",
)


def compiled(where: Path, detection: str, level: str = "high") -> tuple[Rule, ...]:
    (where / "rule.yml").write_text(RULE.format(name="rule", level=level, detection=detection))
    return compile_rules(where, {})


def found(where: Path, detection: str, level: str = "high") -> dict[str, tuple[str, ...]]:
    return high_operations(compiled(where, detection, level), WATCHED)


def record(**changes: Any) -> dict[str, Any]:
    return {**BASE_RECORD, "errorCode": "AccessDenied", **changes}


TWO_SERVICES = """\
    keys:
        eventSource: kms.amazonaws.com
        eventName: [DisableKey, PutKeyPolicy]
    nodes:
        eventSource: ssm.amazonaws.com
        eventName: SendCommand
    condition: 1 of them"""


def test_pairs_stay_pairs(tmp_path: Path) -> None:
    """SendCommand of KMS does not exist; a name of one service must not be listed for another."""
    assert found(tmp_path, TWO_SERVICES)[HIGH] == (
        "kms.amazonaws.com:disablekey",
        "kms.amazonaws.com:putkeypolicy",
        "ssm.amazonaws.com:sendcommand",
    )


def test_only_high_and_critical_rules_count(tmp_path: Path) -> None:
    """Denied attempts at everything would be noise."""
    assert found(tmp_path, TWO_SERVICES, "medium")[HIGH] == ()
    assert found(tmp_path, TWO_SERVICES, "critical")[HIGH] != ()


@pytest.mark.parametrize("outcome", ["facts.outcome: denied", "errorCode: AccessDenied", "facts.outcome: dryrun"])
def test_a_rule_that_a_success_cannot_match_adds_nothing(tmp_path: Path, outcome: str) -> None:
    """What a rule about denials names is not high when it succeeds."""
    one = f"""\
    selection:
        eventSource: kms.amazonaws.com
        eventName: DisableKey
        {outcome}
    condition: selection"""

    assert found(tmp_path, one)[HIGH] == ()


def test_an_excluded_operation_is_not_listed(tmp_path: Path) -> None:
    """A filter takes an operation out again."""
    one = """\
    selection:
        eventSource: kms.amazonaws.com
        eventName: [DisableKey, PutKeyPolicy]
    filter_one:
        eventName: PutKeyPolicy
    condition: selection and not filter_one"""

    assert found(tmp_path, one)[HIGH] == ("kms.amazonaws.com:disablekey",)


def test_another_services_operation_needs_its_resource(tmp_path: Path) -> None:
    """A bucket policy is high on the trail's bucket; denied on any other it is nobody's alert."""
    one = """\
    selection:
        eventSource: s3.amazonaws.com
        eventName: PutBucketPolicy
        requestParameters.bucketName: acme-trail
    condition: selection"""
    plain = """\
    selection:
        eventSource: iam.amazonaws.com
        eventName: CreateAccessKey
        facts.outcome: success
        facts.direct: true
    condition: selection"""

    expected = {HIGH: (), HIGH_ON_RESOURCE: ("s3.amazonaws.com:putbucketpolicy",), RESOURCES: (), BEGINNINGS: ()}
    assert found(tmp_path, one) == expected
    assert found(tmp_path, plain)[HIGH] == ("iam.amazonaws.com:createaccesskey",)


def test_a_resource_that_a_rule_spells_out_is_looked_for_by_name(tmp_path: Path) -> None:
    """UpdateDocument is high for the session preferences; a pipeline that may not change another is no alert."""
    one = """\
    selection:
        eventSource: ssm.amazonaws.com
        eventName: UpdateDocument
        requestParameters.name: SSM-SessionManagerRunShell
    condition: selection"""

    assert found(tmp_path, one) == {
        HIGH: (),
        HIGH_ON_RESOURCE: ("ssm.amazonaws.com:updatedocument",),
        RESOURCES: ("ssm-sessionmanagerrunshell",),
        BEGINNINGS: (),
    }


def test_an_operation_named_by_its_beginning_is_listed_by_it(tmp_path: Path) -> None:
    """Lambda writes a version behind the name; a denied attempt at a function would never be found."""
    one = """\
    selection:
        eventSource: lambda.amazonaws.com
        eventName|startswith: [DeleteFunction, UpdateFunction]
        facts.outcome: success
    condition: selection"""

    assert found(tmp_path, one)[BEGINNINGS] == (
        "lambda.amazonaws.com:deletefunction",
        "lambda.amazonaws.com:updatefunction",
    )


def test_a_deployers_rule_is_covered_by_itself(tmp_path: Path) -> None:
    """A rule that is added must not need a second place to be written in."""
    (tmp_path / "coverage.csv").write_text("eventSource,operation\nkms.amazonaws.com,DisableKey\n")
    (tmp_path / "denied.yml").write_text(ASKING)
    own = """\
    selection:
        eventSource: acm.amazonaws.com
        eventName: DeleteCertificate
        facts.outcome: success
    condition: selection"""
    (tmp_path / "own.yml").write_text(RULE.format(name="own", level="high", detection=own))
    asked = ["ec2:TerminateInstances"]
    rulebook, _ = build_rulebook(tmp_path, tmp_path / "none", {}, date(2026, 11, 29), asked)
    detector = HitDetector(rulebook)

    def hit(source: str, name: str) -> bool:
        return bool(detector.detect_record(record(eventSource=source, eventName=name), "2026-11-29T10:00:00Z"))

    assert hit("acm.amazonaws.com", "DeleteCertificate")
    assert hit("ec2.amazonaws.com", "TerminateInstances")
    assert not hit("acm.amazonaws.com", "TerminateInstances")
    assert not hit("acm.amazonaws.com", "ExportCertificate")


def test_a_denied_call_whose_request_is_there_is_judged_by_it(tmp_path: Path) -> None:
    """A role that may not write plain text would cry every day; one that may not overwrite a secret should."""
    (tmp_path / "denied.yml").write_text(
        RULE.format(
            name="denied",
            level="medium",
            detection="""\
    selection:
        facts.outcome: denied
        facts.would_be_high: true
    condition: selection""",
        )
    )
    one = """\
    selection:
        eventSource: ssm.amazonaws.com
        eventName: PutParameter
        requestParameters.overwrite: true
        facts.outcome: success
    filter_plain:
        requestParameters.type: String
    condition: selection and not filter_plain"""
    rules = compiled(tmp_path, one)
    detector = HitDetector(Rulebook(tuple(rule for rule in rules if rule.name == "denied")))

    def hit(**request: Any) -> bool:
        changes = {"eventSource": "ssm.amazonaws.com", "eventName": "PutParameter", "requestParameters": request}
        return bool(detector.detect_record(record(**changes), "2026-11-29T10:00:00Z"))

    assert hit(overwrite=True, type="SecureString")
    assert not hit(overwrite=True, type="String")
    assert not hit(overwrite=False)


@pytest.mark.slow
def test_a_rule_alone_in_its_file_sees_the_others() -> None:
    """`rules check` compiles file by file; a rule whose list was empty there would hold no case."""
    (alone,) = load_rules(ROOT / "rules" / "identity" / "aws_identity_denied_on_destructive.yml", CASE_SETTINGS).rules
    whole = next(rule for rule in shipped_rules() if rule.name == DENIED)

    assert alone == whole
    assert whole.gate["eventSource"]
    assert whole.gate["eventName"]


def test_a_rule_without_others_matches_nothing_and_is_no_error(tmp_path: Path) -> None:
    """An empty list matches nothing, as for every placeholder."""
    (tmp_path / "denied.yml").write_text(ASKING)
    (rule,) = compile_rules(tmp_path, {})

    assert rule.gate == {"eventSource": (), "eventName": ()}


def test_once_per_day_is_a_word_or_a_truth_value(tmp_path: Path) -> None:
    """A misspelt word would make a hit of every record."""
    for given, day, actor in (("true", True, False), ("actor", True, True), ("false", False, False)):
        (tmp_path / "rule.yml").write_text(ASKING + f"once_per_day: {given}\n")
        (rule,) = compile_rules(tmp_path, {})
        assert (rule.once_per_day, rule.once_per_actor) == (day, actor)
    (tmp_path / "rule.yml").write_text(ASKING + "once_per_day: actors\n")
    with pytest.raises(RuleError, match="true, false or actor, not 'actors'"):
        compile_rules(tmp_path, {})


@pytest.mark.slow
def test_ten_denied_attempts_of_one_actor_are_one_hit_and_another_actor_is_another() -> None:
    """Whoever is denied after a pipeline would be hidden behind its hit of the day."""
    detector = HitDetector(build_rulebook(ROOT / "rules", ROOT / "none", CASE_SETTINGS, date(2026, 11, 29))[0])

    def identity(number: int, user: str, name: str = "DisableKey") -> tuple[str, str, str]:
        who = {"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/{user}", "accountId": "111122223333"}
        changes = {"eventSource": "kms.amazonaws.com", "eventName": name, "userIdentity": who, "eventID": f"e-{number}"}
        hit = detector.detect_record(record(**changes), "2026-11-29T10:00:00Z")
        assert hit
        assert (hit.name, hit.level) == (DENIED, "medium")
        return hit.identity

    assert len({identity(number, "ci") for number in range(10)}) == 1
    assert len({identity(0, "ci"), identity(0, "mallory"), identity(0, "ci", "ScheduleKeyDeletion")}) == 3


def test_ten_denied_attempts_at_ten_operations_are_one_alert() -> None:
    """Somebody who tries what stolen credentials can do would fill the mailbox."""
    detector = HitDetector(build_rulebook(ROOT / "rules", ROOT / "none", CASE_SETTINGS, date(2026, 11, 29))[0])
    names = """SendCommand StartSession StartAutomationExecution DeleteParameter PutParameter CreateActivation
        ModifyDocumentPermission CreateAssociation GetParametersByPath UpdateManagedInstanceRole""".split()

    hits = []
    for name in names:
        changes = {"eventSource": "ssm.amazonaws.com", "eventName": name, "eventID": f"e-{name}"}
        hit = detector.detect_record(record(**changes), "2026-11-29T10:00:00Z")
        assert hit, name
        hits.append(hit)

    (alert,) = group_hits(hits)
    assert len(alert.hits) == 10
