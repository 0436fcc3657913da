"""How somebody is stopped: what the checks mean by revoking sessions, in the way that works for who it was.

The role of a permission set cannot be changed in IAM; Identity Center is where a person loses it. What a session holds
already is denied by the person's id, which leaves everybody else in the permission set alone.
https://docs.aws.amazon.com/singlesignon/latest/userguide/prereqs-revoking-user-permissions.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

import json
import re
import shlex
from collections.abc import Iterator, Sequence

from trailbell.alerts.mail_lines import wrapped
from trailbell.alerts.mail_stop_user import stop_users, users_of
from trailbell.alerts.summary import Summary
from trailbell.facts.actor import Actor
from trailbell.facts.person import permission_set
from trailbell.hits.hit import Hit
from trailbell.text.lazy_pattern import lazy_pattern


_MAX_PEOPLE = 3
_USER = lazy_pattern(r"[\w+=,.@-]{1,128}", re.ASCII)  # what Identity Center may name a session
_WHERE = "--region '<Region of Identity Center>'"
_INSTANCE = "--instance-arn '<InstanceArn>'"
_ROLES = ("role", "ec2", "lambda", "federated")


def stop_section(hits: Sequence[Hit], summary: Summary) -> Iterator[str]:
    """The section Stop: for people of Identity Center and IAM users commands, for sessions of roles a warning; else
    nothing.
    """
    people = list({_person(actor): actor for actor, _ in summary.people if actor.kind == "identity-center"}.values())
    if people:
        yield "Stop the person" if len(people) == 1 else "Stop the people"
        yield f"  aws sso-admin list-instances {_WHERE}"
        for actor in people[:_MAX_PEOPLE]:
            yield from _commands(actor, hits)
        if len(people) > _MAX_PEOPLE:
            yield f"  ... and the same for {len(people) - _MAX_PEOPLE} more"
        yield from wrapped(_ABOUT, indent="  ")
    users = users_of(hit.actor for hit in hits)
    if users and not people:
        yield "Stop the user" if len(users) == 1 else "Stop the users"
    yield from stop_users(users, hits)
    if any(actor.kind in _ROLES and actor.role for actor, _ in summary.people):
        if not people and not users:
            yield "Stop the actor"
        yield from wrapped(_ABOUT_ROLES, indent="  ")


_ABOUT = (
    "With credentials of Identity Center's account: the first command gives the instance's ARN and its identity store, "
    "the second the user's id, the third takes the permission set away; where it comes from a group, take the user out "
    "of the group. A session that is open ends by itself only; to stop it at once, deny everything to whom "
    "identitystore:userId is that id, in a service control policy or in the permission set's inline policy (aws "
    "sso-admin put-inline-policy-to-permission-set, which replaces the one there is). The role cannot be changed "
    "in IAM. A denial that names no user throws out everybody in the permission set."
)
_ABOUT_ROLES = (
    "Revoking a role's sessions in IAM throws out everybody and every machine that uses the role; who may take it gets "
    "new ones at once, so close that way first."
)


def _person(actor: Actor) -> tuple[str, str]:
    return actor.name, _permissions(actor)


def _permissions(actor: Actor) -> str:
    return permission_set(actor.role.rpartition("/")[2])


def _commands(actor: Actor, hits: Sequence[Hit]) -> Iterator[str]:
    """For the user by name, or by id where the record holds nothing else (`idc:`)."""
    user = actor.key.removeprefix("idc:") if actor.key.startswith("idc:") else ""
    name = actor.name if _USER.fullmatch(actor.name) else "<user name>"
    if not user or not _USER.fullmatch(user):
        user = "<UserId>"
        by_name = json.dumps({"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": name}})
        by = shlex.quote(by_name.replace(": ", ":").replace(", ", ","))
        store = "--identity-store-id '<IdentityStoreId>'"
        yield f"  aws identitystore get-user-id {_WHERE} {store} --alternate-identifier {by}"
    permissions = _permissions(actor)
    whose = f"--principal-type USER --principal-id {shlex.quote(user)}"
    if permissions:
        which = permissions if _USER.fullmatch(permissions) else "its"
        account = next(hit.actor.account or hit.account for hit in hits if hit.actor == actor)
        yield (
            f"  aws sso-admin delete-account-assignment {_WHERE} {_INSTANCE} --target-type AWS_ACCOUNT "
            f"--target-id {shlex.quote(account)} --permission-set-arn '<ARN of the permission set {which}>' {whose}"
        )
    else:
        yield f"  aws sso-admin list-account-assignments-for-principal {_WHERE} {_INSTANCE} {whose}"
