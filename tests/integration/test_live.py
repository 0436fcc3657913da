"""A live event and its log file, in either order, through the real adapters: one hit, and what readers show."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.integration.live_chain import FILED_AT, KEY, LIVE_AT, Chain, chain_on
from tests.unit.conftest import RULE
from tests.unit.live_events import record
from trailbell.cli.main import cli
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.origin import NO_PLACE
from trailbell.engine.rulebook import RuleException
from trailbell.lookback.replay import replay_message
from trailbell.store.rows import is_to_notify


@pytest.fixture
def chain(dynamodb: Any, table: str) -> Chain:
    return chain_on(dynamodb, table)


@pytest.fixture
def run(table: str) -> Callable[..., Result]:
    def make(*arguments: object) -> Result:
        return CliRunner().invoke(cli, [*map(str, arguments), "--table", table], catch_exceptions=False)

    return make


def test_hit_seen_live_gets_its_place_when_its_log_file_comes(chain: Chain, read_rows: Any) -> None:
    chain.live()
    before = chain.hit()
    chain.log_file()
    chain.log_file("AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/copy.json.gz")
    chain.live()

    after = chain.hit()
    assert (before.place, before.filed_at, before.seen_at) == (NO_PLACE, "", LIVE_AT)
    assert after == replace(before, place=after.place, filed_at=FILED_AT)
    assert (after.place.bucket, after.place.key, after.place.index) == ("trail", KEY, 1)
    assert len(read_rows("hit")) == len(read_rows("log-place")) == 1


def test_live_event_after_its_log_file_changes_nothing(chain: Chain, read_rows: Any) -> None:
    chain.log_file()
    before = read_rows("")
    chain.live()

    assert _without_expiry(read_rows("")) == _without_expiry(before)
    assert chain.hit().live is None


def _without_expiry(rows: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Rows by key: pointers are written again, with a later expiry."""
    return {(row["pk"], row["sk"]): {**row, "expiresAt": 0} for row in rows}


def test_place_in_a_log_file_is_no_news_in_the_tables_stream(chain: Chain, read_rows: Any) -> None:
    """Its row is of no kind that the notifier is given (infra/functions.py has the same filter)."""
    chain.live()
    chain.log_file()

    kinds = {row["kind"] for row in read_rows("")}
    assert kinds == {"hit", "pointer", "log-place"}
    assert not is_to_notify("INSERT", {"kind": {"S": "log-place"}})


def test_place_found_by_a_quiet_replay_is_kept_when_a_live_event_is_notified(chain: Chain, read_rows: Any) -> None:
    """A quiet row gives way to a true delivery, and what it knew does not get lost with it."""
    chain.put(KEY)
    chain.deliver(replay_message(ObjectRef("trail", KEY, size=1), notify=False), "2026-09-03T09:00:00Z")
    (quiet,) = read_rows("quiet")
    chain.live()

    assert quiet["place"]["key"] == KEY
    assert [row["live"]["region"] for row in read_rows("hit")] == ["us-east-1"]
    assert (chain.hit().place.key, chain.hit().filed_at) == (KEY, "2026-09-03T09:00:00Z")


def test_day_that_is_one_hit_has_the_place_of_its_own_event_alone(chain: Chain) -> None:
    """With a dedup window of a day another event of that day is known, and stands elsewhere."""
    chain.rule = replace(RULE, once_per_day=True)
    chain.live()
    chain.given = record(eventID="e-2", eventTime="2026-09-01T10:00:00Z")
    chain.log_file()
    other = chain.hit()
    chain.given = record()
    chain.log_file("AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/own.json.gz")

    assert other.place == NO_PLACE
    assert chain.hit().place.key.endswith("own.json.gz")


def test_muted_hit_seen_live_is_judged_by_its_log_files_record(chain: Chain) -> None:
    """An exception mutes it as ever, and where it stands is known as well."""
    still_alerts: list[Any] = ["field", "userAgent", ["eq", "nobody"]]
    exception = RuleException("all", "ops@example.com", "it tests", "2999-12-31", still_alerts)
    chain.rule = replace(RULE, exceptions=(exception,))
    chain.live()
    chain.log_file()

    assert (chain.hit().muted_by, chain.hit().place.key) == ("all", KEY)


def test_readers_say_by_what_it_was_seen(chain: Chain, run: Callable[..., Result]) -> None:
    """A person who looks within the first five minutes must not be sent to a file that is not there."""
    chain.live()
    asked = ("hits", "--since", "2026-09-01", "--until", "2026-09-01")

    table, line = run(*asked).stdout, json.loads(run(*asked, "--format", "jsonl").stdout)
    story, document = run("hit", "e-1").stdout, json.loads(run("hit", "e-1", "--format", "json").stdout)

    assert table.splitlines()[0].split()[-1] == "source"
    assert table.splitlines()[1].split()[-1] == "live"
    assert (line["file"], line["index"], line["seenLive"], line["filedAt"]) == ("", 0, True, "")
    assert "Seen live 3 s after the event; no log file yet" in story
    assert "record of a live event in us-east-1; its log file follows" in story
    assert "The record: a live event brought it" in story
    assert document["recordMissing"].startswith("a live event brought it")
    assert document["origin"] == {
        "sources": "live", "seenLive": True, "seenAfterSeconds": 3, "logFileAfterSeconds": None
    }  # fmt: skip

    chain.log_file()
    table, line = run(*asked).stdout, json.loads(run(*asked, "--format", "jsonl").stdout)
    story, document = run("hit", "e-1").stdout, json.loads(run("hit", "e-1", "--format", "json").stdout)

    assert table.splitlines()[1].endswith("live, log file")
    assert (line["file"], line["index"], line["filedAt"]) == (f"s3://trail/{KEY}", 1, FILED_AT)
    assert "Seen live 3 s after the event; log file since 2026-09-01 09:18:57 UTC" in story
    assert f"record 1 of s3://trail/{KEY}" in story
    assert document["record"]["eventID"] == "e-1"
    assert document["origin"]["logFileAfterSeconds"] == 290


def test_table_of_hits_from_log_files_alone_has_no_column_for_it(chain: Chain, run: Callable[..., Result]) -> None:
    """Who has no live events sees nothing new."""
    chain.log_file()

    assert "source" not in run("hits", "--since", "2026-09-01", "--until", "2026-09-01").stdout.split()
    assert "Seen live" not in run("hit", "e-1").stdout


def test_report_has_it(chain: Chain, run: Callable[..., Result], tmp_path: Any) -> None:
    chain.live()
    chain.log_file()
    page = tmp_path / "report.html"

    run("report", "--since", "2026-09-01", "--until", "2026-09-02", "--output", page)

    assert "seen live 3 s after the event; log file since 2026-09-01 09:18:57 UTC" in page.read_text()
