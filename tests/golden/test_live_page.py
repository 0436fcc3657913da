"""docs/live.md says of every rule whether it comes live."""

from tests.golden.live_page import PAGE, written
from tests.shipped import shipped


def test_page_is_of_the_rules_as_they_are() -> None:
    """Who waits for a call that never comes live has to be able to look it up."""
    text = PAGE.read_text(encoding="utf-8")

    assert written(text) == text, "run `make generate`"
    assert all(f"| `{rule.name}` | " in text for rule in shipped().rules)
    assert all(f"| `{one.rule.name}` | " in text for one in shipped().correlations)
