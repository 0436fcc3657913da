"""Envelopes: what services and tools put around one record, as values of JSON, and the records inside.

    what                                        where the record is
    lookup-events                               Events[].CloudTrailEvent, a text
    EventBridge, its archives and targets       detail
    CloudWatch Logs: subscriptions, exports,    logEvents[].message, events[].message, @message, awslogs.data,
      filter-log-events, Insights                 results[][] of fields and values
    Kinesis, Firehose                           kinesis.data, data, Data (Base64, maybe gzip)
    SQS, SNS                                    body, Body, Message, Sns.Message
    Splunk                                      _raw, result._raw
    Elastic: exports, ECS                       _source, event.original, message, fields; the tail of hits.hits

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
https://www.elastic.co/docs/reference/ecs/ecs-event#field-event-original
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from trailbell.cloudtrail.logfile import whole_number
from trailbell.cloudtrail.record import is_record
from trailbell.text.safe_text import one_line
from trailbell.wrappings.layers import gunzipped


LISTS = frozenset(("Records", "records", "Events", "events", "logEvents", "hits", "results", "Messages", "rows"))
"""Members that hold many envelopes or records; their list may be of any length."""

_WHOLE = ("_raw", "CloudTrailEvent", "event.original", "_source", "result")
"""Members that no record has: what stands beside them are parts of the record, or a form of it."""
_ONE = (
    *("detail", "event", "original", "awslogs", "kinesis", "message", "@message", "body", "Body", "Sns", "Message"),
    *("data", "Data", "fields"),
)
_CELL = {"field", "value"}
_CONTROL = "CWL CONTROL MESSAGE"
_MOST_DEPTH = 12
_MOST_BYTES = 64 * 1024 * 1024  # of what is in memory at once
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{16,}={0,2}\s*\Z")
_GZIP = b"\x1f\x8b"

_DECODER = json.JSONDecoder(parse_int=whole_number)

Found = list[Mapping[str, Any] | None]
"""Records; None stands for something that is none."""


def records_in(value: Any, depth: int = 0) -> Found:
    """The records in a value, at any depth. Raises LogFileError for gzip that is not valid, or a bomb."""
    if depth > _MOST_DEPTH:
        return [None]
    if isinstance(value, list):
        if _is_row(value):
            return records_in({str(inner["field"]): inner["value"] for inner in value}, depth + 1)
        return [record for inner in value for record in records_in(inner, depth + 1)]
    if isinstance(value, str):
        return _records_in_text(value, depth)
    if not isinstance(value, dict):
        return [None]
    if any(name in value for name in _WHOLE):
        return _first_with_records(value, _WHOLE, depth)
    if is_record(value) and not _other_event(value):
        return [value]
    # CloudWatch Logs asks whether the destination is there; the log event may come without what is around it.
    if value.get("messageType") == "CONTROL_MESSAGE" or str(value.get("message", "")).startswith(_CONTROL):
        return []
    found = _first_with_records(value, _ONE, depth)
    if any(found):
        return found
    lists = [inner for name in sorted(LISTS & value.keys()) if isinstance(inner := value[name], list | dict)]
    return [record for inner in lists for record in records_in(inner, depth + 1)] if lists else [None]


def _is_row(value: list[Any]) -> bool:
    """Whether a list is a row of Logs Insights."""
    return bool(value) and all(isinstance(inner, dict) and inner.keys() == _CELL for inner in value)


def _first_with_records(value: Mapping[str, Any], names: Iterable[str], depth: int) -> Found:
    """The records of the first of these members that has any."""
    for name in names:
        inner = value.get(name)
        if isinstance(inner, dict | str | list):
            found = records_in(inner, depth + 1)
            if any(found):
                return found
    return [None]


def _records_in_text(text: str, depth: int) -> Found:
    """JSON in a text, or Base64 of it, gzipped or not."""
    text = text.strip()
    if text[:1] in ("{", "["):
        values = values_in(text)
        return [None] if values is None else [one for value in values for one in records_in(value, depth + 1)]
    if not _BASE64.match(text):
        return [None]
    try:
        content = base64.b64decode(text)
        if content.startswith(_GZIP):
            content = gunzipped(content, _MOST_BYTES)
        return _records_in_text(content.decode("utf-8"), depth + 1) if depth < _MOST_DEPTH else [None]
    except (binascii.Error, UnicodeDecodeError):
        return [None]


def values_in(text: str) -> list[Any] | None:
    """The values of JSON that stand one after the other in a text, maybe with commas between; None: it is no JSON."""
    values, at = [], 0
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        values.append(value)
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
    return values


def _other_event(value: Mapping[str, Any]) -> str:
    """What an object with members of records is that is none; "" if it is one.

    Lambda's events of other services have a source that begins with "aws:"; aggregations say what they are.
    """
    source = value.get("eventSource", value.get("EventSource"))
    if isinstance(source, str) and source.startswith("aws:"):
        return f"a Lambda event of {one_line(source, 40)} without records in it: scan the log files of the trail"
    if value.get("eventCategory") == "Aggregated":
        return "aggregated events: counts of data events without caller or request, which no rule can judge"
    return ""


def kind_of(value: Any) -> str:
    """What an object without a record is, with what to do; "" if that is not known."""
    if isinstance(value, dict) and isinstance(value.get("_source"), dict):
        return kind_of(value["_source"])
    if isinstance(value, list) and _is_row(value):
        return "an answer of Logs Insights without @message: query fields @timestamp, @message"
    names = set(value) if isinstance(value, dict) else set()
    if names and (other := _other_event(value)):
        return other
    for marks, what in _KNOWN:
        if marks <= names:
            return what
    return ""


_KEEP = "which rules need: keep the original event (Filebeat: preserve_original_event)"
_KNOWN: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"digestStartTime", "digestS3Object"}), "a digest file of CloudTrail (trailbell audit reads those)"),
    (frozenset({"configSnapshotId"}), "a snapshot of AWS Config"),
    (frozenset({"configurationItems"}), "a history of AWS Config"),
    (frozenset({"findings"}), "a list of findings"),
    (frozenset({"metadata", "class_uid"}), "OCSF, which lacks what rules ask for: scan the trail's own log files"),
    (frozenset({"ecs"}), f"ECS without event.original, {_KEEP}"),
    (frozenset({"aws", "event"}), f"ECS without event.original, {_KEEP}"),
    (frozenset({"EventId", "EventName", "EventTime"}), "lookup-events without CloudTrailEvent: leave its --query out"),
    (frozenset({"trailList"}), "a list of trails"),
    (
        frozenset({"QueryResultRows"}),
        "an answer of CloudTrail Lake: jq -r '.QueryResultRows[][].eventJson' FILE | trailbell scan -",
    ),
    (frozenset({"fields", "columns"}), "columns of Splunk: export with output_mode=json"),
)
