"""What a cold start does once, and what it must not do at all."""

import importlib.util
import subprocess
import sys

import pytest


COLLECTING = """
import gc
assert gc.isenabled()
import trailbell.handlers.clock
print(gc.isenabled(), gc.get_freeze_count() > 0)
from trailbell.handlers.cold_start import ends_here

@ends_here
def make():
    print(gc.isenabled())
    {act}

try:
    print(make())
except ZeroDivisionError:
    print("failed")
print(gc.isenabled(), gc.get_freeze_count() > 0)
gc.unfreeze()
try:
    make()
except ZeroDivisionError:
    pass
print(gc.isenabled(), gc.get_freeze_count() > 0)
"""


@pytest.mark.parametrize(("act", "said"), [("return 'made'", "made"), ("1 / 0", "failed")])
def test_garbage_waits_until_the_parts_are_made(act: str, said: str) -> None:
    """Never collecting again would be a function that grows until Lambda ends it, for a setting that was wrong once."""
    done = subprocess.run(
        [sys.executable, "-c", COLLECTING.format(act=act)], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == ["False False", "False", said, "True True", "True", "True False"]


NEEDED_LATER = {
    "audit": {"msgspec", "trailbell.alerts.alert", "trailbell.text.secret_tokens"},
    "clock": {
        *("isal", "msgspec", "trailbell.alerts.weekly", "trailbell.cloudtrail.logfile", "trailbell.engine.matcher"),
        *("trailbell.facts.facts", "trailbell.text.secret_tokens"),
    },
    "detector": {
        *("msgspec", "trailbell.alerts.alert", "trailbell.engine.prefilter.prefilter", "trailbell.flows.silence"),
        *("trailbell.hits.audit_finding", "trailbell.text.secret_tokens"),
    },
    "notifier": {
        *("isal", "msgspec", "trailbell.cloudtrail.logfile", "trailbell.engine.matcher", "trailbell.facts.facts"),
        "trailbell.text.secret_tokens",
    },
}
"""What a function has in its asset and loads when it is needed, if ever."""

NEVER = {"boto3", "s3transfer", "aws_lambda_powertools.event_handler", "aws_xray_sdk", "jsonschema", "pydantic"}


@pytest.mark.parametrize("function", NEEDED_LATER)
def test_cold_start_imports_no_more_than_it_needs(function: str) -> None:
    """Each of these is half a millisecond to ten; an import added anywhere brings them back unseen."""
    code = f"import sys, trailbell.handlers.{function}\n"
    if function == "notifier":  # it opens every channel, to see which are on
        code += "trailbell.handlers.notifier.declared_channels()\n"
    code += "print(*sys.modules)"
    loaded = {*subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()}

    assert loaded & (NEEDED_LATER[function] | NEVER) == set()
    assert {name for name in NEEDED_LATER[function] if not importlib.util.find_spec(name)} == set()
