"""The dashboard and the alarms show what the functions emit, by the names they emit it under."""

import contextlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from trailbell.cloudtrail.object_key import ObjectKind
from trailbell.flows.audit import AuditCounters
from trailbell.flows.canary import CanaryCounters
from trailbell.flows.clock import ClockCounters
from trailbell.flows.counters import DetectorCounters as Detected
from trailbell.flows.delivery import DeliveryCounters
from trailbell.flows.follow_ups import FollowUpCounters
from trailbell.flows.stream_batch import NotifierCounters as Notified
from trailbell.handlers import audit, clock, detector, handover, notifier


Template = dict[str, Any]
Names = dict[str, set[str]]

# Emitted, and left for a closer look: sums of what is shown, and what is ignored by its kind.
NOT_SHOWN = {
    "detector": {"RecordsRead", "CountMismatch", "CanariesDetected"}
    | {f"ObjectsIgnored{kind.capitalize()}" for kind in ObjectKind if kind is not ObjectKind.LOG_FILE},
    "handover": {"HitsNotReceived"},
    "clock": {"TasksFailed", "DueDone", "DueFailed", "DueUnknown", "CanariesSent", "ClockRuns"},
    "notifier": {"HitsReceived", "HitsUnreadable", "CountMismatch", "RelatedRead", "RelatedFailed", "RelatedSkipped"},
}
COLUMNS = 24
SERVICES = ("detector", "notifier", "clock", "audit")
OF_TWO = {"SlowestEventToAlert": "notifier", "CanarySeconds": "clock"}
"""Those that are drawn together, from the logs of two functions."""


class Recorder:
    """Stands where Powertools' metrics stand, and keeps the names."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def add_metric(self, name: str, **_: object) -> None:
        self.names.add(name)

    def add_metadata(self, **_: object) -> None:
        """What is in the log alone; nobody draws it."""


@pytest.fixture(scope="session")
def emitted() -> Names:
    """What the handlers emit after a batch in which everything happened, by service."""
    recorders: dict[str, Any] = {name: Recorder() for name in ("detector", "notifier", "clock")}
    detector._count(recorders["detector"], Detected(hits_new=1, objects_ignored=Counter({ObjectKind.FOREIGN: 1})))
    notifier._count(recorders["notifier"], Notified(alerts_sent=1))
    notifier._count_delivery(recorders["notifier"], DeliveryCounters())
    notifier._count_follow_ups(recorders["notifier"], FollowUpCounters(sent=1, failed=1))
    clock._count_run(recorders["clock"], ClockCounters())
    clock._count_canaries(recorders["clock"], CanaryCounters(seconds=[1]))
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        handover.kept(1)
    (line,) = [json.loads(line) for line in written.getvalue().splitlines()]
    names = {one["Name"] for directive in line["_aws"]["CloudWatchMetrics"] for one in directive["Metrics"]}
    return {line["service"]: names} | {service: recorder.names for service, recorder in recorders.items()}


def resources(template: Template, kind: str) -> dict[str, Template]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == kind}


def plain(value: Any) -> str:
    """A value of the template as text, references as the logical id of what they mean."""
    match value:
        case {"Ref": name}:
            return str(name)
        case {"Fn::GetAtt": [name, _]}:
            return str(name)
        case {"Fn::Join": ["", parts]}:
            return "".join(map(plain, parts))
    return str(value)


@pytest.fixture(scope="session")
def widgets_of(template_of: Callable[..., Template]) -> Callable[..., list[Template]]:
    """The dashboard's widgets, for some settings."""

    def make(**settings: Any) -> list[Template]:
        (dashboard,) = resources(template_of(**settings), "AWS::CloudWatch::Dashboard").values()
        return list(json.loads(plain(dashboard["DashboardBody"]))["widgets"])

    return make


@pytest.fixture(scope="session")
def widgets(widgets_of: Callable[..., list[Template]]) -> list[Template]:
    return widgets_of()


def series(widgets: list[Template]) -> list[list[Any]]:
    """The metrics of all graphs: namespace, name, dimensions, and how it is drawn."""
    return [metric for widget in widgets for metric in widget["properties"].get("metrics", ())]


def own_names(widgets: list[Template]) -> Names:
    """What is drawn of the functions' own counts, by service: from metrics, and from what their logs say."""
    found = own([(metric[0], metric[1], metric[2:4]) for metric in series(widgets)])
    for widget in widgets:
        if widget["type"] == "log":
            query = widget["properties"]["query"]
            services = {service for service in SERVICES if service.capitalize() in query.partition("| filter")[0]}
            for name in re.findall(r"counts\.(\w+)\) as", query):
                found.setdefault("".join(services) if len(services) == 1 else OF_TWO[name], set()).add(name)
    return found


def own(metrics: list[tuple[str, str, list[str]]]) -> Names:
    """The names among them that are ours, by service."""
    found: Names = {}
    for namespace, name, dimensions in metrics:
        if namespace == "trailbell":
            key, service = dimensions
            assert key == "service"
            found.setdefault(service, set()).add(name)
    return found


def test_every_metric_of_the_functions_is_shown_or_left_out_on_purpose(widgets: list[Template], emitted: Names) -> None:
    """A renamed metric leaves an empty graph that looks like a quiet night."""
    shown = own_names(widgets)

    left = {service: emitted[service] - NOT_SHOWN[service] for service in emitted}
    assert shown == {service: names for service, names in left.items() if names}
    assert [service for service, names in NOT_SHOWN.items() if names - emitted[service]] == []


def test_every_metric_an_alarm_watches_is_emitted(template_of: Callable[..., Template], emitted: Names) -> None:
    """An alarm on a name that nobody emits is one that never rings."""
    alarms = resources(template_of(), "AWS::CloudWatch::Alarm").values()

    watched = own(
        [
            (alarm["Namespace"], alarm["MetricName"], [text for pair in alarm["Dimensions"] for text in pair.values()])
            for alarm in alarms
        ]
    )

    assert watched == {
        "detector": {"CountMismatch", "ObjectsRead"},
        "notifier": {"CountMismatch", "HitsFailed"},
        "handover": {"HitsNotReceived"},
        "clock": {"ClockRuns", "CanariesReturned"},
    }
    assert [service for service, names in watched.items() if names - emitted[service]] == []


@pytest.mark.parametrize("settings", [{}, {"silence_minutes": 0}, {"audit": True}], ids=str)
def test_state_of_every_alarm_is_shown(
    template_of: Callable[..., Template], widgets_of: Callable[..., list[Template]], settings: dict[str, Any]
) -> None:
    """A promise whose alarm is missing from the row looks kept."""
    widgets = widgets_of(**settings)

    shown = [alarm for widget in widgets if widget["type"] == "alarm" for alarm in widget["properties"]["alarms"]]
    assert sorted(shown) == sorted(resources(template_of(**settings), "AWS::CloudWatch::Alarm"))


def test_what_the_audit_emits_is_shown_where_there_is_one(
    widgets_of: Callable[..., list[Template]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the flow, on the same screen."""
    recorder: Any = Recorder()
    recorder.flush_metrics = lambda: None
    monkeypatch.setattr(audit, "_metrics", lambda: recorder)
    audit._count(AuditCounters(), 0)

    assert own_names(widgets_of(audit=True))["audit"] == recorder.names
    assert "audit" not in own_names(widgets_of())


def test_silence_that_nobody_watches_is_said(widgets_of: Callable[..., list[Template]]) -> None:
    """Without its alarm the first promise is none."""

    def texts(**settings: Any) -> str:
        return " ".join(widget["properties"].get("markdown", "") for widget in widgets_of(**settings))

    assert "Nobody watches this" in texts(silence_minutes=0)
    assert "Nobody watches this" not in texts()


def test_flow_goes_from_left_to_right(widgets: list[Template]) -> None:
    """The eye follows a log file from the trail to the inbox."""
    headings = [widget for widget in widgets if widget["properties"].get("markdown", "").startswith("###")]

    ordered = sorted(headings, key=lambda widget: int(widget["x"]))
    assert [widget["properties"]["markdown"].split(":")[0] for widget in ordered] == [
        *("### Trail", "### Queue", "### Detector", "### Hit table", "### Notifier", "### Topic"),
    ]
    assert len({widget["y"] for widget in headings}) == 1


def test_dashboard_is_one_screen_in_which_nothing_overlaps(widgets: list[Template]) -> None:
    """What has to be scrolled to is not seen."""
    cells = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < COLUMNS
    assert max(y for _, y in cells) <= 21


def test_graphs_are_of_what_the_stack_has(template_of: Callable[..., Template], widgets: list[Template]) -> None:
    """A graph of another queue, function, table or topic says nothing about ours."""
    names = {*template_of()["Resources"]}

    foreign = [metric for metric in series(widgets) if metric[0] != "trailbell"]
    kinds = {(metric[0], metric[2]) for metric in foreign}
    assert kinds == {
        ("AWS/SQS", "QueueName"),
        ("AWS/Lambda", "FunctionName"),
        ("AWS/DynamoDB", "TableName"),
        ("AWS/SNS", "TopicName"),
    }
    assert {metric[3] for metric in foreign} <= names


def test_dashboards_name_is_an_output_and_the_regions_own(template_of: Callable[..., Template]) -> None:
    """All regions of an account share one list of dashboards: a second deployment would overwrite the first's."""
    template = template_of()
    (dashboard,) = resources(template, "AWS::CloudWatch::Dashboard").values()

    assert plain(dashboard["DashboardName"]) == "trailbell-AWS::Region"
    assert template["Outputs"]["Dashboard"]["Value"] == dashboard["DashboardName"]
