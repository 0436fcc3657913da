"""The recipes of examples/channels/ deliver to stubs what PagerDuty, Opsgenie and Jira take, and close it again.

No AWS here calls API destinations, so what EventBridge would do is done by hand, by its documentation: the pattern is
matched (by moto), the template is filled in, the connection's parameters are laid over it, and the request is sent.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_HttpParameters.html
"""

import base64
import json
import re
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import fastjsonschema
import pytest
import yaml
from cfnlint.api import ManualArgs, lint
from moto.events.models import EventPattern

from tests.golden.alerts import awkward_alerts, rule_alerts
from tests.unit.stub_server import Stub, running_stub
from trailbell.alerts.alert import Alert
from trailbell.alerts.channels.bus import EventBus


FOLDER = Path(__file__).parents[2] / "examples" / "channels"
KEY = "0123456789abcdef0123456789abcdef"
GIVEN = {
    "BusName": "trailbell",
    "RoutingKey": KEY,
    "ApiKey": KEY,
    "Host": "api.opsgenie.com",
    "Site": "example.atlassian.net",
    "Email": "trailbell@example.com",
    "ApiToken": KEY,
    "Project": "SEC",
    "IssueType": "Task",
}

# https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
PAGERDUTY = fastjsonschema.compile(
    {
        "type": "object",
        "required": ["routing_key", "event_action"],
        "properties": {
            "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
            "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
            "dedup_key": {"type": "string", "minLength": 1, "maxLength": 255},
            "payload": {
                "type": "object",
                "required": ["summary", "source", "severity"],
                "properties": {
                    "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
                    "source": {"type": "string", "minLength": 1},
                    "severity": {"enum": ["critical", "error", "warning", "info"]},
                    "timestamp": {"type": "string"},
                    "component": {"type": "string"},
                    "group": {"type": "string"},
                    "class": {"type": "string"},
                    "custom_details": {"type": "object"},
                },
                "additionalProperties": False,
            },
        },
        "if": {"properties": {"event_action": {"const": "trigger"}}},
        "then": {"required": ["payload"]},
        "else": {"required": ["dedup_key"]},
        "additionalProperties": False,
    }
)
# https://docs.opsgenie.com/docs/alert-api
OPSGENIE = fastjsonschema.compile(
    {
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": {"type": "string", "minLength": 1, "maxLength": 130},
            "alias": {"type": "string", "minLength": 1, "maxLength": 512},
            "source": {"type": "string", "maxLength": 100},
            "entity": {"type": "string", "maxLength": 512},
            "priority": {"enum": ["P1", "P2", "P3", "P4", "P5"]},
            "tags": {"type": "array", "maxItems": 20, "items": {"type": "string", "maxLength": 50}},
            "details": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "additionalProperties": False,
    }
)
OPSGENIE_CLOSE = fastjsonschema.compile(
    {
        "type": "object",
        "properties": {"source": {"type": "string", "maxLength": 100}, "note": {"type": "string", "maxLength": 25_000}},
        "additionalProperties": False,
    }
)
# https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-post
# https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
JIRA = fastjsonschema.compile(
    {
        "type": "object",
        "required": ["fields"],
        "properties": {
            "fields": {
                "type": "object",
                "required": ["project", "issuetype", "summary"],
                "properties": {
                    "project": {"type": "object", "required": ["key"]},
                    "issuetype": {"type": "object", "required": ["name"]},
                    "summary": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^\n]*$"},
                    "labels": {"type": "array", "items": {"type": "string", "pattern": "^\\S{1,255}$"}},
                    "description": {
                        "type": "object",
                        "required": ["type", "version", "content"],
                        "properties": {"type": {"const": "doc"}, "version": {"const": 1}},
                    },
                },
                "additionalProperties": False,
            }
        },
        "additionalProperties": False,
    }
)


class Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.ScalarNode) -> dict[str, str]:
    return {suffix: str(loader.construct_scalar(node))}


Loader.add_multi_constructor("!", _function)


def template(name: str) -> dict[str, Any]:
    loaded = yaml.load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"), Loader)  # noqa: S506 (a SafeLoader)
    assert isinstance(loaded, dict)
    return loaded


def resolved(value: Any) -> Any:
    """A value of the template with parameters filled in; of what CloudFormation makes the logical id stays."""
    match value:
        case {"Ref": name}:
            return GIVEN.get(name, name)
        case {"Sub": text}:
            return re.sub(r"\$\{(\w+)\}", lambda found: GIVEN[found[1]], text)
        case {"GetAtt": path}:
            return path.partition(".")[0]
        case dict():
            return {key: resolved(member) for key, member in value.items()}
        case list():
            return [resolved(member) for member in value]
    return value


@dataclass(frozen=True)
class Request:
    """What EventBridge sends."""

    address: str
    headers: Mapping[str, str]
    body: dict[str, Any]


def requests(name: str, event: Mapping[str, Any]) -> Iterator[Request]:
    """What EventBridge sends for an event by the rules of a recipe."""
    resources = {key: resolved(one["Properties"]) for key, one in template(name)["Resources"].items()}
    for rule in (one for one in resources.values() if "EventPattern" in one):
        assert rule["EventBusName"] == "trailbell"
        if EventPattern.load(json.dumps(rule["EventPattern"])).matches_event(cast(Any, event)):
            for target in rule["Targets"]:
                destination = resources[target["Arn"]]
                assert destination["HttpMethod"] == "POST"
                yield _request(target, destination, resources[destination["ConnectionArn"]], event)


def _request(
    target: Mapping[str, Any], destination: Mapping[str, Any], connection: Mapping[str, Any], event: Mapping[str, Any]
) -> Request:
    address, parameters = destination["InvocationEndpoint"], target.get("HttpParameters", {})
    for path in parameters.get("PathParameterValues", ()):
        address = address.replace("*", str(at(event, path)), 1)
    query = parameters.get("QueryStringParameters", {})
    address += "?" * bool(query) + "&".join(f"{key}={value}" for key, value in query.items())
    auth = connection["AuthParameters"]
    more = auth.get("InvocationHttpParameters", {}).get("BodyParameters", [])
    body = filled(target["InputTransformer"], event) | {one["Key"]: one["Value"] for one in more}
    return Request(address, {"Content-Type": "application/json", **_authorization(auth)}, body)


def _authorization(auth: Mapping[str, Any]) -> dict[str, str]:
    if key := auth.get("ApiKeyAuthParameters"):
        return {key["ApiKeyName"]: key["ApiKeyValue"]}
    basic = auth["BasicAuthParameters"]
    return {"Authorization": "Basic " + base64.b64encode(f"{basic['Username']}:{basic['Password']}".encode()).decode()}


def filled(transformer: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """The template with its variables as JSON values. Inside of a quoted text they would not be, so none may be."""
    outside = re.sub(r'"[^"<>]*"', "", transformer["InputTemplate"])
    assert '"' not in outside, "a variable stands inside a text"
    values = {name: json.dumps(at(event, path)) for name, path in transformer["InputPathsMap"].items()}
    text = re.sub(r"<(\w+)>", lambda found: values[found[1]], transformer["InputTemplate"])
    loaded = json.loads(text)
    assert isinstance(loaded, dict)
    return loaded


def at(event: Any, path: str) -> Any:
    """The value at a path such as $.detail.level, which must be there: EventBridge leaves out what is not."""
    for name in path.removeprefix("$.").split("."):
        event = event[name]
    return event


class Events:
    """An EventBridge client that makes of an entry the event that rules see."""

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (the API's name)
        (entry,) = Entries
        self.event = {
            "version": "0",
            "id": "1",
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "account": "111122223333",
            "resources": entry["Resources"],
            "detail": json.loads(entry["Detail"]),
        }
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}


def event_of(alert: Alert) -> dict[str, Any]:
    client = Events()
    EventBus(client, "trailbell").notify(alert)
    return client.event


ALERTS = {rule.name: alert for rule, alert in rule_alerts()} | {
    f"case-{name}": alert for name, _, alert in awkward_alerts()
}
SEVERE = {name: alert for name, alert in ALERTS.items() if alert.sample.level in ("high", "critical")}
NEW = {name: alert for name, alert in SEVERE.items() if not alert.follow_ups}
UNDONE = [alert for alert in SEVERE.values() if alert.follow_ups and alert.follow_ups[0].word == "undone"]
CHECKS = {"pagerduty": PAGERDUTY, "opsgenie": OPSGENIE, "jira": JIRA}


@pytest.mark.parametrize("name", CHECKS)
def test_template_is_one_that_cloudformation_takes(name: str) -> None:
    """A recipe that does not deploy is none."""
    text = (FOLDER / f"{name}.yml").read_text(encoding="utf-8")

    assert [str(match) for match in lint(text, config=ManualArgs(regions=["eu-central-1"]))] == []


@pytest.mark.parametrize("name", CHECKS)
def test_every_severe_alert_is_one_request_that_the_service_takes(name: str) -> None:
    """Of every rule, and the awkward ones: what is refused is an incident nobody hears of."""
    assert len(NEW) > 50
    for alert in NEW.values():
        (request,) = requests(name, event_of(alert))
        CHECKS[name](request.body)


@pytest.mark.parametrize("name", CHECKS)
def test_other_alerts_are_none(name: str) -> None:
    """Reminders and what is less severe page nobody."""
    others = [alert for alert in ALERTS.values() if alert not in NEW.values() and alert not in UNDONE]
    assert len(others) > 20
    assert [request for alert in others for request in requests(name, event_of(alert))] == []


def sent(stub: Stub, request: Request) -> tuple[str, dict[str, str], Any]:
    """A request at the stub in place of the service: path, headers, body."""
    path = re.sub(r"https://[^/]+", "", request.address)
    host = stub.address.partition("/services")[0]
    posted = urllib.request.Request(  # noqa: S310 (the stub's)
        host + path, json.dumps(request.body).encode(), dict(request.headers), method="POST"
    )
    with urllib.request.urlopen(posted) as answer:  # noqa: S310
        assert answer.status == 202
    place, headers, body = stub.requests[-1]
    return place, {name.lower(): value for name, value in headers.items()}, json.loads(body)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as running:
        running.answers = [202]
        yield running


def test_pagerduty_opens_and_resolves_one_incident(stub: Stub) -> None:
    """By the deduplication key, which the act's short id is."""
    undone = UNDONE[0]
    (opening,) = requests("pagerduty", event_of(replace(undone, follow_ups=())))
    (closing,) = requests("pagerduty", event_of(undone))
    PAGERDUTY(closing.body)

    path, _, opened = sent(stub, opening)
    again, _, closed = sent(stub, closing)

    assert path == again == "/v2/enqueue"
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"] == undone.sample.short_id
    assert opened["routing_key"] == closed["routing_key"] == KEY
    assert opened["payload"]["summary"] == replace(undone, follow_ups=()).subject


def test_opsgenie_opens_and_closes_one_alert(stub: Stub) -> None:
    """By its alias."""
    undone = UNDONE[0]
    (opening,) = requests("opsgenie", event_of(replace(undone, follow_ups=())))
    (closing,) = requests("opsgenie", event_of(undone))
    OPSGENIE_CLOSE(closing.body)

    path, headers, opened = sent(stub, opening)
    again, _, closed = sent(stub, closing)

    assert path == "/v2/alerts"
    assert headers["authorization"] == f"GenieKey {KEY}"
    assert again == f"/v2/alerts/{opened['alias']}/close?identifierType=alias"
    assert closed["note"] == undone.follow_ups[0].by


def test_jira_gets_an_issue_with_the_text_of_the_mail(stub: Stub) -> None:
    """As a block of code, in which nothing is markup."""
    alert = NEW["kms-key-deletion-scheduled"]
    (request,) = requests("jira", event_of(alert))

    path, headers, issue = sent(stub, request)

    assert path == "/rest/api/3/issue"
    assert base64.b64decode(headers["authorization"].split()[1]).decode() == f"trailbell@example.com:{KEY}"
    assert issue["fields"]["project"] == {"key": "SEC"}
    assert issue["fields"]["labels"] == ["trailbell", alert.sample.level, alert.sample.short_id]
    (block,) = issue["fields"]["description"]["content"]
    assert block["type"] == "codeBlock"
    assert block["content"] == [{"type": "text", "text": alert.text(30_000)}]


@pytest.mark.parametrize("name", CHECKS)
def test_secrets_stand_in_no_template(name: str) -> None:
    """Each is a parameter that is not shown, and a connection keeps it."""
    loaded = template(name)
    secret = [key for key, one in loaded["Parameters"].items() if one.get("NoEcho")]

    assert len(secret) == 1
    rest = {key: one for key, one in loaded["Resources"].items() if one["Type"] != "AWS::Events::Connection"}
    assert secret[0] not in json.dumps(rest)
    assert secret[0] in json.dumps(loaded["Resources"]["Connection"])
