"""One browser for all tests of the report; where none is installed they are skipped, saying how to get one."""

import os
from collections.abc import Iterator

import pytest

from tests.browser.chromium import Page, chromium, find_browser


@pytest.fixture(scope="session")
def page() -> Iterator[Page]:
    found = find_browser()
    if not found:
        # CI asks for the browser (.ci/run), so that a test that never ran is not taken for one that passed.
        if os.environ.get("TRAILBELL_NEEDS_BROWSER"):
            pytest.fail("no chromium and chromedriver on the PATH, and TRAILBELL_NEEDS_BROWSER is set")
        pytest.skip("needs chromium and chromedriver (Debian: apt-get install chromium chromium-driver)")
    with chromium(*found) as page:
        yield page
