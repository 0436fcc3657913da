"""Our verdicts beside those of `aws cloudtrail validate-logs`: the same where it is right."""

import json
from pathlib import Path

import pytest

from tests.audit.audited import audit
from tests.audit.aws_cli import PYTHON, RECORDED, ask, short, tampered
from tests.audit.page import PAGE, written
from tests.audit.tamperings import KINDS
from tests.audit.world import SHAPES, World


SIGNATURE = "signature verification failed"
# Our word → what it may say of the same file; "" where it says nothing.
AGREES = {
    ("digest", "valid"): {"valid"},
    ("digest", "missing"): {"not found"},
    ("digest", "beyond"): {"not found"},
    ("digest", "moved"): {"has been moved from its original location"},
    ("digest", "invalid-format"): {"invalid format"},
    ("digest", "unsigned"): {SIGNATURE},
    ("digest", "bad-signature"): {SIGNATURE, "Non-hexadecimal digit found"},
    ("digest", "no-key"): {"public key not found"},
    ("digest", "trailing-data"): {"valid"},  # it looks for none in digests
    ("digest", "chain-broken"): {"valid"},  # it does not compare the hash of the digest before
    ("log", "valid"): {"valid"},
    ("log", "missing"): {"not found"},
    ("log", "altered"): {"hash value doesn't match"},
    ("log", "trailing-data"): {"unexpected data after end of compressed stream"},
    # Cut short it has another hash; without its last eight bytes it is taken for whole.
    ("log", "invalid-format"): {"invalid format", "hash value doesn't match", "valid"},
    ("log", "unlisted"): {""},
    ("log", "unproven"): {""},
}
# It takes the newest digest before a date, so that a copy beside another digest, and one with the name of a second
# later, are passed over.
PASSED_OVER = {"digest copied", "digest moved"}

needs_aws_cli = pytest.mark.skipif(not PYTHON.exists(), reason="needs build/awscli: make build/awscli/.ready")


def compare(world: World, said: dict[str, str], folder: Path, *, passed_over: bool = False) -> list[str]:
    """Where its words are not the ones expected beside ours."""
    faults = []
    for key, ours in audit(folder, world)[1].items():
        if key.startswith("gap "):
            continue
        kind = "digest" if "/CloudTrail-Digest/" in key else "log"
        theirs = said.get(key, "").partition(" in region ")[0]
        if theirs not in AGREES[kind, ours] and not (passed_over and not theirs):
            faults.append(f"{key}: {ours}, {theirs}")
    return faults


@needs_aws_cli
@pytest.mark.slow
def test_verdicts_on_tampered_worlds_are_those_of_the_aws_cli(tmp_path: Path) -> None:
    """Who has used it must find the same; where we differ it is named above."""
    worlds = tampered()
    answers = ask(worlds)

    faults = {
        kind.name: found
        for kind, world, said in zip(KINDS, worlds, answers, strict=True)
        if (found := compare(world, said, tmp_path / kind.name, passed_over=kind.name in PASSED_OVER))
    }
    assert faults == {}
    assert {kind.name: short(said) for kind, said in zip(KINDS, answers, strict=True)} == json.loads(
        RECORDED.read_text(encoding="utf-8")
    )["said"], "record anew: python -m tests.audit.aws_cli"


@needs_aws_cli
@pytest.mark.slow
def test_honest_worlds_are_valid_to_both(tmp_path: Path) -> None:
    """A world that only our own reading accepts would prove our own reading."""
    worlds = [World(9, specs) for specs in SHAPES.values()]

    for name, world, said in zip(SHAPES, worlds, ask(worlds), strict=True):
        # It lists backfill digests under the trail's prefix of today alone.
        assert compare(world, said, tmp_path / name, passed_over=name == "prefix changed") == [], name
        assert short(said) == (["no log files were delivered"] if "stopped" in name else []), name


@pytest.mark.slow
def test_page_says_what_is_told() -> None:
    """A table by hand is wrong after the next change."""
    text = PAGE.read_text(encoding="utf-8")

    assert "<!-- tamperings -->" in text
    assert written(text) == text, "run `make generate`"
