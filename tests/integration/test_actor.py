"""`trailbell actor` by the hits of the table."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from trailbell.cli.main import cli
from trailbell.hits.hit import Hit
from trailbell.store.hit_table import DynamoHitTable


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["actor", *arguments, "--table", "hits", "--since", "2026-09-01"])


@pytest.fixture
def kept(dynamodb: Any, table: str, given_hit: Callable[..., Hit]) -> list[Hit]:
    hits = [
        given_hit(1),
        given_hit(2, event_time="2026-09-15T10:10:00Z", outcome="denied", muted_by="nightly"),
        given_hit(3, actor="arn:aws:iam::111122223333:role/Other"),
    ]
    DynamoHitTable(dynamodb, table, 4000).keep(hits)
    return hits


def test_hits_of_the_table_tell_the_story(kept: list[Hit]) -> None:
    """Rules, levels and mutes are what a hit adds to a record."""
    result = run("arn:aws:iam::111122223333:role/Deploy")

    assert result.exit_code == 0, result.output
    assert "2 calls, 1 denied" in result.stdout
    assert "3 hits of the table" in result.stdout
    assert "[high kms-key-disabled]" in result.stdout
    assert "[high kms-key-disabled, muted]" in result.stdout


def test_nobody_of_that_name(kept: list[Hit]) -> None:
    """What was read is said."""
    assert "nobody goes by alice in 3 hits of the table" in str(run("alice").exception)
