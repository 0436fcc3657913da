"""A resource policy says who may use a key, a backup, a document or a parameter; we read whom it lets in.

What an Allow statement grants counts, unless a Deny keeps out all that do not belong to named accounts, organizations
or networks, whatever they do; other denials are not followed, so that we err on the loud side. Names of elements and
condition keys are taken in any case.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import unquote

from trailbell.facts.account_limits import ONLY_OF_SERVICES, account_of, limit_of
from trailbell.lazy_dataclass import dataclass


MAX_TEXT = 262_144
"""Characters of a policy that are read; KMS takes 131,072 and CloudTrail omits more than 100 KB."""

MAX_MEMBERS = 20_000
"""Statements, principals or values that are read of one list; no policy of MAX_TEXT that AWS accepts has more."""

_MAX_LAYERS = 4  # an object, in a string, in a string, URL-encoded
_Member = TypeVar("_Member")


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """Whom a policy lets in.

    parsed:   it could be read as a policy, to its end.
    public:   an Allow statement admits everyone, without a condition that restricts the accounts.
    accounts: the accounts that Allow statements name, sorted; the resource's own is usually among them.
    """

    parsed: bool
    public: bool
    accounts: tuple[str, ...]


def read_policy(given: object) -> PolicyFacts:
    """Read a policy: an object, its JSON text, or that text escaped once more or URL-encoded.

    Total: what cannot be read gives parsed=False with what could be read before it, never an error.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    statements = statements_of(given)
    reading = _Reading(parsed=bool(statements))
    for statement in reading.first(statements):
        if not isinstance(statement, Mapping):
            reading.parsed = False
        elif "Allow" in elements(statement, "effect"):
            _read_allow(statement, reading)
    if reading.public:
        reading.public = not any(_keeps_strangers_out(one, reading) for one in statements if isinstance(one, Mapping))
    return PolicyFacts(reading.parsed, reading.public, tuple(sorted(reading.accounts)))


def statements_of(given: object) -> list[Any]:
    """The statements of a policy in any of those forms, of any type; none of what is no policy."""
    return elements(_document(given), "statement")


@dataclass(slots=True)
class _Reading:
    """What has been found so far."""

    parsed: bool
    public: bool = False
    accounts: set[str] = field(default_factory=set)

    def first(self, values: Iterable[_Member]) -> list[_Member]:
        taken = list(islice(values, MAX_MEMBERS + 1))
        if len(taken) > MAX_MEMBERS:
            self.parsed = False
        return taken[:MAX_MEMBERS]


def _document(given: object) -> Mapping[str, Any]:
    for _ in range(_MAX_LAYERS):
        if not isinstance(given, str):
            break
        given = _unwrapped(given) if len(given) <= MAX_TEXT else None
    return given if isinstance(given, Mapping) else {}


def _unwrapped(text: str) -> object:
    """One layer less: what the JSON text holds, or the text that was URL-encoded."""
    text = text.strip().removeprefix("\ufeff")
    if text.startswith("%"):
        return unquote(text)
    for candidate in (text, f'"{text}"'):  # the latter for text that is escaped, but lost its quotes
        try:
            return json.loads(candidate, strict=False)
        except (ValueError, RecursionError):  # malformed, a number of thousands of digits; nested too deeply
            continue
    return None


def elements(fields: Mapping[str, Any], name: str) -> list[Any]:
    """The values of an element, a single one like a list of one."""
    return [member for key, value in items(fields) if key.lower() == name for member in members(value)]


def items(value: object) -> Iterator[tuple[str, Any]]:
    """The members of an object that have a name; none of anything else."""
    if isinstance(value, Mapping):
        yield from ((key, member) for key, member in value.items() if isinstance(key, str))


def members(value: Any) -> list[Any]:
    """A list as it is, anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def _read_allow(statement: Mapping[str, Any], reading: _Reading) -> None:
    """NotPrincipal admits everyone else. Who comes through a service, the condition says; it is not public."""
    everyone = bool(elements(statement, "notprincipal"))
    service = False
    for kind, principal in reading.first(principals_of(statement)):
        if isinstance(principal, str) and is_anybody(principal):
            everyone = True
        elif kind == "service":
            service = True
        elif named := account_of(principal):
            reading.accounts.add(named)
    if everyone or service:
        restricted = _read_condition(statement, reading)
        reading.public |= everyone and not restricted


def principals_of(statement: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Kind (aws, service, federated, …) and value of each principal of a statement; the star alone is of kind aws."""
    for principal in elements(statement, "principal"):
        if isinstance(principal, Mapping):
            yield from ((kind.lower(), one) for kind, value in items(principal) for one in members(value))
        else:
            yield "aws", principal


def is_anybody(principal: str) -> bool:
    """`*`, and what AWS refuses today: an ARN with a wildcard before or in the account."""
    return any("*" in part for part in principal.split(":", 5)[:5])


def _read_condition(statement: Mapping[str, Any], reading: _Reading) -> bool:
    """Note the accounts that the condition names, and tell whether it admits only fixed principals.

    All tests must hold, and of each one value. Where the key is absent from a request, ...IfExists and
    ForAllValues hold, hence do not restrict, unless a Null test demands the key.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    tests = reading.first(condition_tests(statement))
    demanded = {key for operator, key, values in tests if operator == "null" and values and all(map(_is_false, values))}
    restricted = not demanded.isdisjoint(ONLY_OF_SERVICES)
    for operator, key, values in tests:
        quantifier, _, comparison = operator.rpartition(":")
        absent_holds = quantifier == "forallvalues" or comparison.endswith("ifexists")
        comparison = comparison.removesuffix("ifexists")
        limit = limit_of(key, comparison)
        if limit is None:
            continue
        limits = [limit(value, comparison) for value in reading.first(values)]
        reading.accounts.update(filter(None, limits))
        restricted |= bool(limits) and None not in limits and (not absent_holds or key in demanded)
    return restricted


def condition_tests(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Operator, key and values of each test of a statement's condition, the first two in lower case."""
    for block in elements(statement, "condition"):
        for operator, keys in items(block):
            for key, value in items(keys):
                yield operator.lower(), key.lower(), members(value)


def _keeps_strangers_out(statement: Mapping[str, Any], reading: _Reading) -> bool:
    """Whether a Deny is for everyone and everything but fixed principals, as the rules of a data perimeter are.

    All its tests must hold for every stranger: a negated one does, also where its key is absent, but with ForAnyValue.
    """
    everyone = any(isinstance(one, str) and is_anybody(one) for _, one in principals_of(statement))
    everything = any(one in ("*", "kms:*") for one in elements(statement, "action"))
    if "Deny" not in elements(statement, "effect") or not everyone or not everything:
        return False
    tests = reading.first(condition_tests(statement))
    excepted = [_excepted(*test) for test in tests]
    if not tests or None in excepted:
        return False
    reading.accounts.update(account for accounts in excepted for account in accounts or ())
    return any(operator.find("not") >= 0 for operator, _, _ in tests)


def _excepted(operator: str, key: str, values: list[Any]) -> set[str] | None:
    """The accounts that a test of such a Deny excepts, None if a stranger may not meet it."""
    quantifier, _, comparison = operator.rpartition(":")
    comparison = comparison.removesuffix("ifexists")
    if key == "aws:principalisawsservice":
        return set() if comparison == "bool" and values and all(map(_is_false, values)) else None
    limit = limit_of(key, comparison.replace("not", "", 1)) if "not" in comparison else None
    limits = [limit(value, comparison) for value in values] if limit and quantifier != "foranyvalue" else [None]
    return {account for account in limits if account} if values and None not in limits else None


def _is_false(value: object) -> bool:
    return value is False or value == "false"
