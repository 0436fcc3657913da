"""Every act that could silence the alerter, done on the deployed stack: somebody answers each, and in time."""

from collections.abc import Iterator

import pytest

from tests.e2e.acts.act import Act
from tests.e2e.acts.page import PAGE, cut_links, table
from tests.e2e.acts.rows import Found, deployed, every_act, everything
from trailbell.cli.local.local_aws import start_local_aws
from trailbell.ops.advice import table as advice


pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Found]:
    """All rows, on a deployment of their own: the last acts leave nothing of it."""
    aws = start_local_aws(tmp_path_factory.mktemp("aws"))
    try:
        yield everything(deployed(aws))
    finally:
        aws.stop()


def test_every_act_is_answered_by_a_rule(found: Found) -> None:
    """The rule speaks while the last mail still goes out; the other three tell of what it meant."""
    assert [f"{row.part} {row.what}" for row in found.rows if not (row.by_hand and row.deployed)] == []


def test_no_act_that_cuts_the_chain_is_answered_by_a_rule_alone(found: Found) -> None:
    """The rule's own mail may be what is cut."""
    assert [f"{row.part} {row.what}" for row in found.rows if row.cut and not row.answered_later] == []


def test_somebody_knows_of_every_cut_within_an_hour_and_a_half(found: Found) -> None:
    """Of itself, without a hit and without doctor; of a deleted stack nobody is left to."""
    late = [
        f"{row.part} {row.what}: {row.known_within}"
        for row in found.rows
        if row.cut and row.part != "stack" and not (row.known_within and row.known_within <= 90)
    ]
    assert late == []


def test_canary_comes_back_unless_a_link_is_cut(found: Found) -> None:
    """Sent by the deployed clock, delivered as a log file, found, published, and taken back."""
    assert (found.whole.came_to, found.whole.told_after) == ("returned", None)


def test_canary_stays_away_where_a_link_is_cut_and_operations_are_told_in_time(found: Found) -> None:
    """The deployed clock says so at the first of its runs after `canary_minutes`; the figures are of the same clock."""
    flown = {row.cut: row.flight for row in found.rows if row.flight}

    assert {cut: flight.came_to for cut, flight in flown.items()} == {
        "detector's mapping": "sent",
        "notifier's mapping": "detected",
        "detector": "sent",
        "notifier": "detected",
        "canaries' subscription": "published",
        "bucket notification": "sent",
        "hit table's stream": "detected",
    }
    assert {flight.told_after for flight in flown.values()} == {found.times.settings.canary_minutes}


def test_alarms_of_the_table_are_alarms_of_the_stack() -> None:
    """An alarm that nobody has answers nothing; its name is written by hand in the acts."""
    acts: list[Act] = list(every_act(with_clock=False))

    named = {name for act in acts for name in act.alarms}
    assert {name for name in named if f"alarm.{name}" not in advice()} == set()
    assert len({(act.part, act.what) for act in acts}) == len(acts)


def test_page_shows_what_was_found(found: Found) -> None:
    """`python -m tests.e2e.acts` writes it; doctor, the rules, the alarms and the clock change."""
    page = PAGE.read_text(encoding="utf-8")

    assert table(found.rows) in page
    assert cut_links(found) in page
