"""Every form in which hits leave the product. A new one is a line in OUTPUTS: the tests of hostile text and of
secrets then hold for it, too."""

import contextlib
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from aws_lambda_powertools import Logger

from trailbell.alerts.alert import Alert
from trailbell.alerts.channels.bus import EventBus
from trailbell.alerts.channels.chat import SnsChatTopic
from trailbell.alerts.channels.email import SnsAlertTopic
from trailbell.alerts.channels.security_hub import SecurityHub
from trailbell.alerts.grouping import group_hits
from trailbell.alerts.mail import mail_text
from trailbell.alerts.subject import mail_subject
from trailbell.cli.hits.output import csv_text, json_line, table_text
from trailbell.cli.report.report_file import report_html
from trailbell.cli.scan.output import print_pages
from trailbell.cli.terminal.display import print_alerts, print_hits
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.engine.rulebook import Level
from trailbell.handlers.event_log import EventLog
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState
from trailbell.lookback.report import pack_hits
from trailbell.store.dynamo import encode
from trailbell.store.query.hit_query import FoundHit
from trailbell.store.rows import delivery_key, hit_row, pointer_rows


_PRODUCT = "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default"
NOW = "2026-11-29T12:00:00Z"

Output = Callable[[list[Hit]], str]


class Client:
    """Stands for an AWS client: what it was asked is all that counts."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def publish(self, **request: Any) -> None:
        """As SNS does."""
        self.asked.append(request)

    def batch_import_findings(self, **request: Any) -> dict[str, int]:
        """As Security Hub does."""
        self.asked.append(request)
        return {"FailedCount": 0}

    def put_events(self, **request: Any) -> dict[str, int]:
        """As EventBridge does."""
        self.asked.append(request)
        return {"FailedEntryCount": 0}


def _each_alert(notify: Callable[[Alert], str]) -> Output:
    return lambda hits: "\n".join(notify(alert) for alert in group_hits(hits))


def _sent(notify: Callable[[Client, Alert], None]) -> Output:
    def send(alert: Alert) -> str:
        client = Client()
        notify(client, alert)
        return "\n".join(_texts(client.asked))

    return _each_alert(send)


def _texts(value: Any) -> list[str]:
    """Every text in a request, as the service gets it."""
    if isinstance(value, dict | list):
        members = value.values() if isinstance(value, dict) else value
        return [text for member in members for text in _texts(member)]
    return [str(value)]


def _printed(show: Callable[[list[Hit]], object]) -> Output:
    def run(hits: list[Hit]) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            show(hits)
        return out.getvalue()

    return run


def _logged(hits: list[Hit]) -> str:
    """What the handlers write when everything fails at once."""
    out = io.StringIO()
    event_log = EventLog(Logger(service="test", stream=out))
    for hit in hits:
        event_log.failed(f"alert {hit.hit_id}", ValueError(f"could not tell {hit.title}"))
        event_log.malformed_record(ObjectRef(hit.place.bucket, hit.place.key), hit.place.index, "record is a JSON str")
    return out.getvalue()


def _rows(hits: list[Hit]) -> str:
    rows = [
        row for hit in hits for row in (hit_row(hit, 1), delivery_key(*hit.delivery_identity), *pointer_rows(hit, 1))
    ]
    return "\n".join(json.dumps(encode(row), ensure_ascii=False) for row in rows)


def _found(hits: list[Hit]) -> list[FoundHit]:
    return [FoundHit(hit, HitState(), "") for hit in hits]


OUTPUTS: Mapping[str, Output] = {
    "subject": _each_alert(lambda alert: mail_subject(alert.hits)),
    "mail": _each_alert(lambda alert: mail_text(alert.hits)),
    "alert topic": _sent(lambda client, alert: SnsAlertTopic(client, "topic").notify(alert)),
    "chat topic": _sent(lambda client, alert: SnsChatTopic(client, "topic", Level.LOW).notify(alert)),
    "event bus": _sent(lambda client, alert: EventBus(client, "bus").notify(alert)),
    "event bus, OCSF": _sent(lambda client, alert: EventBus(client, "bus", "ocsf").notify(alert)),
    "security hub": _sent(lambda client, alert: SecurityHub(client, _PRODUCT, Level.LOW).notify(alert)),
    "rows": _rows,
    "table of hits": _printed(lambda hits: print_hits(hits, "table")),
    "lines of hits": _printed(lambda hits: print_hits(hits, "jsonl")),
    "table of alerts": _printed(lambda hits: print_alerts(group_hits(hits), "table")),
    "lines of alerts": _printed(lambda hits: print_alerts(group_hits(hits), "jsonl")),
    "table of `hits`": lambda hits: table_text(_found(hits), UTC, NOW),
    "lines of `hits`": lambda hits: "".join(json_line(found, UTC, NOW) for found in _found(hits)),
    "csv of `hits`": lambda hits: csv_text(_found(hits), UTC, NOW),
    "csv": _printed(lambda hits: print_pages(hits, "csv", lambda: None)),
    "report": lambda hits: report_html({"made": "now", "source": "here", "note": "", **pack_hits(hits)}),
    "log": _logged,
}
