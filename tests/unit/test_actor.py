"""The actor answers CloudTrail's three questions in one line, with a key that groups by role."""

from typing import Any

import pytest

from trailbell.facts.actor import actor_of, possible_kinds
from trailbell.facts.direct import is_direct
from trailbell.facts.outcome import Outcome, outcome_of


ACCOUNT = "111122223333"


def role(name: str, session: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLEEXAMPLE12",
        "sessionContext": {
            "sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/path/{name}", "userName": name},
            "attributes": {"creationDate": "2026-09-01T08:00:00Z", "mfaAuthenticated": "false"},
        },
        **more,
    }


@pytest.mark.parametrize(
    ("identity", "kind", "line", "key"),
    [
        pytest.param(
            {"type": "Root", "accountId": ACCOUNT}, "root", f"root user of {ACCOUNT}", f"root:{ACCOUNT}", id="root"
        ),
        pytest.param(
            {"type": "Root", "accountId": ACCOUNT, "sessionContext": {"assumedRoot": "true"}},
            "root",
            f"root user of {ACCOUNT} (AssumeRoot session)",
            f"root:{ACCOUNT}",
            id="assume-root",
        ),
        pytest.param(
            {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/ci", "userName": "ci"},
            "iam-user",
            "IAM user ci",
            f"arn:aws:iam::{ACCOUNT}:user/ci",
            id="iam-user",
        ),
        pytest.param(
            role("AWSReservedSSO_AdministratorAccess_0123456789abcdef", "alice@example.com"),
            "identity-center",
            "alice@example.com (Identity Center, permission set AdministratorAccess)",
            f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/alice@example.com",
            id="identity-center-role",
        ),
        pytest.param(
            role("app", "i-0123456789abcdef0"),
            "ec2",
            "EC2 instance i-0123456789abcdef0 (role app)",
            f"arn:aws:iam::{ACCOUNT}:role/path/app",
            id="ec2",
        ),
        pytest.param(
            role("Deploy", "gh-4711"),
            "role",
            "role Deploy, session gh-4711",
            f"arn:aws:iam::{ACCOUNT}:role/path/Deploy",
            id="role",
        ),
        pytest.param(
            {
                "type": "AssumedRole",
                "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/s",
                "sessionContext": {"sessionIssuer": {}},
            },
            "role",
            "role Deploy, session s",
            f"arn:aws:iam::{ACCOUNT}:role/Deploy",
            id="role-without-issuer",
        ),
        pytest.param(
            {
                "type": "WebIdentityUser",
                "principalId": "accounts.google.com:app:bob",
                "userName": "bob",
                "identityProvider": "accounts.google.com",
            },
            "federated",
            "federated user bob via accounts.google.com",
            "accounts.google.com:app:bob",
            id="web-identity",
        ),
        pytest.param(
            {"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}},
            "identity-center",
            "Identity Center user u-1",
            "idc:u-1",
            id="identity-center-user",
        ),
        pytest.param(
            {"type": "AWSAccount", "principalId": "AROAX:job", "accountId": "999988887777"},
            "account",
            "principal AROAX:job of account 999988887777 [other account]",
            "AROAX:job",
            id="other-account",
        ),
        pytest.param(
            {"type": "AWSService", "invokedBy": "rds.amazonaws.com"},
            "service",
            "AWS service rds.amazonaws.com",
            "svc:rds.amazonaws.com",
            id="service",
        ),
        pytest.param(
            {"accountId": ACCOUNT, "invokedBy": "AWS Internal"},
            "service",
            "AWS itself (AWS Internal)",
            "svc:AWS Internal",
            id="aws-internal",
        ),
        pytest.param({}, "unknown", "unknown principal", "unknown", id="empty"),
        pytest.param({"type": "Unknown", "principalId": "x"}, "unknown", "unknown principal x", "x", id="unknown"),
        pytest.param(
            role("Deploy", "s", invokedBy="cloudformation.amazonaws.com"),
            "role",
            "role Deploy, session s, through cloudformation.amazonaws.com",
            f"arn:aws:iam::{ACCOUNT}:role/path/Deploy",
            id="through-cloudformation",
        ),
        pytest.param(
            role("fn", "s", inScopeOf={"sourceArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"}),
            "lambda",
            f"Lambda function f (role fn), credentials issued to arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
            f"arn:aws:iam::{ACCOUNT}:role/path/fn",
            id="lambda-by-source",
        ),
        pytest.param(
            role("fn", "s", inScopeOf={"credentialsIssuedTo": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f:prod"}),
            "lambda",
            "Lambda function f (role fn)",
            f"arn:aws:iam::{ACCOUNT}:role/path/fn",
            id="lambda-by-credentials",
        ),
        pytest.param(
            role("task", "s", inScopeOf={"sourceArn": "arn:aws:ecs:us-east-1:1:task/t"}),
            "role",
            "role task, session s, credentials issued to arn:aws:ecs:us-east-1:1:task/t",
            f"arn:aws:iam::{ACCOUNT}:role/path/task",
            id="container",
        ),
    ],
)
def test_actor_is_summarised(identity: dict[str, Any], kind: str, line: str, key: str) -> None:
    """The line is what the reader of a mail judges by; the key is what storms are grouped by."""
    actor = actor_of({"userIdentity": identity, "recipientAccountId": ACCOUNT})

    assert (actor.kind, actor.text, actor.key) == (kind, line, key)
    assert kind in possible_kinds(identity.get("type", "")), "rules about this kind would be passed over"


def test_sessions_of_one_role_are_one_actor() -> None:
    """Grouping by session would turn one person's afternoon into a mail for every call."""
    keys = {actor_of({"userIdentity": role("Deploy", session)}).key for session in ("a", "b", "c")}

    assert len(keys) == 1


def test_credentials_are_told_without_the_key() -> None:
    """Four characters help to find the key; more would leak it into every inbox."""
    actor = actor_of({"userIdentity": role("Deploy", "s"), "sessionCredentialFromConsole": "true"})

    assert (actor.credential, actor.key_hint, actor.console) == ("temporary", "LE12", True)
    assert "ASIAEXAMPLE" not in repr(actor)


def test_mfa_is_told_only_where_cloudtrail_knows() -> None:
    """Role sessions always say false, also behind an identity provider with MFA."""
    user = {"type": "IAMUser", "userName": "ci", "sessionContext": {"attributes": {"mfaAuthenticated": "true"}}}

    assert actor_of({"userIdentity": user}).mfa == "true"
    assert actor_of({"userIdentity": role("Deploy", "s")}).mfa == ""


@pytest.mark.parametrize(
    "identity", [None, "text", 7, [], {"type": 5}, {"sessionContext": None, "type": "AssumedRole"}]
)
def test_no_identity_raises(identity: object) -> None:
    """An odd identity must not cost the record its hit."""
    assert actor_of({"userIdentity": identity}).text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"userIdentity": {"type": "IAMUser"}}, True),
        ({"userIdentity": {"type": "IAMUser", "invokedBy": "cloudformation.amazonaws.com"}}, True),
        ({"userIdentity": {"type": "Root", "invokedBy": "signin.amazonaws.com"}}, True),
        ({"userIdentity": {"type": "AssumedRole", "invokedBy": "rds.amazonaws.com"}}, False),
        ({"userIdentity": {"type": "AssumedRole", "invokedBy": "AWS Internal"}}, False),
        ({"userIdentity": {"type": "AWSService"}}, False),
        ({"userIdentity": {}, "eventType": "AwsServiceEvent"}, False),
    ],
)
def test_direct_tells_people_and_their_tools_from_services(fields: dict[str, Any], expected: bool) -> None:
    """CloudFormation does what a person asked for: excluding it would be a way around the rules."""
    assert is_direct(fields) is expected


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (None, Outcome.SUCCESS),
        ("", Outcome.SUCCESS),
        ("AccessDenied", Outcome.DENIED),
        ("AccessDeniedException", Outcome.DENIED),
        ("VpceAccessDenied", Outcome.DENIED),
        ("Client.UnauthorizedOperation", Outcome.DENIED),
        ("DryRunOperationException", Outcome.DRYRUN),
        ("ThrottlingException", Outcome.FAILED),
        ("TrailNotFoundException", Outcome.FAILED),
    ],
)
def test_outcome_classes(code: str | None, outcome: Outcome) -> None:
    """A success rule must not fire for a retry or a denial."""
    assert outcome_of({"errorCode": code}) is outcome


def test_an_identity_that_is_remembered_is_read_with_what_else_the_record_says() -> None:
    """Whose account it is and where the call came from stand beside it; one nested too deeply is read, too."""
    identity: dict[str, Any] = {"type": "AWSAccount", "principalId": "AIDA", "accountId": "111122223333"}
    own = {"userIdentity": identity, "recipientAccountId": "111122223333"}
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]

    for _ in range(2):
        assert not actor_of(own).text.endswith("[other account]")
        assert actor_of({**own, "recipientAccountId": "444455556666"}).text.endswith("[other account]")
        assert actor_of({**own, "sessionCredentialFromConsole": "true"}).console
        assert not actor_of(own).console
        assert actor_of({**own, "userIdentity": {**identity, "deep": deep}}) == actor_of(own)
        assert actor_of({**own, "userIdentity": {**identity, "long": "x" * 5000}}) == actor_of(own)
