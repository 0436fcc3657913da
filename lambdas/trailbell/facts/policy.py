"""A resource policy says who may use a key, a backup, a document or a parameter; we read whom it lets in.

Only what an Allow statement grants counts: a Deny that takes it back is not followed, so that we err on the loud
side. Names of elements and condition keys are taken in any case.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import unquote


MAX_TEXT = 262_144
"""Characters of a policy that are read; KMS takes 131,072 and CloudTrail omits more than 100 KB."""

MAX_MEMBERS = 20_000
"""Statements, principals or values that are read of one list; no policy of MAX_TEXT that AWS accepts has more."""

_MAX_LAYERS = 4  # an object, in a string, in a string, URL-encoded
_ACCOUNT = re.compile(r"[0-9]{12}")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{1,32}")
_WILDCARD = re.compile(r"[*?$]")  # $ begins a policy variable
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
    statements = _elements(_document(given), "statement")
    reading = _Reading(parsed=bool(statements))
    for statement in reading.first(statements):
        if not isinstance(statement, Mapping):
            reading.parsed = False
        elif "Allow" in _elements(statement, "effect"):
            _read_allow(statement, reading)
    return PolicyFacts(reading.parsed, reading.public, tuple(sorted(reading.accounts)))


def account_of(value: object) -> str:
    """The account that a principal or an ARN names (12 digits), or "" where it names none.

    Takes account ids, ARNs of any service, and the form 111122223333:aws:ec2-infrastructure:i-0abc of EBS grants.
    Unique ids (AROA…) are opaque, as are service names. Total.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12:
        return f"{value:012d}"  # an id that somebody wrote without quotes
    if not isinstance(value, str):
        return ""
    parts = value.split(":", 5)
    named = parts[4] if parts[0] == "arn" and len(parts) == 6 else parts[0]
    return named if _ACCOUNT.fullmatch(named) else ""


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


def _elements(fields: Mapping[str, Any], name: str) -> list[Any]:
    """The values of an element, a single one like a list of one."""
    return [member for key, value in _items(fields) if key.lower() == name for member in _members(value)]


def _items(value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((key, member) for key, member in value.items() if isinstance(key, str))


def _members(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _read_allow(statement: Mapping[str, Any], reading: _Reading) -> None:
    """NotPrincipal admits everyone else. Who comes through a service, the condition says; it is not public."""
    everyone = bool(_elements(statement, "notprincipal"))
    service = False
    for kind, principal in reading.first(_principals(statement)):
        if isinstance(principal, str) and _is_anybody(principal):
            everyone = True
        elif kind == "service":
            service = True
        elif named := account_of(principal):
            reading.accounts.add(named)
    if everyone or service:
        restricted = _read_condition(statement, reading)
        reading.public |= everyone and not restricted


def _principals(statement: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for principal in _elements(statement, "principal"):
        if isinstance(principal, Mapping):
            yield from ((kind.lower(), one) for kind, value in _items(principal) for one in _members(value))
        else:
            yield "aws", principal


def _is_anybody(principal: str) -> bool:
    """`*`, and what AWS refuses today: an ARN with a wildcard before or in the account."""
    return any("*" in part for part in principal.split(":", 5)[:5])


# A condition key's limit: of one value the account it names, "" if it admits no account but names none,
# None if it admits any. A wildcard in a value does not limit, whether its operator knows wildcards or not.
_Limit = Callable[[Any, str], str | None]

# ArnEquals is the same as ArnLike.
_POSITIVE = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})


def _read_condition(statement: Mapping[str, Any], reading: _Reading) -> bool:
    """Note the accounts that the condition names, and tell whether it admits only named ones.

    All tests must hold, and of each one value. Where the key is absent from a request, ...IfExists and
    ForAllValues hold, hence do not restrict, unless a Null test demands the key.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    tests = reading.first(_tests(statement))
    demanded = {key for operator, key, values in tests if operator == "null" and values and all(map(_is_false, values))}
    restricted = False
    for operator, key, values in tests:
        quantifier, _, comparison = operator.rpartition(":")
        absent_holds = quantifier == "forallvalues" or comparison.endswith("ifexists")
        comparison = comparison.removesuffix("ifexists")
        limit = _LIMITS.get(key)
        if limit is None or comparison not in _POSITIVE:
            continue
        limits = [limit(value, comparison) for value in reading.first(values)]
        reading.accounts.update(filter(None, limits))
        restricted |= bool(limits) and None not in limits and (not absent_holds or key in demanded)
    return restricted


def _tests(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    for block in _elements(statement, "condition"):
        for operator, keys in _items(block):
            for key, value in _items(keys):
                yield operator.lower(), key.lower(), _members(value)


def _is_false(value: object) -> bool:
    return value is False or value == "false"


def _account_limit(value: object, comparison: str) -> str | None:
    return "" if _is_variable(value, "aws:resourceaccount") else account_of(value) or None


def _arn_limit(value: object, comparison: str) -> str | None:
    """An ARN without an account limits if it is complete: an S3 bucket's."""
    parts = value.split(":", 5) if isinstance(value, str) else []
    if len(parts) < 6 or parts[0] != "arn":
        return None
    if _ACCOUNT.fullmatch(parts[4]):
        # The star of a string crosses colons, which may stand in a role's path; that of an ARN does not.
        shifting = comparison.startswith("string") and _WILDCARD.search(":".join(parts[:4]))
        return None if shifting else parts[4]
    return "" if not parts[4] and not _WILDCARD.search(":".join(parts)) else None


def _organization_limit(value: object, comparison: str) -> str | None:
    named = isinstance(value, str) and _ORGANIZATION.fullmatch(value)
    return "" if named or _is_variable(value, "aws:resourceorgid") else None


def _path_limit(value: object, comparison: str) -> str | None:
    """o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*: only the organization's id is unique in the world."""
    organization, slash, _ = value.partition("/") if isinstance(value, str) else ("", "", "")
    return "" if slash and _ORGANIZATION.fullmatch(organization) else None


def _is_variable(value: object, name: str) -> bool:
    return isinstance(value, str) and value.lower() == f"${{{name}}}"


# kms:ViaService is not here: it restricts the way, not who comes.
# https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
_LIMITS: Mapping[str, _Limit] = {
    "kms:calleraccount": _account_limit,
    "aws:principalaccount": _account_limit,
    "aws:sourceaccount": _account_limit,
    "aws:sourceowner": _account_limit,
    "aws:principalarn": _arn_limit,
    "aws:sourcearn": _arn_limit,
    "aws:principalorgid": _organization_limit,
    "aws:sourceorgid": _organization_limit,
    "aws:principalorgpaths": _path_limit,
    "aws:sourceorgpaths": _path_limit,
}
