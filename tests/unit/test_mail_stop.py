"""Who is stopped how: people of Identity Center there, for IAM refuses to change the roles of permission sets."""

import shlex
from collections.abc import Callable
from dataclasses import replace

import botocore.session
from botocore import xform_name

from trailbell.alerts.links import links_of
from trailbell.alerts.mail import mail_text
from trailbell.hits.hit import Hit


GivenHit = Callable[..., Hit]
ROLE = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"


def person(given_hit: GivenHit, name: str) -> Hit:
    issuer = {"type": "Role", "arn": f"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/{ROLE}"}
    arn = f"arn:aws:sts::111122223333:assumed-role/{ROLE}/{name}"
    return given_hit(userIdentity={"arn": arn, "sessionContext": {"sessionIssuer": {**issuer, "userName": ROLE}}})


def commands(hits: list[Hit]) -> list[list[str]]:
    section = mail_text(hits).partition("\nStop the ")[2].partition("\n\n")[0]
    return [shlex.split(line) for line in section.splitlines() if line.startswith("  aws ")]


def test_person_of_identity_center_is_stopped_there(given_hit: GivenHit) -> None:
    """Every command exists, with these options; the permission set and the account are named."""
    given = commands([person(given_hit, "alice@example.com")])
    session = botocore.session.get_session()

    assert [words[2] for words in given] == ["list-instances", "get-user-id", "delete-account-assignment"]
    for words in given:
        model = session.get_service_model(words[1])
        operation = next(name for name in model.operation_names if xform_name(name, "-") == words[2])
        members = {xform_name(name, "-") for name in model.operation_model(operation).input_shape.members}
        assert {word.removeprefix("--") for word in words if word.startswith("--")} <= members | {"region"}
    assert '"AttributeValue":"alice@example.com"' in given[1][-1]
    assert "111122223333" in given[2]


def test_mail_warns_of_throwing_out_everybody(given_hit: GivenHit) -> None:
    """Revoking a role's sessions stops the on-call engineer, too."""
    for hit in (person(given_hit, "alice@example.com"), given_hit()):
        assert "throws out everybody" in " ".join(mail_text([hit]).split())


def test_no_link_revokes_what_iam_refuses_to_change(given_hit: GivenHit) -> None:
    """The button gives an error, and minutes are lost."""
    assert "revoke_sessions" not in str(links_of(person(given_hit, "alice@example.com")))
    assert "revoke_sessions" in str(links_of(given_hit()))


def test_hostile_name_is_not_pasted(given_hit: GivenHit) -> None:
    """A session name is chosen by whoever asks for it, where the role is an imitation."""
    (_, by_name, _) = commands([person(given_hit, "x' ; touch pwned ; '")])

    assert "pwned" not in str(by_name)


def test_user_that_is_known_by_id_needs_no_search(given_hit: GivenHit) -> None:
    """IdentityCenterUser records hold the id alone."""
    hit = given_hit()
    hit = replace(hit, actor=replace(hit.actor, kind="identity-center", key="idc:u-1", name="u-1", role=""))

    assert [words[2] for words in commands([hit])] == ["list-instances", "list-account-assignments-for-principal"]
