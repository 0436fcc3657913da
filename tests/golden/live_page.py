"""The tables of docs/live.md: which rules come live, which are left to the log files, and why."""

import re
from collections.abc import Iterator

from tests.shipped import ROOT, shipped
from trailbell.engine.correlation import Correlation
from trailbell.engine.rulebook import Rule
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS
from trailbell.rulebook.known_calls import spelling
from trailbell.rulebook.live_calls import BUSY, RuleLive, live_of
from trailbell.rulebook.live_patterns import patterns_of
from trailbell.rulebook.undone_by import undo_rules


PAGE = ROOT / "docs" / "live.md"
_MARKED = re.compile(r"(<!-- live -->\n)(.*?)(<!-- /live -->\n)", re.DOTALL)


def written(page: str) -> str:
    """The page's text with the tables as they are."""
    tables = "\n".join([_counts(), _rules(), _correlations()])
    return _MARKED.sub(lambda found: found[1] + tables + found[3], page)


def write_page() -> None:
    """Write them anew."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _live() -> dict[str, RuleLive]:
    """What comes live of each rule, by its id."""
    return {rule.rule_id: live_of(rule) for rule in sorted(shipped().rules, key=lambda rule: rule.name)}


def _counts() -> str:
    rules = shipped().rules
    patterns = patterns_of(make_rulebook((*rules, *undo_rules(rules)), CASE_SETTINGS)).own
    found = list(_live().values())
    whole = sum(not one.left_out for one in found)
    none = sum(not one.asked for one in found)
    reads = sum(one.reads for one in patterns)
    return (
        f"Of {len(found)} rules {whole} come live, {len(found) - whole - none} in part, and {none} are left to the log"
        f" files. That takes {len(patterns)} EventBridge rules, {reads} of them for reads.\n"
    )


def _rules() -> str:
    rows = [f"| `{one.rule.name}` | {_extent(one)} | {_reasons(one)} |" for one in _live().values()]
    return "\n".join(["| rule | comes live | what is left to the log files |", "|---|---|---|", *rows]) + "\n"


def _extent(one: RuleLive) -> str:
    if not one.left_out:
        return "yes"
    return "in part" if one.asked else "no"


def _reasons(one: RuleLive) -> str:
    reasons = []
    for why, calls in one.left_out:
        named = ", ".join(f"`{_spelled(one.rule, call)}`" for call in calls)
        reasons.append(f"{named}: {why}" if calls else f"all: {why}")
    return "; ".join(reasons)


def _spelled(rule: Rule, call: str) -> str:
    return next((name for source in BUSY if (name := spelling(source, call))), call)


def _correlations() -> str:
    return "\n".join(["| correlation | what it counts comes live |", "|---|---|", *_correlation_rows()]) + "\n"


def _correlation_rows() -> Iterator[str]:
    for one in sorted(shipped().correlations, key=lambda one: one.rule.name):
        late = sorted(f"`{name}`" for name in _late(one))
        yield f"| `{one.rule.name}` | {'not all: ' + ', '.join(late) if late else 'yes'} |"


def _late(correlation: Correlation) -> set[str]:
    """The rules of which not all comes live that a correlation counts, itself or through those that it counts."""
    live, found = _live(), set[str]()
    others = {one.correlation_id: one for one in shipped().correlations}
    for counted in correlation.rules:
        if counted in others:
            found |= _late(others[counted])
        elif live[counted].left_out:
            found.add(live[counted].rule.name)
    return found
