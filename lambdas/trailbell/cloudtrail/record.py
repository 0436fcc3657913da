"""A record is one entry of a log file: one API call, or one thing an AWS service did by itself.

Every field may be missing, null or of another type than documented: real files hold all three.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from trailbell.cloudtrail.event_source import service_of
from trailbell.cloudtrail.once import once
from trailbell.cloudtrail.partition import PARTITIONS, partition_of
from trailbell.lazy_dataclass import dataclass
from trailbell.text.digests import stand_in
from trailbell.text.times import iso_time


MEMBERS = (
    *("eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress"),
    *("userAgent", "errorCode", "errorMessage", "requestParameters", "responseElements", "additionalEventData"),
    *("requestID", "eventID", "readOnly", "resources", "eventType", "apiVersion", "managementEvent"),
    *("recipientAccountId", "sharedEventID", "vpcEndpointId", "eventCategory", "tlsDetails"),
)
"""Members of a record, in the order in which CloudTrail writes them."""

GATE_FIELDS = ("eventSource", "eventName")
"""The members that rules are looked up by (engine/matcher.py): a service's host name and an operation."""

LOG_FILE_MEMBERS = frozenset({"eventContext", "sharedEventID"})
"""Members that only its log file is sure to have: EventBridge brings no eventContext, and promises no sharedEventID."""

NO_TIME = "1970-01-01T00:00:00Z"
UNKNOWN_TIME = "unknown time"  # as people read it
# Identities become keys of the hit table, which have a limit; CloudTrail's own ids all have this form.
_IDENTIFIER = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_AS_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}Z", re.ASCII)
_EMPTY: Mapping[str, Any] = {}
_MAX_REMEMBERED = 256  # characters of a Region and the heads of ARNs


_OF_RECORDS = frozenset(("eventVersion", "eventSource", "eventName"))


def is_record(fields: Mapping[str, Any]) -> bool:
    """Whether an object can be a record: CloudTrail writes none without a version, a source or a name."""
    return not _OF_RECORDS.isdisjoint(fields)


@lru_cache(2048)  # those that rules give
def names_of(path: str) -> tuple[str, ...]:
    """The names that dots join in a path: a, b and c of a.b.c."""
    return tuple(path.split("."))


def text(fields: object, *path: str) -> str:
    """The string at a path of nested objects, or "" where there is none."""
    for name in path:  # the same three times, as a call more would cost: this runs a hundred times a hit
        if not isinstance(fields, dict):  # not Mapping, as JSON's objects are dicts
            return ""
        fields = fields.get(name)
    return fields if isinstance(fields, str) else ""


def mapping(fields: object, *path: str) -> Mapping[str, Any]:
    """The object at a path of nested objects, or an empty one."""
    for name in path:
        if not isinstance(fields, dict):
            return _EMPTY
        fields = fields.get(name)
    return fields if isinstance(fields, dict) else _EMPTY


def texts(fields: object, *path: str) -> list[str]:
    """The strings at a path: those of a list, or the single one, or none."""
    for name in path:
        if not isinstance(fields, dict):
            return []
        fields = fields.get(name)
    if isinstance(fields, str):
        return [fields] if fields else []
    return [value for value in fields if isinstance(value, str) and value] if isinstance(fields, list) else []


@dataclass(frozen=True)
class Record:
    """A record's fields as CloudTrail wrote them, and the parts of a hit's identity, which no record may lack.

    index:      position in its log file, from 0.
    account:    recipientAccountId; where that is missing, the log file's, the actor's account, or "unknown".
    event_id:   eventID, of a correction the original's; a record without a plain one is known by the SHA-256 of its
                content ("sha256-<32 hex>").
    event_time: UTC, to the second, ISO 8601 with Z; NO_TIME where the record has no valid one.
    """

    fields: Mapping[str, Any]
    index: int
    account: str
    event_id: str
    event_time: str

    def __init__(self, fields: Mapping[str, Any], index: int, account: str, event_id: str, event_time: str) -> None:
        known = self.__dict__  # a frozen dataclass would set each member by a call
        known["fields"], known["index"], known["account"] = fields, index, account
        known["event_id"], known["event_time"] = event_id, event_time
        for name, member in _ASKED_OF_ALL:
            told = fields.get(member)
            known[name] = told if isinstance(told, str) else ""

    @once
    def event_source(self) -> str:
        """The service's host name, such as kms.amazonaws.com."""
        return text(self.fields, "eventSource")

    @once
    def event_name(self) -> str:
        """The operation called, such as DisableKey."""
        return text(self.fields, "eventName")

    @once
    def region(self) -> str:
        """awsRegion as recorded."""
        return text(self.fields, "awsRegion")

    @once
    def partition(self) -> str:
        """The AWS partition it happened in: aws, aws-cn …"""
        return _partition_of(self.fields, self.region, self.listed_arns)

    @once
    def listed_arns(self) -> list[str]:
        """The ARNs that AWS lists under `resources`, in their order."""
        return _listed_arns(self.fields)

    @property
    def repeats(self) -> bool:
        """Whether the record only repeats or counts what other records say, each for itself.

        A network activity event stands beside the call's management event, unless the endpoint's policy denied the
        call: then no other does. An aggregated event counts data events.
        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
        """
        category, kind = self.fields.get("eventCategory"), self.fields.get("eventType")
        if category == "NetworkActivity" or (isinstance(kind, str) and kind.startswith("AwsVpceEvent")):
            return self.fields.get("errorCode") != "VpceAccessDenied"
        return bool(category == "Aggregated")

    @once
    def service(self) -> str:
        """As hits name it: kms, cloudhsm, ssm, iotfleethub, cloudtrail …"""
        return service_of(self.event_source)


_ASKED_OF_ALL = (("event_source", "eventSource"), ("event_name", "eventName"), ("region", "awsRegion"))
"""Properties of a record that are looked up at once, and what they are of."""


def make_record(fields: Mapping[str, Any], index: int, file_account: str = "") -> Record:
    """Wrap one entry of Records.

    file_account: the account in the log file's key, or the one that a live event was put in; "" if not known. Both say
    whose the record is, which the caller's account does not: so it is the same, whichever brings the record.
    """
    account = text(fields, "recipientAccountId")
    if not is_identifier(account):
        stated = (file_account, text(fields, "userIdentity", "accountId"))
        account = next(filter(is_identifier, stated), "unknown")
    return Record(fields, index, account, _event_id(fields), event_time(text(fields, "eventTime")))


def is_identifier(given: str) -> bool:
    """Whether an account or event id is one that CloudTrail could have written."""
    return _IDENTIFIER.fullmatch(given) is not None


def _partition_of(fields: Mapping[str, Any], region: str, listed: list[str]) -> str:
    if listed:  # mostly the first says it, and in the usual way
        parts = listed[0].split(":", 4)
        if len(parts) > 4 and parts[0] == "arn" and parts[3] == region and region and parts[1] in PARTITIONS:
            return parts[1]
    if not listed and not (fields.get("responseElements") and texts(fields, "responseElements", "keyId")):
        identity = mapping(fields, "userIdentity")
        caller, issuer = identity.get("arn"), _issuer(identity).get("arn")
        if not (isinstance(caller, list) or isinstance(issuer, list)):  # most have no ARN of AWS but their caller's
            caller, issuer = _head(caller), _head(issuer)
            if len(region) + len(caller) + len(issuer) <= _MAX_REMEMBERED:
                return _partition_by(region, caller, issuer)
    return partition_of(region, _arns(fields, listed))


@lru_cache(256)
def _partition_by(region: str, *arns: str) -> str:
    return partition_of(region, arns)


def _head(arn: object) -> str:
    """An ARN as far as its partition and its Region, in which most callers agree; "" for what is none."""
    if not isinstance(arn, str):
        return ""
    *parts, _ = arn.split(":", 4)
    return ":".join(parts) + ":" if len(parts) == 4 else ""


def _listed_arns(fields: Mapping[str, Any]) -> list[str]:
    found = list[str]()
    resources = fields.get("resources")
    for entry in resources if isinstance(resources, list) else ():
        if isinstance(entry, dict):
            arn = entry.get("ARN")
            if arn:
                found += (arn,) if isinstance(arn, str) else texts(arn)
            if "arn" in entry:
                found += texts(entry, "arn")
    return found


def _arns(fields: Mapping[str, Any], listed: list[str]) -> Iterator[str]:
    """The ARNs that AWS wrote into a record, nearest to its resources first; never those of the request."""
    yield from listed
    yield from texts(fields, "responseElements", "keyId")
    identity = mapping(fields, "userIdentity")
    yield from texts(identity, "arn")
    yield from texts(_issuer(identity), "arn")


def _issuer(identity: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(identity, "sessionContext", "sessionIssuer")


def _event_id(fields: Mapping[str, Any]) -> str:
    given = (_corrected_id(fields) if "addendum" in fields else "") or text(fields, "eventID")
    if is_identifier(given):
        return given
    content = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return stand_in(content, 32)


def _corrected_id(fields: Mapping[str, Any]) -> str:
    """The eventID of the record that this one completes, "" if it completes none.

    Only addenda for updated data do; the two other reasons (DELIVERY_DELAY, SERVICE_OUTAGE) say why a record is late.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    original = text(fields, "addendum", "originalEventID")
    updated = text(fields, "addendum", "reason").upper() in ("UPDATED_DATA", "")
    return original if updated and is_identifier(original) else ""


def event_time(given: str) -> str:
    """A time as CloudTrail writes it, in UTC, to the second, ISO 8601 with Z; NO_TIME if it is none."""
    return _usual_time(given) if len(given) == len(NO_TIME) else _time(given)


def _time(given: str) -> str:
    try:
        moment = datetime.fromisoformat(given)
        if _AS_WRITTEN.fullmatch(given):
            return given
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter for the first and last hours of the calendar
        return NO_TIME
    return iso_time(moment)


_usual_time = lru_cache(256)(_time)  # the calls of one log file share few
