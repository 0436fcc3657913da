"""The event bus: alerts for automation, one event an alert.

    source       trailbell
    detail-type  Trailbell Alert
    resources    the ARNs of the first hits, at most ten
    detail       the alert as JSON (docs/schema/alert-1.json), the same as queues get from the alert topic

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

import json
from typing import Any

from trailbell.alerts.alert import Alert, alert_documents
from trailbell.alerts.channel import Bus, Clients, Declaration, Permission, Variables
from trailbell.alerts.setting import Setting, boolean
from trailbell.alerts.summary import summary_of
from trailbell.errors import ChannelError


SOURCE = "trailbell"
DETAIL_TYPE = "Trailbell Alert"

# EventBridge takes 256 KB: detail, source, detail type and resources, in UTF-8.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
_MAX_ENTRY_BYTES = 250_000
_MAX_RESOURCES = 10
_MAX_ARN = 2048

_BUS = "TRAILBELL_EVENT_BUS"


class EventBus:
    """Puts events with an EventBridge client."""

    name = "event bus"

    def __init__(self, client: Any, bus: str) -> None:
        self._client, self._bus = client, bus

    def wants(self, alert: Alert) -> bool:
        """Every alert: rules on the bus choose by what stands in it."""
        return True

    def notify(self, alert: Alert) -> None:
        """Put one event; raises ChannelError if the bus refuses it, and what botocore raises."""
        entry = {**_entry(alert), "EventBusName": self._bus}
        answer = self._client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            (refused,) = answer["Entries"]
            raise ChannelError(f"event bus: {refused.get('ErrorCode')}: {refused.get('ErrorMessage')}")


def _entry(alert: Alert) -> dict[str, Any]:
    arns = [one for one in summary_of(alert.hits).resources if one.startswith("arn:") and len(one) <= _MAX_ARN]
    resources = arns[:_MAX_RESOURCES]
    taken = sum(len(text.encode("utf-8")) for text in (SOURCE, DETAIL_TYPE, *resources))
    for document in alert_documents(alert):
        detail = json.dumps(document, ensure_ascii=False)
        if taken + len(detail.encode("utf-8")) <= _MAX_ENTRY_BYTES:
            break
    return {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Resources": resources, "Detail": detail}


def _open(variables: Variables, clients: Clients) -> EventBus | None:
    bus = variables.text(_BUS, required=False)
    return EventBus(clients.impatient_client("events"), bus) if bus else None


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
    ),
    environment=lambda site: {_BUS: site.reference},
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
