"""The event bus: alerts for automation, in one of two forms.

    alert   one event an alert
        source       trailbell
        detail-type  Trailbell Alert
        resources    the ARNs of the first hits, at most ten
        detail       the alert as JSON (docs/schema/alert-1.json), the same as queues get from the alert topic
    ocsf    one event a hit
        source       trailbell
        detail-type  Trailbell OCSF Detection Finding
        resources    its ARNs, at most ten
        detail       the hit as a finding (alerts/ocsf.py)

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from trailbell.alerts.alert import Alert, alert_documents
from trailbell.alerts.batches import Item, send_all
from trailbell.alerts.channel import Bus, Clients, Declaration, Permission, Variables
from trailbell.alerts.finding import findings_of
from trailbell.alerts.ocsf import VERSION, ocsf_findings, ocsf_json
from trailbell.alerts.setting import Setting, boolean, one_of
from trailbell.alerts.summary import summary_of
from trailbell.errors import ChannelError


SOURCE = "trailbell"
DETAIL_TYPE = "Trailbell Alert"
OCSF_DETAIL_TYPE = "Trailbell OCSF Detection Finding"

# EventBridge takes ten entries and 256 KB at once: detail, source, detail type and resources, in UTF-8.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
_MAX_ENTRIES = 10
_MAX_BYTES = 250_000
_MAX_RESOURCES = 10
_MAX_ARN = 2048

_BUS = "TRAILBELL_EVENT_BUS"
_FORM = "TRAILBELL_EVENT_BUS_FORM"


class EventBus:
    """Puts events with an EventBridge client. form: "alert" or "ocsf"."""

    name = "event bus"

    def __init__(self, client: Any, bus: str, form: str = "alert", clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._bus, self._entries, self._clock = client, bus, _FORMS[form], clock

    def wants(self, alert: Alert) -> bool:
        """Every alert: rules on the bus choose by what stands in it."""
        return True

    def notify(self, alert: Alert) -> None:
        """Put an alert's events; raises ChannelError for those the bus refuses, and what botocore raises."""
        try:
            names, items = self._entries(alert)
            send_all(names, items, self._put, _MAX_ENTRIES, _MAX_BYTES, self._clock)
        except ChannelError as error:
            raise ChannelError(f"event bus: {error}") from error

    def _put(self, batch: Sequence[Item]) -> list[str]:
        answer = self._client.put_events(Entries=[{**item.content, "EventBusName": self._bus} for item in batch])
        if not answer["FailedEntryCount"]:
            return []
        refused = [(item, one) for item, one in zip(batch, answer["Entries"], strict=True) if one.get("ErrorCode")]
        return [f"{item.name}: {one['ErrorCode']}: {one.get('ErrorMessage')}" for item, one in refused]


Entries = tuple[Sequence[str], Iterable[Item]]


def _alert_entries(alert: Alert) -> Entries:
    """One event, with as much detail as the bus takes."""
    entry = _entry(DETAIL_TYPE, summary_of(alert.hits).resources)
    room = _MAX_BYTES - _size(entry)
    for document in alert_documents(alert):
        detail = json.dumps(document, ensure_ascii=False)
        if len(detail.encode("utf-8")) <= room:
            break
    name = document["alertId"]
    return [name], [_item(name, entry, detail)]


def _ocsf_entries(alert: Alert) -> Entries:
    """An event for each hit."""
    return [finding.message_uid for finding in findings_of(alert)], _ocsf_items(alert)


def _ocsf_items(alert: Alert) -> Iterator[Item]:
    for hit, document in zip(alert.hits, ocsf_findings(alert), strict=True):
        entry = _entry(OCSF_DETAIL_TYPE, hit.resources)
        yield _item(document["metadata"]["uid"], entry, ocsf_json(document, _MAX_BYTES - _size(entry)))


def _entry(detail_type: str, resources: Iterable[str]) -> dict[str, Any]:
    arns = [one for one in resources if one.startswith("arn:") and len(one) <= _MAX_ARN]
    return {"Source": SOURCE, "DetailType": detail_type, "Resources": arns[:_MAX_RESOURCES]}


def _item(name: str, entry: Mapping[str, Any], detail: str) -> Item:
    return Item(name, {**entry, "Detail": detail}, _size(entry) + len(detail.encode("utf-8")))


def _size(entry: Mapping[str, Any]) -> int:
    return sum(len(text.encode("utf-8")) for text in (entry["Source"], entry["DetailType"], *entry["Resources"]))


_FORMS: dict[str, Callable[[Alert], Entries]] = {"alert": _alert_entries, "ocsf": _ocsf_entries}


def _open(variables: Variables, clients: Clients) -> EventBus | None:
    bus = variables.text(_BUS, required=False)
    form = variables.text(_FORM, required=False) or "alert"
    return EventBus(clients.impatient_client("events"), bus, form) if bus else None


CHANNEL = Declaration(
    name=EventBus.name,
    settings=(
        Setting(
            name="event_bus",
            default=False,
            read=boolean,
            about="Creates an event bus to which alerts of all levels are sent, and the alarm `ChannelFailing`: "
            "[channels](channels.md#event-bus).",
            examples=("-c event_bus=true",),
        ),
        Setting(
            name="event_bus_form",
            default="alert",
            read=one_of("alert", "ocsf"),
            about=f"What is sent: the alert as [JSON](channels.md#json), or each of its hits as a Detection Finding of "
            f"[OCSF](channels.md#ocsf), version {VERSION}. Needs `event_bus`.",
            examples=("-c event_bus=true -c event_bus_form=ocsf",),
        ),
    ),
    environment=lambda site: {_BUS: site.reference, _FORM: site.settings["event_bus_form"]},
    permissions=lambda site: [Permission(("events:PutEvents",), site.arn)],
    calls={"events": ("PutEvents",)},
    open=_open,
    builds=Bus(
        place="Others/Bus",
        description="trailbell: one event an alert",
        output="EventBus",
        says="Rules for automation go here",
    ),
)
