"""A live event: EventBridge's envelope around a record of CloudTrail, minutes before the log file that holds it.

    {"version": "0", "id": ..., "detail-type": "AWS API Call via CloudTrail", "source": "aws.kms", "account": ...,
     "time": ..., "region": ..., "resources": [], "detail": {the record}}

Whoever may put events on a bus chooses detail-type and detail, but no source that begins with "aws.": what an event
says of itself is believed only as far as these parts agree. What is refused stands in a log file five minutes later,
if it is true.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
"""

import re
from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Any

from trailbell.cloudtrail.origin import LiveEvent
from trailbell.cloudtrail.record import NO_TIME, event_time, is_identifier, text
from trailbell.lazy_dataclass import dataclass
from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.safe_text import one_line


_VIA_CLOUDTRAIL = " via CloudTrail"
_ACCOUNT = lazy_pattern(r"\d{12}", re.ASCII)
_REGION = lazy_pattern(r"[a-z0-9-]{1,40}", re.ASCII)
_MAX_NAME = 100


class Refusal(StrEnum):
    """Why a live event is not believed; the value is what is logged and counted."""

    OFF = "live events are switched off"
    WRAPPED = "it came by way of another service, whose senders are not known"
    NO_ACCOUNT = "it names no account and Region it was put in"
    NO_RECORD = "its detail is no record of CloudTrail with eventID, eventSource and eventName"
    SOURCE = "its source is not that of the record's service"
    ACCOUNT = "it was put in another account than the record's"
    FOREIGN = "its account is none of those that are watched"
    REGION = "it was put in another Region than the record's"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message in the form of an event of EventBridge that is, or resembles, a record's.

    source, detail_type: as stated; detail: anything at all; is_wrapped: whether it came in another envelope;
    is_replayed: whether it comes from somebody's archive, which EventBridge says by the member replay-name.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
    """

    origin: LiveEvent
    source: str
    detail_type: str
    detail: Any
    is_wrapped: bool = False
    is_replayed: bool = False

    @property
    def record(self) -> Mapping[str, Any]:
        """The record, as its log file has it: one that names no account is that of the account it was put in."""
        stated = self.detail.get("recipientAccountId")
        return {**self.detail, "recipientAccountId": stated if stated is not None else self.origin.account}

    def refusal(self, accounts: Set[str] | None) -> Refusal | None:
        """Why it is not believed, None if it is.

        accounts: those that are watched; none for any, None where live events are switched off.
        """
        if accounts is None:
            return Refusal.OFF
        if self.is_wrapped:
            return Refusal.WRAPPED
        if not (self.origin.account and self.origin.region):
            return Refusal.NO_ACCOUNT
        named = (text(self.detail, member) for member in ("eventSource", "eventName"))
        if not (all(named) and is_identifier(text(self.detail, "eventID"))):
            return Refusal.NO_RECORD
        if self.source != f"aws.{text(self.detail, 'eventSource').partition('.')[0]}":
            return Refusal.SOURCE
        if self.record["recipientAccountId"] != self.origin.account:
            return Refusal.ACCOUNT
        if accounts and self.origin.account not in accounts:
            return Refusal.FOREIGN
        if self.detail.get("awsRegion") not in (None, self.origin.region):
            return Refusal.REGION
        return None

    def __str__(self) -> str:
        """What it is and whose, in one line for people."""
        calls = (text(self.detail, "eventName"), text(self.detail, "eventSource"), text(self.detail, "eventID"))
        name, service, event_id = (one_line(part, _MAX_NAME) for part in calls)
        what = f"{name} ({service}), event {event_id}" if name else f'"{one_line(self.detail_type, _MAX_NAME)}"'
        where = f"account {self.origin.account or 'unknown'}, {self.origin.region or 'unknown Region'}"
        return f"live event {what} of {where}, from {one_line(self.source, _MAX_NAME)}"


def read_envelope(message: Mapping[str, Any], *, is_wrapped: bool = False) -> Envelope | None:
    """The live event that a message is or pretends to be; None for a message of another kind.

    One of AWS's own that holds no record (a service's "KMS CMK Deletion") and a record from a source that is no
    service are some, too: they are refused by name. An event of S3 about an object is none.
    """
    source, kind, detail = message.get("source"), message.get("detail-type"), message.get("detail")
    if not (isinstance(source, str) and isinstance(kind, str)) or kind == "Object Created":
        return None
    is_record = isinstance(detail, Mapping) and ("eventName" in detail or "eventSource" in detail)
    is_service = source.startswith("aws.") and source != "aws.s3"
    if not (is_record or is_service or kind.endswith(_VIA_CLOUDTRAIL)):
        return None
    origin = LiveEvent(
        _fitting(message.get("id"), is_identifier),
        _fitting(message.get("account"), _ACCOUNT.fullmatch),
        _fitting(message.get("region"), _REGION.fullmatch),
        _time(message.get("time")),
    )
    return Envelope(origin, source, kind, detail, is_wrapped, message.get("replay-name") is not None)


def _fitting(value: object, is_right: Any) -> str:
    return value if isinstance(value, str) and is_right(value) else ""


def _time(value: object) -> str:
    found = event_time(value) if isinstance(value, str) else NO_TIME
    return "" if found == NO_TIME else found
