"""What an exception muted is found, judged by what is deployed today, and delivered once."""

import gzip
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from tests.integration.test_undelivered import FakeStack
from tests.unit.conftest import RULE
from trailbell.cli.main import cli
from trailbell.cloudtrail.origin import Place
from trailbell.engine.rulebook import Rulebook, RuleException, dump_rulebook
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.dynamo import encode
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.rows import hit_row


BUCKET, FILE = "trail", "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/09/15/a.json.gz"
SEEN = "2026-09-15T10:04:00Z"
NIGHTLY = RuleException(
    "nightly", "ops@example.com", "Planned.", "2099-12-31", ["not", ["field", "userAgent", ["contains", "rotator"]]]
)
MUTING, PLAIN = (Rulebook((replace(RULE, exceptions=exceptions),)) for exceptions in ((NIGHTLY,), ()))
Run = Callable[..., Result]


def record(number: int, agent: str = "rotator/1") -> dict[str, Any]:
    return {
        **BASE_RECORD,
        "eventID": f"ca7e0000-0000-4000-8000-{number:012d}",
        "eventTime": "2026-09-15T10:00:00Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "recipientAccountId": "111122223333",
        "userAgent": agent,
    }


class _Code(BaseHTTPRequestHandler):
    """Gives the functions' code as Lambda does, behind an address of its own."""

    body = b""

    def do_GET(self) -> None:
        self.send_response(200 if self.body else 403)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


class Deployment(FakeStack):
    """A deployed stack whose code holds a rulebook, a trail bucket, and a table of what its detector found."""

    address = ""

    def get_function(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        assert FunctionName == "detector"
        if not self.address:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "GetFunction")
        return {"Code": {"Location": self.address}}

    def deploy(self, rulebook: Rulebook | None) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as code:
            code.writestr("trailbell/rulebook.json" if rulebook else "index.py", dump_rulebook(rulebook or PLAIN))
        _Code.body = packed.getvalue()

    def deliver(self, rulebook: Rulebook, *records: dict[str, Any]) -> list[Hit]:
        """A log file of records is delivered and read: its hits are kept."""
        s3 = boto3.client("s3")
        s3.put_object(Bucket=BUCKET, Key=FILE, Body=gzip.compress(json.dumps({"Records": [*records]}).encode()))
        detector, places = HitDetector(rulebook), (Place(BUCKET, FILE, index) for index in range(len(records)))
        found = [detector.detect_record(one, SEEN, place) for one, place in zip(records, places, strict=True)]
        hits = [hit for hit in found if hit]
        DynamoHitTable(self.dynamodb, "hits", 400).keep(hits)
        return hits


@pytest.fixture
def stack(dynamodb: Any, table: str) -> Iterator[Deployment]:
    server = HTTPServer(("127.0.0.1", 0), _Code)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    deployment = Deployment(dynamodb)
    deployment.address = f"http://127.0.0.1:{server.server_address[1]}/code"
    deployment.deploy(PLAIN)
    yield deployment
    server.shutdown()
    server.server_close()


@pytest.fixture
def run(stack: Deployment, monkeypatch: pytest.MonkeyPatch) -> Run:
    moto = boto3.client

    def client(service: str, **options: Any) -> Any:
        return stack if service in ("cloudformation", "lambda") else moto(service, **options)

    def invoke(*arguments: str) -> Result:
        monkeypatch.setattr("boto3.client", client)
        result = CliRunner().invoke(cli, arguments)
        monkeypatch.setattr("boto3.client", moto)
        return result

    return invoke


MUTED = ("undelivered", "--muted", "--since", "2026-09-01")
HITS = ("hits", "--since", "2026-09-15", "--until", "2026-09-15")


def test_what_a_removed_exception_muted_is_shown_and_delivered_once(stack: Deployment, run: Run) -> None:
    """Nobody needs to find the log files and replay them, and nothing else that is in them is sent."""
    stack.deliver(MUTING, record(1), record(2, "console"), record(3))
    (_, told, _) = stack.deliver(MUTING, record(1), record(2, "console"), record(3))

    shown = run(*MUTED, "--format", "jsonl")
    nothing = list(stack.topic.notified)
    sent, again, twice = run(*MUTED, "--deliver"), run(*MUTED, "--deliver"), run(*MUTED)

    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert sorted(line["eventID"][-1] for line in lines) == ["1", "3"]
    assert {(line["muted"], line["mutedUntil"], line["today"]) for line in lines} == {
        ("nightly", "2099-12-31", "notified")
    }
    assert "judged today by what is deployed in stack trailbell" in shown.stderr
    assert "2 muted hits that nobody was notified of: 2 would be notified of today, 0 are still muted" in shown.stderr
    assert nothing == []
    assert sorted(name.split("/")[1][-1] for name in stack.topic.notified) == ["1", "3"]
    assert told.hit_id not in stack.topic.notified
    assert "2 hits notified now, 0 notified before, 0 undelivered" in sent.stdout
    assert "0 hits notified now" in again.stdout
    assert [shown.exit_code, sent.exit_code, again.exit_code, twice.exit_code] == [1, 0, 0, 0]


def test_table_shows_both_verdicts(stack: Deployment, run: Run) -> None:
    """A person compares them in one line."""
    stack.deliver(MUTING, record(1))

    shown = run(*MUTED)

    assert "muted by nightly until 2099-12-31; today: not muted (the exception nightly is gone)" in shown.stdout


def test_what_is_still_muted_is_left_alone(stack: Deployment, run: Run) -> None:
    """What is deployed decides: a checkout that lacks an exception must not send what it mutes."""
    stack.deliver(MUTING, record(1))
    stack.deploy(MUTING)

    result = run(*MUTED, "--deliver")

    assert (result.exit_code, stack.topic.notified) == (0, [])
    assert "0 would be notified of today, 1 are still muted" in result.stderr


def test_delivery_is_judged_by_the_deployment_or_by_whom_one_names(stack: Deployment, run: Run) -> None:
    """Who may not read the deployed code sends nothing by accident, and may ask the checkout on purpose."""
    stack.deliver(MUTING, record(1))
    stack.address = ""

    refused, shown = run(*MUTED, "--deliver"), run(*MUTED)
    forced = run(*MUTED, "--deliver", "--by", "checkout")

    assert refused.exit_code == 1
    assert "nothing to judge muted hits by" in str(refused.exception)
    assert "judged today by the rules and exceptions of this checkout (not by what is deployed: " in shown.stderr
    assert "1 hit notified now" in forced.stdout
    assert len(stack.topic.notified) == 1


def test_code_without_a_rulebook_is_said_to_have_none(stack: Deployment, run: Run) -> None:
    """Somebody replaced the function's code, or it is another version's."""
    stack.deliver(MUTING, record(1))
    stack.deploy(None)

    result = run(*MUTED, "--by", "deployed")

    assert "the detector's code holds no rulebook" in result.stderr
    assert result.exit_code == 1


def test_replay_and_delivery_of_what_was_muted_notify_once(stack: Deployment, run: Run) -> None:
    """Two operators, one with each command: the same identity, the same claim."""
    (hit,) = stack.deliver(MUTING, record(1))

    run(*MUTED, "--deliver")
    again = HitDetector(PLAIN).detect_record(record(1), SEEN, hit.place)
    assert again
    DynamoHitTable(stack.dynamodb, "hits", 400).keep([replace(again, replayed=True)])
    plain = run("undelivered", "--since", "2026-09-01", "--deliver")

    assert stack.topic.notified == [hit.hit_id]
    assert "0 hits notified now" in plain.stdout


def test_row_of_a_version_before_is_delivered_once(stack: Deployment, run: Run) -> None:
    """It is kept under its rule's id, and delivered as the act."""
    (hit,) = stack.deliver(MUTING, record(1))
    stack.dynamodb.delete_item(TableName="hits", Key=encode({"pk": f"H#111122223333#{hit.event_id}", "sk": "act"}))
    old = replace(hit, kept_as="", muted_until="")
    DynamoHitTable(stack.dynamodb, "hits", 400).keep([old])

    first, second = run(*MUTED, "--deliver"), run(*MUTED, "--deliver")
    line = json.loads(run(*HITS, "--open", "--format", "jsonl").stdout)

    assert "1 hit notified now" in first.stdout
    assert "0 hits notified now" in second.stdout
    assert stack.topic.notified == [hit.hit_id]
    assert line["hitId"] == old.hit_id


def test_delivered_hit_is_open_until_somebody_resolves_it(stack: Deployment, run: Run) -> None:
    """Somebody was paged: it is work like any other, though its row says that it was muted."""
    (hit,) = stack.deliver(MUTING, record(1))

    before = run(*HITS, "--open", "--format", "jsonl").stdout
    run(*MUTED, "--deliver")
    after, table = run(*HITS, "--open", "--format", "jsonl").stdout, run(*HITS).stdout

    assert before == ""
    assert json.loads(after)["id"] == hit.short_id
    assert " open " in table
    assert "; notified" in run("hit", hit.short_id).stdout


def test_log_file_that_is_gone_does_not_keep_its_hits_muted(stack: Deployment, run: Run) -> None:
    """A lifecycle removes log files; the row says enough."""
    (hit,) = stack.deliver(MUTING, record(1))
    boto3.client("s3").delete_object(Bucket=BUCKET, Key=FILE)

    shown, sent = run(*MUTED), run(*MUTED, "--deliver")

    assert "judged without its record: s3://trail/" in shown.stdout
    assert "1 hit notified now" in sent.stdout
    assert stack.topic.notified == [hit.hit_id]


def test_row_that_cannot_be_read_is_named(stack: Deployment, run: Run) -> None:
    """It may be what somebody looks for."""
    (hit,) = stack.deliver(MUTING, record(1))
    row = {**hit_row(hit, 2_000_000_000), "level": "apocalyptic"}
    stack.dynamodb.put_item(TableName="hits", Item=encode(row))

    result = run(*MUTED)

    assert f"unreadable: H#111122223333#{hit.event_id}" in result.stderr
    assert result.exit_code == 1


def test_hits_show_todays_verdict_beside_the_one_at_the_time(stack: Deployment, run: Run) -> None:
    """In all forms; hits that were not muted are judged only when asked for."""
    muted, told = stack.deliver(MUTING, record(1), record(2, "console"))

    lines = {line["hitId"]: line for line in map(json.loads, run(*HITS, "--format", "jsonl").stdout.splitlines())}
    table, csv = run(*HITS).stdout.splitlines(), run(*HITS, "--format", "csv").stdout
    everything = run(*HITS, "--today", "all", "--format", "json").stdout
    none = run(*HITS, "--today", "none")

    text = "muted by nightly until 2099-12-31; today: not muted (the exception nightly is gone)"
    assert (lines[muted.hit_id]["today"], lines[muted.hit_id]["todayText"]) == ("notified", text)
    assert lines[muted.hit_id]["mutedUntil"] == "2099-12-31"
    assert (lines[told.hit_id]["today"], lines[told.hit_id]["todayText"]) == ("", "")
    assert table[0].split()[-1] == "today"
    assert sum(text in line for line in table) == 1
    assert csv.count(text) == 1
    assert "today: reported by kms-key-disabled, high" in everything
    assert (none.stderr, "today" in none.stdout.splitlines()[0]) == ("", False)


def test_hit_shows_todays_verdict(stack: Deployment, run: Run) -> None:
    """With the record at hand or without it."""
    (hit,) = stack.deliver(MUTING, record(1))

    text = run("hit", hit.short_id).stdout
    document = json.loads(run("hit", hit.short_id, "--format", "json").stdout)
    stack.deploy(MUTING)
    still = run("hit", hit.short_id).stdout

    assert "not notified (muted by nightly until 2099-12-31)" in text
    assert "; today: not muted (the exception nightly is gone)" in text
    assert document["today"] == {
        "verdict": "notified",
        "rule": "kms-key-disabled",
        "level": "high",
        "why": "the exception nightly is gone",
    }
    assert "; today: still muted by nightly until 2099-12-31" in still


def test_where_no_rulebook_is_at_hand_it_is_said(stack: Deployment, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed wheel has no exceptions: by its rulebook every exception would be gone."""
    (hit,) = stack.deliver(MUTING, record(1))
    stack.address = ""
    monkeypatch.setattr("trailbell.cli.options.today.is_installed", lambda: True)

    hits, story, shown = run(*HITS), run("hit", hit.short_id, "--format", "json"), run(*MUTED)

    for result in (hits, story, shown):
        assert "no rulebook is at hand that could judge today" in result.stderr
    assert "today" not in hits.stdout.splitlines()[0]
    assert "today" not in json.loads(story.stdout)
    assert "nothing to judge muted hits by" in str(shown.exception)


def test_whose_rules_judge_is_a_question_of_muted_hits(run: Run) -> None:
    """An option that does nothing is a misunderstanding."""
    assert "give --muted, too" in run("undelivered", "--by", "checkout").stderr
