"""The report of the deployed table: the newest hits of the time asked for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from trailbell.cli.main import cli
from trailbell.hits.hit import Hit
from trailbell.store.deliveries import DynamoDeliveryRecords, alerts_of
from trailbell.store.hit_table import DynamoHitTable


def packed(file: Path) -> dict[str, Any]:
    """What the page holds."""
    content = file.read_text(encoding="utf-8")
    return dict(json.loads(content.split('<script type="application/json" id="data">')[1].split("</script>")[0]))


@pytest.fixture
def report(dynamodb: Any, table: str, tmp_path: Path) -> Callable[..., tuple[Result, Path]]:
    def run(*options: str) -> tuple[Result, Path]:
        file = tmp_path / "report.html"
        command = ["report", "-o", str(file), "--table", table, *options]
        return CliRunner().invoke(cli, command, catch_exceptions=False), file

    return run


def test_report_of_the_table_holds_the_hits_of_its_time(
    report: Callable[..., tuple[Result, Path]], dynamodb: Any, table: str, given_hit: Callable[..., Hit]
) -> None:
    """Each hit once, newest first, with the time asked for (a day is in whole); older and younger ones stay out."""
    hits = [given_hit(number, event_time=f"2026-09-{number:02}T10:00:00Z") for number in range(1, 6)]
    DynamoHitTable(dynamodb, table, 400).keep(hits)

    result, file = report("--since", "2026-09-02", "--until", "2026-09-04")
    document = packed(file)

    at = document["columns"].index("time")
    times = [document["pool"][row[at]] for row in document["hits"]]
    assert result.exit_code == 0
    assert times == [f"2026-09-{day:02}T10:00:00Z" for day in (4, 3, 2)]
    assert "3 hits in" in result.stderr


def test_report_says_who_was_notified_of_and_in_which_alert(
    report: Callable[..., tuple[Result, Path]], dynamodb: Any, table: str, given_hit: Callable[..., Hit]
) -> None:
    """Hits that were gathered into one message are shown as such, and one that nobody heard of is, too."""
    hits = [given_hit(number, event_time=f"2026-09-01T10:00:0{number}Z") for number in range(3)]
    DynamoHitTable(dynamodb, table, 400).keep(hits)
    DynamoDeliveryRecords(dynamodb, table, 400).record(hits[:2])

    document = packed(report("--since", "2026-09-01", "--until", "2026-09-02")[1])

    columns = [document["columns"].index(name) for name in ("notified", "alert")]
    told = [tuple(document["pool"][row[column]] for column in columns) for row in document["hits"]]
    assert told == [("no", ""), ("yes", hits[0].hit_id), ("yes", hits[0].hit_id)]


def test_report_says_what_it_left_out(
    report: Callable[..., tuple[Result, Path]], dynamodb: Any, table: str, given_hit: Callable[..., Hit]
) -> None:
    """A page that looks complete and is not misleads."""
    DynamoHitTable(dynamodb, table, 400).keep([given_hit(number) for number in range(5)])

    result, file = report("--since", "2026-09-01", "--limit", "3")

    assert len(packed(file)["hits"]) == 3
    assert (
        "Only the newest 3 hits are here; older ones are not." in packed(file)["note"]
    )  # not how many: nobody counted
    assert "Only the newest 3 hits" in result.stderr


def test_delivery_records_are_read_a_hundred_to_a_request(
    dynamodb: Any, table: str, given_hit: Callable[..., Hit]
) -> None:
    """A report of 20,000 hits asks for as many records: 200 requests, several at once."""
    hits = [given_hit(number) for number in range(250)]
    DynamoDeliveryRecords(dynamodb, table, 400).record(hits)
    asked: list[int] = []

    def count(params: dict[str, Any], **_: Any) -> None:
        asked.append(len(params["RequestItems"][table]["Keys"]))

    dynamodb.meta.events.register("provide-client-params.dynamodb.BatchGetItem", count)
    alerts = alerts_of(dynamodb, table, hits)
    dynamodb.meta.events.unregister("provide-client-params.dynamodb.BatchGetItem", count)

    assert alerts == {hit.identity: hits[0].hit_id for hit in hits}
    assert sorted(asked) == [50, 100, 100]
