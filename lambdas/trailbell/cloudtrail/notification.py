"""What a message of the ingest queue is about: objects that were created, out of their envelopes, or a live event.

Five kinds of envelopes reach the queue, depending on how the trail is connected:

    S3 → SQS                   {"Records": [{"eventSource": "aws:s3", "s3": {...}}]}
    S3 → SNS → SQS             {"Type": "Notification", "Message": "<the above as text>"}
    S3 → EventBridge → SQS     {"source": "aws.s3", "detail-type": "Object Created", "detail": {...}}
    CloudTrail's own topic     {"s3Bucket": "...", "s3ObjectKey": ["...", ...]}
    any of them, sent to Lambda without a queue
    a record by itself         cloudtrail/live_event.py

S3 URL-encodes the key in its own notifications (a blank is "+"); EventBridge and CloudTrail do not.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html
"""

import json
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any
from urllib.parse import unquote_plus

from trailbell.cloudtrail.live_event import Envelope, read_envelope
from trailbell.cloudtrail.logfile import whole_number
from trailbell.cloudtrail.object_key import ObjectKey, classify_key
from trailbell.errors import NotificationError
from trailbell.lazy_dataclass import dataclass
from trailbell.text.safe_text import one_line


# SNS around S3 around a Lambda record makes three; nothing real has more.
_MAX_ENVELOPES = 4


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Which object of which bucket.

    size:       in bytes as S3 states it, None where the notification does not say.
    notify:     False for history that is replayed: its hits are kept and nobody is notified (lookback/replay.py).
    repair:     True where the audit asks for a log file that its digest lists and nobody has read (flows/audit.py).
    classified: what the key says, worked out here once for everybody.
    """

    bucket: str
    key: str
    version_id: str | None = None
    size: int | None = None
    notify: bool = True
    replay: bool = False
    repair: bool = False
    classified: ObjectKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "classified", classify_key(self.key))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class Notification:
    """What one message says.

    objects: the objects created, in the message's order.
    live:    the live event that it is, believed or not; one at most.
    tests:   test messages that S3 (`s3:TestEvent`) and CloudTrail send when a destination is set up.
    other:   what happened to objects without creating one (removals, restores, tags).
    """

    objects: tuple[ObjectRef, ...] = ()
    tests: int = 0
    other: int = 0
    live: tuple[Envelope, ...] = ()

    def __add__(self, more: "Notification") -> "Notification":
        return Notification(
            self.objects + more.objects, self.tests + more.tests, self.other + more.other, self.live + more.live
        )

    @property
    def items(self) -> "tuple[Item, ...]":
        """What there is to do, whichever source it is of."""
        return self.objects + self.live


Item = ObjectRef | Envelope
"""What a source reads records from (flows/source.py)."""


_TEST = Notification(tests=1)
_OTHER = Notification(other=1)


def parse_notification(body: str | bytes | Mapping[str, Any]) -> Notification:
    """Open a message body (JSON text, or the object a Lambda event already is).

    Raises NotificationError when it is none of the known ones: the message must go back to its queue, because it may
    be about a log file.
    """
    return _parse(body, _MAX_ENVELOPES)


def _parse(body: object, depth: int) -> Notification:
    if depth == 0:
        raise NotificationError("notification wrapped in too many envelopes")
    message = _load(body)
    if "Records" in message:
        return _with_replay_option(_parse_records(message["Records"], depth), message)
    if message.get("Event") == "s3:TestEvent":
        return _TEST
    if message.get("Type") in ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"):
        return _parse_sns(message, depth)
    if "s3Bucket" in message:
        return _parse_cloudtrail(message)
    if live := read_envelope(message, is_wrapped=depth < _MAX_ENVELOPES):
        return Notification(live=(live,))
    if message.get("source") == "aws.s3":
        return _parse_eventbridge(message)
    raise NotificationError(f"no known notification: {_shape(message)}")


def _with_replay_option(notification: Notification, message: Mapping[str, Any]) -> Notification:
    """The notification with what `trailbell replay` and the audit add to S3's own message."""
    asked = message.get("trailbell")
    if not isinstance(asked, Mapping):
        return notification
    notify = asked.get("notify", asked.get("tell")) is not False  # `tell` in messages of a version before
    replay = asked.get("replay") is True or not notify
    return replace(
        notification,
        objects=tuple(
            replace(ref, notify=notify, replay=replay, repair=asked.get("repair") is True)
            for ref in notification.objects
        ),
    )


def _load(body: object) -> Mapping[str, Any]:
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body, parse_int=whole_number)
        except (ValueError, RecursionError) as error:
            raise NotificationError(f"notification is not JSON: {error}") from None
    if not isinstance(body, Mapping):
        raise NotificationError(f"notification is a JSON {type(body).__name__}, not an object")
    return body


def _parse_records(records: object, depth: int) -> Notification:
    if not isinstance(records, list) or not records:
        raise NotificationError("notification has no list of Records, or an empty one")
    total = Notification()
    for record in records:
        if not isinstance(record, Mapping):
            raise NotificationError(f"notification record is a JSON {type(record).__name__}, not an object")
        if "s3" in record:
            total += _parse_s3_record(record)
        elif isinstance(record.get("Sns"), Mapping):
            total += _parse_sns(record["Sns"], depth)
        else:
            raise NotificationError(f"notification record of no known source: {_shape(record)}")
    return total


def _parse_s3_record(record: Mapping[str, Any]) -> Notification:
    event_name = record.get("eventName", "")
    if not isinstance(event_name, str) or "ObjectCreated" not in event_name:
        return _OTHER
    s3 = record["s3"]
    try:
        name, entry = s3["bucket"]["name"], s3["object"]
        key = unquote_plus(entry["key"])
    except (KeyError, TypeError, AttributeError):
        raise NotificationError("S3 notification without s3.bucket.name or s3.object.key") from None
    return Notification((_object_ref(name, key, entry.get("versionId"), entry.get("size")),))


def _parse_eventbridge(message: Mapping[str, Any]) -> Notification:
    if message.get("detail-type") != "Object Created":
        return _OTHER
    try:
        name, entry = message["detail"]["bucket"]["name"], message["detail"]["object"]
        key = entry["key"]
    except (KeyError, TypeError):
        raise NotificationError("EventBridge notification without detail.bucket.name or detail.object.key") from None
    return Notification((_object_ref(name, key, entry.get("version-id"), entry.get("size")),))


def _parse_sns(message: Mapping[str, Any], depth: int) -> Notification:
    inner = message.get("Message")
    if isinstance(inner, str) and not inner.lstrip().startswith(("{", "[")):
        # CloudTrail sends a newly configured topic the plain sentence
        # "CloudTrail validation message.", SNS sends a new subscription one of its own.
        if "validation message" in inner or message.get("Type") != "Notification":
            return _TEST
        raise NotificationError("SNS message holds plain text, not a notification")
    return _parse(inner, depth - 1)


def _parse_cloudtrail(message: Mapping[str, Any]) -> Notification:
    keys = message.get("s3ObjectKey")
    keys = [keys] if isinstance(keys, str) else keys
    if not isinstance(keys, list) or not keys:
        raise NotificationError("CloudTrail notification without s3ObjectKey")
    return Notification(tuple(_object_ref(message["s3Bucket"], key, None, None) for key in keys))


def _object_ref(bucket: object, key: object, version_id: object, size: object) -> ObjectRef:
    if not (isinstance(bucket, str) and bucket and isinstance(key, str) and key):
        raise NotificationError("notification names an empty bucket or key")
    return ObjectRef(
        bucket,
        key,
        version_id if isinstance(version_id, str) and version_id not in ("", "null") else None,
        size if isinstance(size, int) else None,
    )


def _shape(message: Mapping[str, Any]) -> str:
    names = sorted(one_line(str(name), 40) for name in message)
    return "object with " + (", ".join(names[:8]) or "no members")
