"""What rules see of the facts under `facts.` (documented in rules/README.md): all of it, or what a rule looks at."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from trailbell.facts.address_block import address_block
from trailbell.facts.policy import PolicyFacts
from trailbell.facts.policy_hold import Hold


if TYPE_CHECKING:
    from trailbell.facts.facts import Facts


_has, _get = dict.__contains__, dict.get


def all_fields(facts: "Facts") -> dict[str, Any]:
    """Every member that a record has."""
    return {name: value for name, member in _MEMBERS.items() if (value := member(facts)) is not None}


class FactFields(dict[str, Any]):
    """What a rule sees under `facts.`: a member is made when it is first asked for by its name.

    It is a dict, as all objects are that rules look into; to go through all members, take `Facts.as_fields()`.
    """

    __slots__ = ("_facts",)

    def __init__(self, facts: "Facts") -> None:
        self._facts = facts  # and no call of dict's: it has nothing to do

    def __contains__(self, name: object) -> bool:
        """Whether there is a member of this name; if so, it is made."""
        member = _MEMBERS.get(name)  # type: ignore[call-overload] # no other key than a text is in it
        if member is None:
            return False
        if _has(self, name):
            return True
        value = member(self._facts)
        if value is None:
            return False
        self[name] = value  # type: ignore[index] # the same
        return True

    def __missing__(self, name: str) -> Any:
        """The member of this name, made now. Raises KeyError if there is none."""
        if name in self:
            return self[name]
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The member of this name, made now where it was not yet."""
        return _get(self, name, default) if name in self else default


def _actor_fields(facts: "Facts") -> dict[str, Any]:
    actor = facts.actor
    return {
        "kind": actor.kind,
        "key": actor.key,
        "role": actor.role,
        "via": actor.via,
        "arn": actor.arn,
        "account": actor.account,
        "console": actor.console,
    }


_MEMBERS: dict[str, Callable[["Facts"], Any]] = {
    "outcome": lambda facts: str(facts.outcome),
    "direct": lambda facts: facts.direct,
    "resources": lambda facts: list(facts.resources),
    "operation": lambda facts: facts.operation,
    "document": lambda facts: facts.document.as_fields(),
    "parameters_decrypted": lambda facts: facts.parameters_decrypted,
    "actor": _actor_fields,
    "policy": lambda facts: _policy_fields(facts.policy, facts.hold) if facts.policy else _NO_POLICY,
    "request_omitted": lambda facts: facts.request_omitted,
    "caller_external": lambda facts: facts.caller_external,
    "selectors": lambda facts: facts.selectors.as_fields(),
    "key_external": lambda facts: bool(facts.external_keys),
    "external_keys": lambda facts: list(facts.external_keys) or None,
    "grant": lambda facts: {"unconstrained": list(facts.grant_unconstrained)} if facts.grant_unconstrained else None,
    "address_block": lambda facts: address_block(facts.source_ip) if facts.source_ip else None,
    "external_accounts": lambda facts: list(facts.external_accounts) or None,
}
"""What a rule sees under `facts.`, and how it is made; None where a record has no such member."""


_NO_POLICY: Mapping[str, Any] = {"given": False, "parsed": False, "public": False, "account_lost": False}


def _policy_fields(policy: PolicyFacts, hold: Hold) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "given": True,
        "parsed": policy.parsed,
        "public": policy.public,
        "account_lost": hold.account_lost,
    }
    if hold.denies:
        fields["denies"] = list(hold.denies)
    if policy.accounts:
        fields["accounts"] = list(policy.accounts)
    return fields
