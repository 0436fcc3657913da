"""Every link of every Markdown file leads on: to a file, to a heading in it, or to an address that can be one."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.unit.doc_pages import PAGES, ROOT, anchors, links, links_into_the_world, markdown_files


FILES = markdown_files()


def dead_links(page: Path, root: Path = ROOT) -> list[str]:
    """The relative links of a page that lead nowhere, out of the checkout, or past a heading."""
    dead = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not _is_there(target, root) or (anchor and anchor not in anchors(target)):
            dead.append(link)
    return dead


def _is_there(target: Path, root: Path) -> bool:
    """In the checkout, and spelt so: a name in other letters is found on some disks, and not on GitHub."""
    return target == root or (target.is_relative_to(root) and target in target.parent.glob("*"))


def doubtful_addresses(page: Path) -> list[str]:
    """The links into the world that are no https address of a host, or of a mailbox."""
    return [address for address in links_into_the_world(page) if not _is_address(address)]


def _is_address(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "mailto":
        return "@" in parts.path
    host = parts.hostname or ""
    return parts.scheme == "https" and "." in host and parts.username is None and not address.endswith((".", ",", ":"))


def test_pages_are_among_the_files() -> None:
    """A walk that finds none would pass every test below."""
    assert set(PAGES) < set(FILES)
    assert sum(len(links(page)) for page in FILES) > 900


@pytest.mark.parametrize("page", FILES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that exists, and to a heading in it."""
    assert dead_links(page) == []


@pytest.mark.parametrize("page", FILES, ids=lambda page: str(page.relative_to(ROOT)))
def test_addresses_are_https_and_well_formed(page: Path) -> None:
    """Nobody follows them here, where no network is; what cannot be an address is seen all the same."""
    assert doubtful_addresses(page) == []


def test_dead_links_are_seen(tmp_path: Path) -> None:
    """The test's own eyes."""
    (tmp_path / "other.md").write_text("# A heading\n## A heading\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#a-heading-1) [c](#none) ![d](none.png) [e](Other.md) [f](../x) `[g](code.md)`\n"
        '<img src="none.svg"> <https://a.example/b> [h](http://a.example) [i](https://nowhere) [j](https://a.example/c.)\n'
        "\n[k]: gone.md\n[^l]: a note\n\n```sh\n[m](block.md)\n```\n",
        encoding="utf-8",
    )

    assert dead_links(page, tmp_path) == ["#none", "none.png", "Other.md", "../x", "gone.md", "none.svg"]
    assert doubtful_addresses(page) == ["http://a.example", "https://nowhere", "https://a.example/c."]
