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
_LABELS = {
    "facts.actor.key": "actor",
    "recipientAccountId": "account",
    "awsRegion": "Region",
    "facts.resources": "resource",
}


def episode_lines(hits: Sequence[Hit]) -> Iterator[str]:
    """The sentences of the head for hits that are episodes: who did how many acts, which, where, and when."""
    episodes = [hit.episode for hit in hits if hit.episode]
    acts = [act for episode in episodes for act in episode.acts]
    count = sum(episode.count for episode in episodes)
    many = f"{len(episodes)} episodes of this: " if len(episodes) > 1 else ""
    at_least = "at least " if any(episode.at_least for episode in episodes) else ""
    number = at_least + ("1 act" if count == 1 else f"{count} acts")
    first, last = min(one.first for one in episodes), max(one.last for one in episodes)
    within = f" within {span(seconds_between(first, last))}" if first != last else " in the same second"
    where = f"in {_some('account', [act.account for act in acts])}, {_some('', [act.region for act in acts])}"
    complete = all(episode.is_complete for episode in episodes)
    among = f" {where}: " if complete else f". Of these some {where}: "
    yield from wrapped(f"{_who(hits)}: {many}{number}{within}{among}{_calls(acts, complete=complete)}.")
    yield from wrapped(f"From {utc(first)} to {utc(last)}." if first != last else f"At {utc(first)}.")


def _who(hits: Sequence[Hit]) -> str:
    texts = dict.fromkeys(hit.actor.text for hit in hits)
    return one_line(next(iter(texts)), 300) if len(texts) == 1 else "Several actors"


def is_of_one_actor(hit: Hit) -> bool:
    """Whether all acts of a hit are known to be one actor's."""
    return hit.episode is None or hit.episode.is_of_one_actor


def _some(what: str, names: Sequence[str]) -> str:
    """account 111122223333; 3 accounts (…)."""
    distinct = [one_line(name, 40) or "no region" for name in dict.fromkeys(names)]
    listed = ", ".join(distinct[:_MAX_CALLS]) + (
        f" and {len(distinct) - _MAX_CALLS} more" if distinct[_MAX_CALLS:] else ""
    )
    if not what:
        return listed
    return f"{what} {listed}" if len(distinct) == 1 else f"{len(distinct)} {what}s ({listed})"


def acts_section(hits: Sequence[Hit]) -> Iterator[str]:
    """The section Acts: the story in its order, with the ids of acts that have an alert of their own."""
    shown = [hit for hit in hits if hit.episode][:_MAX_EPISODES]
    for number, hit in enumerate(shown):
        assert hit.episode
        yield "Acts" if len(shown) == 1 else f"Acts of {hit.short_id}"
        common = ", ".join(f"{_LABELS.get(name, name)} {value}" for name, value in hit.episode.group)
        yield from wrapped(f"the same for all: {common}", indent="  ")
        yield from _acts(hit.episode, with_actor=not is_of_one_actor(hit))
        if number < len(shown) - 1:
            yield ""


def told_acts(episode: HitEpisode) -> Iterator[EpisodeAct | str]:
    """The acts that an episode holds, and where others are missing between them, how many, in words."""
    left_out = episode.count - len(episode.acts)
    more = f"{left_out} more" if not episode.at_least else f"{left_out} more at least" if left_out else "maybe more"
    half = len(episode.acts) if episode.is_complete else (len(episode.acts) + 1) // 2
    yield from episode.acts[:half]
    if not episode.is_complete:
        yield f"... {more} ..."
    yield from episode.acts[half:]


def _acts(episode: HitEpisode, *, with_actor: bool) -> Iterator[str]:
    for act in told_acts(episode):
        yield f"  {act}" if isinstance(act, str) else _act(act, with_actor=with_actor)


def _act(act: EpisodeAct, *, with_actor: bool) -> str:
    on = ", ".join(one_line(named_resource(name), 120) for name in act.resources)
    told = f" [alert {short_id((act.account, act.event_id, ACT), act.at)}]" if act.is_hit else ""
    by = f", by {one_line(act.actor, 200)}" if with_actor else ""
    return f"  {utc(act.at)}  {one_line(act.event_name, 60)}{f' on {on}' if on else ''}{by}{told}"


def _calls(acts: Sequence[EpisodeAct], *, complete: bool) -> str:
    """The calls of the acts that are held, most frequent first; counted where all of them are."""
    calls = Counter((act.event_name, act.event_source) for act in acts).most_common()
    named = [
        f"{one_line(name, 100)} ({one_line(source, 100)})" + (f" {times(count)}" if complete and len(calls) > 1 else "")
        for (name, source), count in calls[:_MAX_CALLS]
    ]
    return ", ".join(named + ([f"{len(calls) - _MAX_CALLS} more"] if len(calls) > _MAX_CALLS else []))
