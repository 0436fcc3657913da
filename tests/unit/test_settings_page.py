"""docs/settings.md says of each setting what the code does: name, default, what is allowed, and an example that is taken."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from infra.settings import Settings, read_settings
from trailalert.errors import SettingsError


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
