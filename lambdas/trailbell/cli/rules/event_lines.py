"""`rules match`: which lines of a file of events make which episodes."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from trailbell.cli.terminal.display import print_table
from trailbell.engine.contributing import Contributing, Share
from trailbell.engine.correlation import Contribution, Correlation
from trailbell.engine.correlator import Correlated, Correlator
from trailbell.engine.event_time import Seconds, seconds_of, time_text
from trailbell.engine.fields import compile_path
from trailbell.engine.matcher import Match
from trailbell.text.safe_text import one_line


class EventLines:
    """The lines of a file, as correlations see them: events, each known by its first line.

    time_field: path of an event's time. without_time: how many matching events had none, and so joined nothing.
    """

    def __init__(self, correlations: Sequence[Correlation], time_field: str) -> None:
        self._contributing = Contributing(correlations)
        self._correlator = Correlator(correlations, set[Contribution])
        self._find_time = compile_path(time_field)
        self._first_lines = dict[str, int]()
        self._times = dict[int, Seconds]()
        self._shares = list[tuple[int, Share]]()
        self.without_time = 0

    def kept(self, index: int, event: Mapping[str, Any], matches: Sequence[Match]) -> Sequence[Match]:
        """The matches of the event on a line, as they are; what the event adds to correlations is kept."""
        line = self._first_line(index, event)
        counted = [match for match in matches if match.rule.rule_id in self._contributing.rule_ids]
        if counted:
            time = next((time for one in self._find_time(event) if (time := seconds_of(one)) is not None), None)
            if time is None:
                self.without_time += 1
            else:
                self._times[line] = min(time, self._times.get(line, time))
                roots = (event, {"facts": event.get("facts") or {}})
                for match in counted:
                    self._shares += [(line, share) for share in self._contributing.shares(match.rule.rule_id, roots)]
        return matches

    def episodes(self) -> Iterator[Correlated]:
        """The episodes of all lines; their events are lines, from 0. An event on several lines has the earliest of
        their times, whichever line comes first.
        """
        for line, share in self._shares:
            bag = self._correlator.bag(share.correlation.correlation_id, share.group)
            bag.add(Contribution(self._times[line], line, share.rule, share.value))
        return self._correlator.episodes()

    def _first_line(self, index: int, event: Mapping[str, Any]) -> int:
        """The first line of the event; both records of an event that two accounts see are one."""
        for name in ("sharedEventID", "eventID"):
            identity = event.get(name)
            if isinstance(identity, str) and identity:
                return self._first_lines.setdefault(identity, index)
        return index


def print_episodes(episodes: Iterable[Correlated], ids: Mapping[str, str], form: str) -> None:
    """A line for each episode; ids: what is printed for the id of a correlation, if not itself."""
    lines = (_line(one, ids) for one in episodes)
    if form == "jsonl":
        for line in lines:
            click.echo(json.dumps(line, ensure_ascii=True))
        return
    rows = [[line["ruleId"], line["title"], *map(str, _shown(line))] for line in lines]
    if rows:
        click.echo()
        print_table(["ruleId", "title", "group", "first", "last", "indices"], rows)


def _line(episode: Correlated, ids: Mapping[str, str]) -> dict[str, Any]:
    report = episode.correlation.rule
    return {
        "ruleId": ids.get(report.rule_id, report.rule_id),
        "title": report.title,
        "group": dict(zip(episode.correlation.group_by, episode.group, strict=True)),
        "first": time_text(episode.first),
        "last": time_text(episode.last),
        "indices": sorted(line for line in episode.events if isinstance(line, int)),
        "name": report.name,
    }


def _shown(line: Mapping[str, Any]) -> Iterator[str]:
    yield one_line(", ".join(f"{name}={value}" for name, value in line["group"].items()))
    yield line["first"]
    yield line["last"]
    yield " ".join(map(str, line["indices"]))
