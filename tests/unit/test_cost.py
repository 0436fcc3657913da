"""The page about cost shows what the model says."""

import json
from pathlib import Path

import pytest

from benchmarks.cost import added_table, counted, counts, table, work_of
from trailbell.lookback.bill import MEASURED, added_by, measured, monthly_cost


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "cost.md"


@pytest.mark.slow
def test_page_shows_the_models_tables() -> None:
    """Figures nobody computed are worse than none; run `python -m benchmarks.cost --write`."""
    page = DOCUMENT.read_text(encoding="utf-8")

    for name, drawn in (("cost", table()), ("added", added_table()), ("counts", counts())):
        assert f"<!-- {name} -->\n{drawn}\n<!-- end of {name} -->" in page


@pytest.mark.slow
def test_cost_grows_with_accounts_and_no_faster() -> None:
    """What is there once is paid once."""
    none, one, hundred = monthly_cost(work_of(0)), monthly_cost(work_of(1)), monthly_cost(work_of(100))

    assert none.total <= one.total < hundred.total < 100 * one.total
    assert hundred.parts["S3"] > 99 * one.parts["S3"]


@pytest.mark.slow
def test_what_is_watched_costs_the_same_in_every_account_but_for_claims() -> None:
    """One clock and one canary a deployment; a claim a hit."""
    one, hundred = added_by(work_of(1)), added_by(work_of(100))

    assert one["clock"] == hundred["clock"]
    assert one["canary"] == hundred["canary"]
    assert hundred["claims"].requests == 100 * one["claims"].requests
    assert added_by(work_of(0))["claims"].requests == 0


@pytest.mark.slow
def test_claim_is_one_conditional_write() -> None:
    """Two alerts in one are two claims; a second look at them is none."""
    assert dict(measured().calls["claim"].count) == {"dynamodb.PutItem": 1}


@pytest.mark.slow
def test_what_was_measured_is_what_is_measured_now() -> None:
    """The command tells prices without measuring; what it reads must be of this version."""
    assert json.loads(MEASURED.read_text(encoding="utf-8")) == counted()


def test_one_account_costs_three_dollars_at_most() -> None:
    """A small account pays for its alarms and three metrics, and not for counting what there is to do."""
    assert monthly_cost(work_of(1)).total <= 3
    few, every = (measured().names(hits=False, every=every) for every in (False, True))
    assert few == {"handover": 0, "detector": 1, "notifier": 0, "clock": 2}
    assert every["clock"] == 9
