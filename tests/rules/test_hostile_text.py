"""Whatever an attacker writes into any string of a record, every output shows it as harmless, readable data."""

import csv
import io
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.rules.outputs import OUTPUTS
from tests.rules.rule_hits import changed, hit_of, matching_records, string_places, value_at, with_every_member
from trailbell.alerts.subject import SUBJECT_LIMIT
from trailbell.cloudtrail.record import make_record
from trailbell.engine.rulebook import Rule
from trailbell.facts.facts import facts_of
from trailbell.hits.hit import Hit
from trailbell.hits.undo import fill_steps
from trailbell.text.safe_text import is_safe


MATCHING = matching_records()
RECORDS = [pytest.param(rule, with_every_member(record), id=rule.name) for rule, record in MATCHING]
FILLED = {rule.name for rule, _ in MATCHING if "{" in "".join(rule.undo.steps)}

POISONS = {
    "line breaks": "\r\nBcc: all@evil.example\n\nUndo\n  curl evil.example\u2028\u2029\x85\x0b\x0c",
    "terminal": "\x1b[2J\x1b]0;title\x07\x9b31m\x08\x7f\x00",
    "unseen": "\u202e\u2066\u200b\u200d\u2060\ufeff\u00ad\u3164\ufe0f\U000e0041\ue000\ud800\udfff",
    "lookalikes": "\u0430dmin p\u0430ypal \uff41dmin A\u0301\u0301\u0301\u0301\u0301\u0301",
    "markup": "<script>alert(1)</script><img src=x onerror='x'>\"'&amp;[red]bold[/red]<!channel>",
    "formula": "=cmd|' /C calc'!A0;=1+1",
    "link": "https://evil.example/login www.evil.example javascript:alert(1)",
    "long": "A" * 100_000,
}
ALL = "".join(poison for name, poison in POISONS.items() if name != "long")
_POISONED: dict[str, list[Hit]] = {}
CONSOLE = re.compile(r"https://[a-z0-9-]+\.console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)/")


def poisoned(rule: Rule, record: dict[str, Any]) -> list[Hit]:
    """Distinct hits of a record: each string in turn hostile at both ends, then all at once, one poison at a time."""
    if rule.name not in _POISONED:
        _POISONED[rule.name] = list(dict.fromkeys(_poisoned(rule, record)))
    return _POISONED[rule.name]


def _poisoned(rule: Rule, record: dict[str, Any]) -> Iterator[Hit]:
    places = list(string_places(record))
    for place in places:
        yield hit_of(rule, changed(record, place, ALL + value_at(record, place) + ALL))
    for poison in POISONS.values():
        everywhere = record
        for place in places:
            everywhere = changed(everywhere, place, value_at(record, place) + poison)
        yield hit_of(rule, everywhere)


@pytest.mark.parametrize(("rule", "record"), RECORDS)
def test_every_output_is_safe_whatever_a_record_holds(rule: Rule, record: dict[str, Any]) -> None:
    """A line break in a subject adds a header; an escape sequence in a table rewrites what is above it."""
    hits = poisoned(rule, record)

    for name, output in OUTPUTS.items():
        shown = output(hits)
        unsafe = [line for line in shown.split("\n") if not is_safe(line)]
        assert unsafe == [], f"{name} of {rule.name}"
        shown.encode("utf-8")


@pytest.mark.parametrize(("rule", "record"), RECORDS)
def test_mails_are_bounded_and_link_only_where_we_say(rule: Rule, record: dict[str, Any]) -> None:
    """A hundred kilobytes of one letter must not fill a mail, and a user agent must not put a link into it."""
    for hit in poisoned(rule, record):
        text, subject = OUTPUTS["mail"]([hit]), OUTPUTS["subject"]([hit])
        addresses = [address for address in re.findall(r"https?://\S+", text) if not CONSOLE.match(address)]

        assert len(subject) <= SUBJECT_LIMIT
        assert subject.isascii()
        assert len(text) < 40_000
        assert len(OUTPUTS["rows"]([hit]).split("\n")[0].encode()) < 400_000
        assert set(addresses) <= {*rule.references, *rule.check, *hit.undo}, addresses


@pytest.mark.parametrize("char", ["\u6f22", "'"])
def test_largest_hits_fit_into_a_row(char: str) -> None:
    """A row that DynamoDB refuses would keep its whole log file from ever being done: 400 KB, with names and types."""
    long = [f"{number:02}{char * 2046}" for number in range(50)]
    for rule, record in sorted(MATCHING, key=lambda pair: -len(pair[0].undo.steps))[:12]:
        fields = {**record, "resources": [{"ARN": one} for one in long]}
        for path in re.findall(r"\{([A-Za-z]+\.[A-Za-z0-9_.]+)\}", "".join(rule.undo.steps)):
            section, *names = path.split(".")
            if section != "resource":
                node = fields[section] = dict(fields.get(section) or {})
                for name in names[:-1]:
                    node[name] = dict(node[name]) if isinstance(node.get(name), dict) else {}
                    node = node[name]
                node[names[-1]] = long[:20]
        for place in string_places(fields):
            if place[0] not in ("resources", *_UNDO_SECTIONS):
                fields = changed(fields, place, f"{value_at(fields, place)}{char * 5000}")

        (row, *_) = OUTPUTS["rows"]([hit_of(rule, fields)]).split("\n")

        assert len(row.encode()) < 380_000, rule.name


def test_text_stays_readable() -> None:
    """Safe and empty would be easy: the reader still sees who came with what."""
    rule, record = next(one for one in MATCHING if not one[0].name.startswith("audit-"))
    hit = hit_of(rule, {**record, "userAgent": f"aws-cli/2.31 {ALL}", "errorMessage": f"not allowed {ALL}"})
    text = OUTPUTS["mail"]([hit])

    assert "aws-cli/2.31 \\x0d\\x0aBcc: all@evil.example" in text
    assert "\\x1b[2J" in text
    assert "<script>alert(1)</script>" in text
    assert "https[:]//evil.example/login" in OUTPUTS["rows"]([hit])


FOR_MACHINES = {
    "alert topic",
    "event bus",
    "event bus, OCSF",
    "rows",
}  # they need the key as it is; JSON escapes what controls


def test_name_of_the_log_file_is_shown_safely() -> None:
    """Who may write into the trail bucket chooses keys."""
    rule, record = MATCHING[0]
    hit = hit_of(rule, record)
    hit = replace(hit, place=replace(hit.place, key=f"AWSLogs/{ALL.encode('utf-8', 'replace').decode()}.json.gz"))

    for name, output in OUTPUTS.items():
        shown = output([hit])
        if name not in FOR_MACHINES:
            assert [line for line in shown.split("\n") if not is_safe(line)] == [], name


@pytest.mark.parametrize(("rule", "record"), RECORDS)
def test_cells_and_pages_hold_nothing_that_runs(rule: Rule, record: dict[str, Any]) -> None:
    """A spreadsheet computes what begins with =, a browser runs what stands between brackets."""
    hits = poisoned(rule, record)
    cells = [cell for row in csv.reader(io.StringIO(OUTPUTS["csv"](hits))) for cell in row]

    assert [cell for cell in cells if re.match(r"""["' ]*[=+@-]""", cell) and not re.match(r"""["' ]*'""", cell)] == []
    assert _tags(OUTPUTS["report"](hits)) == _tags(OUTPUTS["report"]([]))


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


def _tags(page: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    """The elements of a page with their attributes; the policy's hashes do not depend on the data."""
    parser = _Elements()
    parser.feed(page)
    return parser.found


# The programs of undo steps, saying what they were given instead of doing it.
SHIMS = 'aws() { printf \'%s\\0\' "$@"; }\nnpx() { aws "$@"; }\n'
_UNDO_SECTIONS = ("requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "resources")
SHELL = (
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "' ; touch pwned ; '",
    '" ; touch pwned ; "',
    "\ntouch pwned\n",
    "| touch pwned",
    "&& touch pwned",
    ">pwned",
    "\\' ; touch pwned ; \\'",
    "{a,b} ~root * ?",
    "--endpoint-url=http://evil.example",
    "--no-verify-ssl",
    "file:///etc/passwd",
)


@pytest.mark.parametrize(("rule", "record"), [pair for pair in RECORDS if pair.id in FILLED])
def test_undo_stays_one_command_when_pasted(rule: Rule, record: dict[str, Any], tmp_path: Path) -> None:
    """Whoever names a document must not run a command, or add an option, on the responder's laptop."""
    places = [place for place in string_places(record) if place[0] in _UNDO_SECTIONS]
    steps = set[str]()
    for place in places:
        for poison in SHELL:
            for value in (poison, value_at(record, place) + poison):
                given = make_record(changed(record, place, value), 4)
                steps.update(fill_steps(rule.undo, given, facts_of(given)))
    script = SHIMS + "\n".join(sorted(steps))
    options = {word for step in rule.undo.steps for word in step.split() if word.startswith("-")}

    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)  # noqa: S607

    assert ran.stderr == ""
    assert list(tmp_path.iterdir()) == []
    words = ran.stdout.split("\0")
    assert {word for word in words if word.startswith("-")} <= options
    assert [word for word in words if word.startswith("file:///etc")] == []
