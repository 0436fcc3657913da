"""The page about cost shows what the model says."""

from pathlib import Path

from benchmarks.cost import monthly_cost, table


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "cost.md"


def test_page_shows_the_models_table() -> None:
    """Figures nobody computed are worse than none; run `python -m benchmarks.cost` and paste."""
    assert f"<!-- cost -->\n{table()}\n<!-- end of cost -->" in DOCUMENT.read_text(encoding="utf-8")


def test_cost_grows_with_accounts_and_no_faster() -> None:
    """What is there once is paid once."""
    one, hundred = monthly_cost(1), monthly_cost(100)

    assert one.total < hundred.total < 100 * one.total
    assert hundred.parts["Lambda"] > 99 * one.parts["Lambda"]
