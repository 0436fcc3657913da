"""Who is stopped how: people of Identity Center there, for IAM refuses to change the roles of permission sets."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
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


def check_options(given: list[list[str]]) -> None:
    """Every command exists, with these options."""
    session = botocore.session.get_session()
    for words in given:
        model = session.get_service_model(words[1])
        operation = next(name for name in model.operation_names if xform_name(name, "-") == words[2])
        members = {xform_name(name, "-") for name in model.operation_model(operation).input_shape.members}
        assert {word.removeprefix("--") for word in words if word.startswith("--")} <= members | {"region"}


def test_person_of_identity_center_is_stopped_there(given_hit: GivenHit) -> None:
    """The permission set and the account are named."""
    given = commands([person(given_hit, "alice@example.com")])

    assert [words[2] for words in given] == ["list-instances", "get-user-id", "delete-account-assignment"]
    check_options(given)
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


def iam_user(given_hit: GivenHit, name: str, kind: str = "long-term", hint: str = "WXYZ", **more: Any) -> Hit:
    arn = f"arn:aws:iam::111122223333:user/ops/{name}"
    hit = given_hit(userIdentity={"type": "IAMUser", "arn": arn, "userName": name, "sessionContext": None})
    return replace(hit, actor=replace(hit.actor, credential=kind, key_hint=hint, **more))


def test_user_of_iam_loses_the_key_and_every_permission(given_hit: GivenHit) -> None:
    """Switching the key off does not end what the user holds besides; a whole key id is nowhere kept."""
    hit = iam_user(given_hit, "ci-deploy")
    given = commands([hit])

    assert [words[2] for words in given] == ["list-access-keys", "update-access-key", "attach-user-policy"]
    check_options(given)
    assert all(words[words.index("--user-name") + 1] == "ci-deploy" for words in given)
    assert given[1][-3:] == ["<AccessKeyId that ends in WXYZ>", "--status", "Inactive"]
    assert given[2][-1] == "arn:aws:iam::aws:policy/AWSDenyAll"
    assert "account:" not in mail_text([hit]).partition("\nStop the ")[2].partition("\n\n")[0]


def test_each_key_that_was_used_is_stopped(given_hit: GivenHit) -> None:
    """A user may have two, and lend one."""
    hits = [iam_user(given_hit, "ci-deploy", hint=hint) for hint in ("WXYZ", "ABCD")]

    keys = [words[words.index("--access-key-id") + 1] for words in commands(hits) if "--access-key-id" in words]

    assert sorted(keys) == ["<AccessKeyId that ends in ABCD>", "<AccessKeyId that ends in WXYZ>"]
    assert "Stop the user\n" in mail_text(hits)
    assert len(commands(hits)) == 4


def test_user_without_a_key_of_its_own_loses_its_permissions(given_hit: GivenHit) -> None:
    """Who signed in to the console, or took a session, does not act with an access key of the user."""
    assert [words[2] for words in commands([iam_user(given_hit, "dana", "temporary")])] == ["attach-user-policy"]


def test_user_is_stopped_in_its_own_account_and_partition(given_hit: GivenHit) -> None:
    """IAM knows users of its own account only."""
    arn = "arn:aws-cn:iam::444455556666:user/dana"
    hit = iam_user(given_hit, "dana", arn=arn)

    assert "With credentials of the user's account: 444455556666." in " ".join(mail_text([hit]).split())
    assert commands([hit])[-1][-1] == "arn:aws-cn:iam::aws:policy/AWSDenyAll"


@pytest.mark.parametrize("name", ["x' ; touch pwned ; '", "-x", "a b", "", "caf\u00e9"])
def test_name_that_no_user_can_have_is_not_pasted(given_hit: GivenHit, name: str) -> None:
    """What a forged record holds is no command."""
    given = commands([iam_user(given_hit, name)])

    assert {words[words.index("--user-name") + 1] for words in given} == {"<user name>"}


def test_key_that_is_none_is_not_pasted(given_hit: GivenHit) -> None:
    """Four characters of a forged record are enough to end a quote."""
    assert "'<AccessKeyId>'" in str(commands([iam_user(given_hit, "ci", hint="a'b;")]))


def test_several_users_are_stopped_each(given_hit: GivenHit) -> None:
    """As many as a mail has room for; the others in the same way."""
    hits = [iam_user(given_hit, f"user-{number}") for number in range(5)]

    text = mail_text(hits)

    assert "Stop the users" in text
    assert len(commands(hits)) == 9
    assert "... and the same for 2 more" in text
