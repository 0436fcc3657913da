"""How an IAM user is stopped: its access key, and everything else that it holds.

A key that is switched off can be switched on again. Temporary credentials that the user has already are not stopped by
it, only by what the user may no longer do; sessions of roles it has taken are the roles'.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys-admin-managed.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
"""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from trailbell.alerts.mail_lines import wrapped
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit
from trailbell.text.lazy_pattern import lazy_pattern


_MAX_USERS = 3
_ARN = lazy_pattern(
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):user/(?:[!-~]+/)?(?P<name>[\w+=,.@][\w+=,.@-]{0,63})",
    re.ASCII,
)
_KEY_END = lazy_pattern(r"[A-Z0-9]{4}", re.ASCII)
_KEY = (
    "The access key is stopped by its status, everything else that the user holds (the password, other keys, temporary "
    "credentials) by the policy, which denies everything within some minutes."
)
_NO_KEY = (
    "The policy stops whatever the user holds (the password, keys, temporary credentials): it denies everything within "
    "some minutes."
)
_ABOUT = (
    "Sessions of roles that the user has taken go on until they end or are revoked. To lift it later: aws iam "
    "detach-user-policy."
)


def users_of(actors: Iterable[Actor]) -> list[list[Actor]]:
    """The IAM users among some actors, each with what it acted with: several keys, or a session."""
    users = defaultdict[str, list[Actor]](list)
    for actor in actors:
        if actor.kind == "iam-user":
            users[actor.key].append(actor)
    return list(users.values())


def stop_users(users: Sequence[Sequence[Actor]], hits: Sequence[Hit]) -> Iterator[str]:
    """The commands for IAM users, and what they do; nothing for no users."""
    for user in users[:_MAX_USERS]:
        yield from _commands(user, hits)
    if len(users) > _MAX_USERS:
        yield f"  ... and the same for {len(users) - _MAX_USERS} more"
    accounts = {found["account"] for user in users if (found := _ARN.fullmatch(user[0].arn))}
    foreign = sorted(accounts - {hit.account for hit in hits})
    if foreign:
        yield from wrapped(f"With credentials of the user's account: {', '.join(foreign)}.", indent="  ")
    if users:
        has_key = any(actor.credential == "long-term" for user in users for actor in user)
        yield from wrapped(f"{_KEY if has_key else _NO_KEY} {_ABOUT}", indent="  ")


def _commands(user: Sequence[Actor], hits: Sequence[Hit]) -> Iterator[str]:
    """A name that its ARN does not confirm is left open; of a key its end alone is kept (facts/actor.py)."""
    found = _ARN.fullmatch(user[0].arn)
    name = shlex.quote(found["name"] if found and found["name"] == user[0].name else "<user name>")
    partition = found["partition"] if found else hits[0].partition
    ends = dict.fromkeys(actor.key_hint for actor in user if actor.credential == "long-term")
    if ends:
        yield f"  aws iam list-access-keys --user-name {name}"
    for end in ends:
        key = f"<AccessKeyId that ends in {end}>" if _KEY_END.fullmatch(end) else "<AccessKeyId>"
        yield f"  aws iam update-access-key --user-name {name} --access-key-id {shlex.quote(key)} --status Inactive"
    yield f"  aws iam attach-user-policy --user-name {name} --policy-arn arn:{partition}:iam::aws:policy/AWSDenyAll"
