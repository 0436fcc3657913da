"""Calls on topics, event buses, Security Hub and queues."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.infra.iam.account import ACCOUNT, REGION
from tests.infra.iam.call import Call
from tests.infra.iam.world import Clients, World


def topic_calls(world: World, role: str) -> Iterator[Call]:
    topic, notified = world.name("AlertsTopic"), role == "Notifier"

    def call(action: str, on: str, arn: str, run: Callable[[Any], object], allowed: bool = False) -> Call:
        return Call(role, f"sns:{action}", on, arn, allowed, lambda _, clients: run(clients("sns")))

    yield call("Publish", "the alert topic", topic, lambda sns: sns.publish(TopicArn=topic, Message="x"), notified)
    if world.channels:
        chat = world.name("OthersChat")
        yield call("Publish", "the chat topic", chat, lambda sns: sns.publish(TopicArn=chat, Message="x"), notified)
    for on, arn in {"the operations topic": world.name("WatchTopic"), "another topic": world.other_topic}.items():
        yield call("Publish", on, arn, lambda sns, arn=arn: sns.publish(TopicArn=arn, Message="x"))  # type: ignore[misc]
    yield call(
        "Subscribe",
        "the alert topic",
        topic,
        lambda sns: sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="eve@example.com"),
    )
    yield call("DeleteTopic", "the alert topic", topic, lambda sns: sns.delete_topic(TopicArn=topic))
    yield call(
        "SetTopicAttributes",
        "the alert topic",
        topic,
        lambda sns: sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="x"),
    )


def bus_calls(world: World, role: str) -> Iterator[Call]:
    buses = {"another event bus": ("default", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default", False)}
    if world.channels:
        buses["the event bus"] = (world.name("OthersBus"), world.name("OthersBus.Arn"), role == "Notifier")
    for on, (name, arn, allowed) in buses.items():

        def put(_: World, clients: Clients, name: str = name) -> object:
            entry = {"Source": "x", "DetailType": "x", "Detail": "{}", "EventBusName": name}
            return clients("events").put_events(Entries=[entry])

        yield Call(role, "events:PutEvents", on, arn, allowed, put)


def hub_calls(world: World, role: str) -> Iterator[Call]:
    """Findings of our own product, and what would let an attacker hide those of others."""
    hub = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:hub/default"
    products = {"another product of Security Hub": ("product/aws/guardduty", False)}
    if world.channels:
        products["its own product of Security Hub"] = (f"product/{ACCOUNT}/default", role == "Notifier")
    for on, (name, allowed) in products.items():
        arn = hub.replace("hub/default", name)

        def put(_: World, clients: Clients, arn: str = arn) -> object:
            return clients("securityhub").batch_import_findings(Findings=[_finding(arn)])

        yield Call(role, "securityhub:BatchImportFindings", on, arn, allowed, put)

    # BatchUpdateFindings, which could suppress anybody's findings, is not in moto.
    for action, method in {"GetFindings": "get_findings", "DisableSecurityHub": "disable_security_hub"}.items():

        def ask(_: World, clients: Clients, method: str = method) -> object:
            return getattr(clients("securityhub"), method)()

        yield Call(role, f"securityhub:{action}", "Security Hub", hub, allowed=False, run=ask)


def _finding(product: str) -> dict[str, Any]:
    members = ("SchemaVersion", "Id", "GeneratorId", "CreatedAt", "UpdatedAt", "Title", "Description")
    resources = [{"Type": "Other", "Id": "x"}]
    return dict.fromkeys(members, "x") | {"ProductArn": product, "AwsAccountId": ACCOUNT, "Resources": resources}


_QUEUES = {
    "IngestQueue": "the ingest queue",
    "IngestDeadLetters": "the ingest queue's dead letters",
    "NotifierDeadLetters": "the notifier's dead letters",
}
_QUEUE_CALLS: dict[str, Callable[[World, Any, str, str], object]] = {
    "ReceiveMessage": lambda world, sqs, queue, url: sqs.receive_message(QueueUrl=url),
    "DeleteMessage": lambda world, sqs, queue, url: sqs.delete_message(
        QueueUrl=url, ReceiptHandle=world.receipt(queue)
    ),
    "ChangeMessageVisibility": lambda world, sqs, queue, url: sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=world.receipt(queue), VisibilityTimeout=0
    ),
    "GetQueueAttributes": lambda world, sqs, queue, url: sqs.get_queue_attributes(QueueUrl=url),
    "GetQueueUrl": lambda world, sqs, queue, url: sqs.get_queue_url(QueueName=url.rpartition("/")[2]),
    "SendMessage": lambda world, sqs, queue, url: sqs.send_message(QueueUrl=url, MessageBody="{}"),
    "PurgeQueue": lambda world, sqs, queue, url: sqs.purge_queue(QueueUrl=url),
    "DeleteQueue": lambda world, sqs, queue, url: sqs.delete_queue(QueueUrl=url),
    "SetQueueAttributes": lambda world, sqs, queue, url: sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"}
    ),
}
# What Lambda does in the roles' names. The poller of a queue and the destination of a stream's failures:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_POLLED = {
    ("Detector", "IngestQueue"): {"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"},
    ("Notifier", "NotifierDeadLetters"): {"SendMessage"},
}


def queue_calls(world: World, role: str) -> Iterator[Call]:
    for queue, on in _QUEUES.items():
        arn, url = world.name(f"{queue}.Arn"), world.name(queue)
        allowed = _POLLED.get((role, queue), set())
        for action, run in _QUEUE_CALLS.items():

            def made(world: World, clients: Clients, run: Any = run, queue: str = queue, url: str = url) -> object:
                return run(world, clients("sqs"), queue, url)

            yield Call(role, f"sqs:{action}", on, arn, action in allowed, made)
