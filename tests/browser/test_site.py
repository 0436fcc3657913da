"""The site of all pages: built strictly, whole without a network, and searched from a folder."""

import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser.chromium import Page
from tests.unit.doc_pages import PAGES, ROOT


PYTHON = ROOT / "build" / "site-tools" / "bin" / "python"  # in an environment of its own, which make test makes
LOADED_BY = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data", "embed": "src"}
LINKS_THAT_LOAD = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="needs build/site-tools: make build/site-tools/.ready"),
]


class Loads(HTMLParser):
    """What a page loads when it is opened, without being asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "link" and set(values.get("rel", "").split()) & LINKS_THAT_LOAD:
            self.found.append(values["href"])
        if values.get(LOADED_BY.get(tag, "")):
            self.found.append(values[LOADED_BY[tag]])
        if values.get("srcset"):
            self.found += [one.split()[0] for one in values["srcset"].split(",")]


def built(source: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """A build as `make site` does it."""
    strictly = ("--quiet", "--fail-on-warning", "--keep-going", "--fresh-env")
    return subprocess.run(
        [PYTHON, "-m", "sphinx", *strictly, "-c", "tools/site", "-d", folder / "doctrees", source, folder / "html"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    result = built(ROOT, folder)

    assert (result.returncode, result.stderr) == (0, "")
    return folder / "html"


def loads(site: Path) -> Iterator[tuple[Path, str]]:
    for file in site.rglob("*.html"):
        page = Loads()
        page.feed(file.read_text(encoding="utf-8"))
        yield from ((file, target) for target in page.found)
    for file in site.rglob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        for found in re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", text):
            yield file, found[0] or found[1]


def test_site_has_every_page_and_begins_with_the_readme(site: Path) -> None:
    """A page that is left out is found on GitHub alone."""
    pages = {site / page.relative_to(ROOT).with_suffix(".html") for page in PAGES}

    assert {page for page in pages if not page.exists()} == set()
    assert 'url=README.html"' in (site / "index.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """Who reads it in a network without a way out sees the same, and nobody else learns what is read."""
    found = list(loads(site))
    own = [(file, urlsplit(target)) for file, target in found if not target.startswith("data:")]

    assert len(found) > 100
    assert {target.geturl() for _, target in own if target.scheme or target.netloc} == set()
    assert [str(target) for file, target in own if not (file.parent / unquote(target.path)).exists()] == []


def test_broken_link_and_broken_anchor_end_the_build(tmp_path: Path) -> None:
    """What only warns is built for years."""
    source = tmp_path / "source"
    source.mkdir()
    text = "# One\n\n[a](docs/none.md), [b](SECURITY.md#none), [c](SECURITY.md#there)\n"
    (source / "README.md").write_text(text, encoding="utf-8")
    (source / "SECURITY.md").write_text("# There\n", encoding="utf-8")

    result = built(source, tmp_path)

    assert result.returncode != 0
    assert "docs/none.md" in result.stderr
    assert re.search(r"target not found: .*'?none'?", result.stderr)
    assert "'there'" not in result.stderr


def test_search_works_from_a_folder(site: Path, page: Page) -> None:
    """No server stands behind it; the browser has no network."""
    page.open(site / "search.html")
    page.run("location.search = '?q=canary'")
    found = page.run_async(
        "const done = arguments[0], started = Date.now();"
        "const look = () => document.body.textContent.includes('Search finished') || Date.now() - started > 20000"
        " ? done([...document.querySelectorAll('ul.search li a')].map(a => a.textContent)) : setTimeout(look, 50);"
        " look();"
    )

    assert "Operating" in found
    assert page.complaints() == []
