"""`trailbell hits`, `hit`, `ack` and the others as they are typed, against a table."""

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Self

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from click.testing import CliRunner, Result

from trailbell.cli.hits.follow import INTERRUPTED, follow
from trailbell.cli.main import cli
from trailbell.cli.options.account import aws_client
from trailbell.cli.options.aws_errors import explain
from trailbell.cli.options.connection import Connection
from trailbell.cloudtrail.origin import Place
from trailbell.errors import SettingsError, StateError
from trailbell.hits.hit import Hit
from trailbell.hits.query import HitQuery
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.hit_table import DynamoHitTable


GivenHit = Callable[..., Hit]
Run = Callable[..., Result]
BUCKET, FILE = "trail", "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/09/15/a.json.gz"


@pytest.fixture
def run(table: str) -> Run:
    """Run a command on the table; errors are raised."""

    def make(*arguments: object, **environment: str) -> Result:
        words = [str(argument) for argument in arguments]
        return CliRunner(env=environment).invoke(cli, [*words, "--table", table], catch_exceptions=False)

    return make


@pytest.fixture
def keep(dynamodb: Any, table: str) -> Callable[..., list[Hit]]:
    def make(*hits: Hit) -> list[Hit]:
        DynamoHitTable(dynamodb, table, 400).keep(hits)
        return list(hits)

    return make


def since(*more: object) -> list[object]:
    return ["hits", "--since", "2026-09-15", "--until", "2026-09-15", *more]


def test_forms_say_the_same(run: Run, keep: Callable[..., list[Hit]], given_hit: GivenHit) -> None:
    """What a person reads, a program reads, and a spreadsheet reads."""
    hit, _ = keep(given_hit(1), given_hit(2, level="low", event_time="2026-09-15T09:00:00Z"))

    document = json.loads(run(*since("--format", "json")).stdout)
    lines = [json.loads(line) for line in run(*since("--format", "jsonl")).stdout.splitlines()]
    rows = list(csv.DictReader(io.StringIO(run(*since("--format", "csv")).stdout)))
    table = run(*since()).stdout.splitlines()

    assert document["hits"] == lines
    assert [row["hitId"] for row in rows] == [line["hitId"] for line in lines]
    assert rows[0]["resources"] == " ".join(lines[0]["resources"])
    assert table[0].split() == "id time (UTC) level state undo rule call actor resource account region".split()
    assert table[1].split()[:6] == [hit.short_id, "2026-09-15", "10:00:00", "high", "open", "kms-key-disabled"]


def test_pages_are_joined_by_a_token_on_stderr(run: Run, keep: Callable[..., list[Hit]], given_hit: GivenHit) -> None:
    """The token must not stand in the output that is piped on."""
    keep(*(given_hit(number, event_time=f"2026-09-15T10:00:{number:02}Z") for number in range(5)))

    first = run(*since("--format", "jsonl", "--limit", "3"))
    token = first.stderr.rpartition(" ")[2].strip()
    second = run(*since("--format", "jsonl", "--limit", "3", "--page-token", token))

    ids = [json.loads(line)["eventID"][-1] for line in (first.stdout + second.stdout).splitlines()]
    assert ids == ["4", "3", "2", "1", "0"]
    assert second.stderr == ""


def test_times_are_shown_and_understood_in_the_zone_asked_for(
    run: Run, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """10:00 UTC is noon in Berlin in September: whoever types what they read finds it again."""
    keep(given_hit(1))

    table = run("hits", "--from", "2026-09-15T12:00", "--to", "2026-09-15T12:00", "--tz", "Europe/Berlin").stdout
    (line,) = run(*since("--format", "jsonl"), TRAILBELL_TZ="Europe/Berlin").stdout.splitlines()

    assert "time (Europe/Berlin)" in table
    assert "2026-09-15 12:00:00" in table
    assert json.loads(line)["eventTime"] == "2026-09-15T12:00:00+02:00"
    assert "10:00:00" not in run("hits", "--from", "2026-09-15T12:00", "--to", "2026-09-15T13:00").stdout


def test_hostile_text_is_neither_a_formula_nor_an_escape_sequence(
    run: Run, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """An attacker names the operation; the person who asks opens the answer."""
    keep(given_hit(1, event_name='=HYPERLINK("http://x")\x1b[2J', region="@SUM(1)"))

    rows = list(csv.DictReader(io.StringIO(run(*since("--format", "csv")).stdout)))

    assert rows[0]["eventName"].startswith("'=") or rows[0]["eventName"].startswith("='")
    assert "\x1b" not in "".join(run(*since("--format", form)).stdout for form in ("csv", "table", "jsonl", "json"))


def test_story_of_a_hit_holds_record_alert_state_and_related(
    run: Run, keep: Callable[..., list[Hit]], given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """One command instead of five consoles; secrets in the record are not shown to whoever looks over a shoulder."""
    record = {
        "eventName": "DisableKey",
        "requestParameters": {"encryptionContext": {"purpose": "s3cr3t-context"}, "keyId": "k"},
        "responseElements": {"tokenValue": "AbCdEf123456", "streamUrl": "wss://secret.example"},
        "userIdentity": {"accessKeyId": "ASIAEXAMPLEEXAMPLE12"},
    }
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket=BUCKET, Key=FILE, Body=gzip.compress(json.dumps({"Records": [{}, record]}).encode()))
    hit, other, same_key = keep(
        given_hit(1, place=Place(BUCKET, FILE, 1)),
        given_hit(2, event_time="2026-09-15T10:30:00Z", resources=()),
        given_hit(3, event_time="2026-09-15T09:30:00Z", actor="arn:aws:iam::111122223333:role/Other"),
    )
    DynamoDeliveryRecords(dynamodb, table, 400).record([hit])
    run("ack", hit.short_id, "--note", "asking alice")

    story = run("hit", hit.short_id).stdout
    document = json.loads(run("hit", hit.hit_id, "--format", "json").stdout)
    open_record = json.loads(run("hit", hit.event_id, "--format", "json", "--show-secrets").stdout)["record"]

    assert "acked by arn:aws:" in story
    assert "asking alice" in story
    assert "; notified" in story
    assert "HIGH - KMS Key Disabled" in story
    for secret in ("s3cr3t-context", "AbCdEf123456", "wss://secret", "ASIAEXAMPLE"):
        assert secret not in story, secret
        assert secret in json.dumps(open_record), secret
    assert document["record"]["requestParameters"] == {"encryptionContext": {"purpose": "[redacted]"}, "keyId": "k"}
    assert [one["hitId"] for one in document["relatedByActor"]] == [other.hit_id]
    assert [one["hitId"] for one in document["relatedByResource"]] == [same_key.hit_id]
    assert document["history"][0]["note"] == "asking alice"


def test_story_is_told_without_its_record(run: Run, keep: Callable[..., list[Hit]], given_hit: GivenHit) -> None:
    """Log files move to cold storage, and not everybody may read them."""
    (hit,) = keep(given_hit(1))

    result = run("hit", hit.hit_id)

    assert result.exit_code == 0
    assert "The record: s3://trail/" in result.stdout
    assert "the bucket is gone" in result.stdout


def test_work_on_hits_is_seen_by_the_next_who_asks(
    run: Run, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """ack, resolve, reopen and note, as a team uses them."""
    first, second = keep(given_hit(1), given_hit(2))

    assert "acked (was open)" in run("ack", first.short_id).stdout
    run("resolve", first.short_id, second.short_id, "-m", "planned")
    run("note", second.short_id, "CHG-4711", "was", "approved")
    assert run(*since("--open", "--format", "jsonl")).stdout == ""
    run("reopen", second.short_id)
    lines = [json.loads(line) for line in run(*since("--format", "jsonl")).stdout.splitlines()]

    states = {line["eventID"][-1]: (line["state"], line["note"]) for line in lines}
    assert states == {"1": ("resolved", "planned"), "2": ("open", "CHG-4711 was approved")}
    assert all(line["stateBy"].startswith("arn:aws:") for line in lines)


def test_one_hit_that_refuses_does_not_keep_the_others(
    run: Run, keep: Callable[..., list[Hit]], given_hit: GivenHit
) -> None:
    """Ten ids pasted, one of them resolved by somebody else meanwhile."""
    first, second = keep(given_hit(1), given_hit(2))
    run("resolve", first.short_id)

    with pytest.raises(StateError, match="resolved already, by arn:aws"):
        run("resolve", first.short_id, second.short_id)

    assert run(*since("--open", "--format", "jsonl")).stdout == ""


@pytest.mark.parametrize(
    ("clock", "order"),
    [
        (time(12, 0), ["2", "3", "9", "5", "4", "8"]),
        (time(0, 0, 30), ["2", "3", "5", "4", "9", "8"]),
        (time(0, 20), ["2", "3", "5", "9", "4", "8"]),
    ],
    ids=["noon", "midnight", "after-midnight"],
)
def test_following_shows_each_new_hit_once_and_ends_cleanly(
    keep: Callable[..., list[Hit]],
    given_hit: GivenHit,
    table: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    clock: time,
    order: list[str],
) -> None:
    """Late ones too, and one whose pointer was there before it; those of before are not new.

    In the order of their places: what is told once a day stands at the beginning of it.
    """
    now = datetime.combine(datetime.now(UTC), clock, UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(now.timestamp(), tz)

    monkeypatch.setattr("trailbell.cli.hits.follow.datetime", Clock)

    def at(number: int, minutes: int) -> Hit:
        return given_hit(number, event_time=f"{now - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}")

    dynamodb = boto3.client("dynamodb")
    keep(*(at(number, 40 - number) for number in range(4)))
    waiting = at(8, 20)
    account, event_id, rule_id = waiting.identity
    key = {"pk": {"S": f"H#{account}#{event_id}"}, "sk": {"S": rule_id}}
    keep(waiting)
    row = dynamodb.get_item(TableName=table, Key=key)["Item"]
    dynamodb.delete_item(TableName=table, Key=key)
    looks = Counter[str]()

    def pause(_: float) -> None:
        looks["done"] += 1
        if looks["done"] == 1:
            keep(at(5, 30), at(4, 1), given_hit(9, event_time=f"{now:%Y-%m-%dT%H:%M:%SZ}", once="today-New"))
        elif looks["done"] == 2:
            dynamodb.put_item(TableName=table, Item=row)
        elif looks["done"] == 4:
            raise KeyboardInterrupt

    query = HitQuery(since=now - timedelta(days=1), until=now + timedelta(minutes=5))
    connection = Connection(local=False, table_given=table, stack="")
    with pytest.raises(SystemExit) as ended:
        follow(connection, query, "jsonl", UTC, 2, 5, pause)

    shown = [json.loads(line)["eventID"][-1] for line in capsys.readouterr().out.splitlines()]
    assert ended.value.code == INTERRUPTED
    assert shown == order


class Flaky:
    """A DynamoDB client that cannot be reached for the last request of its first look: that for midnight."""

    def __init__(self, client: Any) -> None:
        self.client, self.down = client, False

    def query(self, **arguments: Any) -> Any:
        if self.down and arguments["ExpressionAttributeValues"][":until"]["S"].endswith("T00:00:00Z~"):
            self.down = False
            raise EndpointConnectionError(endpoint_url="https://dynamodb")
        return self.client.query(**arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)


def test_following_outlives_a_network_that_is_away_for_a_moment(
    keep: Callable[..., list[Hit]], given_hit: GivenHit, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was found before the network went must be shown when it is back."""
    now = datetime.now(UTC)
    flaky, looks = Flaky(boto3.client("dynamodb")), Counter[str]()

    class Connected(Connection):
        def client(self, service: str, config: object = None) -> Any:
            return flaky

    def pause(_: float) -> None:
        looks["done"] += 1
        if looks["done"] == 1:
            keep(given_hit(1, event_time=f"{now:%Y-%m-%dT%H:%M:%SZ}"))
            flaky.down = True
        elif looks["done"] == 3:
            raise KeyboardInterrupt

    query = HitQuery(since=now - timedelta(days=1), until=now + timedelta(minutes=5))
    with pytest.raises(SystemExit):
        follow(Connected(local=False, table_given=table, stack=""), query, "jsonl", UTC, 2, 5, pause)

    shown = capsys.readouterr()
    assert "trying again" in shown.err
    assert [json.loads(line)["eventID"][-1] for line in shown.out.splitlines()] == ["1"]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("zone", ["utc", "Asia/Tokyo", "America/New_York"])
def test_hit_at_an_end_of_the_calendar_is_shown(
    run: Run, keep: Callable[..., list[Hit]], given_hit: GivenHit, time: str, zone: str
) -> None:
    """A forged record may stand there; its mail was sent, and whoever got it asks for the hit."""
    hit, _ = keep(given_hit(1, event_time=time), given_hit(2, event_time=time))

    for form in ("text", "json"):
        assert time[:10] in run("hit", hit.hit_id, "--no-record", "--tz", zone, "--format", form).stdout


def refused(code: str, message: str = "said") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Query")


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (NoCredentialsError(), "AWS_PROFILE"),
        (refused("ExpiredTokenException"), "sign in again"),
        (refused("UnrecognizedClientException"), "sts get-caller-identity"),
        (refused("ResourceNotFoundException"), "AWS_REGION"),
        (
            refused("AccessDeniedException", "User: x is not authorized to perform: dynamodb:Query on resource: arn:t"),
            "lack dynamodb:Query on arn:t",
        ),
        (refused("ValidationException", "The provided key element does not match the schema"), "another version"),
    ],
)
def test_what_aws_refuses_is_told_with_the_next_step(error: Any, step: str) -> None:
    """Whoever is woken up does not want to read a traceback."""
    assert step in explain(error)


def test_missing_stack_and_missing_table_are_told(aws: None) -> None:
    """The two commonest: wrong region, wrong account."""

    class NoStack:
        meta = boto3.client("dynamodb").meta

        def describe_stacks(self, StackName: str) -> None:  # noqa: N803 (boto3's name)
            raise refused("ValidationError", f"Stack with id {StackName} does not exist")

    with pytest.raises(SettingsError, match="no stack nosuch in this account and region eu-central-1"):
        DeployedStack(lambda _: NoStack(), "nosuch").output("HitTable")
    with pytest.raises(SettingsError, match="no such table in this account and region"):
        CliRunner().invoke(cli, ["hits", "--table", "nosuch"], catch_exceptions=False)


def test_aws_region_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 hears AWS_DEFAULT_REGION alone; the AWS CLI and every other SDK take AWS_REGION."""
    monkeypatch.setenv("AWS_REGION", "eu-west-3")

    assert Connection(local=False, table_given="", stack="").client("dynamodb").meta.region_name == "eu-west-3"


@pytest.mark.parametrize(
    "command",
    ["hits", "malformed", "dlq list", "undelivered", "dlq redrive", "doctor", "report -o r.html", "replay s3://trail"],
)
def test_every_command_looks_where_aws_region_says(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """With two regions in two variables, one command would empty the queue of the other's stack."""
    asked = list[str | None]()

    def client(service: str, region_name: str | None = None, **_: Any) -> None:
        asked.append(region_name)
        raise SettingsError("enough")

    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.setattr("boto3.client", client)

    with pytest.raises(SettingsError, match="enough"):
        CliRunner().invoke(cli, command.split(), catch_exceptions=False)
    assert asked == ["eu-west-3"]


def test_function_is_asked_once_and_waited_for() -> None:
    """botocore gives up after a minute and asks again: the notifier would tell the same hits twice, side by side."""
    config = aws_client("lambda").meta.config

    assert config.read_timeout >= 120  # infra/functions.py: the notifier's time-out
    assert config.retries["total_max_attempts"] == 1
