"""What ties an act to the later call that undoes it: both records give the same link, in whichever order they come.

A link is made of the rule that reported the act, the Region, and the values by which both records name the thing. It
is a digest: values come from records, and a link is a key of a row and a member of alerts.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from trailbell.cloudtrail.record import NO_TIME, Record
from trailbell.engine.matcher import Match
from trailbell.engine.rulebook import Rule, Undoes
from trailbell.facts.facts import Facts
from trailbell.hits.undo import place_values, resource_region, unknown_places


WORDS = ("undone", "replaced", "stopped")
"""What a later call makes of an act: nothing of it is left; something else took its place; it ended."""

_JOINED = "+"
_MAX_LINKS = 20
_SUCCESS = "success"


@dataclass(frozen=True, slots=True)
class Undoing:
    """A later record that undoes acts, if there are any.

    links: those it undoes; word: of WORDS, by link; by, by_key: who made the call, for people and as a key.
    """

    account: str
    event_id: str
    event_time: str
    event_name: str
    by: str
    by_key: str
    links: tuple[tuple[str, str], ...]


def is_path(path: str) -> bool:
    """Whether records may hold what a path names; `+` joins several."""
    return not any(unknown_places(f"{{{part.strip()}}}") for part in path.split(_JOINED))


def act_links(rules: Iterable[Rule], record: Record, facts: Facts) -> tuple[str, ...]:
    """What an undo of an act is found by, from the rules that report it, the primary one first: the first of them
    whose undo can be recognised in this record decides.

    Each text is one way of undoing it: links with spaces between, all of which must be undone.
    """
    if facts.outcome != _SUCCESS or record.event_time == NO_TIME:
        return ()
    for rule in rules:
        if rule.undone_by and not rule.once_per_day:
            ways = tuple(dict.fromkeys(_ways(rule, record, facts)))
            if ways:
                return ways
    return ()


def _ways(rule: Rule, record: Record, facts: Facts) -> Iterator[str]:
    for entry in rule.undone_by:
        if entry.of and record.event_name.lower() not in entry.of:
            continue
        found = _links(rule.rule_id, entry.act, record, facts, anywhere=entry.anywhere)
        if found:
            yield " ".join(found)


def undoing_of(rules: Iterable[Rule], record: Record, facts: Facts) -> Undoing | None:
    """What a record undoes, by the silent rules that it matches; None if nothing that it names."""
    if record.event_time == NO_TIME:
        return None
    links = dict[str, str]()
    for undoes in (one for rule in rules for one in rule.undoes):
        links |= dict.fromkeys(_undone_links(undoes, record, facts), undoes.word)
    if not links:
        return None
    return Undoing(
        account=record.account,
        event_id=record.event_id,
        event_time=record.event_time,
        event_name=record.event_name,
        by=facts.actor.text,
        by_key=facts.actor.key,
        links=tuple(links.items()),
    )


def silent(matches: Sequence[Match]) -> list[Rule]:
    """The rules among some matches that make no hits."""
    return [match.rule for match in matches if match.rule.is_silent]


def _undone_links(undoes: Undoes, record: Record, facts: Facts) -> list[str]:
    return _links(undoes.rule_id, undoes.undo, record, facts, anywhere=undoes.anywhere)


def _links(rule_id: str, paths: Sequence[str], record: Record, facts: Facts, *, anywhere: bool) -> list[str]:
    """One link for each value of the first path that has any."""
    region = "" if anywhere else resource_region(record, facts)
    for path in paths:
        values = _joined(path, record, facts)
        if 0 < len(values) <= _MAX_LINKS:
            return [_link(rule_id, region, value) for value in values]
    return []


def _joined(path: str, record: Record, facts: Facts) -> list[str]:
    """The values of a path; of one with `+` a single value, if every part has one."""
    parts = [place_values(part.strip(), record, facts) for part in path.split(_JOINED)]
    if len(parts) == 1:
        return [*dict.fromkeys(map(_bare, parts[0]))]
    if any(len(values) != 1 for values in parts):
        return []
    return ["\n".join(_bare(values[0]) for values in parts)]


def _bare(value: str) -> str:
    """A name as both records may give it: of an ARN what follows the resource's type, else the whole."""
    if value.startswith("arn:"):
        resource = value.split(":", 5)[-1]
        value = resource.partition("/")[2] or resource.partition(":")[2] or resource
    return value.strip("/")


def _link(rule_id: str, region: str, value: str) -> str:
    named = "\n".join((rule_id, region, value)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(named).hexdigest()[:32]
