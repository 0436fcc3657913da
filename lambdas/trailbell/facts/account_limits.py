"""Which condition keys of a policy limit who comes to fixed accounts, organizations, users, networks or services.

The measure is AWS's own notion of public: S3 takes a policy for public unless it admits fixed values only, of the
principal, aws:SourceArn, aws:SourceAccount, aws:SourceOwner, aws:SourceVpc, aws:SourceVpce or aws:userid. The newer
keys here name an account, an organization or a service in the same way.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html

We differ from S3 in aws:SourceIp, which it counts as a limit: an address is nobody's identity, and whoever takes a
key away to a machine of his own has one. Not limits either: what an outsider can bring along (aws:PrincipalTag,
aws:SourceIdentity, aws:username, encryption contexts, MFA, TLS) and the way he comes (kms:ViaService, aws:CalledVia,
aws:ViaAWSService).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from trailbell.text.lazy_pattern import lazy_pattern


_ACCOUNT = lazy_pattern(r"[0-9]{12}")
_ORGANIZATION = lazy_pattern(r"o-[a-z0-9]{1,32}")
_WILDCARD = lazy_pattern(r"[*?$]")  # $ begins a policy variable
_NETWORK = lazy_pattern(r"vpce?-[0-9A-Za-z]{1,40}")
_SERVICE = lazy_pattern(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
# A user's or a role's unique id; only what follows a role's colon, the session's name, is chosen by the caller.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
_UNIQUE_ID = lazy_pattern(r"(?:AIDA|AROA)[A-Za-z0-9]{4,124}(?::.*)?", re.DOTALL)

Limit = Callable[[Any, str], str | None]
"""Of one value and its operator: the account it names, "" if it admits nobody but somebody fixed without naming an
account, None if it admits anybody. A wildcard in a value does not limit, whether its operator knows wildcards or not.
"""

# Operators that hold for the values they name; ArnEquals is the same as ArnLike.
_POSITIVE = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})

ONLY_OF_SERVICES = frozenset({"aws:principalservicename", "aws:principalservicenameslist"})
"""Keys that only an AWS service's own call has, so that a Null test that demands one admits services alone."""


def limit_of(key: str, comparison: str) -> Limit | None:
    """How values of a condition key limit under an operator (both in lower case), None if they do not."""
    limit = _LIMITS.get(key)
    operators = _BOOLEAN if limit is _true_limit else _POSITIVE
    return limit if comparison in operators else None


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


def _user_limit(value: object, comparison: str) -> str | None:
    """AIDA… of a user, AROA…:session of a role; 111122223333:bob of a federated user and root name the account.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
    """
    if isinstance(value, str) and _UNIQUE_ID.fullmatch(value):
        return ""
    return account_of(value) or None


def _network_limit(value: object, comparison: str) -> str | None:
    """A VPC or an endpoint has one owner, who decides who is in it."""
    return "" if isinstance(value, str) and _NETWORK.fullmatch(value) else None


def _service_limit(value: object, comparison: str) -> str | None:
    return "" if isinstance(value, str) and _SERVICE.fullmatch(value) else None


def _true_limit(value: object, comparison: str) -> str | None:
    return "" if value is True or (isinstance(value, str) and value.lower() == "true") else None


def _is_variable(value: object, name: str) -> bool:
    return isinstance(value, str) and value.lower() == f"${{{name}}}"


_BOOLEAN = frozenset({"bool", "stringequals", "stringequalsignorecase"})  # people write either
_LIMITS: Mapping[str, Limit] = {
    "kms:calleraccount": _account_limit,
    "aws:principalaccount": _account_limit,
    "aws:sourceaccount": _account_limit,
    "aws:sourceowner": _account_limit,
    "aws:vpceaccount": _account_limit,
    "aws:principalarn": _arn_limit,
    "aws:sourcearn": _arn_limit,
    "aws:sourcevpcarn": _arn_limit,
    "ec2:sourceinstancearn": _arn_limit,
    "lambda:sourcefunctionarn": _arn_limit,
    "ssm:sourceinstancearn": _arn_limit,
    "aws:principalorgid": _organization_limit,
    "aws:sourceorgid": _organization_limit,
    "aws:vpceorgid": _organization_limit,
    "aws:principalorgpaths": _path_limit,
    "aws:sourceorgpaths": _path_limit,
    "aws:vpceorgpaths": _path_limit,
    "aws:userid": _user_limit,
    "aws:sourcevpc": _network_limit,
    "aws:sourcevpce": _network_limit,
    "aws:ec2instancesourcevpc": _network_limit,
    "aws:principalservicename": _service_limit,
    "aws:principalservicenameslist": _service_limit,
    "aws:principalisawsservice": _true_limit,
}
