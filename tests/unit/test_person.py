"""Who is a person: three people with one role are three actors, and a machine's many sessions are one."""

from typing import Any

import pytest

from tests.unit.test_actor import ACCOUNT, role
from trailbell.facts.actor import actor_of, possible_kinds


PEOPLE = ("dana", "erin", "frank")
EKS = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A"
SSO = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
DANA = f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/dana"


def session_of(provider: str, **attributes: str) -> dict[str, Any]:
    """A sessionContext as web identity federation leaves it."""
    base = role("Deploy", "s")["sessionContext"]
    return {**base, "webIdFederationData": {"federatedProvider": provider, "attributes": attributes}}


@pytest.mark.parametrize(
    "identities",
    [
        pytest.param([role(SSO, name) for name in PEOPLE], id="one permission set"),
        pytest.param(
            [role("Deploy", name, sessionContext=session_of("accounts.google.com")) for name in PEOPLE],
            id="web identity",
        ),
        pytest.param(
            [
                role("Deploy", "app", sessionContext=session_of("cognito-identity.amazonaws.com", **{"c:sub": name}))
                for name in PEOPLE
            ],
            id="subjects of a provider",
        ),
        pytest.param(
            [
                role("Deploy", "x", sessionContext={**role("Deploy", "x")["sessionContext"], "sourceIdentity": name})
                for name in PEOPLE
            ],
            id="source identities",
        ),
        pytest.param([role("Q", "s", onBehalfOf={"userId": name}) for name in PEOPLE], id="on behalf of"),
        pytest.param(
            [
                {"type": "FederatedUser", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/{name}", "accountId": ACCOUNT}
                for name in PEOPLE
            ],
            id="GetFederationToken",
        ),
        pytest.param(
            [{"type": "SAMLUser", "principalId": f"idp:{name}", "userName": name} for name in PEOPLE],
            id="AssumeRoleWithSAML",
        ),
        pytest.param(
            [
                {"type": "WebIdentityUser", "userName": name, "identityProvider": "accounts.google.com"}
                for name in PEOPLE
            ],
            id="AssumeRoleWithWebIdentity",
        ),
        pytest.param(
            [{"type": "IdentityCenterUser", "onBehalfOf": {"userId": name}} for name in PEOPLE],
            id="user ids",
        ),
        pytest.param(
            [{"type": "Unknown", "principalId": ACCOUNT, "accountId": ACCOUNT, "userName": name} for name in PEOPLE],
            id="unknown users of one account",
        ),
    ],
)
def test_persons_are_actors_of_their_own(identities: list[dict[str, Any]]) -> None:
    """The acts of three persons of one role stood in one alert, all by the first of them."""
    assert len({actor_of({"userIdentity": identity}).key for identity in identities}) == 3


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param({}, id="plain role"),
        pytest.param({"sessionContext": session_of("")}, id="nobody vouches"),
        pytest.param(
            {"sessionContext": session_of(f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com")},
            id="pipeline",
        ),
        pytest.param(
            {
                "sessionContext": session_of(
                    f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A"
                )
            },
            id="cluster",
        ),
    ],
)
def test_machines_of_one_role_are_one_actor(identity: dict[str, Any]) -> None:
    """A machine gives each session a new name, which may even look like a person's."""
    sessions = ("gh-4711", "gh-4712", "dana@example.com", "i-0123456789abcdef0")
    keys = {actor_of({"userIdentity": role("Deploy", session, **identity)}).key for session in sessions}

    assert keys == {f"arn:aws:iam::{ACCOUNT}:role/path/Deploy"}


def test_one_person_is_one_actor_whatever_the_session() -> None:
    """A source identity and a provider's subject outlast the session's name."""
    named = {**role("Deploy", "s")["sessionContext"], "sourceIdentity": "dana"}
    keys = {actor_of({"userIdentity": role("Deploy", name, sessionContext=named)}).key for name in ("a", "b")}

    assert keys == {DANA}
    subject = session_of("accounts.google.com", **{"accounts.google.com:sub": "dana"})
    assert {actor_of({"userIdentity": role("Deploy", name, sessionContext=subject)}).key for name in "ab"} == {DANA}


def test_role_stands_beside_the_person() -> None:
    """Exceptions, settings and searches for a role must still find all its sessions."""
    person = actor_of({"userIdentity": role(SSO, "dana@example.com")})
    machine = actor_of({"userIdentity": role("Deploy", "s")})

    assert person.role == f"arn:aws:iam::{ACCOUNT}:role/path/{SSO}"
    assert machine.role == machine.key
    assert actor_of({"userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/ci"}}).role == ""


def test_person_of_a_web_identity_is_said_with_the_provider() -> None:
    """Who vouches is half of who it was."""
    subject = session_of("cognito-identity.amazonaws.com", **{"cognito-identity.amazonaws.com:sub": "eu-1:77"})

    actor = actor_of({"userIdentity": role("App", "CognitoIdentityCredentials", sessionContext=subject)})

    assert actor.kind == "federated"
    assert actor.text.startswith("federated user eu-1:77 via cognito-identity.amazonaws.com (role ")


@pytest.mark.parametrize(
    ("identity", "line", "name"),
    [
        (
            {"type": "Unknown", "principalId": ACCOUNT, "arn": "", "accountId": ACCOUNT, "userName": "dana"},
            f"unknown principal dana of account {ACCOUNT}",
            "dana",
        ),
        ({"type": "Unknown", "accountId": ACCOUNT}, f"unknown principal {ACCOUNT}", ACCOUNT),
        (
            {"type": "Directory", "userName": "dana", "accountId": ACCOUNT},
            f"directory user dana of account {ACCOUNT}",
            "dana",
        ),
        ({"type": "Directory", "principalId": "d-1:dana"}, "directory user d-1:dana", "d-1:dana"),
        ({"type": "Tomorrow", "userName": "dana"}, "unknown principal dana", "dana"),
    ],
)
def test_identities_of_other_types_keep_their_names(identity: dict[str, Any], line: str, name: str) -> None:
    """They all were the account's number, so nobody knew who it was."""
    actor = actor_of({"userIdentity": identity})

    assert (actor.kind, actor.text, actor.name) == ("unknown", line, name)
    assert possible_kinds(str(identity["type"])) == ("unknown",)


def test_type_role_is_a_role() -> None:
    """AWS documents it beside AssumedRole."""
    identity = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/Deploy"}

    assert actor_of({"userIdentity": identity}).kind == "role"
    assert actor_of({"userIdentity": identity}).key == f"arn:aws:iam::{ACCOUNT}:role/Deploy"
    assert "role" in possible_kinds("Role")
