"""Every form in which hits leave the product. A new one is a line in OUTPUTS: the tests of hostile text and of
secrets then hold for it, too."""

import contextlib
import csv
import io
import json
from collections.abc import Callable, Mapping

from aws_lambda_powertools import Logger

from trailalert.aws.dynamo import encode
from trailalert.aws.rows import hit_row, pointer_rows, told_row
from trailalert.cli.display import print_alerts, print_hits
from trailalert.core.alert import Alert, alert_attributes, alert_document, group_hits
from trailalert.core.hit import Hit
from trailalert.core.mail import mail_subject, mail_text
from trailalert.core.notification import ObjectRef
from trailalert.core.safe_text import csv_cell, html_text
from trailalert.handlers.journal import LogJournal


Output = Callable[[list[Hit]], str]


def _each_alert(tell: Callable[[Alert], str]) -> Output:
    return lambda hits: "\n".join(tell(alert) for alert in group_hits(hits))


def _printed(show: Callable[[], None]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        show()
    return out.getvalue()


def _logged(hits: list[Hit]) -> str:
    """What the handlers write when everything fails at once."""
    out = io.StringIO()
    journal = LogJournal(Logger(service="test", stream=out))
    for hit in hits:
        journal.failed(f"alert {hit.hit_id}", ValueError(f"could not tell {hit.title}"))
        journal.bad_record(ObjectRef(hit.place.bucket, hit.place.key), hit.place.index, "record is a JSON str")
    return out.getvalue()


def _rows(hits: list[Hit]) -> str:
    rows = [row for hit in hits for row in (hit_row(hit, 1), told_row(hit, 1), *pointer_rows(hit, 1))]
    return "\n".join(json.dumps(encode(row), ensure_ascii=False) for row in rows)


def _csv(hits: list[Hit]) -> str:
    out = io.StringIO()
    for hit in hits:
        cells = (hit.event_name, hit.actor.text, hit.user_agent, hit.error_message, " ".join(hit.resources))
        csv.writer(out, lineterminator="\n").writerow(map(csv_cell, cells))
    return out.getvalue()


OUTPUTS: Mapping[str, Output] = {
    "subject": _each_alert(lambda alert: mail_subject(alert.hits)),
    "mail": _each_alert(lambda alert: mail_text(alert.hits)),
    "alert": _each_alert(lambda alert: json.dumps(alert_document(alert), ensure_ascii=False)),
    "attributes": _each_alert(lambda alert: "\n".join(alert_attributes(alert).values())),
    "rows": _rows,
    "table of hits": lambda hits: _printed(lambda: print_hits(hits, "table")),
    "lines of hits": lambda hits: _printed(lambda: print_hits(hits, "jsonl")),
    "table of alerts": lambda hits: _printed(lambda: print_alerts(group_hits(hits), "table")),
    "lines of alerts": lambda hits: _printed(lambda: print_alerts(group_hits(hits), "jsonl")),
    "log": _logged,
    "csv": _csv,
    "html": lambda hits: "\n".join(html_text(hit.user_agent + hit.actor.text) for hit in hits),
}
