"""The pages as a site (`make site`): Sphinx reads the repository's own Markdown, as it stands on GitHub, by MyST.

Run by Sphinx in an environment of its own (tools/site.in), with the repository as its source. The order of pages is
that of docs/README.md. Nothing is loaded from elsewhere when a page is read: no fonts, no scripts, no counters.
"""

import re
from pathlib import Path
from typing import Any


_ROOT = Path(__file__).resolve().parents[2]
_PAGES = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
_FOLDERS = ["docs", "rules", "rules/local", "exceptions", "examples"]
_LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]+\.md)\)")

project = "trailbell"
author = "the authors of trailbell"
copyright = "the authors of trailbell, Apache-2.0"
html_title = "trailbell"
language = "en"
highlight_language = "none"  # a block without a language is text, and no Python
smartquotes = False  # "" is a value, not a quotation

extensions = ["myst_parser"]
root_doc = "README"
include_patterns = [*_PAGES, *(f"{folder}/*.md" for folder in _FOLDERS)]
myst_heading_anchors = 4  # as GitHub gives them
myst_enable_extensions = ["strikethrough", "html_image"]  # <img> where a picture has a width
suppress_warnings: list[str] = []
nitpicky = True

html_theme = "furo"
html_extra_path = ["index.html"]  # leads to README.html
html_show_sourcelink = False
html_show_sphinx = False
html_copy_source = False
html_show_search_summary = False  # it would be fetched, which a browser does not do from a folder
html_permalinks_icon = "#"
html_theme_options = {"navigation_with_keys": False}


def _navigation(app: Any, page: str, source: list[str]) -> None:
    """Give the first page the order of the others, from the index in docs/README.md; GitHub does not see it."""
    if page != root_doc:
        return
    index = (_ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for part in index.split("\n\n|")[1:]:
        heading = part.partition("|")[0].strip()
        entries = [f"{title} <{_from_root(target)}>" for title, target in _LINK.findall(part)]
        source[0] += _toctree(heading.capitalize(), entries)
    source[0] += _toctree("Project", ["docs/README", "CHANGELOG", "CONTRIBUTING", "SECURITY"])


def _from_root(target: str) -> str:
    return ((_ROOT / "docs" / target).resolve().relative_to(_ROOT)).with_suffix("").as_posix()


def _toctree(caption: str, entries: list[str]) -> str:
    return "\n\n```{toctree}\n:hidden:\n:caption: " + caption + "\n\n" + "\n".join(entries) + "\n```\n"


def setup(app: Any) -> None:
    """Sphinx calls this."""
    app.connect("source-read", _navigation)
