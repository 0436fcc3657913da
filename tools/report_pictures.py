"""The pictures of the report in the documentation, of examples/: wide, on a phone, on paper.

    .venv/bin/python -m tools.report_pictures

Needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver).
"""

import sys
import tempfile
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from tests.browser.chromium import Page, chromium, find_browser
from trailbell.cli.main import cli


DOCS = Path(__file__).parents[1] / "docs"


def main() -> None:
    """Write them into docs/."""
    found = find_browser()
    if not found:
        sys.exit("needs chromium and chromedriver")
    with tempfile.TemporaryDirectory() as folder, chromium(*found) as page:
        file = Path(folder) / "report.html"
        with chdir(DOCS.parent):
            command = ["report", "--from-scan", "examples/AWSLogs", "-o", str(file)]
            CliRunner().invoke(cli, command, catch_exceptions=False)
        wide(page, file)
        phone(page, file)
        paper(page, file)


def wide(page: Page, file: Path) -> None:
    """As it opens on a desk, the most severe first."""
    size(page, 1280, 1130)
    page.open(file)
    page.run("document.querySelector('[data-sort=level]').click(); document.activeElement.blur()")
    page.screenshot(DOCS / "report.png")


def phone(page: Page, file: Path) -> None:
    """The hits on a phone."""
    size(page, 390, 844)
    page.open(file)
    page.run(
        "const sort = document.getElementById('sort'); sort.value = 'left'; sort.dispatchEvent(new Event('change'))"
    )
    page.run("document.getElementById('hits').scrollIntoView()")
    page.screenshot(DOCS / "report-phone.png")


def paper(page: Page, file: Path) -> None:
    """The top of a sheet of A4, with an undo below each hit."""
    size(page, 1032, 505)
    page.open(file)
    page.devtools("Emulation.setEmulatedMedia", media="print")
    page.run("document.querySelector('[data-sort=left]').click(); window.dispatchEvent(new Event('beforeprint'))")
    page.run("document.body.style.padding = '24px'; document.getElementById('hits').scrollIntoView()")
    page.screenshot(DOCS / "report-print.png")


def size(page: Page, width: int, height: int) -> None:
    """Make the window as large."""
    page.devtools(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
    )


if __name__ == "__main__":
    main()
