"""The README's numbers are those of the pages and counts that it names."""

from tests.golden.numbers import PAGE, lines, written


def test_numbers_are_those_of_their_sources() -> None:
    """A number that was copied is true once."""
    text = PAGE.read_text(encoding="utf-8")

    assert written(text) == text, "run `make generate`"
    assert all(f"[{line.number}]({line.page})" in text for line in lines())


def test_a_number_that_changes_at_its_source_is_noticed() -> None:
    """The test's own eyes: marks that are gone would make every text current."""
    text = PAGE.read_text(encoding="utf-8")
    price = next(line.number for line in lines() if line.page == "docs/cost.md")

    assert written(text.replace(price, "$1.00")) == text
