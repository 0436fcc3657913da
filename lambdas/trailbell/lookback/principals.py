"""Which credentials are one principal's: those it is named by, and those that records link to them.

What links is stated by AWS, or is an inference:

    stated    AWS issued the credentials to a call of the principal (AssumeRole and its like); the source identity is
              the same, which no later role can change; Identity Center names the same user; both are in the two
              records of one act between accounts (sharedEventID).
    inferred  The session's name is the same. Whoever assumes a role chooses that name, so it proves nothing: such
              credentials are named and not counted, unless somebody asks for them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from trailbell.hits.hit import kept_forms
from trailbell.lookback.acts import Act, Who


_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_SHORTEST_SUFFIX = 4  # of an access key's id
_KEY = re.compile(r"[A-Z0-9]{4,32}", re.ASCII)
_NAMELESS = ("", "root")


class Named(StrEnum):
    """By what a principal is named."""

    ARN = "ARN"
    ACCOUNT = "account"
    ACCESS_KEY = "access key"
    SESSION = "session name"
    USER = "user name"
    ROLE = "role name"
    SOURCE_IDENTITY = "source identity"


@dataclass(frozen=True, slots=True)
class Link:
    """Why credentials are counted as the principal's (or may be): stated by AWS, or inferred; in words."""

    is_stated: bool
    why: str


@dataclass(slots=True)
class Network:
    """Everybody who acted, and what links them.

    issued: who was given which access key by a call; shared: who stands in records of one act.
    """

    everybody: dict[Who, None] = field(default_factory=dict)
    issued: dict[str, Who] = field(default_factory=dict)
    shared: dict[str, dict[Who, None]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, act: Act) -> None:
        """Add an act."""
        self.everybody.setdefault(act.who)
        if act.issued:
            self.issued.setdefault(act.issued, act.who)
        if act.shared:
            self.shared[act.shared].setdefault(act.who)

    def named(self, given: str) -> dict[Who, Named]:
        """Those who go by a name; an exact name of one kind hides looser ones."""
        found = {who: named for who in self.everybody if (named := named_by(who, given))}
        exact = {who: found[who] for who in found if found[who] in (Named.ARN, Named.ACCOUNT)}
        return exact or found

    def linked(self, seeds: Iterable[Who]) -> dict[Who, Link]:
        """Those linked to some, and why; themselves not among them. Stated links go on from one to the next, inferred
        ones do not.
        """
        reached, links = dict.fromkeys(seeds), dict[Who, Link]()
        waiting = list(reached)
        while waiting:
            for other, why in self._stated(waiting.pop()):
                if other not in reached:
                    reached[other], links[other] = None, Link(is_stated=True, why=why)
                    waiting.append(other)
        sessions = {who.session: who for who in reached if who.session not in _NAMELESS and who.kind != "ec2"}
        for who in self.everybody:
            if who not in reached and who.session in sessions:
                links[who] = Link(is_stated=False, why=f"its session has the same name, {who.session}")
        return links

    def _stated(self, who: Who) -> Iterator[tuple[Who, str]]:
        """Those that AWS itself says are the same principal's."""
        issuer = self.issued.get(who.access_key)
        if issuer and issuer != who:
            yield issuer, f"its call was given the credentials ...{who.key_hint}"
        for key, other in self.issued.items():
            if other == who:
                yield from ((one, f"credentials ...{key[-4:]} were given to its call") for one in self._with_key(key))
        if who.source_identity:
            named = (one for one in self.everybody if one.source_identity == who.source_identity)
            yield from ((one, f"source identity {who.source_identity}") for one in named)
        if who.center_user:
            named = (one for one in self.everybody if one.center_user == who.center_user)
            yield from ((one, f"on behalf of Identity Center user {who.center_user}") for one in named)
        for act, both in self.shared.items():
            if who in both and len(both) > 1:
                yield from ((one, f"both are in the records of one act, {act}") for one in both)

    def _with_key(self, key: str) -> Iterator[Who]:
        return (one for one in self.everybody if one.access_key == key)


def named_by(who: Who, given: str) -> Named | None:
    """Whether somebody goes by a name, and by which of his names: in any case, but for an access key."""
    wanted = {form.lower() for form in kept_forms(given)}
    if wanted & {text.lower() for text in (who.arn, who.key, who.role) if text}:
        return Named.ARN
    if _ACCOUNT.fullmatch(given):
        return Named.ACCOUNT if who.account == given else None
    if _KEY.fullmatch(given) and len(given) >= _SHORTEST_SUFFIX and _ends_with(who.access_key, given):
        return Named.ACCESS_KEY
    names = (
        (Named.SESSION, who.session),
        (Named.SOURCE_IDENTITY, who.source_identity),
        *((Named.USER, name) for name in (who.user, who.center_user, who.name)),
        (Named.ROLE, who.role.rpartition("/")[2]),
    )
    return next((named for named, text in names if text and text.lower() in wanted), None)


def _ends_with(key: str, given: str) -> bool:
    """Whether an access key ends so; of a hit's only the last four characters are known."""
    return bool(key) and (key.endswith(given) or (len(key) == _SHORTEST_SUFFIX and given.endswith(key)))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several principals that a name may mean: what to name it by, and what it is."""

    key: str
    text: str
    named: Named


def choices(found: dict[Who, Named], links: dict[Who, Link]) -> list[Choice]:
    """The principals that a name means: more than one where it is ambiguous. An account is one, and so is what an ARN
    names, a role of one account, and those that AWS says are the same.
    """
    kinds = set(found.values())
    is_role = kinds == {Named.ROLE} and len({who.role for who in found}) == 1
    if kinds <= {Named.ACCOUNT, Named.ARN} or is_role:
        return [Choice("", "", next(iter(kinds)))] if kinds else []
    by_key = {who.key: Choice(who.key, who.text, named) for who, named in found.items()}
    if len(by_key) > 1 and all(who in links and links[who].is_stated for who in list(found)[1:]):
        return [next(iter(by_key.values()))]
    return list(by_key.values())
