"""What all tests share: they are about the rules that ship, whatever the deployer has added in rules/local/."""

import os
from pathlib import Path

from hypothesis import settings

from tests.examples import QUICK, examples
from trailbell.rulebook.source import LEFT_OUT, LOCAL


os.environ[LEFT_OUT] = str(Path(__file__).resolve().parents[1] / "rules" / LOCAL)

# HYPOTHESIS_PROFILE=dev is for those who wait; tests with numbers of their own ask tests/examples.py.
settings.register_profile("ci", settings.default)
settings.register_profile("dev", settings.default, max_examples=examples(100))
settings.load_profile("dev" if QUICK else "ci")
