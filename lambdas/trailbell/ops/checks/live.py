"""Live events: do EventBridge's rules ask for what the rulebook asks for, and does every member's event come?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from trailbell.ops.answers import LiveRule, Seen
from trailbell.ops.checks.finding import PROBLEM, WARNING, Finding, fine, found


CHECK = "live events"
MEMBERS = "members"
_NAMED = 5


def live_rule_findings(
    expected: Mapping[str, LiveRule], rules: Mapping[str, LiveRule | None], fingerprint: str
) -> Iterator[Finding]:
    """The rules as they are, None for one that is gone, against those that the deployed rulebook asks for.

    fingerprint: of the patterns; a member that forwards by the same ones says the same.
    """
    faults = [*_faults(expected, rules)]
    yield from faults
    if not faults:
        text = f"{len(rules)} EventBridge rules ask for what the rulebook asks for (patterns {fingerprint})."
        yield fine(CHECK, text)


def _faults(expected: Mapping[str, LiveRule], rules: Mapping[str, LiveRule | None]) -> Iterator[Finding]:
    missing = sorted(name for name in expected if rules.get(name) is None)
    if missing:
        yield found(PROBLEM, CHECK, "live.missing", count=len(missing), rules=missing[:_NAMED])
    there = {name: rule for name, rule in rules.items() if rule}
    for condition, is_wrong in (
        ("live.off", lambda name, rule: name in expected and rule.state != expected[name].state),
        ("live.nowhere", lambda name, rule: not rule.targets),
    ):
        wrong = [rule.name for name, rule in sorted(there.items()) if is_wrong(name, rule)]
        if wrong:
            yield found(PROBLEM, CHECK, condition, rules=wrong[:_NAMED], rule=wrong[0])
    other = [
        rule.name
        for name, rule in sorted(there.items())
        if name not in expected or dict(rule.pattern) != dict(expected[name].pattern)
    ]
    if other:
        yield found(WARNING, CHECK, "live.other-patterns", rules=other[:_NAMED])


def member_findings(seen: Mapping[tuple[str, str], Seen], days: int) -> Iterator[Finding]:
    """Accounts and Regions of which log files brought hits that should have come live, and no event brought any."""
    silent = sorted(place for place, one in seen.items() if one.by_files and not one.live)
    if silent:
        places = [" ".join(place) for place in silent]
        yield found(WARNING, MEMBERS, "live.silent", count=len(silent), places=_some(places), days=days)
        return
    heard = sum(1 for one in seen.values() if one.live)
    if not seen:
        yield fine(MEMBERS, f"No hit of the last {days} days tells whether members are heard.")
    else:
        yield fine(
            MEMBERS, f"Events came live from all {heard} accounts and Regions with hits in the last {days} days."
        )


def member_stack_finding(waiting: int) -> Finding:
    """In a member: whether something could not be forwarded."""
    if waiting:
        return found(PROBLEM, MEMBERS, "member.not-forwarded", count=waiting)
    return fine(MEMBERS, "Every event was forwarded, or could be so far: the dead-letter queue is empty.")


def seen_by_place(hits: Iterable[tuple[str, str, bool]]) -> dict[tuple[str, str], Seen]:
    """Hits as (account, Region, whether an event brought it) → what was seen of each account and Region."""
    counts = dict[tuple[str, str], list[int]]()
    for account, region, is_live in hits:
        counts.setdefault((account, region), [0, 0])[not is_live] += 1
    return {place: Seen(live, by_files) for place, (live, by_files) in counts.items()}


def _some(places: Sequence[str]) -> str:
    more = len(places) - _NAMED
    return ", ".join(places[:_NAMED]) + (f" and {more} more" if more > 0 else "")
