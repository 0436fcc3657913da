"""What a resource policy says, as a reader says it: to whom which actions are opened or denied, under what condition.

For people only; rules go by facts/policy.py and facts/policy_hold.py. Total: of what cannot be read nothing is said.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from trailbell.cloudtrail.record import Record, mapping
from trailbell.facts.account_limits import account_of
from trailbell.facts.policy import condition_tests, elements, principals_of, statements_of


_MAX_STATEMENTS = 200
_MAX_SAID = 6
_MAX_NAMED = 6


def policy_allows(record: Record) -> list[str]:
    """Each Allow of the policy in a record, as "444455556666: kms:Decrypt", those for its own account last."""
    allows = [_said(one) for one in _statements(record, "Allow")]
    return sorted(allows, key=lambda said: record.account in said.partition(": ")[0])[:_MAX_SAID]


def policy_denies(record: Record) -> list[str]:
    """Each Deny of the policy in a record."""
    return [_said(one) for one in _statements(record, "Deny")][:_MAX_SAID]


def _statements(record: Record, effect: str) -> Iterator[Mapping[str, Any]]:
    request, response = mapping(record.fields, "requestParameters"), mapping(record.fields, "responseElements")
    places = (request.get("policy"), request.get("resourcePolicy"), response.get("replicaPolicy"))
    for given in filter(None, places):
        for statement in islice(statements_of(given), _MAX_STATEMENTS):
            if isinstance(statement, Mapping) and effect in elements(statement, "effect"):
                yield statement


def _said(statement: Mapping[str, Any]) -> str:
    whom = _some([_short(one) for _, one in principals_of(statement)])
    others = elements(statement, "notprincipal")
    if others:
        named = [one for other in others for one in (other.values() if isinstance(other, Mapping) else [other])]
        flat = [inner for one in named for inner in (one if isinstance(one, list) else [one])]
        whom = f"everybody but {_some([_short(one) for one in flat])}"
    actions = _some([str(one) for one in elements(statement, "action")])
    but = _some([str(one) for one in elements(statement, "notaction")])
    what = actions or (f"everything but {but}" if but else "")
    tests = [f"{key} {operator} {_some([str(one) for one in values])}" for operator, key, values in _tests(statement)]
    return f"{whom}: {what}" + (f" if {' and '.join(tests)}" if tests else "")


def _tests(statement: Mapping[str, Any]) -> list[tuple[str, str, list[Any]]]:
    return list(islice(condition_tests(statement), _MAX_NAMED))


def _short(principal: object) -> str:
    """An account's root principal by the account alone."""
    text = str(principal)
    return account_of(text) if text.endswith(":root") and account_of(text) else text


def _some(names: list[str]) -> str:
    return ", ".join(names[:_MAX_NAMED]) + (f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else "")
