"""An explanation as text of 80 columns: the record, what came of it, and each rule's condition as a tree.

In a tree `ok` stands at what is as the rule wants it, `NO` at what is not; below `not` a part is to fail.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trailbell.alerts.mail_lines import utc
from trailbell.cli.explain.conditions import has_words, wanted_words
from trailbell.engine.explanation import Part
from trailbell.hits.explained import ExceptionExplained, Explained, RuleExplained, Standing
from trailbell.ops.walk.step import Step
from trailbell.text.safe_text import one_line


_WIDTH = 80
_FEW = 4  # alternatives that are shown where none of many holds
_STANDINGS = {
    Standing.PRIMARY: "matches, and reports it",
    Standing.ALSO: "matches, outranked by {outranked_by}, which reports it",
    Standing.MUTED: "matches, and an exception mutes it",
    Standing.SILENT: "matches, and makes no hits of its own",
    Standing.CANARY: "matches: a canary, which is no hit",
    Standing.REPEATED: "would match, but the record only repeats what another one says",
    Standing.NO_MATCH: "does not match",
}
_OUTCOMES = {
    "denied": "denied: rules about success do not match; denials have rules of their own",
    "dryrun": "a dry run that would have been allowed: nothing happened",
    "failed": "failed for another reason than a denial: nothing happened",
    "success": "success",
}


@dataclass(frozen=True, slots=True)
class Style:
    """How much is shown.

    full:  every alternative of long lists. whole: the whole condition of rules that do not match, too; otherwise what
           stands against them alone. show_secrets: secrets as they are.
    """

    full: bool = False
    show_secrets: bool = False
    whole: bool = False


def explained_lines(explained: Explained, style: Style) -> Iterator[str]:
    """A record, what comes of it, and its rules."""
    yield from _head(explained)
    yield ""
    yield from _folded("", f"Result: {result(explained)}", 2)
    for one in explained.rules:
        yield ""
        yield from rule_lines(one, style)


def result(explained: Explained) -> str:
    """What comes of a record, in a sentence."""
    hit = explained.hit
    if explained.is_canary:
        return "a canary, trailbell's own harmless act, which alerts nobody"
    if hit and hit.muted_by:
        return f"a hit of {hit.name} that is muted by {one_line(hit.muted_by, 100)} until {hit.muted_until}"
    if hit:
        note = f", {hit.level_note}" if hit.level_note else ""
        return f"a hit of {hit.name}, {hit.level}{note}"
    if any(one.standing is Standing.REPEATED for one in explained.rules):
        return "no hit: the record only repeats or counts what other records say"
    counted = explained.counted_by
    if counted:
        return f"no hit of its own; counted by {', '.join(counted)}"
    if not explained.watched:
        return "no hit: no rule is about this call of this service"
    return "no hit: no rule matches"


def rule_lines(one: RuleExplained, style: Style) -> Iterator[str]:
    """One rule: what it does with the record, its exceptions, and its condition."""
    short = one.condition.short_by
    distance = f", {'one condition' if short == 1 else f'{short} conditions'} short" if short else ""
    standing = _STANDINGS[one.standing].format(outranked_by=one.outranked_by)
    yield from _folded("", f"{one.rule.name} ({one.rule.level.word}): {standing}{distance}", 2)
    if one.matches and one.level is not one.rule.level:
        yield from _folded("  ", f"reported as {one.level.word}, by who acted and how", 4)
    if one.counted_by:
        yield from _folded("  ", f"counted by the correlations {', '.join(one.counted_by)}", 4)
    for fault in one.gate:
        few = ", ".join(one_line(name, 60) for name in fault.wanted[:6]) + (" ..." if len(fault.wanted) > 6 else "")
        yield from _folded(
            "  ", f"not looked at: {fault.field} is {one_line(str(fault.value), 80)}, it is about {few}", 4
        )
    for exception in one.exceptions:
        yield from _exception_lines(exception, style)
    if one.matches or style.whole or style.full:
        yield from _part_lines(one.condition, style, 1)
    else:
        for obstacle in one.condition.obstacles:
            yield from _test_lines(obstacle, style, "NO  " if obstacle.wanted else "NO  not: ")


def step_lines(steps: Sequence[Step]) -> Iterator[str]:
    """The steps of a walk; the last one says what to do. What is to be copied is never broken, however long it is."""
    for step in steps:
        yield from _folded(f"{step.state:<8} {step.name}: ", step.said, 9, breaking=False)
        if step.action:
            yield from _folded(" " * 9 + "-> ", step.action, 12, breaking=False)


def _head(explained: Explained) -> Iterator[str]:
    record, facts = explained.record, explained.facts
    call = f"{one_line(record.event_name, 80) or 'no event name'} of {one_line(record.event_source, 80) or 'no source'}"
    yield from _folded("", f"Event {one_line(record.event_id, 80)}: {call}", 2)
    yield f"  {utc(record.event_time)}, {one_line(record.region, 40) or 'no Region'}, account {record.account}"
    yield from _folded("  ", f"by {one_line(facts.actor.text, 300)}", 4)
    yield from _folded("  ", f"outcome: {_OUTCOMES[str(facts.outcome)]}", 4)
    if not facts.direct:
        yield from _folded("  ", "made by a service on its own, not directly (facts.direct is false)", 4)


def _exception_lines(one: ExceptionExplained, style: Style) -> Iterator[str]:
    name, until = one_line(one.exception.name, 100), one.exception.expires
    if not one.in_force:
        yield from _folded("  ", f"exception {name} expired on {until}: it mutes nothing", 4)
        return
    does = "mutes it" if one.mutes else "does not mute it"
    said = f"exception {name} (until {until}, owner {one_line(one.exception.owner, 100)}) {does}:"
    yield from _folded("  ", said, 4)
    yield from _part_lines(one.condition, style, 2)


def _part_lines(part: Part, style: Style, depth: int) -> Iterator[str]:
    """A part of a condition and those below it."""
    lead = f"{'ok' if part.is_met else 'NO'}{'  ' * depth}"
    if part.kind in ("and", "or"):
        yield from _joined_lines(part, style, depth, lead)
    elif part.kind == "not":
        yield f"{lead}not:"
        yield from _part_lines(part.parts[0], style, depth + 1)
    else:
        yield from _test_lines(part, style, lead)


def _test_lines(part: Part, style: Style, lead: str) -> Iterator[str]:
    """A test, and what the record has."""
    where = one_line(part.path, 120) if part.kind == "field" else "any value of the record"
    indent = len(lead.removesuffix("not: ")) + 2
    yield from _folded(lead, f"{where} {wanted_words(part.test)}", indent)
    has = has_words(part, show_secrets=style.show_secrets)
    if has:
        yield from _folded(" " * indent, has, indent)


def _joined_lines(part: Part, style: Style, depth: int, lead: str) -> Iterator[str]:
    """All of, or one of, several parts; of many alternatives those that count, and how many are left out."""
    yield f"{lead}{'all of:' if part.kind == 'and' else 'one of:'}" + ("" if part.parts else " nothing")
    shown = part.parts if style.full or part.kind == "and" else _telling(part)
    for one in shown:
        yield from _part_lines(one, style, depth + 1)
    left = len(part.parts) - len(shown)
    if left:
        yield f"  {'  ' * (depth + 1)}... and {left} more{'' if part.holds else ', none of which holds'} (--full)"


def _telling(part: Part) -> Sequence[Part]:
    """The alternatives that hold; where none does, the nearest."""
    if part.holds:
        return [one for one in part.parts if one.holds][:_FEW]
    return sorted(part.parts, key=lambda one: one.short_by)[:_FEW] if len(part.parts) > _FEW + 1 else part.parts


def _folded(first: str, text: str, indent: int, *, breaking: bool = True) -> Iterator[str]:
    """A text folded to the width. breaking: words that are longer are broken, for they come from records."""
    fold = textwrap.TextWrapper(
        _WIDTH,
        initial_indent=first[: _WIDTH // 2],
        subsequent_indent=" " * min(indent, _WIDTH // 2),
        break_on_hyphens=False,
        break_long_words=breaking,
    )
    yield from fold.wrap(text)
