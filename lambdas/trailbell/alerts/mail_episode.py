"""What a mail says of an episode: how many acts of whom in what time, and which."""

from collections import Counter
from collections.abc import Iterator, Sequence

from trailbell.alerts.mail_lines import span, times, utc, wrapped
from trailbell.hits.episode import EpisodeAct, HitEpisode
from trailbell.hits.hit import ACT, Hit, seconds_between
from trailbell.hits.short_id import short_id
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import one_line


_MAX_CALLS = 5
_MAX_EPISODES = 5


def episode_lines(hits: Sequence[Hit], who: str, where: str) -> Iterator[str]:
    """The sentences of the head for hits that are episodes: who did how many acts, which, where, and when."""
    episodes = [hit.episode for hit in hits if hit.episode]
    many = f"{len(episodes)} episodes of this: " if len(episodes) > 1 else ""
    count = sum(episode.count for episode in episodes)
    acts = "1 act" if count == 1 else f"{count} acts"
    first, last = min(one.first for one in episodes), max(one.last for one in episodes)
    within = f" within {span(seconds_between(first, last))}" if first != last else " in the same second"
    yield from wrapped(f"{who}: {many}{acts}{within} {where}: {_calls(episodes)}.")
    yield from wrapped(f"From {utc(first)} to {utc(last)}." if first != last else f"At {utc(first)}.")


def acts_section(hits: Sequence[Hit]) -> Iterator[str]:
    """The section Acts: the story in its order, with the ids of acts that have an alert of their own."""
    shown = [hit for hit in hits if hit.episode][:_MAX_EPISODES]
    for number, hit in enumerate(shown):
        assert hit.episode
        yield "Acts" if len(shown) == 1 else f"Acts of {hit.short_id}"
        common = ", ".join(f"{name} {value}" for name, value in hit.episode.group)
        yield from wrapped(f"the same for all: {common}", indent="  ")
        yield from _acts(hit.episode)
        if number < len(shown) - 1:
            yield ""


def _acts(episode: HitEpisode) -> Iterator[str]:
    left_out = episode.count - len(episode.acts)
    half = (len(episode.acts) + 1) // 2 if left_out > 0 else len(episode.acts)
    for act in episode.acts[:half]:
        yield _act(act)
    if left_out > 0:
        yield f"  ... {left_out} more ..."
    for act in episode.acts[half:]:
        yield _act(act)


def _act(act: EpisodeAct) -> str:
    on = ", ".join(one_line(named_resource(name), 120) for name in act.resources)
    told = f" [alert {short_id((act.account, act.event_id, ACT), act.at)}]" if act.is_hit else ""
    return f"  {utc(act.at)}  {one_line(act.event_name, 60)}{f' on {on}' if on else ''}{told}"


def _calls(episodes: Sequence[HitEpisode]) -> str:
    """The calls of the acts that are known by name, most frequent first; counted where all of them are."""
    acts = [act for episode in episodes for act in episode.acts]
    complete = len(acts) == sum(episode.count for episode in episodes)
    calls = Counter((act.event_name, act.event_source) for act in acts).most_common()
    named = [
        f"{one_line(name, 100)} ({one_line(source, 100)})" + (f" {times(count)}" if complete and len(calls) > 1 else "")
        for (name, source), count in calls[:_MAX_CALLS]
    ]
    return ", ".join(named + ([f"{len(calls) - _MAX_CALLS} more"] if len(calls) > _MAX_CALLS else []))
