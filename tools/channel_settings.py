"""The settings that channels declare, written where a deployer looks for them.

`python -m tools.channel_settings` writes cdk.json's defaults, the sections of docs/settings.md between its `channels`
marks, and the number of settings in README.md.
"""

import json
import re
import sys
import textwrap
from pathlib import Path


ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "lambdas")]

from trailbell.alerts.channels import declared_channels  # noqa: E402 (the source root has to be on sys.path first)
from trailbell.alerts.setting import Setting  # noqa: E402


PAGES = ("cdk.json", "docs/settings.md", "README.md")
_MARKED = re.compile(r"(<!-- channels -->\n)(.*?)(<!-- /channels -->\n)", re.DOTALL)
_WIDTH = 120


def written(page: str, text: str, context: dict[str, object]) -> str:
    """A page's text with the channels' settings written anew; `context` is cdk.json's as it is to be."""
    if page == "cdk.json":
        return json.dumps({**json.loads(text), "context": context}, indent=2) + "\n"
    if page == "README.md":
        number = sum("@" not in name for name in context)
        return re.sub(r"has all \d+, each with an example", f"has all {number}, each with an example", text)
    sections = "\n".join(_section(setting) for setting in _settings())
    return _MARKED.sub(lambda found: f"{found[1]}\n{sections}\n{found[3]}", text)


def context_of(text: str) -> dict[str, object]:
    """The context of cdk.json with every channel's defaults, in one place: where the first of them stands."""
    defaults = {setting.name: setting.default for setting in _settings()}
    context: dict[str, object] = {}
    for name, value in json.loads(text)["context"].items():
        context |= defaults if name in defaults else {name: value}
    return context


def _settings() -> list[Setting]:
    return [setting for channel in declared_channels() for setting in channel.settings]


def _section(setting: Setting) -> str:
    lines = f"Default `{json.dumps(setting.default)}`. Allowed: {_allowed(setting)}."
    paragraphs = [lines, *setting.about.split("\n")]
    text = "\n\n".join(
        textwrap.fill(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False) for paragraph in paragraphs
    )
    examples = "\n".join(f"npx cdk deploy {example}" for example in setting.examples)
    return f"### {setting.name}\n\n{text}\n\n```sh\n{examples}\n```\n"


def _allowed(setting: Setting) -> str:
    """What is allowed, as the setting itself says to whoever gives something else."""
    try:
        setting.read(object())
    except ValueError as fault:
        return str(fault)
    raise AssertionError(f"setting {setting.name} takes anything")


def main() -> None:
    """Write the pages."""
    context = context_of((ROOT / "cdk.json").read_text(encoding="utf-8"))
    for page in PAGES:
        path = ROOT / page
        path.write_text(written(page, path.read_text(encoding="utf-8"), context), encoding="utf-8")


if __name__ == "__main__":
    main()
