"""What a key policy takes away: the account's hold on its own key, and everybody else's.

A key answers to its policy alone. Without a statement for the account (its root principal) no IAM policy reaches the
key; under a Deny that excepts a few, only those few are left. Both are how a key is taken over within the account.
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from trailbell.facts.account_limits import account_of
from trailbell.facts.policy import MAX_MEMBERS, condition_tests, elements, is_anybody, principals_of, statements_of
from trailbell.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Hold:
    """What a key policy takes from its account.

    account_lost: no statement lets the account as a whole change the policy again.
    denies:       what is denied to everybody but a few: "manage" (changing the policy), "use" (decrypting, signing,
                  MACs, key agreement).
    """

    account_lost: bool = False
    denies: tuple[str, ...] = ()


_MANAGE = ("kms:putkeypolicy",)
_USE = ("kms:decrypt", "kms:sign", "kms:generatemac", "kms:derivesharedsecret", "kms:decapsulate")


def read_hold(given: object, account: str) -> Hold:
    """What the key policy `given` (in any form read_policy takes) takes from `account` (12 digits), which owns the key.

    Total: nothing is said of what cannot be read, nor of an account that is not known.
    """
    statements = [one for one in islice(statements_of(given), MAX_MEMBERS) if isinstance(one, Mapping)]
    if not statements or not account_of(account):
        return Hold()
    allows = [one for one in statements if "Allow" in elements(one, "effect")]
    denials = [one for one in statements if "Deny" in elements(one, "effect") and _is_for_others(one, account)]
    return Hold(
        account_lost=not any(_keeps(one, account) for one in allows),
        denies=tuple(
            name
            for name, actions in (("manage", _MANAGE), ("use", _USE))
            if any(_covers(one, actions) and _holds(one, account, managing=name == "manage") for one in denials)
        ),
    )


def _keeps(statement: Mapping[str, Any], account: str) -> bool:
    """Whether an Allow lets the account itself change the policy, under no condition but who comes from it."""
    named = any(_is_account(principal, account) for _, principal in principals_of(statement))
    if not named or not _covers(statement, _MANAGE):
        return False
    return all(_admits(operator, key, values, account) for operator, key, values in condition_tests(statement))


def _admits(operator: str, key: str, values: list[Any], account: str) -> bool:
    """Whether the account's administrators, or its root user, can meet a test of an Allow."""
    comparison = _comparison(operator)
    if "not" in comparison or comparison == "null":
        return False
    if key in _ACCOUNTS:
        return any(_names(value, account) for value in values)
    if key == "aws:principalarn":
        return any(_is_account(value, account) or _is_whole_account(value, account) for value in values)
    # Restricting the statement to the root user is a documented way to keep it.
    return key in _ORGANIZATIONS or key in ("aws:principaltype", "aws:securetransport", "aws:multifactorauthpresent")


def _is_for_others(statement: Mapping[str, Any], account: str) -> bool:
    """Whether a Deny is aimed at the whole account: NotPrincipal denies everybody else, whomever it names."""
    if elements(statement, "notprincipal"):
        return True
    return any(_is_account(principal, account) for _, principal in principals_of(statement))


def _is_account(principal: object, account: str) -> bool:
    if not isinstance(principal, str):
        return account_of(principal) == account
    whole = principal == account or principal.endswith(f":iam::{account}:root")
    return whole or is_anybody(principal)


def _covers(statement: Mapping[str, Any], actions: tuple[str, ...]) -> bool:
    """Whether a statement is about any of these actions (in lower case)."""
    named = [str(one).lower() for one in islice(elements(statement, "action"), MAX_MEMBERS)]
    if any(_fits(pattern, action) for pattern in named for action in actions):
        return True
    excepted = [str(one).lower() for one in islice(elements(statement, "notaction"), MAX_MEMBERS)]
    return bool(excepted) and any(not any(_fits(pattern, action) for pattern in excepted) for action in actions)


def _holds(statement: Mapping[str, Any], account: str, *, managing: bool) -> bool:
    """Whether all tests of a Deny hold for the account's principals but a few."""
    return all(_holds_for_others(*test, account, managing=managing) for test in condition_tests(statement))


# Keys of which a request's value is the caller's account, or an organization that we take for the account's own.
_ACCOUNTS = frozenset({"kms:calleraccount", "aws:principalaccount"})
_ORGANIZATIONS = frozenset({"aws:principalorgid", "aws:principalorgpaths"})
# Keys that tell one principal of the account from another.
_IDENTITIES = frozenset({"aws:userid", "aws:username", "aws:principaltype", "aws:sourceidentity"})
_TAG = "aws:principaltag/"
# Keys of the way a request takes. Denying the use of a key by all other ways is usual, denying its management is not:
# a policy that nobody can change from where administrators sit is out of their hands.
_WAYS = frozenset(
    {"aws:sourceip", "aws:vpcsourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "kms:viaservice"}
)
# Tests that hold for every call of a person or a workload: a Deny under them is a Deny.
_TRUE_OF_ALL = {"aws:securetransport": "true", "aws:principalisawsservice": "false", "aws:viaawsservice": "false"}
_ALWAYS_THERE = frozenset({*_ACCOUNTS, "aws:principalarn", "aws:userid", "aws:principaltype", "aws:currenttime"})


def _holds_for_others(operator: str, key: str, values: list[Any], account: str, *, managing: bool) -> bool:
    """Whether one test of a Deny holds for the account's principals but a few; unknown tests are taken not to."""
    comparison = _comparison(operator)
    negated = "not" in comparison
    if comparison == "null":
        absent = any(str(value).lower() == "true" for value in values)
        return key.startswith(_TAG) if absent else key in _ALWAYS_THERE
    if comparison == "bool":
        return any(str(value).lower() == _TRUE_OF_ALL.get(key) for value in values)
    if key in _ACCOUNTS:
        return any(_names(value, account) for value in values) is not negated
    if key == "aws:principalarn":
        return any(_is_whole_account(value, account) for value in values) is not negated
    if key in _ORGANIZATIONS:
        return not negated
    if key in _IDENTITIES or key.startswith(_TAG):
        return ("*" in values) is not negated
    if key in _WAYS:
        return negated and managing
    return key in ("aws:currenttime", "aws:epochtime")  # from a date, or up to one


def _comparison(operator: str) -> str:
    return operator.rpartition(":")[2].removesuffix("ifexists")


def _names(value: object, account: str) -> bool:
    return account_of(value) == account or value == "*" or str(value).lower() == "${aws:resourceaccount}"


def _is_whole_account(value: object, account: str) -> bool:
    """Whether an ARN pattern fits all roles or all users of the account: `*`, `arn:aws:iam::111122223333:role/*`."""
    pattern = str(value)
    partition = pattern.split(":")[1] if pattern.startswith("arn:aws") and pattern.count(":") > 1 else "aws"
    return any(_fits(pattern, f"arn:{partition}:iam::{account}:{kind}/x/Y-0") for kind in ("role", "user"))


def _fits(pattern: str, text: str) -> bool:
    """Whether `*` (any run) and `?` (one character) make the pattern fit, in time that hostile text cannot stretch."""
    at = place = 0
    star = resume = -1
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, resume = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            place, at = place + 1, at + 1
        elif star >= 0:
            place, resume = star + 1, resume + 1
            at = resume
        else:
            return False
    return pattern[place:].strip("*") == ""
