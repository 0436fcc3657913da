"""What a cold start does once, and what it must not do at all."""

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
