"""What a request names of the kinds of things that the alerter is made of: functions, topics, queues, alarms, roles …

Names, ARNs and URLs of one thing come to the same here, so that rules need not know how somebody spelt it.
Event source mappings are known by a UUID alone; the answer says whose they are.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Callable, Iterable

from trailbell.cloudtrail.record import Record, texts
from trailbell.text.lazy_pattern import lazy_pattern


Named = Iterable[str]
"""Complete ARNs, or what follows the account in one (`function:name`)."""

# https://sqs.us-east-1.amazonaws.com/111122223333/orders, and older hosts
_QUEUE_URL = lazy_pattern(r"https?://[^/]+/(?:[0-9]{12}/)?([^/]+)/?")


def alerter_parts(record: Record) -> tuple[str, list[str]]:
    """The service's name in ARNs, and the things the record is about; ("", []) for other services."""
    found = _PARTS.get(record.service)
    if not found:
        return "", []
    service, finder = found
    return service, list(finder(record))


def _request(record: Record, *members: str) -> list[str]:
    return [value for member in members for value in texts(record.fields, "requestParameters", member)]


def _response(record: Record, *members: str) -> list[str]:
    return [value for member in members for value in texts(record.fields, "responseElements", member)]


def _kind(kind: str, names: Iterable[str]) -> Named:
    return [name if name.startswith("arn:") else kind + name for name in names]


def _lambda(record: Record) -> Named:
    """A function goes by name, `name:alias`, `account:function:name` or ARN."""
    for name in _request(record, "functionName"):
        yield name if name.startswith("arn:") else "function:" + name.rpartition("function:")[2]
    yield from _kind("layer:", _request(record, "layerName"))
    yield from _request(record, "resource", "resourceArn")
    if "EventSourceMapping" in record.event_name:
        mappings = dict.fromkeys(_request(record, "uUID", "uuid", "UUID") or _response(record, "uUID", "uuid", "UUID"))
        yield from _kind("event-source-mapping:", mappings)
        yield from _request(record, "eventSourceArn") + _response(record, "functionArn", "eventSourceArn")


def _sns(record: Record) -> Named:
    """A subscription's ARN is its topic's with a UUID behind it."""
    subscriptions = _request(record, "subscriptionArn")
    yield from _request(record, "topicArn", "resourceArn")
    yield from (subscription.rpartition(":")[0] for subscription in subscriptions if subscription.count(":") > 5)
    yield from subscriptions


def _sqs(record: Record) -> Named:
    for url in _request(record, "queueUrl"):
        found = _QUEUE_URL.fullmatch(url)
        yield found[1] if found else url
    yield from _request(record, "queueName", "sourceArn", "destinationArn")


def _dynamodb(record: Record) -> Named:
    yield from _kind("table/", _request(record, "tableName", "sourceTableName", "globalTableName"))
    yield from _request(record, "tableArn", "resourceArn", "backupArn", "sourceTableArn")


def _logs(record: Record) -> Named:
    groups = _request(record, "logGroupName", "logGroupIdentifier")
    yield from _kind("log-group:", groups)
    yield from _request(record, "resourceIdentifier", "resourceArn")


def _iam(record: Record) -> Named:
    yield from _kind("role/", _request(record, "roleName"))
    yield from _request(record, "policyArn")


def _alarms(record: Record) -> Named:
    """A mute rule silences the alarms it names; it is not one itself."""
    yield from _kind("alarm:", _request(record, "alarmName", "alarmNames"))
    yield from _kind("alarm:", texts(record.fields, "requestParameters", "muteTargets", "alarmNames"))
    yield from _kind("alarm-mute-rule:", _request(record, "alarmMuteRuleName"))
    if record.event_name.endswith("MuteRule"):
        yield from _kind("alarm-mute-rule:", _request(record, "name"))


def _cloudformation(record: Record) -> Named:
    yield from _kind("stack/", _request(record, "stackName", "stackId"))
    definitions = record.fields.get("requestParameters")
    listed = definitions.get("stackDefinitions") if isinstance(definitions, dict) else None
    for definition in listed if isinstance(listed, list) else ():
        yield from _kind("stack/", texts(definition, "stackName"))


def _events(record: Record) -> Named:
    """Of a rule on an event bus only the rule: whoever reads alerts from our bus adds rules of their own to it."""
    rules = _request(record, "rule")
    if record.event_name.endswith("Rule"):
        rules += _request(record, "name")
    if rules:
        yield from _kind("rule/", rules)
        return
    yield from _kind("event-bus/", _request(record, "eventBusName"))
    if record.event_name.endswith("EventBus"):
        yield from _kind("event-bus/", _request(record, "name"))


def _scheduler(record: Record) -> Named:
    groups = _request(record, "groupName")
    group = groups[0] if groups else "default"
    if record.event_name.endswith("ScheduleGroup"):
        return _kind("schedule-group/", _request(record, "name"))
    return _kind(f"schedule/{group}/", _request(record, "name"))


# First label of the event source → the service in its ARNs, and what finds the parts.
_PARTS: dict[str, tuple[str, Callable[[Record], Named]]] = {
    "lambda": ("lambda", _lambda),
    "sns": ("sns", _sns),
    "sqs": ("sqs", _sqs),
    "dynamodb": ("dynamodb", _dynamodb),
    "logs": ("logs", _logs),
    "iam": ("iam", _iam),
    "monitoring": ("cloudwatch", _alarms),
    "cloudformation": ("cloudformation", _cloudformation),
    "events": ("events", _events),
    "scheduler": ("scheduler", _scheduler),
}
