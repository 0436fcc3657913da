"""What ties an act to the later call that undoes it: both records give the same link, in whichever order they come.

A link is made of what is asked of the later call, the Region, and the values by which both records name the thing. It
is a digest: values come from records, and a link is a key of a row and a member of alerts.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from trailbell.cloudtrail.record import NO_TIME, Record
from trailbell.engine.condition import Conditions, Node
from trailbell.engine.rulebook import Rule, Undoes, UndoneBy
from trailbell.hits.hit import shown_actor, shown_name
from trailbell.hits.undo import resource_region, unknown_places
from trailbell.hits.undo_values import joined_values, parts_of
from trailbell.lazy_dataclass import dataclass


if TYPE_CHECKING:  # a hit that is read from its row needs none
    from trailbell.engine.matcher import Match
    from trailbell.facts.facts import Facts


WORDS = ("undone", "replaced", "stopped", "answered")
"""What a later call makes of an act: nothing of it is left; something else took its place; it ended; its undo was
begun, and no record says how that ended."""

UNDONE, REPLACED, STOPPED, ANSWERED = WORDS

_MAX_LINKS = 20
_MAX_WAYS = 20
_SUCCESS = "success"
_CONDITIONS = Conditions()


@dataclass(frozen=True, slots=True)
class Undoing:
    """A later record that undoes acts, if there are any.

    links: those it undoes, each with its word of WORDS; notes: of some of the links what is left to know;
    by, by_key: who made the call, for people and as a key.
    """

    account: str
    event_id: str
    event_time: str
    event_name: str
    by: str
    by_key: str
    links: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...] = ()


_Ways = list[tuple[str, list[str]]]
"""Of finding what becomes of an act: the word of each, and the links for it."""


class _Reported(NamedTuple):
    """A rule that reports an act, and its ways of finding what becomes of it.

    undos: the links of each way of undoing it; none if no undo can be recognised.
    """

    rule: Rule
    ways: _Ways
    undos: list[list[str]]

    @property
    def is_replaced(self) -> bool:
        """Whether all that can be recognised is something in its place."""
        return bool(self.ways) and all(word == REPLACED for word, _ in self.ways)


def is_path(path: str) -> bool:
    """Whether records may hold what a path names; `+` joins several."""
    return not any(unknown_places(f"{{{part}}}") or not part for part in parts_of(path))


def act_links(rules: Iterable[Rule], record: Record, facts: "Facts") -> tuple[str, ...]:
    """What an undo of an act is found by, from the rules that report it, the primary one first: the first of them
    whose undo can be recognised in this record decides. If it can be undone, it is only where the others whose acts
    can be are undone with it: of a policy that is public on a key that is new in a Region, either alone is half of it.
    It is not where something would be left of what another rule reports.

    Each text is one way of undoing it: links with spaces between, all of which must be undone.
    """
    if facts.outcome != _SUCCESS or record.event_time == NO_TIME:
        return ()
    found = [(rule, _ways(rule, record, facts)) for rule in rules]
    first = next((ways for _, ways in found if ways), None)
    if first is None:
        return ()
    others = [links for word, links in first if word != UNDONE]
    whole = _undos(found, record) if len(others) < len(first) else []
    return tuple(dict.fromkeys([" ".join(links) for links in (*whole, *others)]))


def words_for(ways: Iterable[str], undoing: Undoing) -> set[str]:
    """The words that a single later record says of an act with these ways; none if it has nothing to do with it."""
    found = set(undoing.links)
    return {word for way in ways for word in WORDS if all((link, word) in found for link in way.split(" "))}


def undoing_of(rules: Iterable[Rule], record: Record, facts: "Facts") -> Undoing | None:
    """What a record undoes, by the silent rules that it matches; None if nothing that it names."""
    if record.event_time == NO_TIME:
        return None
    found = [
        (link, undoes)
        for rule in rules
        for undoes in rule.undoes
        for link in _links(undoes, undoes.undo, record, facts)
    ]
    if not found:
        return None
    actor = shown_actor(facts.actor)  # what a record says is text of whoever made the call, here as in a hit
    return Undoing(
        account=record.account,
        event_id=record.event_id,
        event_time=record.event_time,
        event_name=shown_name(record.event_name),
        by=actor.text,
        by_key=actor.key,
        links=tuple(dict.fromkeys((link, undoes.word) for link, undoes in found)),
        notes=tuple(dict.fromkeys((link, undoes.note) for link, undoes in found if undoes.note)),
    )


def silent(matches: "Sequence[Match]") -> list[Rule]:
    """The rules among some matches that make no hits."""
    return [match.rule for match in matches if match.rule.is_silent]


def _undos(found: Sequence[tuple[Rule, _Ways]], record: Record) -> list[list[str]]:
    """The links of each way of undoing all that some rules report; none where something would be left."""
    reported = [_Reported(rule, ways, [links for word, links in ways if word == UNDONE]) for rule, ways in found]
    if _leaves_some(reported, record):
        return []
    return _together([one.undos for one in reported if one.undos])


def _leaves_some(found: Sequence[_Reported], record: Record) -> bool:
    """Whether a rule without an undo that can be recognised reports what is left once the others' acts are undone: it
    is of a higher level than they (whoever used the root user has still used it), or there is something to be done
    about it. What is replaced in the same call is not left.
    """
    others = [one for one in found if not one.undos]
    if not others:
        return False
    highest = max([one.rule.level for one in found if one.undos])
    return any(
        one.rule.level > highest or (one.rule.undo.steps_for(record.event_name) and not one.is_replaced)
        for one in others
    )


def _ways(rule: Rule, record: Record, facts: "Facts") -> _Ways:
    """The word of each entry that is about this act, and the links by which an undo is found."""
    if rule.once_per_day:
        return []
    ways = list[tuple[str, list[str]]]()
    for entry in rule.undone_by:
        if (not entry.of or record.event_name.lower() in entry.of) and (
            not entry.when or _holds(entry.when, record, facts)
        ):
            links = _links(entry, entry.act, record, facts)
            if links:
                ways.append((entry.word, links))
    return ways


def _holds(when: Node, record: Record, facts: "Facts") -> bool:
    return _CONDITIONS.of(when)((record.fields, {"facts": facts.fields()}))


def _together(choices: list[list[list[str]]]) -> list[list[str]]:
    """Every combination of one way of each rule; none if they are too many to be tracked."""
    if prod(map(len, choices)) > _MAX_WAYS:
        return []
    if len(choices) == 1:
        whole = [[*dict.fromkeys(links)] for links in choices[0]]
    else:
        whole = [[*dict.fromkeys(link for links in chosen for link in links)] for chosen in product(*choices)]
    return [links for links in whole if len(links) <= _MAX_LINKS]


def _links(asked: UndoneBy | Undoes, paths: Sequence[str], record: Record, facts: "Facts") -> list[str]:
    """One link for each value of the first path that has any."""
    for path in paths:
        values = joined_values(path, record, facts, asked.resource_type)
        if 0 < len(values) <= _MAX_LINKS:
            region = "" if asked.anywhere else resource_region(record, facts)
            return [_link(asked.key, region, value) for value in values]
    return []


def _link(key: str, region: str, value: str) -> str:
    named = f"{key}\n{region}\n{value}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(named).hexdigest()[:32]
