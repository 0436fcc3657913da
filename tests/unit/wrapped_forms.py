"""The records of one log file in every wrapping that people have them in."""

import base64
import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any


Record = Mapping[str, Any]
Wrapping = Callable[[Sequence[Record]], bytes]
Layer = Callable[[bytes], bytes]


def log_file(records: Sequence[Record]) -> bytes:
    """As CloudTrail writes it, before gzip."""
    return compact({"Records": list(records)})


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _pretty(value: Any) -> bytes:
    return json.dumps(value, indent=4).encode()


def _lines(values: Sequence[Any]) -> bytes:
    return b"".join(compact(value) + b"\n" for value in values)


def _text(record: Record) -> str:
    return compact(record).decode()


def _looked_up(record: Record) -> dict[str, Any]:
    names = {"EventId": "eventID", "EventName": "eventName", "EventTime": "eventTime", "EventSource": "eventSource"}
    return {ours: record.get(theirs) for ours, theirs in names.items()} | {"CloudTrailEvent": _text(record)}


def _event(record: Record) -> dict[str, Any]:
    head = {"version": "0", "id": "1", "detail-type": "AWS API Call via CloudTrail", "source": "aws.kms"}
    return {**head, "account": "111122223333", "resources": [], "detail": record}


def _subscription(records: Sequence[Record]) -> dict[str, Any]:
    events = [{"id": str(at), "timestamp": 1, "message": _text(record)} for at, record in enumerate(records)]
    head = {"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "trail", "logStream": "a"}
    return {**head, "subscriptionFilters": ["all"], "logEvents": events}


def _control_message() -> dict[str, Any]:
    """What CloudWatch Logs sends to see whether a destination is there."""
    event = {"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: Checking health of destination Firehose."}
    return {"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logEvents": [event]}


def _lambda_event(service: str, inner: dict[str, Any]) -> dict[str, Any]:
    return {"awsRegion": "eu-west-1", **inner, "eventSource": f"aws:{service}", "eventVersion": "1.0"}


def _row(cells: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"field": name, "value": value} for name, value in cells.items()]


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _hit_of_elastic(record: Record, inner: dict[str, Any]) -> dict[str, Any]:
    return {"_index": "logs-aws.cloudtrail", "_id": record.get("eventID"), "_source": inner}


def _ecs(record: Record) -> dict[str, Any]:
    event = {"action": record.get("eventName"), "original": _text(record)}
    return {"@timestamp": record.get("eventTime"), "event": event, "aws": {"cloudtrail": {}}, "ecs": {"version": "8"}}


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue().encode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def _tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def _halves(records: Sequence[Record]) -> dict[str, bytes]:
    """A log file for each half, with what lies beside log files in a folder."""
    middle = len(records) // 2
    digest = compact({"digestS3Object": "x", "digestStartTime": "2026-11-20T09:00:00Z", "logFiles": []})
    return {
        "AWSLogs/a_CloudTrail-Digest_eu-west-1.json.gz": gzip.compress(digest),
        "AWSLogs/first.json.gz": gzip.compress(log_file(records[:middle])),
        "__MACOSX/._first.json.gz": b"\0",
        "AWSLogs/second.json": log_file(records[middle:]),
    }


WRAPPINGS: dict[str, Wrapping] = {
    "log file": log_file,
    "log file, pretty": lambda records: _pretty({"Records": list(records)}),
    "log file, sorted": lambda records: json.dumps({"Records": list(records)}, sort_keys=True).encode(),
    "log file, Records last": lambda records: compact({"a": [1, {"Records": 2}], "Records": list(records)}),
    "log files one after the other": lambda records: log_file(records[:1]) + log_file(records[1:]),
    "log files, a line each": lambda records: log_file(records[:1]) + b"\n" + log_file(records[1:]) + b"\n",
    "list": lambda records: compact(list(records)),
    "list, pretty": lambda records: _pretty(list(records)),
    "lines": _lines,
    "lines ended by CR LF": lambda records: _lines(records).replace(b"\n", b"\r\n"),
    "documents without line ends": lambda records: b"".join(map(compact, records)),
    "documents, pretty": lambda records: b"\n".join(map(_pretty, records)),
    "documents with commas": lambda records: b",\n".join(map(compact, records)),
    "lookup-events": lambda records: _pretty({"Events": [*map(_looked_up, records)], "NextToken": "x"}),
    "lookup-events, one line": lambda records: compact({"Events": [*map(_looked_up, records)]}),
    "lookup-events, its list alone": lambda records: compact([*map(_looked_up, records)]),
    "lookup-events, pages": lambda records: b"".join(_pretty({"Events": [_looked_up(one)]}) for one in records),
    "EventBridge, list": lambda records: compact([*map(_event, records)]),
    "EventBridge, lines": lambda records: _lines([*map(_event, records)]),
    "EventBridge, pretty": lambda records: b"\n".join(_pretty(_event(one)) for one in records),
    "EventBridge in Records": lambda records: compact({"Records": [*map(_event, records)]}),
    "Firehose of a subscription": lambda records: b"".join(compact(_subscription([one])) for one in records),
    "Firehose of a subscription, gzip": lambda records: b"".join(
        gzip.compress(compact(_subscription([one]))) for one in records
    ),
    "subscription for Lambda": lambda records: compact(
        {"awslogs": {"data": _base64(gzip.compress(compact(_subscription(records))))}}
    ),
    "subscription by Kinesis": lambda records: compact(
        {"Records": [{"kinesis": {"data": _base64(gzip.compress(compact(_subscription(records))))}}]}
    ),
    "Firehose for Lambda": lambda records: compact(
        {"invocationId": "1", "records": [{"recordId": "1", "data": _base64(compact(one))} for one in records]}
    ),
    "subscription by Kinesis, sorted": lambda records: json.dumps(
        {"Records": [_lambda_event("kinesis", {"kinesis": {"data": _base64(compact(one))}}) for one in records]},
        sort_keys=True,
    ).encode(),
    "Kinesis, get-records": lambda records: _pretty(
        {"Records": [{"SequenceNumber": "1", "Data": _base64(compact(one)), "PartitionKey": "a"} for one in records]}
    ),
    "Firehose of a subscription with its first message": lambda records: (
        compact(_control_message()) + compact(_subscription(records))
    ),
    "SQS, receive-message": lambda records: _pretty(
        {"Messages": [{"MessageId": "1", "Body": _text(_event(one))} for one in records]}
    ),
    "SQS, of SNS": lambda records: _pretty(
        {"Messages": [{"MessageId": "1", "Body": _text({"Message": _text(_event(one))})} for one in records]}
    ),
    "SQS for Lambda": lambda records: compact(
        {"Records": [_lambda_event("sqs", {"body": _text(_event(one))}) for one in records]}
    ),
    "SQS for Lambda, sorted": lambda records: json.dumps(
        {"Records": [_lambda_event("sqs", {"body": _text(_event(one))}) for one in records]}, sort_keys=True
    ).encode(),
    "SNS for Lambda": lambda records: compact(
        {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": _text(_event(one))}} for one in records]}
    ),
    "filter-log-events": lambda records: _pretty(
        {"events": _subscription(records)["logEvents"], "searchedLogStreams": []}
    ),
    "export of CloudWatch Logs": lambda records: b"".join(
        b"2026-11-20T09:00:00.000Z " + compact(one) + b"\n" for one in records
    ),
    "aws logs tail": lambda records: b"".join(
        b"2026-11-20T09:00:00 a_stream " + compact(one) + b"\n" for one in records
    ),
    "Logs Insights, get-query-results": lambda records: _pretty(
        {"results": [_row({"@timestamp": "t", "@message": _text(one), "@ptr": "x"}) for one in records]}
    ),
    "Logs Insights, CSV": lambda records: _table(["@timestamp", "@message"], [["t", _text(one)] for one in records]),
    "Splunk, lines": lambda records: _lines(
        [{"preview": False, "result": {"_raw": _text(one), "eventName": "x", "host": "h"}} for one in records]
    ),
    "Splunk, results": lambda records: compact({"results": [{"_raw": _text(one), "_time": "t"} for one in records]}),
    "Splunk, CSV": lambda records: _table(["_time", "_raw", "host"], [["t", _text(one), "h"] for one in records]),
    "Splunk, CSV of _raw": lambda records: _table(["_raw"], [[_text(one)] for one in records]),
    "Splunk, CSV with a message": lambda records: _table(["message", "_raw"], [["m", _text(one)] for one in records]),
    "Splunk, HEC": lambda records: b"".join(compact({"time": 1, "event": one}) for one in records),
    "Elastic, search": lambda records: compact(
        {"took": 1, "hits": {"total": {"value": 2}, "hits": [_hit_of_elastic(one, dict(one)) for one in records]}}
    ),
    "Elastic, elasticdump": lambda records: _lines([_hit_of_elastic(one, dict(one)) for one in records]),
    "Elastic, fields": lambda records: compact(
        {"hits": {"hits": [{"_id": "1", "fields": {"event.original": [_text(one)]}} for one in records]}}
    ),
    "ECS, lines": lambda records: _lines([*map(_ecs, records)]),
    "ECS, search": lambda records: _pretty({"hits": {"hits": [_hit_of_elastic(one, _ecs(one)) for one in records]}}),
    "zip": lambda records: _zip(_halves(records)),
    "tar": lambda records: _tar(_halves(records)),
    "zip in tar": lambda records: _tar({"inner.zip": _zip(_halves(records))}),
}
"""Name → from records to a file's content. Some need two records or more."""

BINARY = frozenset(("zip", "tar", "zip in tar", "Firehose of a subscription, gzip"))
"""Those that are no text, so no encoding can be around them."""

COMPRESSIONS: dict[str, Layer] = {
    "gzip": gzip.compress,
    "gzip in members": lambda content: (
        gzip.compress(content[: len(content) // 2]) + gzip.compress(content[len(content) // 2 :])
    ),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
ENCODINGS: dict[str, Layer] = {
    "UTF-8 with a mark": lambda content: b"\xef\xbb\xbf" + content,
    "UTF-16": lambda content: content.decode().encode("utf-16"),
    "UTF-16 LE": lambda content: content.decode().encode("utf-16-le"),
    "UTF-16 BE": lambda content: content.decode().encode("utf-16-be"),
    "UTF-32": lambda content: content.decode().encode("utf-32"),
}
