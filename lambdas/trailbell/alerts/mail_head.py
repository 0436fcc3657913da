"""The head of a mail: what happened, who did it to what, where, when, how it went; true for every hit of the alert."""

from collections.abc import Iterator, Sequence

from trailbell.alerts.mail_episode import episode_lines
from trailbell.alerts.mail_lines import counted, span, times, utc, wrapped
from trailbell.alerts.mail_who import account_note
from trailbell.alerts.summary import Summary, counts, each
from trailbell.cloudtrail.record import NO_TIME
from trailbell.hits.hit import Hit, seconds_between
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import one_line


_MAX_NAMED = 5  # accounts, regions, calls, errors in a sentence
_OUTCOMES = {
    "success": "succeeded",
    "denied": "denied",
    "dryrun": "dry run that would have been allowed",
    "failed": "failed",
}
_ONE_OUTCOME = {
    "success": "It succeeded",
    "denied": "It was denied",
    "dryrun": "It was a dry run, and would have been allowed",
    "failed": "It failed",
}
_ALL_OUTCOMES = {
    "success": "All succeeded",
    "denied": "All were denied",
    "dryrun": "All were dry runs, and would have been allowed",
    "failed": "All failed",
}
_VERBS = {"denied": "tried", "failed": "tried"}


def gathered_note(quiet_minutes: int) -> str:
    """That hits came in a quiet period; quiet_minutes: how long that is, 0 where it is not known."""
    within = f" within {span(60 * quiet_minutes)}" if quiet_minutes else ""
    return f"You were notified of the first of its kind before; what followed{within} was gathered (quiet_minutes)."


def head_section(hits: Sequence[Hit], summary: Summary, *, gathered: bool, quiet_minutes: int) -> Iterator[str]:
    """The first paragraph of the mail; gathered, quiet_minutes: see mail_text."""
    hit, several = hits[0], len(summary.people) > 1
    total = f"{len(hits)} times" if len(hits) > 1 else ""
    actors = f"by {len(summary.actors)} actors" if len(summary.actors) > 1 else ""
    count = f" ({', '.join(filter(None, (total, actors)))})" if total else ""
    yield f"{hit.level.upper()} - {hit.title}{count}"
    yield ""
    who = _several(hits, summary) if several else one_line(hit.actor.text, 300)
    foreign = each(hits, lambda one: (account_note(one),))
    if len(foreign) == 1 and foreign[0] and not several and foreign[0] not in who:
        who += f" of account {foreign[0]}"
    if hit.episode:
        yield from episode_lines(hits)
        yield from wrapped(f"{_detected(hits, 'it came true')}.")
    elif hit.is_finding:  # all are: one alert is of one rule
        yield from wrapped(f"The audit of log files found this{_on(summary)} {_where(summary)}.")
        yield from wrapped(_when(hits, summary))
    else:
        verbs = " or ".join(each(hits, lambda one: (_verb(one),)))
        yield from wrapped(f"{who} {verbs} {_calls(hits)}{_on(summary)} {_where(summary)}.")
        yield from wrapped(f"{_when(hits, summary)} {_how_it_went(hits, summary)}.")
    if gathered:
        yield from wrapped(gathered_note(quiet_minutes))
    yield from _as_known_before(hits)
    for note, number in counts(hits, lambda one: one.level_note):
        if note:
            yield from wrapped(f"The level was {note}{counted(number, len(hits))}.")
    for note, number in counts(hits, lambda one: one.seen_note):
        if note:
            yield from wrapped(f"{note[:1].upper()}{note[1:]}{counted(number, len(hits))}.")
    yield from _other_rules("Also matched", hits, [name for one in hits for name in dict.fromkeys(one.also)])
    muted = [name for one in hits for name in dict.fromkeys(one.also_muted)]
    yield from _other_rules("Also matched, but muted", hits, muted)


def _several(hits: Sequence[Hit], summary: Summary) -> str:
    if len(summary.actors) > 1:
        return f"{len(summary.actors)} actors"
    names = each(hits, lambda hit: (hit.actor.name,))
    name = one_line(names[0], 300) if len(names) == 1 and names[0] else "One actor"
    return f"{name} (in {len(summary.people)} sessions or ways, see Who)"


def _verb(hit: Hit) -> str:
    return "reported" if hit.event_type == "AwsServiceEvent" else _VERBS.get(hit.outcome, "called")


def _calls(hits: Sequence[Hit]) -> str:
    """The calls and their services; where they differ, each with its number."""
    calls = counts(hits, lambda hit: (hit.event_name, hit.event_source))
    sources = each(hits, lambda hit: (hit.event_source,))
    one_source = f" ({one_line(sources[0], 100)})" if len(sources) == 1 else ""
    named = [
        one_line(name, 100)
        + ("" if one_source else f" ({one_line(source, 100)})")
        + (f" {times(count)}" if len(calls) > 1 else "")
        for (name, source), count in calls[:_MAX_NAMED]
    ]
    more = [f"{len(calls) - _MAX_NAMED} more"] if len(calls) > _MAX_NAMED else []
    return ", ".join(named + more) + one_source


def _on(summary: Summary) -> str:
    if not summary.acted_on:
        return ""
    others = len(summary.acted_on) - 1
    more = f" and {others} more" if others else ""
    return f" on {one_line(named_resource(summary.acted_on[0]), 300)}{more}"


def _where(summary: Summary) -> str:
    accounts, regions = summary.shown_accounts, summary.regions
    account = f"account {accounts[0]}" if len(accounts) == 1 else f"{len(accounts)} accounts ({_some(accounts)})"
    return f"in {account}, {_some(regions)}"


def _some(names: Sequence[str]) -> str:
    listed = [one_line(name, 40) or "no region" for name in names[:_MAX_NAMED]]
    return ", ".join(listed + ([f"{len(names) - _MAX_NAMED} more"] if len(names) > _MAX_NAMED else []))


def _when(hits: Sequence[Hit], summary: Summary) -> str:
    unknown = sum(hit.event_time == NO_TIME for hit in hits)
    if unknown == len(hits):
        return f"Time unknown: {'the record has' if unknown == 1 else 'the records have'} no valid time. {_seen(hits)}."
    when = f"{utc(summary.first)}."
    if len(hits) > 1:
        when = f"{len(hits)} times"
        if summary.first == summary.last and not unknown:
            when += f" at {utc(summary.first)}."
        else:
            when += f" from {utc(summary.first)} to {utc(summary.last)}."
    if unknown:
        when += f" Of these {times(unknown)} at an unknown time: the record has no valid one."
        return f"{when} {_seen(hits)}."
    return f"{when} {_detected(hits)}."


def _detected(hits: Sequence[Hit], what: str = "the event") -> str:
    """How long after the event the hits were found; a record's own time may also lie in the future."""
    first, delays = hits[0], sorted(hit.delay for hit in hits)
    if len(hits) == 1 and first.event_time > first.seen_at:  # both in the same form; Hit.delay is never below 0
        early = span(seconds_between(first.seen_at, first.event_time))
        return f"{_seen(hits)}, {early} before the time in the record"
    if any(hit.event_time > hit.seen_at for hit in hits):
        return _seen(hits)
    late = " to ".join(dict.fromkeys(map(span, (delays[0], delays[-1]))))
    return f"{_how_found(hits)} {late} after {what}"


def _seen(hits: Sequence[Hit]) -> str:
    seen = sorted(hit.seen_at for hit in hits)
    if seen[0] == seen[-1]:
        return f"{_how_found(hits)} {utc(seen[0])}"
    return f"{_how_found(hits)} from {utc(seen[0])} to {utc(seen[-1])}"


def _how_found(hits: Sequence[Hit]) -> str:
    replayed, live = sum(hit.quiet for hit in hits), sum(hit.live is not None for hit in hits)
    if replayed == len(hits):
        return "Found by a replay"
    if live == len(hits) and not replayed:
        return "Detected live"
    others = [f"{how} {times(count)}" for how, count in (("by a replay", replayed), ("live", live)) if count]
    return f"Detected ({', '.join(others)})" if others else "Detected"


def _how_it_went(hits: Sequence[Hit], summary: Summary) -> str:
    words = _ONE_OUTCOME if len(hits) == 1 else _ALL_OUTCOMES
    if len(summary.outcomes) > 1:
        outcome = ", ".join(f"{count} {_OUTCOMES.get(outcome, outcome)}" for outcome, count in summary.outcomes)
    else:
        outcome = words.get(hits[0].outcome, hits[0].outcome)
    if not summary.errors:
        return outcome
    named = [_error(*error) + counted(count, len(hits)) for error, count in summary.errors[:_MAX_NAMED]]
    if len(summary.errors) > _MAX_NAMED:
        named.append(f"and {len(summary.errors) - _MAX_NAMED} more")
    joint = ". Errors: " if len(summary.outcomes) > 1 else " with "
    return f"{outcome}{joint}{'; '.join(named)}".rstrip(".")


def _error(code: str, message: str) -> str:
    return one_line(code, 100) + (f": {one_line(message, 400)}" if message else "")


def _as_known_before(hits: Sequence[Hit]) -> Iterator[str]:
    """What this alert has to do with earlier ones about the same acts, or with another account's records of them."""
    total = len(hits)
    acts = "this act" if total == 1 else "these acts"
    for name, count in counts(hits, lambda hit: hit.muted_before):
        if name:
            muted = f"muted {'it when it was' if total == 1 else 'them when they were'} found, and mutes"
            no_more = f"{'it' if total == 1 else 'them'} no more"
            yield from wrapped(f"The exception {one_line(name, 100)} {muted} {no_more}{counted(count, total)}.")
    for (level, rule), count in counts(hits, lambda hit: (hit.raised_from, hit.raised_from_rule)):
        if level:
            by = f" by {one_line(rule, 100)}" if rule else ""
            graver = "It is graver than that." if total == 1 else "They are graver than that."
            some = counted(count, total)
            yield from wrapped(f"You were notified of {acts} before, at level {level}{by}{some}. {graver}")
    shared = sum(bool(hit.shared_event_id) for hit in hits)
    if shared == 1 == total:
        yield from wrapped("Two accounts record this act; it is notified of once.")
    elif shared:
        some = "each of these acts" if shared == total else f"{shared} of these acts"
        yield from wrapped(f"Two accounts record {some}; each is notified of once.")


def _other_rules(label: str, hits: Sequence[Hit], names: Sequence[str]) -> Iterator[str]:
    if names:
        named = (f"{name} ({times(count)})" if count < len(hits) else name for name, count in _counted(names))
        yield from wrapped(f"{label}: {', '.join(named)}.")


def _counted(names: Sequence[str]) -> list[tuple[str, int]]:
    return [(name, names.count(name)) for name in dict.fromkeys(names)]
