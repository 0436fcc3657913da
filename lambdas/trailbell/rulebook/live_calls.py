"""Which calls EventBridge is asked to bring for a rule, and what is left to the log files, with the reason.

A pattern need not decide a rule: it must let through every record that the rule may match, and little else. So of a
condition only the event sources and names are taken, and where a rule names no call, or one that runs all day, a few
tests that a pattern can make and that rarely hold.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from trailbell.cloudtrail.record import GATE_FIELDS, LOG_FILE_MEMBERS
from trailbell.engine.condition import Node
from trailbell.engine.rulebook import Rule


OWN_ACCOUNT = "${AWS::AccountId}"
"""In a condition: the account that the pattern is deployed in."""

BUSY: dict[str, frozenset[str]] = {
    "kms.amazonaws.com": frozenset(
        "decapsulate decrypt derivesharedsecret encapsulate encrypt generatedatakey generatedatakeypair"
        " generatedatakeypairwithoutplaintext generatedatakeywithoutplaintext generatemac generaterandom reencrypt"
        " sign verify verifymac".split()
    ),
    "ssm.amazonaws.com": frozenset({"getparameter", "getparameters"}),
    "ssmmessages.amazonaws.com": frozenset({"createcontrolchannel", "createdatachannel", "opendatachannel"}),
}
"""Calls that programs make all day long, in small letters: each record would be a message of its own."""

_SOURCE, _NAME = GATE_FIELDS
_Values = frozenset[str] | None

Conditions = frozenset[tuple[str, str]]
"""Paths in the record, each with the JSON of what a pattern allows there; all must hold."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Records that a rule may match: of one of the sources, with one of the names or beginnings (none: with any).

    All names are in small letters, as in a rulebook.
    """

    sources: frozenset[str]
    names: frozenset[str] = frozenset()
    beginnings: frozenset[str] = frozenset()
    conditions: Conditions = frozenset()


@dataclass(frozen=True, slots=True)
class RuleLive:
    """What of a rule comes live, and why the rest does not: reasons, each with the calls that it is about, if any."""

    rule: Rule
    asked: tuple[Asked, ...] = ()
    left_out: tuple[tuple[str, tuple[str, ...]], ...] = ()


NO_SOURCE = "names no service"
NO_NAME = "names no call"
IS_BUSY = "runs all day long"
UNLISTED = "in a record that lists no resources"
IS_IN_FILE = f"looks at what only the log file is sure to have ({', '.join(sorted(LOG_FILE_MEMBERS))}; keywords: all)"

_KEY_OWNER = "resources.accountId"


def live_of(rule: Rule, trusted: Iterable[str] = ()) -> RuleLive:
    """What is asked for a rule.

    trusted: accounts that are not external (Rulebook.trusted_accounts).
    """
    if rule.looks_at(LOG_FILE_MEMBERS):
        return RuleLive(rule, left_out=((IS_IN_FILE, ()),))
    asked = list[Asked]()
    left_out = dict[str, set[str]]()
    for one in _alternatives(rule.detection, frozenset(trusted)):
        if one.sources is None:
            left_out.setdefault(NO_SOURCE, set())
        elif one.names is None and not one.beginning and not one.conditions:
            left_out.setdefault(NO_NAME, set())
        else:
            found, others = _split(one)
            asked += found
            for why, calls in others:
                left_out.setdefault(why, set()).update(calls)
    return RuleLive(rule, tuple(asked), tuple((why, tuple(sorted(left_out[why]))) for why in sorted(left_out)))


@dataclass(frozen=True, slots=True)
class _Alternative:
    """Sources and names that go together, None for any; or how a name begins."""

    sources: _Values = None
    names: _Values = None
    beginning: str = ""
    conditions: Conditions = field(default_factory=frozenset)


def _split(one: _Alternative) -> tuple[list[Asked], list[tuple[str, frozenset[str]]]]:
    """What is asked for an alternative, source by source, and the calls that are left out, with the reason."""
    asked, left_out = list[Asked](), list[tuple[str, frozenset[str]]]()
    if one.names is None and not one.beginning:
        return [Asked(one.sources or frozenset(), conditions=one.conditions)], left_out
    foreign = frozenset(pair for pair in one.conditions if OWN_ACCOUNT in pair[1])
    for source in sorted(one.sources or ()):
        busy, names = BUSY.get(source, frozenset()), one.names or frozenset()
        quiet, loud = names - busy, names & busy
        if one.beginning and any(name.startswith(one.beginning) for name in busy):
            left_out.append((IS_BUSY, frozenset({f"{one.beginning}*"})))
        elif one.beginning:
            asked.append(Asked(frozenset({source}), beginnings=frozenset({one.beginning})))
        if quiet:
            asked.append(Asked(frozenset({source}), quiet))
        if loud and foreign:
            asked.append(Asked(frozenset({source}), loud, conditions=foreign))
            left_out += [(UNLISTED, loud)] if any(path == _KEY_OWNER for path, _ in foreign) else []
        elif loud:
            left_out.append((IS_BUSY, loud))
    return asked, left_out


def _alternatives(node: Node, trusted: frozenset[str]) -> set[_Alternative]:
    """Alternatives of which one must hold for a tree to match."""
    match node:
        case ["or", parts]:
            return {one for part in parts for one in _alternatives(part, trusted)}
        case ["and", parts]:
            joined = {_Alternative()}
            for part in parts:
                others = _alternatives(part, trusted)
                joined = {both for one in joined for other in others if (both := _both(one, other))}
            return joined
        case ["field", str(path), [kind, *rest]]:
            return set(_of_field(path, kind, rest, trusted))
    return {_Alternative()}


def _of_field(path: str, kind: str, rest: Sequence[Any], trusted: frozenset[str]) -> Iterator[_Alternative]:
    texts = {"eq": rest[:1], "in": rest[0] if rest else []}.get(kind)
    if path == _SOURCE and texts is not None:
        yield _Alternative(sources=frozenset(text.lower() for text in texts))
    elif path == _NAME and texts is not None:
        yield _Alternative(names=frozenset(text.lower() for text in texts))
    elif path == "facts.operation" and texts is not None:
        for text in texts:
            source, _, name = text.partition(":")
            yield _Alternative(frozenset({source}), frozenset({name}))
    elif kind == "prefix" and path == _NAME:
        yield _Alternative(beginning=rest[0].lower())
    elif kind == "prefix" and path == "facts.operation" and ":" in rest[0]:
        source, _, name = rest[0].partition(":")
        yield _Alternative(frozenset({source}), beginning=name)
    else:
        yield _Alternative(conditions=_conditions(path, texts, trusted))


def _conditions(path: str, texts: Sequence[str] | None, trusted: frozenset[str]) -> Conditions:
    """What a pattern can ask in place of a test, without missing a record for which that test holds."""
    external = but_own_account(trusted)
    match path, texts:
        case "facts.actor.kind", ["root"]:
            return _condition("userIdentity.type", ["Root"])
        case "facts.outcome", ["dryrun"]:
            return _condition("errorCode", [{"wildcard": "*DryRunOperation*"}])
        case "facts.caller_external", ["true"]:
            return _condition("userIdentity.accountId", external)
        case "facts.key_external", ["true"]:
            return _condition(_KEY_OWNER, external)
        case (("requestParameters.omitted" | "userIdentity.sessionContext.assumedRoot"), ["true"]):
            return _condition(path, [True, {"equals-ignore-case": "true"}])
        case "requestParameters.reason", [text]:
            return _condition(path, [{"equals-ignore-case": text}])
    return frozenset()


def but_own_account(trusted: Iterable[str] = ()) -> list[Any]:
    """Any account but the one that a pattern is deployed in, and those that are trusted."""
    return [{"anything-but": [OWN_ACCOUNT, *sorted(trusted)]}]


def _condition(path: str, allowed: list[Any]) -> Conditions:
    return frozenset({(path, json.dumps(allowed))})


def _both(one: _Alternative, other: _Alternative) -> _Alternative | None:
    """What holds where both do; None where they contradict each other."""
    sources, names = _common(one.sources, other.sources), _common(one.names, other.names)
    beginning = max(one.beginning, other.beginning, key=len)
    if sources == frozenset() or names == frozenset():
        return None
    if names is not None and beginning:  # names say more, where they are given
        names = frozenset(name for name in names if name.startswith(beginning))
        return _Alternative(sources, names, "", one.conditions | other.conditions) if names else None
    return _Alternative(sources, names, beginning, one.conditions | other.conditions)


def _common(one: _Values, other: _Values) -> _Values:
    if one is None or other is None:
        return other if one is None else one
    return one & other
