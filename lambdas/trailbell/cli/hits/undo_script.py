"""The undo of some hits as a shell script of which only what can run now is no comment, and as JSON."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trailbell.alerts.mail_lines import span, utc, wrapped
from trailbell.hits.episode import EpisodeAct
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import UNDONE, UNRESOLVED, already
from trailbell.hits.undo_plan import UndoPlan, UndoStep, undo_plan
from trailbell.store.query.alert_hits import AlertHits
from trailbell.store.query.hit_query import FoundHit
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import one_line


_MAX_RESOURCES = 3
_TOO_LATE = "too late"


@dataclass(frozen=True, slots=True)
class Undo:
    """The hits that somebody asked to undo, the alert of each, and when they asked (UTC, ISO 8601 with Z).

    act_hits: by account and event's id the hits of acts of episodes, as far as these are hits of their own.
    """

    hits: list[Hit]
    alerts: list[AlertHits]
    now: str
    act_hits: Mapping[tuple[str, str], FoundHit]

    def each(self) -> Iterator[FoundHit]:
        """Every hit of the alerts, once."""
        found = {one.hit.identity: one for alert in self.alerts for one in alert.hits}
        yield from found.values()

    def held_back(self, found: FoundHit, plan: UndoPlan) -> str:
        """Why nothing of a hit is to run now, "" if it may; what was asked for by name runs though it is resolved.
        Of an episode each step has a deadline of its own.
        """
        if found.state.word == UNDONE:
            return one_line(already(found.state), 400)
        if plan.expired and not found.hit.episode:
            return _TOO_LATE
        asked = found.hit.identity in {hit.identity for hit in self.hits}
        return "" if asked or found.state.word in UNRESOLVED else f"{found.state.word} already"

    def step_held_back(self, found: FoundHit, plan: UndoPlan, step: UndoStep) -> str:
        """Why a step of a hit is not to run now, "" if it may. Of an episode it may if one of its acts is to be undone
        that way: if the act is a hit, that one says so, else the step's own deadline.
        """
        if held := self.held_back(found, plan):
            return held
        held_by_act = [self._act_held_back(act, step) for act in step.acts]
        if "" in held_by_act:
            return ""
        return held_by_act[0] if held_by_act else _TOO_LATE if step.expired else ""

    def steps_held_back(self, found: FoundHit) -> list[tuple[UndoStep, str]]:
        """The steps of a hit that are not to run now, each with why; not those that another act is undone by."""
        plan = undo_plan(found.hit, self.now)
        held = [(step, self.step_held_back(found, plan, step)) for step in plan.steps]
        to_run = {step.text for step, why in held if not why}
        return [(step, why) for step, why in held if why and step.text not in to_run]

    def _act_held_back(self, act: EpisodeAct, step: UndoStep) -> str:
        found = self.act_hits.get((act.account, act.event_id))
        if found:
            return self.held_back(found, undo_plan(found.hit, self.now))
        return _TOO_LATE if step.expired else ""


def undo_script(undo: Undo) -> Iterator[str]:
    """The lines of the script."""
    every = list(undo.each())
    ids = " ".join(hit.short_id for hit in undo.hits)
    yield f"# Undo {ids}: {len(every)} {'hit' if len(every) == 1 else 'hits'}, as of {utc(undo.now)}"
    for hit, alert in zip(undo.hits, undo.alerts, strict=True):
        if not alert.recorded and len(alert.hits) > 1:
            yield from _comment(
                f"The table does not say what was in one alert with {hit.short_id}: these are the hits that would be, "
                f"of the same rule, level, account and actors, within {alert.hours} h of it."
            )
    printed = set[str]()
    for found in every:
        yield from ("", *_of_hit(undo, found, printed))


def undo_document(undo: Undo) -> dict[str, Any]:
    """The same as JSON: `alertRecorded` is false where the hits are those that one alert would hold."""
    return {
        "asOf": undo.now,
        "alertRecorded": all(alert.recorded for alert in undo.alerts),
        "hits": [_hit_document(undo, found) for found in undo.each()],
    }


def _hit_document(undo: Undo, found: FoundHit) -> dict[str, Any]:
    hit, plan = found.hit, undo_plan(found.hit, undo.now)
    return {
        "shortId": hit.short_id,
        "hitId": hit.hit_id,
        "level": hit.level,
        "title": hit.title,
        "eventTime": hit.event_time,
        "account": hit.account,
        "region": hit.region,
        "actor": hit.actor.text,
        "resources": list(hit.resources),
        "state": found.state.word,
        "until": plan.until,
        "secondsLeft": plan.seconds,
        "expired": plan.expired,
        "heldBack": undo.held_back(found, plan),
        "steps": [_step_document(step, undo.step_held_back(found, plan, step)) for step in plan.steps],
        "note": hit.undo_note,
    }


def _step_document(step: UndoStep, held: str) -> dict[str, Any]:
    return {
        "text": step.text,
        "command": step.command,
        "gaps": list(step.gaps),
        "until": step.until,
        "secondsLeft": step.seconds,
        "expired": step.expired,
        "heldBack": held,
    }


def _of_hit(undo: Undo, found: FoundHit, printed: set[str]) -> Iterator[str]:
    """Who did what, how long it can be undone, and how."""
    hit, plan = found.hit, undo_plan(found.hit, undo.now)
    yield from _comment(f"{hit.short_id} {hit.level.upper()} {hit.title}{_on(hit)}", wrap=False)
    yield from _comment(f"  by {hit.actor.text}, {utc(hit.event_time)}, {_where(hit)}; {found.state.word}", wrap=False)
    is_one_deadline = len({step.until for step in plan.steps}) < 2
    if plan.until and is_one_deadline:
        yield from _comment(f"  undo until {_deadline(plan)}", wrap=False)
    if not plan.steps:
        yield "#   no command undoes it" + (":" if hit.undo_note else "")
    before: UndoStep | None = None
    for step in plan.steps:
        if not is_one_deadline and (before is None or step.until != before.until):
            until = f"until {_deadline(step)}" if step.until else "without a deadline"
            yield from _comment(f"  {until}:", wrap=False)
        before = step
        yield from _line(step, undo.step_held_back(found, plan, step), printed)
    yield from _comment(hit.undo_note)


def _line(step: UndoStep, held: str, printed: set[str]) -> Iterator[str]:
    """A step: as it is if it can run now, else a comment that begins with the reason."""
    reason = held or (f"fill in {', '.join(step.gaps)}" if step.gaps else "")
    if not step.command:
        yield from _comment(f"{held}: {step.text}" if held else step.text)
    elif reason or not step.text.isprintable():  # a line break would end the comment, or the command
        yield from _comment(f"{reason or 'not one line'}: {step.text}", wrap=False)
    elif step.text in printed:
        yield from _comment(f"as above: {step.text}", wrap=False)
    else:
        printed.add(step.text)
        yield step.text


def _comment(text: str, *, wrap: bool = True) -> Iterable[str]:
    """A text as comments, whatever it holds."""
    if wrap:
        return (f"# {one_line(line, 4096)}" for line in wrapped(text))
    return (f"# {one_line(text, 16_384)}",)


def _on(hit: Hit) -> str:
    if not hit.resources:
        return ""
    more = len(hit.resources) - _MAX_RESOURCES
    named = ", ".join(map(named_resource, hit.resources[:_MAX_RESOURCES]))
    return f": {named}" + (f" and {more} more" if more > 0 else "")


def _where(hit: Hit) -> str:
    return f"account {one_line(hit.shown_account, 70)}, {hit.region or 'no region'}"


def _deadline(of: UndoPlan | UndoStep) -> str:
    if of.seconds is None:
        return of.until
    left = f"over for {span(-of.seconds)}" if of.expired else f"{span(of.seconds)} left"
    return f"{of.until}: {left}"
