"""What docs/rules.md says of correlations: what each counts, and the rules that only they count."""

import os
from collections.abc import Iterator

from tests.golden.alerts import all_rules, correlations, counted_rules, reported_correlations
from tests.shipped import ROOT
from trailbell.engine.correlation import Correlation, CorrelationType
from trailbell.engine.rulebook import Rule


_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def what_is_counted(report: Rule) -> Iterator[str]:
    """A sentence, if the rule reports a correlation."""
    correlation = correlations().get(report.stem)
    if correlation:
        yield f"Correlation: {sentence(correlation)}.\n"


def sentence(correlation: Correlation) -> str:
    """`25 different facts.resources of ssm-secret-parameter-read within 10 minutes, by facts.actor.key`"""
    names = [_link(one) for one in correlation.rules]
    match correlation.kind:
        case CorrelationType.EVENT_COUNT:
            what = f"{correlation.threshold} events of {', '.join(names)}"
        case CorrelationType.VALUE_COUNT:
            fields = dict.fromkeys(path for paths in correlation.value_paths for path in paths)
            shown = ", ".join(f"`{field}`" for field in fields)
            what = f"{correlation.threshold} different values of {shown} in {', '.join(names)}"
        case CorrelationType.TEMPORAL:
            what = f"{correlation.threshold} of {', '.join(names)}"
        case _:
            what = ", then ".join(names)
    by = ", ".join(f"`{field}`" for field in correlation.group_by)
    return f"{what}, within {_time(correlation.timespan_seconds)}, by {by}"


def counted_section() -> str:
    """Rules and correlations that report nothing alone."""
    silent = [one for one in correlations().values() if one.rule.name not in reported_correlations()]
    rules = counted_rules().values()
    found = [(rule, f"{rule.title}. [rule]({os.path.relpath(path, ROOT / 'docs')})") for rule, path in rules]
    found += [(one.rule, f"{one.rule.title}: {sentence(one)}") for one in silent]
    lines = ["## Counted by correlations alone\n", "These report nothing alone.\n"]
    for rule, text in sorted(found, key=lambda one: one[0].name):
        lines += [f"### {rule.name}\n", f"{text}. Counted by {_counting(rule.rule_id)}.\n"]
    return "\n".join(lines)


def _counting(rule_id: str) -> str:
    return ", ".join(f"[{one.rule.name}](#{one.rule.name})" for one in correlations().values() if rule_id in one.rules)


def _link(rule_id: str) -> str:
    name = _names()[rule_id]
    return f"[{name}](#{name})"


def _names() -> dict[str, str]:
    reports = [rule for rule, _ in (*all_rules().values(), *counted_rules().values())]
    return {rule.rule_id: rule.name for rule in (*reports, *(one.rule for one in correlations().values()))}


def _time(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}{'s' if count > 1 else ''}"
