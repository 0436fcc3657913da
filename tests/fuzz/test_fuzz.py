"""A short fuzzing of all that reads what others wrote: the corpus again, and new inputs made from it."""

import os
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.fuzz.corpus_files import load_corpus
from tests.fuzz.prepare import BUILD, prepare
from tests.fuzz.targets import NAMES, Targets
from tests.rules.rule_hits import matching_records
from tests.shipped import ROOT, shipped_rules
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS


TARGETS = Targets(make_rulebook(shipped_rules(), CASE_SETTINGS), [record for _, record in matching_records()])
CORPUS = {name: load_corpus(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_corpus_holds(name: str) -> None:
    """What once reached new code, or broke it, must not break it again."""
    assert len(CORPUS[name]) >= 10
    for data in CORPUS[name]:
        getattr(TARGETS, name)(data)


_EDIT = st.tuples(st.integers(0, 2**16), st.integers(0, 8), st.binary(max_size=8))


@pytest.mark.parametrize("name", NAMES)
def test_shaken_corpus_holds(name: str) -> None:
    """Bytes cut, put in, replaced and crossed over: a few hundred inputs nobody has seen."""

    @settings(max_examples=examples(150), deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(CORPUS[name]), st.sampled_from(CORPUS[name]), st.lists(_EDIT, max_size=6))
    def shake(data: bytes, other: bytes, edits: list[tuple[int, int, bytes]]) -> None:
        for place, cut, put in edits:
            at = place % (len(data) + 1)
            data = data[:at] + put + (data[at + cut :] if place % 3 else other[at:])
        getattr(TARGETS, name)(data[:4096])

    shake()


GUIDED = BUILD / "bin" / "python"  # with atheris, where it can be installed; make test tries


def has_atheris() -> bool:
    """Whether fuzzing can be guided by coverage here."""
    return GUIDED.exists() and not subprocess.run([str(GUIDED), "-c", "import atheris"], capture_output=True).returncode


@pytest.mark.skipif(not has_atheris(), reason="build/fuzz has no atheris: make test installs it where it has a wheel")
@pytest.mark.parametrize("name", NAMES)
def test_guided_fuzzing_finds_nothing(name: str) -> None:
    """A few seconds of what `make fuzz` does for as long as one likes."""
    prepare()
    command = [str(GUIDED), "-m", "tests.fuzz.drive", name, "3", "-runs=3000", "-verbosity=0"]

    ran = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": "lambdas"}, capture_output=True, text=True, timeout=120
    )

    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    assert "stat::number_of_executed_units" in ran.stderr
