"""The webhook as the notifier calls it: its address comes from a secret and shows nowhere, and failures count."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.unit.stub_server import Stub, running_stub
from trailbell.alerts.alert import Alert
from trailbell.alerts.channels import webhook
from trailbell.alerts.channels.webhook import Webhook
from trailbell.alerts.https_post import HttpsPost
from trailbell.alerts.stored_secret import StoredSecret
from trailbell.alerts.webhook_forms import slack_message
from trailbell.aws.clients import Clients
from trailbell.engine.rulebook import Level
from trailbell.errors import ChannelError
from trailbell.handlers import notifier
from trailbell.hits.hit import Hit
from trailbell.store.dynamo import encode
from trailbell.store.rows import hit_row


GivenHit = Callable[..., Hit]
GivenWebhook = Callable[..., Webhook]
PAGE = (Path(__file__).parents[2] / "docs" / "channels.md").read_text(encoding="utf-8")
DONE: dict[str, list[object]] = {"batchItemFailures": []}


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture(params=["ssm:/trailbell/webhook", "secretsmanager:trailbell/webhook"])
def reference(request: pytest.FixtureRequest, stub: Stub) -> str:
    """The name of the secret that holds the stub's address."""
    store(request.param, f"{stub.address}\n")
    return str(request.param)


def store(reference: str, value: str) -> None:
    """Put a secret where its name says, in place of the one before."""
    service, _, name = reference.partition(":")
    client: Any = boto3.client(service)
    if service == "ssm":
        client.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
    elif client.list_secrets(Filters=[{"Key": "name", "Values": [name]}])["SecretList"]:
        client.put_secret_value(SecretId=name, SecretString=value)
    else:
        client.create_secret(Name=name, SecretString=value)


@pytest.fixture
def given_webhook(reference: str) -> GivenWebhook:
    """A webhook on the stub's address, which may be http and of this computer."""

    def make(form: str = "slack", signing: str = "") -> Webhook:
        secret = StoredSecret(Clients(), signing) if signing else None
        address = StoredSecret(Clients(), reference)
        return Webhook(HttpsPost(loopback=True), address, secret, form, Level.MEDIUM)

    return make


def failure_of(channel: Webhook, alert: Alert) -> str:
    with pytest.raises(ChannelError) as caught:
        channel.notify(alert)
    assert "SECRET" not in str(caught.value)
    return str(caught.value)


def test_slack_gets_the_message_and_nothing_that_is_not_asked_for(
    given_webhook: GivenWebhook, stub: Stub, given_hit: GivenHit
) -> None:
    """Slack takes JSON of this form; without a signing secret nothing is signed."""
    alert = Alert((given_hit(),))

    given_webhook().notify(alert)

    ((_, headers, body),) = stub.requests
    assert json.loads(body) == slack_message(alert)
    assert headers["Content-Type"] == "application/json"
    assert not [name for name in headers if name.startswith("X-Trailbell")]


def test_signature_is_what_the_page_tells_to_check(
    given_webhook: GivenWebhook, stub: Stub, given_hit: GivenHit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snippet is pasted; it must take ours, and refuse what was altered, is old, or has another key."""
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    documented: dict[str, Any] = {}
    exec(snippet, documented)  # noqa: S102 (our own page)
    is_ours = documented["is_ours"]
    store("ssm:/trailbell/signing", "a signing secret")

    given_webhook("json", "ssm:/trailbell/signing").notify(Alert((given_hit(),)))

    ((_, headers, body),) = stub.requests
    assert is_ours(headers, body, "a signing secret")
    assert not is_ours(headers, body + b" ", "a signing secret")
    assert not is_ours(headers, body, "another")
    assert not is_ours({**headers, "X-Trailbell-Timestamp": "1"}, body, "a signing secret")
    late = time.time() + 600
    monkeypatch.setattr(time, "time", lambda: late)
    assert not is_ours(headers, body, "a signing secret")


@pytest.mark.parametrize(("answers", "posts"), [([500, 200], 2), ([429, 503, 200], 3), ([204], 1)])
def test_request_is_sent_again_when_that_may_help(
    given_webhook: GivenWebhook, stub: Stub, given_hit: GivenHit, answers: list[int | str], posts: int
) -> None:
    """A hiccup of the other side loses no alert."""
    stub.answers, stub.headers = [*answers], {"Retry-After": "0"}

    given_webhook().notify(Alert((given_hit(),)))

    assert len(stub.requests) == posts


@pytest.mark.parametrize(("answer", "posts"), [(500, 3), (429, 3), (400, 1), (404, 1), (302, 1), ("reset", 1)])
def test_request_that_is_never_taken_fails_with_the_name_of_the_secret(
    given_webhook: GivenWebhook, reference: str, stub: Stub, given_hit: GivenHit, answer: int | str, posts: int
) -> None:
    """What may have arrived is not sent twice, and no redirect is followed."""
    stub.answers, stub.headers = [answer], {"Retry-After": "0", "Location": stub.address}

    said = failure_of(given_webhook(), Alert((given_hit(),)))

    assert said.startswith("webhook: ")
    assert said.endswith(f"(its address: {reference})")
    assert len(stub.requests) == posts


def test_wait_that_does_not_fit_is_not_waited_for(given_webhook: GivenWebhook, stub: Stub, given_hit: GivenHit) -> None:
    """A minute asked for by a chat would hold up every alert behind it."""
    stub.answers, stub.headers = [429], {"Retry-After": "60"}
    began = time.monotonic()

    assert "it answered 429" in failure_of(given_webhook(), Alert((given_hit(),)))
    assert (time.monotonic() - began < 3.0, len(stub.requests)) == (True, 1)


def test_slow_server_takes_a_few_seconds_at_most(given_webhook: GivenWebhook, stub: Stub, given_hit: GivenHit) -> None:
    """The function has two minutes for all alerts of a batch."""
    stub.answers = ["slow"]
    began = time.monotonic()

    assert "did not answer in time" in failure_of(given_webhook(), Alert((given_hit(),)))
    assert time.monotonic() - began < 7.0


@pytest.mark.parametrize("refusal", [401, 403, 404, 410])
def test_address_that_was_replaced_is_read_again(
    given_webhook: GivenWebhook, reference: str, stub: Stub, given_hit: GivenHit, refusal: int
) -> None:
    """A rotation needs no deployment, and loses no alert."""
    channel, alert = given_webhook(), Alert((given_hit(),))
    channel.notify(alert)
    store(reference, stub.address.replace("services/SECRET", "services/NEW"))
    stub.answers = [refusal, 200]

    channel.notify(alert)

    assert [path.partition("?")[0] for path, _, _ in stub.requests] == [
        "/services/SECRET",
        "/services/SECRET",
        "/services/NEW",
    ]


@pytest.fixture
def cold_notifier(
    monkeypatch: pytest.MonkeyPatch, table: str, topic_arn: str, reference: str
) -> Iterator[Callable[[Hit], dict[str, Any]]]:
    """The handler as Lambda calls it first, its webhook on this computer."""
    for cached in (notifier._parts, notifier._metrics):
        cached.cache_clear()
    logging.Logger.manager.loggerDict.pop("notifier", None)
    monkeypatch.setattr(webhook, "HttpsPost", lambda: HttpsPost(loopback=True))
    for name, value in {
        "TABLE": table,
        "TOPIC_ARN": topic_arn,
        "RETENTION_DAYS": "400",
        "WEBHOOK": reference,
        "WEBHOOK_FORM": "json",
        "WEBHOOK_LEVEL": "medium",
        "WEBHOOK_SIGNING_SECRET": "",
    }.items():
        monkeypatch.setenv(f"TRAILBELL_{name}", value)

    def invoke(hit: Hit) -> dict[str, Any]:
        change = {"SequenceNumber": "1", "NewImage": encode(hit_row(hit, 2_000_000_000))}
        return notifier.handler({"Records": [{"eventName": "INSERT", "dynamodb": change}]}, None)

    yield invoke
    notifier._parts.cache_clear()


@pytest.mark.parametrize(
    ("answer", "counted"), [(200, (1, 0)), (500, (0, 1)), (404, (0, 1)), ("reset", (0, 1)), ("nonsense", (0, 1))]
)
def test_address_is_in_no_log_and_failures_are_counted(
    cold_notifier: Callable[[Hit], dict[str, Any]],
    stub: Stub,
    given_hit: GivenHit,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    answer: int | str,
    counted: tuple[int, int],
) -> None:
    """Whoever may read the log must not be able to write into the chat; the mail has gone out in any case."""
    stub.answers, stub.headers = [answer], {"Retry-After": "0"}

    assert cold_notifier(given_hit(1)) == DONE

    written = "".join(capsys.readouterr()) + caplog.text
    assert "SECRET" not in written
    assert "localhost" not in written
    counts = json.loads(next(line for line in written.splitlines() if '"ChannelsFailed"' in line))["counts"]
    assert (counts["ChannelsNotified"], counts["ChannelsFailed"]) == counted
    assert counts["AlertsSent"] == 1


def test_secret_that_is_gone_is_a_failure_that_names_it(
    cold_notifier: Callable[[Hit], dict[str, Any]],
    reference: str,
    given_hit: GivenHit,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Deleted by mistake, it is to be found by what the log says."""
    name = reference.partition(":")[2]
    if reference.startswith("ssm"):
        boto3.client("ssm").delete_parameter(Name=name)
    else:
        boto3.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    assert cold_notifier(given_hit(1)) == DONE

    dropped = [line for line in capsys.readouterr().out.splitlines() if "will not be tried again" in line]
    assert len(dropped) == 1
    assert "NotFound" in dropped[0]
