"""The weekly report to operations, as text for a mail: what there was, what waits, and what is not known."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from statistics import median

from trailbell.alerts.commands import command_line
from trailbell.alerts.mail_lines import span, utc, wrapped
from trailbell.engine.rulebook import Level
from trailbell.hits.week import ExpiringException, RuleCount, UndoneHit, WaitingHit, Week
from trailbell.text.counts import counted
from trailbell.text.safe_text import CUT, one_line


_WEEK = 7
_MAX_LISTED = 20
_MAX_TEXT = 20_000
_LEVELS = [level.word for level in sorted(Level, reverse=True)]


def weekly_subject(week: Week) -> str:
    """The subject: the days and counts alone, below 100 characters of ASCII."""
    parts = [counted(week.hits, "hit")]
    if week.waiting:
        parts.append(f"{len(week.waiting)} open with a deadline")
    if week.deliveries.waiting:
        parts.append(f"{week.deliveries.waiting} not delivered")
    return f"trailbell: {week.since} to {_last_day(week)}: {', '.join(parts)}"


def weekly_text(
    week: Week, exceptions: Sequence[ExpiringException], *, place: str = "", where: str = "", quiet_minutes: int = 60
) -> str:
    """The text, never longer than 20,000 characters; it says so where it is cut.

    place: whose report it is, such as "stack trailbell in eu-central-1", "" for nothing of that; where: options of
    commands (alerts/commands.py); quiet_minutes: the longest quiet period.
    """
    sections = (
        _head(week, place),
        _by_rule(week),
        _open(week),
        _undone(week),
        _mutes(week),
        _exceptions(exceptions),
        _deliveries(week, where, quiet_minutes),
        _canaries(week),
        _next(week, where),
    )
    text = "\n\n".join("\n".join(section) for section in map(list, sections) if section) + "\n"
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}\n{CUT} (cut)\n"


def _head(week: Week, place: str) -> Iterator[str]:
    days = _days(week)
    what = "The week" if days == _WEEK else f"The {counted(days, 'day')}"
    yield f"{what} {week.since} to {_last_day(week)} (UTC), as of {utc(week.now)}"
    if place:
        yield _said(place)
    yield ""
    alerts = sum(rule.alerts for rule in week.rules)
    many = "at least " if week.unread else ""
    yield f"{many}{counted(week.hits, 'hit')} in {counted(alerts, 'alert')}." if week.hits else "No hits."
    if week.unread:
        yield "More hits than are counted here were found: the newest are counted."


def _by_rule(week: Week) -> Iterator[str]:
    if not week.rules:
        return
    yield "Hits by level and rule"
    for level in _LEVELS:
        rules = sorted((rule for rule in week.rules if rule.level == level), key=lambda rule: (-rule.hits, rule.title))
        if rules:
            yield f"  {level}: {_sums(rules)}"
            yield from _listed(f"    {rule.hits:>5}  {_said(rule.title)}" for rule in rules)


def _open(week: Week) -> Iterator[str]:
    left = {level: count for level, count in week.open_hits if count}
    by_level = ", ".join(f"{left[level]} {level}" for level in _LEVELS if level in left)
    yield f"Open: {by_level or 'none of this week'}"
    if week.waiting:
        yield "  with a deadline, whichever week they are of:"
        yield from _listed(_waiting(hit) for hit in week.waiting)


def _waiting(hit: WaitingHit) -> str:
    left = f"{span(hit.seconds)} left" if hit.seconds > 0 else f"DEADLINE PASSED {span(-hit.seconds)} ago"
    what = f"{_named(hit)}, {_said(hit.account, 40)} by {_said(hit.actor)}"
    return f"    {what}\n              until {_said(hit.until, 60)}: {left}"


def _undone(week: Week) -> Iterator[str]:
    yield f"Undone, of this week's: {len(week.undone) or 'none'}"
    yield from _listed(f"    {_named(hit)}: after {span(hit.after)}, by {_said(hit.by)}" for hit in week.undone)


def _mutes(week: Week) -> Iterator[str]:
    yield f"Muted by exceptions: {sum(one.hits for one in week.mutes) or 'none'}"
    for one in sorted(week.mutes, key=lambda one: (-one.hits, one.name))[:_MAX_LISTED]:
        name = f"{_said(one.name)} (owner: {_said(one.owner)})" if one.name else "exceptions that were not looked up"
        yield f"    {one.hits:>5}  {name}"
    if len(week.mutes) > _MAX_LISTED:
        yield f"    ... and {len(week.mutes) - _MAX_LISTED} more exceptions"


def _exceptions(exceptions: Sequence[ExpiringException]) -> Iterator[str]:
    if not exceptions:
        yield "Exceptions: none expires within 30 days."
        return
    yield "Exceptions that expire within 30 days, or have expired: their hits are notified again"
    yield from _listed(
        f"    {one.expires}{' (expired)' if one.expired else ''}  {_said(one.name)} (owner: {_said(one.owner)})"
        for one in exceptions
    )


def _deliveries(week: Week, where: str, quiet_minutes: int) -> Iterator[str]:
    done = week.deliveries
    if done.waiting:
        yield f"Deliveries: {counted(done.waiting, 'hit')} without a delivery record, the oldest of {utc(done.oldest)}"
        gathered = f"; those of the last {span(60 * quiet_minutes)} may be gathered in a quiet period"
        yield f"    {command_line('undelivered', where)} lists them{gathered if quiet_minutes else ''}"
    else:
        yield "Deliveries: every hit was delivered."
    if done.replayed:
        yield f"    {counted(done.replayed, 'hit')} found by a replay of which nobody was to be notified"
    yield from wrapped(
        "How often one was deferred or failed and was tried again is not in the table: see the metrics HitsDeferred,"
        " HitsFailed and ChannelsFailed.",
        indent="    ",
    )


def _canaries(week: Week) -> Iterator[str]:
    canaries = week.canaries
    if not canaries.sent:
        yield "Canary: none was sent."
        return
    back = len(canaries.seconds)
    yield f"Canary: {canaries.sent} sent, {back} came back, {canaries.reported} reported as missing"
    if back:
        yield f"    from act to publication: median {span(round(median(canaries.seconds)))}," + (
            f" longest {span(max(canaries.seconds))}"
        )


def _next(week: Week, where: str) -> Iterator[str]:
    days = f" --days {_days(week)}" if _days(week) != _WEEK else ""
    yield f"All of it: {command_line(f'hits --from {week.since} --to {_last_day(week)}', where)}"
    yield f"What is open: {command_line(f'hits --open --from {week.since} --to {_last_day(week)}', where)}"
    yield f"This report again: {command_line(f'weekly --until {_last_day(week)}{days}', where)}"


def _sums(rules: Sequence[RuleCount]) -> str:
    return f"{counted(sum(one.hits for one in rules), 'hit')}, {counted(sum(one.alerts for one in rules), 'alert')}"


def _listed(lines: Iterable[str]) -> Iterator[str]:
    """The first of some lines, and how many there are more."""
    every = list(lines)
    yield from every[:_MAX_LISTED]
    if len(every) > _MAX_LISTED:
        yield f"    ... and {len(every) - _MAX_LISTED} more"


def _named(hit: WaitingHit | UndoneHit) -> str:
    return f"{_said(hit.short_id, 24)}  {_said(hit.level, 20)} {_said(hit.title)}"


def _said(text: str, limit: int = 120) -> str:
    """Text that may be anybody's, as one harmless line."""
    return one_line(text, limit)


def _days(week: Week) -> int:
    return (date.fromisoformat(week.until) - date.fromisoformat(week.since)).days


def _last_day(week: Week) -> str:
    return (date.fromisoformat(week.until) - timedelta(days=1)).isoformat()
