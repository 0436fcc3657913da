"""The numbers of README.md, each read where it is printed or counted: none is written there by hand.

`make generate` writes them between the page's `numbers` marks, and a test holds them there. A page that a number is
read from has it from a benchmark or a test, whose command is named beside it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.shipped import CASES, ROOT, RULES, rule_paths, shipped_cases, shipped_files
from trailbell.rulebook.cases import case_file
from trailbell.rulebook.correlation_cases import load_correlation_cases


PAGE = ROOT / "README.md"
_MARKED = re.compile(r"(<!-- numbers -->\n)(.*?)(<!-- /numbers -->\n)", re.DOTALL)
_BIG = "general, 40,000 records"


@dataclass(frozen=True, slots=True)
class Line:
    """What is counted or measured, how many, the page that has more of it, the command that prints it."""

    what: str
    number: str
    page: str
    command: str


def lines() -> Iterator[Line]:
    """Every line. Raises AssertionError where a page has no such number any more."""
    performance = ".venv/bin/python -m benchmarks"
    yield Line(
        "cases that hold the rules: what fires, and what nearly does",
        f"{_cases():,}",
        "rules/README.md",
        "trailbell rules check",
    )
    price, price_of_many = _read(
        "docs/cost.md", r"^\| \*\*all\*\* \| \*\*[\d.]+\*\* \| \*\*([\d.]+)\*\* \|.*\*\*([\d.]+)\*\* \|$"
    )
    yield Line(
        "a month: one account; 10,000 accounts",
        f"${price}; ${price_of_many}",
        "docs/cost.md",
        ".venv/bin/python -m benchmarks.cost",
    )
    live, filed = _read("docs/sources.md", r"([\d.]+) s for a live event, ([\d.]+) s for a log file\.")
    yield Line(
        "from message to alert in the embedded AWS: live event; log file",
        f"{live} s; {filed} s",
        "docs/sources.md",
        ".venv/bin/pytest -s tests/e2e/test_live.py",
    )
    yield Line(
        "reading a large log file, in times of inflating it: rules alone; with correlations",
        f"{_median(f'a. shipped rules / inflating alone, {_BIG}')}; "
        f"{_median(f'a. as the detector runs / inflating alone, {_BIG}')}",
        "docs/performance.md",
        f"{performance} reading",
    )
    yield Line(
        "the same with Python's `gzip` and `json` and no rules, in times of ours with rules alone",
        _median(f"b. gzip + json.loads / shipped rules, {_BIG}"),
        "docs/performance.md",
        f"{performance} reading",
    )
    yield Line(
        "memory for a log file of 506 MB inflated, above idle",
        f"{_median('e. MB above idle, general, 506 MB inflated')} MB",
        "docs/performance.md",
        f"{performance} memory",
    )
    alerts, high = _read("docs/noise.md", r"^(\d+) alerts, (\d+) of them high")
    yield Line(
        "alerts of a month in which nothing is wrong; high ones",
        f"{alerts}; {high}",
        "docs/noise.md",
        ".venv/bin/python -m benchmarks.quiet_month month; trailbell scan month --summary",
    )
    yield Line(
        "acts against the alerter itself, and who answers each",
        str(_acts()),
        "docs/silenced.md",
        ".venv/bin/python -m tests.e2e.acts",
    )


def written(text: str) -> str:
    """The page's text with the numbers written anew."""
    rows = [f"| {one.what} | [{one.number}]({one.page}) | `{one.command}` |" for one in lines()]
    drawn = "\n".join(["| what | number | printed by |", "|---|---|---|", *rows])
    return _MARKED.sub(lambda found: f"{found[1]}{drawn}\n{found[3]}", text)


def write_page() -> None:
    """Write the numbers into the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _cases() -> int:
    """Every case of rules and correlations that ship, as `trailbell rules check` counts them."""
    of_correlations = [path for stem, path in shipped_files().items() if stem not in rule_paths()]
    return sum(len(shipped_cases(stem)) for stem in rule_paths()) + sum(
        len(load_correlation_cases(case_file(path, RULES, CASES))) for path in of_correlations
    )


def _acts() -> int:
    page = (ROOT / "docs" / "silenced.md").read_text(encoding="utf-8")
    table = page.partition("<!-- acts -->\n")[2].partition("<!-- end of acts -->")[0]
    return table.count("\n| ")  # the head is the first line, and the one below it has no space


def _median(row: str) -> str:
    """The middle of a line of the last benchmarks, as short as it can be said."""
    (middle,) = _read("docs/performance.md", rf"^\| {re.escape(row)} \|[^|]*\|[^|]*\| ([\d.]+) \|")
    return f"{float(middle):.1f}"


def _read(page: str, pattern: str) -> tuple[str, ...]:
    found = re.search(pattern, (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{page} has no {pattern}"
    return found.groups()
