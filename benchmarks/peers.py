"""`trailbell scan` beside other tools: whole processes, the same files, in turns.

None of the others decides what trailbell decides. What they are given is what comes nearest: find the records whose
eventName is one of those that trailbell makes hits of. A contender that finds another number of them ends the run.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.folders import Folders, folders
from benchmarks.measure import Row, ratios, row


_ROOT = Path(__file__).resolve().parent.parent
_PYTHON = _ROOT / "build" / "benchmarks" / "bin" / "python"
_TRAILBELL = str(Path(sys.executable).parent / "trailbell")

_TEN_LINES = """
import gzip, os, sys
from {module} import loads
names = set(sys.argv[2].split(","))
found = 0
for folder, _, files in os.walk(sys.argv[1]):
    for name in files:
        with gzip.open(os.path.join(folder, name)) as stream:
            for record in loads(stream.read())["Records"]:
                found += record.get("eventName") in names
print(found)
"""
_CHDB = """
import sys, chdb
names = ", ".join(f"'{name}'" for name in sys.argv[2].split(","))
print(chdb.query(f'''
    SELECT count() FROM file('{sys.argv[1]}/**/*.json.gz', JSONEachRow, 'Records Array(Tuple(eventName String))')
    ARRAY JOIN Records AS record WHERE record.eventName IN ({names})
    SETTINGS input_format_json_ignore_unknown_keys_in_named_tuple = 1, input_format_skip_unknown_fields = 1
''', "CSV"))
"""
_DUCKDB = """
import sys, duckdb
names = ", ".join(f"'{name}'" for name in sys.argv[2].split(","))
print(duckdb.sql(f'''
    SELECT count(*) FROM (SELECT unnest(Records) AS record FROM read_json('{sys.argv[1]}/**/*.gz',
    columns = {{Records: 'STRUCT(eventName VARCHAR)[]'}}, maximum_object_size = 500000000))
    WHERE record.eventName IN ({names})
''').fetchall()[0][0])
"""
_JQ = """find "$1" -name '*.gz' -print0 | xargs -0 zcat | jq -c --arg names "$2" \
'($names / ",") as $all | .Records[] | select(.eventName as $name | $all | index($name))' | wc -l"""
_UGREP = """ugrep -r -z -F -o -h $(printf %s "$2" | tr , '\\n' | sed 's/.*/-e "eventName":"&"/') "$1" | wc -l"""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to look through log files.

    command: from a folder and the names, separated by commas; program: without which it cannot run.
    does, does_not: for readers of the table.
    """

    name: str
    command: Callable[[Path, str], list[str]]
    program: str
    does: str
    does_not: str


def _python(code: str, folder: Path, names: str) -> list[str]:
    return [str(_PYTHON), "-c", code, str(folder), names]


def _shell(code: str, folder: Path, names: str) -> list[str]:
    return ["/bin/sh", "-c", code, "sh", str(folder), names]


def _scan(folder: Path, *options: str) -> list[str]:
    return [_TRAILBELL, "scan", str(folder), "-q", "-o", os.devnull, *options]


OURS, OURS_DEFAULT, ORJSON, CHDB = "trailbell scan --jobs 1", "trailbell scan", "gzip and orjson", "chdb"
_ALL_RULES = "all rules, correlations, exceptions; hits with actor, resources, undo, secrets hidden; counts"
_NAMES_ONLY = "rules; who, what, undo; hiding secrets; what is malformed or wrapped; counts that add up"

CONTENDERS = (
    Contender(OURS, lambda folder, names: _scan(folder, "--jobs", "1"), _TRAILBELL, _ALL_RULES, ""),
    Contender(
        OURS_DEFAULT, lambda folder, names: _scan(folder), _TRAILBELL, "the same by as many processes as pay", ""
    ),
    Contender(
        ORJSON,
        lambda folder, names: _python(_TEN_LINES.format(module="orjson"), folder, names),
        str(_PYTHON),
        "ten lines of Python: a set of event names",
        _NAMES_ONLY,
    ),
    Contender(
        "gzip and json",
        lambda folder, names: _python(_TEN_LINES.format(module="json"), folder, names),
        str(_PYTHON),
        "the same ten lines with Python's own decoder",
        _NAMES_ONLY,
    ),
    Contender(
        CHDB,
        lambda folder, names: _python(_CHDB, folder, names),
        str(_PYTHON),
        "ClickHouse in one process: any SQL over the records, all cores",
        f"{_NAMES_ONLY}; a member of another type than declared ends the query",
    ),
    Contender(
        "duckdb",
        lambda folder, names: _python(_DUCKDB, folder, names),
        str(_PYTHON),
        "any SQL over the records, all cores",
        f"{_NAMES_ONLY}; a file that is no JSON ends the query",
    ),
    Contender(
        "zcat and jq",
        lambda folder, names: _shell(_JQ, folder, names),
        "jq",
        "any filter over the records",
        _NAMES_ONLY,
    ),
    Contender(
        "ugrep -z -F",
        lambda folder, names: _shell(_UGREP, folder, names),
        "ugrep",
        "finds texts in compressed files, all cores",
        f"{_NAMES_ONLY}; JSON: any text that looks like a name counts, and none that is spaced or escaped",
    ),
)


@dataclass(slots=True)
class Costs:
    """Of each contender the seconds of each round: of processors, and on the clock."""

    cpu: dict[str, list[float]]
    wall: dict[str, list[float]]


def rows(given: Path | None = None, rounds: int = 3) -> Iterator[Row]:
    """Targets a, b and d."""
    with tempfile.TemporaryDirectory() as name:
        made = folders(Path(name), given)
        yield from compare(made, rounds, [one for one in CONTENDERS if shutil.which(one.program)])


def compare(made: Folders, rounds: int, contenders: Sequence[Contender]) -> Iterator[Row]:
    """The rows of both folders."""
    names, hits = _names(made.small)
    measured = (("files", made.files), ("records", made.records), ("MB inflated", made.size / 1e6), ("hits", hits))
    for what, count in measured:
        yield row(f"   {made.what}: {what}", "", [count])
    for folder, title, target in (
        (made.small, f"{made.files:,} small files", "<= 0.75"),
        (made.large, "3 large files", "<= 0.6"),
    ):
        costs = take_turns(folder, names, rounds, contenders)
        letter = "a" if folder is made.small else "b"
        for contender in contenders[2:]:
            wanted = target if contender.name == ORJSON else "< 1" if contender.name == CHDB else ""
            yield row(
                f"{letter}. scan, one job / {contender.name}, CPU, {title}",
                wanted,
                ratios(costs.cpu, OURS, contender.name),
            )
        yield row(f"d. scan, default jobs / one job, wall, {title}", "<= 1.05", ratios(costs.wall, OURS_DEFAULT, OURS))
        for contender in contenders:
            yield row(f"   seconds of CPU: {contender.name}, {title}", "", costs.cpu[contender.name])
        for contender in contenders:
            yield row(f"   seconds: {contender.name}, {title}", "", costs.wall[contender.name])


def take_turns(folder: Path, names: str, rounds: int, contenders: Sequence[Contender]) -> Costs:
    """Run each contender in each round, the order changing; ends the run where one finds something else."""
    costs = Costs({one.name: [] for one in contenders}, {one.name: [] for one in contenders})
    expected = dict[str, str]()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's Python keeps it
    for number in range(rounds):
        for contender in contenders[:: 1 if number % 2 else -1]:
            cpu, wall, output = _run(contender.command(folder, names))
            costs.cpu[contender.name].append(cpu)
            costs.wall[contender.name].append(wall)
            if output:
                expected[contender.name] = output
    if len(set(expected.values())) > 1:
        sys.exit(f"they did not find the same: {expected}")
    return costs


def _run(command: list[str]) -> tuple[float, float, str]:
    """Seconds of processors and on the clock of a process and its children, and the last word that it printed."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{command[:4]} failed: {status}")
    return usage.ru_utime + usage.ru_stime, wall, (output.split() or [""])[-1]  # duckdb shows its progress before


def _names(folder: Path) -> tuple[str, int]:
    """The event names of the hits, separated by commas, and how many hits there are."""
    command = [_TRAILBELL, "scan", str(folder), "-q", "--format", "jsonl", "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    hits = [json.loads(line) for line in done.stdout.splitlines()]
    if not hits:
        sys.exit("these log files have no hits, so there is nothing to look for")
    return ",".join(sorted(Counter(hit["eventName"] for hit in hits))), len(hits)


def what_they_do() -> str:
    """A table of what each contender does and does not do."""
    lines = ["| contender | does | does not |", "|---|---|---|"]
    lines += [f"| {one.name} | {one.does} | {one.does_not} |" for one in CONTENDERS]
    return "\n".join(lines)
