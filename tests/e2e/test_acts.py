"""Every act that could silence the alerter, done on the deployed stack: somebody answers each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.acts.act import Act
from tests.e2e.acts.page import PAGE, table
from tests.e2e.acts.rows import Row, deployed, every_act, rows
from trailbell.cli.local.local_aws import start_local_aws
from trailbell.ops.advice import table as advice


pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Row]]:
    """All rows, on a deployment of their own: the last acts leave nothing of it."""
    aws = start_local_aws(tmp_path_factory.mktemp("aws"))
    try:
        yield list(rows(deployed(aws)))
    finally:
        aws.stop()


def test_every_act_is_answered_by_a_rule(found: list[Row]) -> None:
    """The rule speaks while the last mail still goes out; the other three tell of what it meant."""
    assert [f"{row.part} {row.what}" for row in found if not (row.by_hand and row.deployed)] == []


def test_no_act_that_cuts_the_chain_is_answered_by_a_rule_alone(found: list[Row]) -> None:
    """The rule's own mail may be what is cut."""
    assert [f"{row.part} {row.what}" for row in found if row.cut and not row.answered_later] == []


def test_alarms_of_the_table_are_alarms_of_the_stack() -> None:
    """An alarm that nobody has answers nothing; its name is written by hand in the acts."""
    acts: list[Act] = list(every_act(with_clock=False))

    named = {name for act in acts for name in act.alarms}
    assert {name for name in named if f"alarm.{name}" not in advice()} == set()
    assert len({(act.part, act.what) for act in acts}) == len(acts)


def test_page_shows_what_was_found(found: list[Row]) -> None:
    """`python -m tests.e2e.acts` writes it; doctor, the rules and the stack change."""
    assert table(found) in Path(PAGE).read_text(encoding="utf-8")
