"""A call's outcome: whether it had an effect, in four classes that rules and readers can rely on.

A failure can stand in five places: errorCode; errorMessage alone (a failed sign-in has no code); the answer to a
sign-in, under the event's own name; the state of a service's event; the lists of a batch call of which nothing worked.
Where in doubt it is a success, for that is what rules alert on: a batch of which one part failed had an effect.

https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html (dry runs)
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from trailbell.cloudtrail.record import mapping, text


class Outcome(StrEnum):
    """success: it happened. denied: not allowed. dryrun: would have been allowed. failed: all else."""

    SUCCESS = "success"
    DENIED = "denied"
    DRYRUN = "dryrun"
    FAILED = "failed"


_SUCCESS = Outcome.SUCCESS  # looking up a member of an enumeration takes longer than the rest

_DENIED = ("AccessDenied", "Unauthorized", "AuthorizationError", "NotAuthorized", "Forbidden")
_DENIED_MESSAGE = re.compile(r"not authorized to|access denied|explicit deny", re.IGNORECASE)

# What AWS's services write where they say how something ended.
DENIED_STATES = frozenset({"denied", "accessdenied", "access_denied", "unauthorized", "forbidden"})
FAILED_STATES = frozenset({"failure", "failed", "fail", "error", "errored", "timedout", "timed_out"})
_ENDED_BADLY = DENIED_STATES | FAILED_STATES
_ANSWERS = ("responseElements", "serviceEventDetails", "additionalEventData")
OUTCOME_MEMBERS = ("errorCode", "errorMessage", *_ANSWERS)
"""Members in which a failure can stand."""
_STATES = ("status", "state", "result", "outcome")

# Lists of what did not work, in answers to batch calls: failedEntries, invalidParameters, unprocessedItems, errors …
FAILED_LIST = re.compile(r"fail|invalid|unprocess|unsuccess|error|reject", re.IGNORECASE)

FAILURE_WORDS = (
    *(b"denied", b"unauthorized", b"forbidden", b"fail", b"error", b"timed"),
    *(b"invalid", b"unprocess", b"unsuccess", b"reject"),
)
"""One of these stands in every state of a failure, and in the name of every list of what did not work."""

_ESCAPE = b"\\u"


def outcome_of(fields: Mapping[str, Any]) -> Outcome:
    """Classify a record; no sign of a failure means success."""
    if not any(map(fields.get, OUTCOME_MEMBERS)):  # most records: there is nothing to look at
        return _SUCCESS
    code = text(fields, "errorCode")
    if code:
        return _by_code(code)
    message = text(fields, "errorMessage")
    if message:
        return Outcome.DENIED if _DENIED_MESSAGE.search(message) else Outcome.FAILED
    state = _state(fields)
    if state in DENIED_STATES:
        return Outcome.DENIED
    return Outcome.FAILED if state in FAILED_STATES or _is_failed_batch(fields) else Outcome.SUCCESS


def possible_outcomes(code: str) -> tuple[Outcome, ...]:
    """The outcomes that a record with this errorCode ("" for none) can turn out to have."""
    return (_by_code(code),) if code else (Outcome.SUCCESS, Outcome.FAILED, Outcome.DENIED)


def outcomes_by_json(code: Any, message: Any, *answers: Any) -> tuple[Outcome, ...] | None:
    """The outcomes that a record can have, from the JSON of OUTCOME_MEMBERS (b"" where there is none); None for any.

    An answer can only tell of a failure where one of its words stands, which takes no parsing to see.
    """
    if code or message or not all(isinstance(answer, bytes) for answer in answers):
        return None
    for answer in filter(None, answers):
        if not answer.isascii() or _ESCAPE in answer:  # a word may be written in another way
            return None
        small = answer.lower()
        if any(word in small for word in FAILURE_WORDS):
            return None
    return (Outcome.SUCCESS,)


def _by_code(code: str) -> Outcome:
    if any(part in code for part in _DENIED):
        return Outcome.DENIED
    return Outcome.DRYRUN if "DryRunOperation" in code else Outcome.FAILED


def _state(fields: Mapping[str, Any]) -> str:
    """How the record says that it ended, in small letters, "" if it does not: Failure, FAILED, TIMED_OUT …

    Of an API call's answer only the member counts that is called like the event: any other is about a resource, and
    may be what a caller gave it. An event of a service has its state in serviceEventDetails.
    """
    event = text(fields, "eventName")
    answers = [text(fields, section, event) for section in ("responseElements", "serviceEventDetails") if event]
    if text(fields, "eventType").lower().startswith("awsconsolesignin"):
        answers += [value for value in mapping(fields, "responseElements").values() if isinstance(value, str)]
    for section in ("serviceEventDetails", "additionalEventData"):
        if fields.get(section):
            members = mapping(fields, section).items()
            answers += [value for name, value in members if isinstance(value, str) and name.lower() in _STATES]
    for answer in answers:
        if answer and (state := answer.lower()) in _ENDED_BADLY:
            return state
    return ""


def _is_failed_batch(fields: Mapping[str, Any]) -> bool:
    """Whether the answer to a batch call names as failed all that was asked for.

    SSM DeleteParameters answers invalidParameters, CreateAssociationBatch failed, EventBridge failedEntries. What
    worked is listed by some and only missing from the failures with others; so their number must be the request's.
    """
    answer = mapping(fields, "responseElements")
    failures = [value for name, value in answer.items() if isinstance(value, list) and FAILED_LIST.search(name)]
    if not any(failures):
        return False
    worked = [value for name, value in answer.items() if isinstance(value, list) and not FAILED_LIST.search(name)]
    asked = [value for value in mapping(fields, "requestParameters").values() if isinstance(value, list)]
    if any(worked) or not any(asked):
        return False
    return sum(map(len, failures)) >= max(map(len, asked))
