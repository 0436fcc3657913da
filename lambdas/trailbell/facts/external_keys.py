"""KMS keys of other accounts that a record is about: what is encrypted with them is in somebody else's hands.

A key of another account is named by its ARN, or by an alias's: bare ids and names are the caller's own.
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
KMS records a use of it in the caller's account as well, with the owner's key among the resources.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from trailbell.cloudtrail.record import Record, mapping, text, texts
from trailbell.engine.prefilter.partial_eval import ABSENT
from trailbell.facts.account_limits import account_of
from trailbell.text.lazy_pattern import lazy_pattern


KMS = "kms.amazonaws.com"
MAX_KEYS = 50
"""More are not kept."""

_MAX_VALUES = 60_000  # that are looked at; the 100 KB of a request that CloudTrail keeps hold no more
_OF_KMS = ":kms:"
_KEY = lazy_pattern(r"arn:[^:]*:kms:[^:]*:([0-9]{12}):(?:key|alias)/.+", re.DOTALL)


def external_keys_of(record: Record, trusted: frozenset[str]) -> tuple[str, ...]:
    """ARNs of keys and aliases of accounts neither trusted nor the recipient.

    Of a call to KMS those among the resources, in the request if none are listed; of ReEncrypt only the key that it
    encrypts with. Of other calls those in the request. At most MAX_KEYS, without repetition.
    """
    request = mapping(record.fields, "requestParameters")
    if record.event_source == KMS:
        listed = list(_arns(record.fields.get("resources")))
        named: Iterable[str] = listed or _texts(request)
        if record.event_name == "ReEncrypt" and (destination := text(request, "destinationKeyId")):
            named = [destination]
    else:
        named = _texts(request)
    found = [arn for arn in named if _OF_KMS in arn and _is_external(arn, record.account, trusted)]
    return tuple(islice(dict.fromkeys(found), MAX_KEYS))


def possible_external(trusted: frozenset[str]) -> Callable[..., tuple[bool, ...] | None]:
    """For the prefilter: whether a record is about external keys, from its source, its resources and its recipient.

    Said only where the resources of a call to KMS leave no doubt that they are ours.
    """

    def possible(source: Any, resources: Any, recipient: Any) -> tuple[bool, ...] | None:
        if source != KMS or not resources or type(resources) is not list or not account_of(recipient):
            return None
        for entry in resources:  # this runs for most records of KMS
            arn = entry.get("ARN") if type(entry) is dict else None
            owner = arn.split(":", 5) if type(arn) is str else ()
            if len(owner) < 6 or (owner[4] != recipient and owner[4] not in trusted):
                return None
        return (False,)

    return possible


def possible_keys(source: Any, request: Any) -> tuple[Any, ...] | None:
    """For the prefilter: what `external_keys_of` may give as a rule sees it, from the JSON of a record's source and of
    its request; None for anything.

    What names no key names no key of others, which takes no parsing to see.
    """
    if not isinstance(source, str) or source == KMS or not isinstance(request, bytes):
        return None
    return None if b":kms:" in request or b"\\u" in request else (ABSENT,)


def _is_external(arn: str, account: str, trusted: frozenset[str]) -> bool:
    found = _KEY.fullmatch(arn)
    return found is not None and found[1] != account and found[1] not in trusted


def _arns(resources: object) -> Iterator[str]:
    """The ARNs of a record's resources, also where they are not the list they should be."""
    for entry in resources if isinstance(resources, list) else [resources]:
        if isinstance(entry, list):
            yield from _arns(entry)
        else:
            yield from texts(entry, "ARN")


def _texts(request: Mapping[str, Any]) -> Iterator[str]:
    """The texts in a request at any depth, at most _MAX_VALUES."""
    left: list[Any] = [request]
    seen = 0
    while left and seen < _MAX_VALUES:
        value = left.pop()
        seen += 1
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
