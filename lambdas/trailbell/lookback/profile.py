"""What a principal did: first and last seen, calls and denials by service, from where and by what, and the story."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from trailbell.lookback.acts import Act, Who


_SAME_RUN_SECONDS = 3600
_MAX_COUNTED = 20_000  # distinct values of one kind; only forged records have more
_MAX_CHAPTERS = 100_000


@dataclass(slots=True)
class Calls:
    """How many calls, and how many of them were denied."""

    calls: int = 0
    denied: int = 0


@dataclass(slots=True)
class Chapter:
    """A line of the story: the same call with the same end, repeated within an hour.

    new:   what was seen with it for the first time: an address, a role, an access key.
    rule, level: of the gravest hit among them.
    """

    first: str
    last: str
    service: str
    call: str
    outcome: str
    who: Who
    address: str
    region: str
    count: int = 1
    resources: dict[str, None] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    rule: str = ""
    level: str = ""
    muted: bool = False


@dataclass(slots=True)
class Profile:
    """Everything about a principal, from its acts in the order of their times.

    left_out:  chapters and distinct values beyond a limit, by kind.
    """

    first: str = ""
    last: str = ""
    total: Calls = field(default_factory=Calls)
    reads: int = 0
    services: dict[str, Calls] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    addresses: Counter[str] = field(default_factory=Counter)
    agents: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)
    identities: Counter[str] = field(default_factory=Counter)
    resources: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    episodes: dict[str, None] = field(default_factory=dict)
    story: list[Chapter] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def profile_of(acts: Iterable[Act]) -> Profile:
    """The profile of acts in any order; each event counts once, and what a hit knows of it is kept."""
    profile = Profile()
    for act in sorted(_once(acts), key=lambda one: (one.time, one.event_id)):
        _count(profile, act)
        _tell(profile, act)
    return profile


def _once(acts: Iterable[Act]) -> Iterator[Act]:
    """Each event once, with its hit where it has one; an episode is no act of its own."""
    by_event: dict[tuple[str, str], list[Act]] = {}
    for act in acts:
        by_event.setdefault((act.account, act.event_id), []).append(act)
    for same in by_event.values():
        yield _merged(same)


def _merged(same: Sequence[Act]) -> Act:
    """One act from what a record and hits say of it: the record's, which knows more, with the hit's rule."""
    record = next((one for one in same if not one.rule), same[0])
    hit = next((one for one in same if one.rule and not one.episode), None)
    episode = next((one.episode for one in same if one.episode), "")
    if hit is None or hit is record:
        return replace(record, episode=episode)
    return replace(record, rule=hit.rule, level=hit.level, muted=hit.muted, episode=episode)


def _count(profile: Profile, act: Act) -> None:
    who = act.who
    profile.first, profile.last = profile.first or act.time, act.time
    for calls in (profile.total, profile.services.setdefault(act.service, Calls())):
        calls.calls += 1
        calls.denied += act.is_denied
    profile.reads += act.reads
    counted = (
        ("calls", profile.calls, (f"{act.service}:{act.call}",)),
        ("addresses", profile.addresses, (act.address,)),
        ("agents", profile.agents, (act.agent,)),
        ("keys", profile.keys, (who.key_hint,)),
        ("Regions", profile.regions, (act.region,)),
        ("accounts", profile.accounts, (act.account,)),
        ("identities", profile.identities, (who.text,)),
        ("resources", profile.resources, act.resources),
        ("rules", profile.rules, (act.rule,)),
    )
    for kind, counter, values in counted:
        for value in filter(None, values):
            if value in counter or len(counter) < _MAX_COUNTED:
                counter[value] += 1
            else:
                profile.left_out[kind] += 1
    if act.episode:
        profile.episodes.setdefault(act.episode)


def _tell(profile: Profile, act: Act) -> None:
    """Add an act to the story; what only read and was allowed is counted and not told, unless it is a hit."""
    new = [
        f"{word} {value}"
        for word, value, counter in (
            ("address", act.address, profile.addresses),
            ("identity", act.who.text, profile.identities),
            ("key ...", act.who.key_hint, profile.keys),
        )
        if value and counter[value] == 1
    ]
    if act.reads and not (act.is_denied or act.rule or new):
        return
    last = profile.story[-1] if profile.story else None
    if last and not new and _continues(last, act):
        last.count += 1
        last.last = act.time
        last.resources.update(dict.fromkeys(act.resources))
        if act.rule and not last.rule:
            last.rule, last.level, last.muted = act.rule, act.level, act.muted
        return
    if len(profile.story) >= _MAX_CHAPTERS:
        profile.left_out["story"] += 1
        return
    profile.story.append(
        Chapter(
            act.time,
            act.time,
            act.service,
            act.call,
            act.outcome,
            act.who,
            act.address,
            act.region,
            resources=dict.fromkeys(act.resources),
            new=[text.replace("key ... ", "key ...") for text in new],
            rule=act.rule,
            level=act.level,
            muted=act.muted,
        )
    )


def _continues(chapter: Chapter, act: Act) -> bool:
    same = (chapter.service, chapter.call, chapter.outcome, chapter.who.key, chapter.address, chapter.region)
    if same != (act.service, act.call, act.outcome, act.who.key, act.address, act.region):
        return False
    if chapter.rule and act.rule and chapter.rule != act.rule:
        return False
    gap = datetime.fromisoformat(act.time) - datetime.fromisoformat(chapter.last)
    return gap.total_seconds() <= _SAME_RUN_SECONDS
