"""The page about cost shows what the model says."""

from pathlib import Path

import pytest

from benchmarks.cost import added_by, added_table, counts, monthly_cost, table
from benchmarks.watching import measured, metric_names


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
    none, one, hundred = monthly_cost(0), monthly_cost(1), monthly_cost(100)

    assert none.total <= one.total < hundred.total < 100 * one.total
    assert hundred.parts["S3"] > 99 * one.parts["S3"]


@pytest.mark.slow
def test_what_is_watched_costs_the_same_in_every_account_but_for_claims() -> None:
    """One clock and one canary a deployment; a claim a hit."""
    one, hundred = added_by(1), added_by(100)

    assert one["clock"] == hundred["clock"]
    assert one["canary"] == hundred["canary"]
    assert hundred["claims"].requests == 100 * one["claims"].requests
    assert added_by(0)["claims"].requests == 0


@pytest.mark.slow
def test_claim_is_one_conditional_write() -> None:
    """Two alerts in one are two claims; a second look at them is none."""
    assert dict(measured().claim.count) == {"dynamodb.PutItem": 1}


def test_metrics_are_counted_as_handlers_name_them() -> None:
    """Each costs thirty cents a month."""
    assert set(metric_names()) == {"clock", "detector", "notifier", "handover"}
    assert metric_names(every=True)["clock"] == 9


@pytest.mark.slow
def test_one_account_costs_three_dollars_at_most() -> None:
    """A small account pays for its alarms and three metrics, and not for counting what there is to do."""
    assert monthly_cost(1).total <= 3
    assert metric_names(hits=False) == {"handover": 0, "detector": 1, "notifier": 0, "clock": 2}
