"""What all tests share: they are about the rules that ship, whatever the deployer has added in rules/local/."""

import os
from pathlib import Path

from hypothesis import settings

from trailbell.rulebook.source import LEFT_OUT, LOCAL


os.environ[LEFT_OUT] = str(Path(__file__).resolve().parents[1] / "rules" / LOCAL)

# Property tests run at their full length unless HYPOTHESIS_PROFILE=dev says that somebody is waiting (make quick).
settings.register_profile("ci", settings.default)
settings.register_profile("dev", settings.default, max_examples=20)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
