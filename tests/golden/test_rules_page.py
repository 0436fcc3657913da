"""docs/rules.md says of every rule what its file says."""

from tests.golden.alerts import all_rules
from tests.golden.rules_page import PAGE, rules_page


def test_page_is_of_the_rules_as_they_are() -> None:
    """A rule that was changed is described as it was before."""
    assert rules_page() == PAGE.read_text(encoding="utf-8"), "run `make generate`"


def test_every_rule_stands_on_the_page() -> None:
    """One that is left out is one that nobody reviews."""
    text = PAGE.read_text(encoding="utf-8")

    assert len(all_rules()) > 100
    for rule, path in all_rules().values():
        assert f"### {rule.name}\n\n**{rule.level.word}: {rule.title}**" in text, "run `make generate`"
        assert f"/{path.name})" in text
