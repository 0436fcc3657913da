"""The undo steps of a hit with their deadlines: of an episode each step has that of its own act."""

from collections.abc import Iterable

from trailbell.hits.episode import EpisodeAct
from trailbell.hits.hit import Hit
from trailbell.hits.undo import deadline_time, seconds_left
from trailbell.lazy_dataclass import dataclass


_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class DatedStep:
    """A step and until when it works, "" where that has no end or is not known.

    acts:      those of an episode that it undoes; none of a step that undoes the whole hit.
    undoes:    what it undoes, for people: a resource, else a call.
    """

    until: str
    text: str
    acts: tuple[EpisodeAct, ...]
    undoes: str


def dated_steps(hit: Hit) -> tuple[DatedStep, ...]:
    """The steps of a hit, in its order; of an episode one with two deadlines stands there twice."""
    if not hit.episode:
        undoes = (*hit.main_resources, hit.event_name)[0]
        return tuple(DatedStep(hit.undo_until, step, (), undoes) for step in hit.undo)
    shown = set(hit.undo)  # of very many steps a hit holds some
    acts_of_step = dict[tuple[str, str], list[EpisodeAct]]()
    for act in hit.episode.acts:
        for step in act.undo:
            if step in shown:
                acts_of_step.setdefault((act.undo_until, step), []).append(act)
    of_acts = [
        DatedStep(until, step, tuple(acts), (*acts[0].resources, acts[0].event_name)[0])
        for (until, step), acts in acts_of_step.items()
    ]
    of_all = dict.fromkeys(hit.undo)
    for _, step in acts_of_step:
        of_all.pop(step, None)
    return (*of_acts, *(DatedStep("", step, (), hit.event_name) for step in of_all))


def deadline_at(hit: Hit, now: str) -> str:
    """The deadline of a hit at a moment (UTC, ISO 8601 with Z), as text; "" for none: of an episode `next_deadline`,
    of rows of versions before, whose acts do not know theirs, what the hit says.
    """
    if not hit.undo:
        return ""
    return (next_deadline(hit.episode.acts, now) if hit.episode else "") or hit.undo_until


def urgency(until: str) -> tuple[int, int]:
    """By what deadlines are sorted: the earliest first, then what is no time, then what has none."""
    seconds = seconds_left(until, _EPOCH)
    if seconds is None:
        return (1 if until else 2), 0
    return 0, seconds


def next_deadline(acts: Iterable[EpisodeAct], now: str) -> str:
    """The first deadline of some acts that lies ahead of a moment, for that is what there is to lose next; if none
    does, the last that passed, for until then something could be done; "" if none has a deadline that is a time.
    """
    times = {act.undo_until: time for act in acts if act.undo and (time := deadline_time(act.undo_until))}
    ahead = [until for until in times if (seconds_left(until, now) or 0) > 0]
    return min(ahead, key=times.__getitem__) if ahead else max(times, key=times.__getitem__, default="")
