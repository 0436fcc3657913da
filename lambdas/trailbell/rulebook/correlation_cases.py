"""A correlation's cases: records, and exactly the episodes that they make. They stand where a rule's cases would.

    rules/ssm/aws_ssm_parameter_sweep.yml   →   tests/rules/ssm/aws_ssm_parameter_sweep.yml

A case file is a list of maps: `name` (a sentence), `record` (what all records have in common), `records` (each by what
it differs in; `at` is its second, `times` and `every` make several of one) and `episodes` (their `group`, and
`indices`, `count`, `first` or `last`). rules/README.md explains the format.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from trailbell.cloudtrail.record import GATE_FIELDS, NO_TIME, make_record, text
from trailbell.engine.correlation import Contribution, Correlation
from trailbell.engine.correlator import Correlated, Correlator
from trailbell.engine.event_time import Seconds, seconds_of, time_text
from trailbell.engine.matcher import Matcher, matching
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import RuleError
from trailbell.facts.facts import facts_of
from trailbell.rulebook.cases import BASE_RECORD, fault_of_member, merged
from trailbell.rulebook.lines import line_of
from trailbell.rulebook.members import CORRELATION_CASES
from trailbell.rulebook.misfits import Misfit, misfits
from trailbell.rulebook.source import load_yaml


_START = datetime(2026, 9, 1, 9, tzinfo=UTC)
_NUMBER = "{n}"
_MEMBERS = ("at", "times", "every")
"""Members of an entry of `records` that are not the record's."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An episode as a case wants it; None where the case does not say.

    indices: its records, by their positions; count: how many they are; first, last: their times.
    """

    group: Mapping[str, str]
    indices: tuple[int, ...] | None
    count: int | None
    first: Seconds | None
    last: Seconds | None

    def is_like(self, episode: Correlated) -> bool:
        """Whether it is this episode."""
        indices = tuple(sorted(one for one in episode.events if isinstance(one, int)))
        wanted = ((self.indices, indices), (self.count, len(indices)), (self.first, episode.first))
        return self.group == _group(episode) and all(
            asked is None or asked == found for asked, found in (*wanted, (self.last, episode.last))
        )


@dataclass(frozen=True, slots=True)
class CorrelationCase:
    """One case. index: its position in the file, from 0."""

    path: Path
    name: str
    records: tuple[Mapping[str, Any], ...]
    episodes: tuple[Expected, ...]
    index: int = 0

    @property
    def line(self) -> int:
        """The line of the file in which it begins."""
        return line_of(self.path, 1, (self.index,))


def load_correlation_cases(path: Path) -> list[CorrelationCase]:
    """Read a case file. Raises RuleError when it is missing, empty, or a case has not the members it needs."""
    if not path.is_file():
        raise RuleError(f"{path}: missing; a correlation needs cases that make episodes and cases that do not")
    (content, *_) = load_yaml(path) or [None]
    if not isinstance(content, list) or not content:
        raise RuleError(f"{path}: holds no list of cases")
    found = [*misfits(CORRELATION_CASES, content)]
    found += [] if found else [*_odd_members(content), *_odd_episodes(content)]
    if found:
        faults = "; ".join(f"line {line_of(path, 1, one.keys)}: {one.problem}" for one in found)
        raise RuleError(f"{path}: {faults}")
    return [_case(path, index, entry) for index, entry in enumerate(content)]


def run_correlation_case(
    rulebook: Rulebook, correlation: Correlation, case: CorrelationCase, matcher: Matcher | None = None
) -> Iterator[str]:
    """What is wrong with the episodes that one of a rulebook's correlations makes of a case; nothing if it holds.

    matcher: of the rulebook's rules, for who runs many cases.
    """
    found = [one for one in episodes_in(rulebook, case.records, matcher) if one.correlation == correlation]
    missing = list(case.episodes)
    for episode in found:
        wanted = next((one for one in missing if one.is_like(episode)), None)
        if wanted:
            missing.remove(wanted)
        else:
            yield f"{case.path}: {case.name}: {correlation.rule.name} should not make the episode {_shown(episode)}"
    for one in missing:
        yield f"{case.path}: {case.name}: {correlation.rule.name} makes no such episode of {dict(one.group)}"


def matcher_of(rulebook: Rulebook) -> Matcher:
    """What finds the rules that records of cases match."""
    return Matcher(rulebook.rules, GATE_FIELDS)


def episodes_in(
    rulebook: Rulebook, records: Iterable[Mapping[str, Any]], matcher: Matcher | None = None
) -> list[Correlated]:
    """The episodes of all correlations of a rulebook; their events are positions of records.

    An event that several records hold (duplicates, what two accounts see) counts once, as the first of them. What an
    exception mutes is not counted.
    """
    correlator = Correlator(rulebook.correlations, set[Contribution])
    matcher = matcher or matcher_of(rulebook)
    first_of = dict[str, int]()
    for position, fields in enumerate(records):
        record = make_record(fields, position)
        at = first_of.setdefault(text(fields, "sharedEventID") or record.event_id, position)
        time = seconds_of(record.event_time)
        candidates = matcher.candidates(fields)
        if time is None or record.event_time == NO_TIME or record.repeats or not candidates:
            continue
        facts = facts_of(record, rulebook.trusted_accounts).as_fields()
        for match in matching(candidates, record.fields, facts, record.event_time[:10]):
            if match.rule.rule_id in correlator.rule_ids and not match.muted_by:
                correlator.add(match.rule.rule_id, (record.fields, {"facts": facts}), time, at)
    return list(correlator.episodes())


def _case(path: Path, index: int, entry: Mapping[str, Any]) -> CorrelationCase:
    common = merged(BASE_RECORD, entry.get("record", {}))
    records = [one for given in entry["records"] for one in _records(common, given)]
    numbered = tuple(_numbered(one, at) for at, one in enumerate(records))
    return CorrelationCase(path, str(entry["name"]), numbered, tuple(map(_expected, entry["episodes"])), index)


def _records(common: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The records of one entry."""
    own = {name: value for name, value in given.items() if name not in _MEMBERS}
    for number in range(given.get("times", 1)):
        record = merged(common, _filled(own, str(number + 1)))
        if "at" in given:
            record["eventTime"] = _time(given["at"] + number * given.get("every", 0))
        yield record


def _filled(node: Any, number: str) -> Any:
    """What an entry says, for the record of that number."""
    if isinstance(node, dict):
        return {name: _filled(value, number) for name, value in node.items()}
    if isinstance(node, list):
        return [_filled(one, number) for one in node]
    return node.replace(_NUMBER, number) if isinstance(node, str) else node


def _numbered(record: Mapping[str, Any], at: int) -> Mapping[str, Any]:
    """The record with an event id of its own, unless the case gives one."""
    if record["eventID"] != BASE_RECORD["eventID"]:
        return record
    return {
        **record,
        "eventID": f"11111111-0000-4000-8000-{at:012d}",
        "requestID": f"22222222-0000-4000-8000-{at:012d}",
    }


def _time(second: int) -> str:
    return (_START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _expected(entry: Mapping[str, Any]) -> Expected:
    first, last = (_second(entry.get(name)) for name in ("first", "last"))
    indices = tuple(sorted(entry["indices"])) if "indices" in entry else None
    group = {str(name): str(value) for name, value in entry["group"].items()}
    return Expected(group, indices, entry.get("count"), first, last)


def _second(given: int | str | None) -> Seconds | None:
    return seconds_of(_time(given) if isinstance(given, int) else given)


def _odd_members(content: Sequence[Mapping[str, Any]]) -> Iterator[Misfit]:
    """Members that no record has."""
    for index, entry in enumerate(content):
        for name in entry.get("record", {}):
            if fault := fault_of_member(str(name)):
                yield Misfit((index, "record", name), fault)
        for at, record in enumerate(entry["records"]):
            for name in record:
                if name not in _MEMBERS and (fault := fault_of_member(str(name))):
                    yield Misfit((index, "records", at, name), fault)


def _odd_episodes(content: Sequence[Mapping[str, Any]]) -> Iterator[Misfit]:
    """Episodes of which only the group is said, and times that are none."""
    for index, entry in enumerate(content):
        for at, episode in enumerate(entry["episodes"]):
            keys = (index, "episodes", at)
            if set(episode) == {"group"}:
                yield Misfit(keys, "an episode has indices, count, first or last, too")
            for name in ("first", "last"):
                if name in episode and _second(episode[name]) is None:
                    yield Misfit((*keys, name), f"{name} is seconds or a time such as 2026-09-01T09:00:00Z")


def _group(episode: Correlated) -> dict[str, str]:
    return dict(zip(episode.correlation.group_by, episode.group, strict=True))


def _shown(episode: Correlated) -> str:
    indices = sorted(one for one in episode.events if isinstance(one, int))
    return f"{_group(episode)}, {time_text(episode.first)} to {time_text(episode.last)}, records {indices}"
