"""What all tests share: they are about the rules that ship, whatever the deployer has added in rules/local/."""

import gc
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.examples import QUICK, examples
from tests.quick_aws import quicken_boto3, quicken_moto
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

quicken_boto3()

# Modules, tests and what they are parametrised with are there to the end: looking through them for garbage, again and
# again, finds none.
gc.disable()


def pytest_collection_finish() -> None:
    """What tests make from now on is looked through. moto is for tests that import it; nobody else needs to."""
    gc.freeze()
    gc.enable()
    if "moto.core" in sys.modules:
        quicken_moto()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: some tests wait for an embedded AWS, a browser or a subprocess."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + (cores + 1) // 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LongestFirst:
    """Where tests run in several processes: those that share something costly in one, and the longest first."""
    config.pluginmanager.register(KeptTogether())
    return LongestFirst(config, log)
