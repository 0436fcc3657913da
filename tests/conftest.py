"""What all tests share: they are about the rules that ship, whatever the deployer has added in rules/local/."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import settings

from tests.examples import QUICK, examples
from trailbell.rulebook.source import LEFT_OUT, LOCAL


os.environ[LEFT_OUT] = str(Path(__file__).resolve().parents[1] / "rules" / LOCAL)

# HYPOTHESIS_PROFILE=dev is for those who wait; tests with numbers of their own ask tests/examples.py.
settings.register_profile("ci", settings.default)
settings.register_profile("dev", settings.default, max_examples=examples(100))
settings.load_profile("dev" if QUICK else "ci")

# Nearly every test with an AWS has sessions of its own, and each would parse the same files of botocore's anew, which
# takes longer than most tests. They are read only, and so is what is parsed of them.
_parse_json = cache(JSONFileLoader().load_file)


def _parse_json_once(loader: JSONFileLoader, path: str) -> Any:
    return _parse_json(path)


JSONFileLoader.load_file = _parse_json_once

# Suites whose tests share what is costly or only there once: an embedded AWS and build/, jsii and its templates, one
# browser, the tally of crash schedules. Each runs in one process; the others are spread test by test.
_TOGETHER = ("e2e", "infra", "browser", "crash")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the group of each test that must not leave its suite's process."""
    for item in items:
        suite = item.path.relative_to(Path(__file__).parent).parts[0]
        if suite in _TOGETHER:
            item.add_marker(pytest.mark.xdist_group(suite))
