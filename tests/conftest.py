"""What all tests share: they are about the rules that ship, whatever the deployer has added in rules/local/."""

import json
import marshal
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import settings

from tests.examples import QUICK, examples
from tests.scheduling import KeptTogether, LongestFirst
from trailbell.cli.options.config_file import PLACE
from trailbell.rulebook.source import LEFT_OUT, LOCAL


# Rulebooks that tests compile are kept here, and not in the cache of whoever runs them.
os.environ["XDG_CACHE_HOME"] = str(Path(__file__).resolve().parents[1] / "build" / "test-cache")
os.environ[PLACE] = os.devnull  # nor are they asked what their defaults are
os.environ[LEFT_OUT] = str(Path(__file__).resolve().parents[1] / "rules" / LOCAL)

# HYPOTHESIS_PROFILE=dev is for those who wait; tests with numbers of their own ask tests/examples.py.
settings.register_profile("ci", settings.default)
settings.register_profile("dev", settings.default, max_examples=examples(100))
settings.load_profile("dev" if QUICK else "ci")

# Nearly every test with an AWS has sessions of its own, and each would parse the same files of botocore's anew, which
# takes longer than most tests. Each gets a copy of its own: moto adds to what it is given. marshal copies fastest.
_load_file = JSONFileLoader.load_file


@cache
def _marshalled(path: str) -> bytes:
    parsed = _load_file(JSONFileLoader(), path)
    return marshal.dumps(json.loads(json.dumps(parsed)))  # of plain maps: marshal knows no ordered ones


def _copy_of_file(loader: JSONFileLoader, path: str) -> Any:
    return marshal.loads(_marshalled(path))  # noqa: S302 (of what was marshalled above)


JSONFileLoader.load_file = _copy_of_file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LongestFirst:
    """Where tests run in several processes: those that share something costly in one, and the longest first."""
    config.pluginmanager.register(KeptTogether())
    return LongestFirst(config, log)
