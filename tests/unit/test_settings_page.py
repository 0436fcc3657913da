"""docs/settings.md says of each setting what the code does: name, default, what is allowed, an example it takes."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings, read_settings
from tools.channel_settings import PAGES, context_of, written
from trailbell.errors import SettingsError


ROOT = Path(__file__).parents[2]
DEFAULTS = {
    name: value
    for name, value in json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"].items()
    if "@" not in name
}
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", (ROOT / "docs/settings.md").read_text("utf-8"), re.M | re.S))


def read(context: dict[str, Any]) -> Settings:
    return read_settings(context.get, context)


def test_no_setting_is_missing_and_none_is_made_up() -> None:
    """What is not on the page is found by nobody."""
    assert sorted(SECTIONS) == sorted(DEFAULTS)


def test_readme_counts_them() -> None:
    """The number is written by `python -m tools.channel_settings`."""
    assert f"has all {len(DEFAULTS)}, each with an example" in (ROOT / "README.md").read_text("utf-8")


def test_most_common_ones_have_their_defaults() -> None:
    """The page shows a few of them twice."""
    table = (ROOT / "docs/settings.md").read_text("utf-8").partition("| setting |")[2].partition("\n## ")[0]

    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| `([^`]*)` \| ", table, re.M)
    named = [(name, default) for names, default in rows for name in re.findall(r"\w+", names)]
    assert len(named) > 8
    assert [(name, json.dumps(DEFAULTS[name])) for name, _ in named] == named


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_and_what_is_allowed_are_those_of_the_code(name: str) -> None:
    """Copied by hand, they would be wrong after the next change."""
    with pytest.raises(SettingsError) as caught:
        read({name: object()})
    allowed = str(caught.value).partition("; allowed: ")[2]

    stated = " ".join(SECTIONS[name].split())
    assert f"Default `{json.dumps(DEFAULTS[name])}`. Allowed: {allowed}" in stated


@pytest.mark.parametrize("name", SECTIONS)
def test_example_is_taken_and_changes_something(name: str) -> None:
    """An example is what gets copied."""
    calls = re.findall(r"^npx cdk deploy (.*)$", SECTIONS[name], re.M)

    assert calls
    for call in calls:
        given = dict(word.split("=", 1) for word in shlex.split(call) if word != "-c")
        assert name in given
        assert read(given) != read({other: value for other, value in given.items() if other != name})


@pytest.mark.parametrize("page", PAGES)
def test_pages_have_the_settings_that_channels_declare(page: str) -> None:
    """A channel is one file: `python -m tools.channel_settings` writes the rest from it."""
    context = context_of((ROOT / "cdk.json").read_text("utf-8"))
    text = (ROOT / page).read_text("utf-8")

    assert written(page, text, context) == text
