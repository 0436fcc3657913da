"""What correlations ask of the table: storms of one group and of many, and what a million records cost with them.

    python -m benchmarks.correlating

The product's own flow and adapters run on a table in memory that counts (benchmarks/counting_table.py). Time is that of
this machine's CPU, without the network's; list prices are those of lookback/prices.py, seconds a request of bill.py.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain

from benchmarks.cost import FILES_A_DAY, RECORDS_A_FILE, work_of
from benchmarks.counting_table import CountingTable
from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.record import Record, make_record
from trailbell.engine.contributing import Share
from trailbell.engine.correlation import NO_MATCH, Correlation, CorrelationType
from trailbell.engine.rulebook import Level, Rule
from trailbell.facts.facts import Facts, facts_of
from trailbell.flows.correlating import Correlating
from trailbell.hits.base_match import BaseMatch, base_match, episode_hit
from trailbell.lookback.bill import MEMORY_GB, SECONDS_A_REQUEST, monthly_cost
from trailbell.lookback.prices import DAYS, DYNAMODB_READ, DYNAMODB_WRITE, LAMBDA_GB_SECOND
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.contributions import DynamoContributions
from trailbell.store.episodes import DynamoEpisodes
from trailbell.store.workers import Workers
from trailbell.text.times import iso_seconds


STORM = 100_000
_BEGIN = 1_790_000_000
_HOUR, _TEN_MINUTES = 3600, 600
_RULE = Rule("counted", "parameter-read", "aws_parameter_read", "Parameter Read", Level.HIGH, "", NO_MATCH)


def _correlation(kind: CorrelationType, threshold: int = 25) -> Correlation:
    rules = ("a", "b", "c")[: 3 if kind.startswith("temporal") else 1]
    paths = (("v",),) if kind is CorrelationType.VALUE_COUNT else ((),)
    return Correlation(
        replace(_RULE, rule_id=f"storm-{kind}"),
        kind,
        rules,
        ("who",),
        (("who",),) * len(rules),
        paths * len(rules),
        _TEN_MINUTES,
        len(rules) if kind.startswith("temporal") else threshold,
    )


@cache
def _known() -> tuple[Record, Facts]:
    record = make_record({**BASE_RECORD, "eventSource": "ssm.amazonaws.com", "eventName": "GetParameter"}, 0)
    return record, facts_of(record)


def _match(correlation: Correlation, number: int, seconds: float, group: str) -> BaseMatch:
    record, facts = _known()
    at = iso_seconds(_BEGIN + int(seconds))
    event = replace(record, event_id=f"ca7e0000-0000-4000-8000-{number:012}", event_time=at)
    value = (f"/prod/parameter-{number % 5000}",) if correlation.value_paths[0] else ()
    share = Share(correlation, (group,), number % len(correlation.rules), value)
    return base_match([share], _RULE, None, event, facts, Place("trail", "AWSLogs/a.json.gz", number), at)


@dataclass(frozen=True, slots=True)
class Storm:
    """What a storm took: what the table counted, seconds of CPU, and those of the log file that took most."""

    counts: Counter[str]
    kinds: Counter[str]
    seconds: float
    seconds_max: float
    left_out: int


def storm(correlation: Correlation, records_a_file: int, span: int, groups: int) -> Storm:
    """STORM contributions in order of time within a span, to one of so many groups each."""
    table = CountingTable()
    contributions = DynamoContributions(table, "hits", Workers(1))
    episodes = DynamoEpisodes(table, "hits", 400)
    correlating = Correlating([correlation], frozenset(), contributions, episodes, partial(episode_hit, roles=()))
    took, left_out = list[float](), 0
    for file, start in enumerate(range(0, STORM, records_a_file)):
        began = time.process_time()
        log_file = correlating.source(f"trail/{file}")
        for number in range(start, start + records_a_file):
            group = "one" if groups == 1 else f"group-{number % groups}"
            log_file.add(_match(correlation, number, number * span / STORM, group))
        counts = log_file.finish()
        took.append(time.process_time() - began)
        left_out += sum(one.contributions for one in counts.left_out.values())
    return Storm(table.counts, table.kinds(), sum(took), max(took), left_out)


def _line(name: str, found: Storm) -> str:
    counts = found.counts
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.kinds.items()))
    return (
        f"{name}: {counts['requests']} requests ({counts['queries']} queries, {counts['transactions']} transactions), "
        f"{counts['write units']} write units, {counts['read units']} read units, "
        f"{counts['bytes read'] / 1e6:.1f} MB read, {found.seconds:.1f} s of CPU, at most {found.seconds_max:.2f} s a "
        f"log file, {found.left_out} left out; {dollars(counts):.3f} $\n    rows: {kinds}"
    )


def dollars(counts: Counter[str]) -> float:
    """What the table costs, and the function while it waits for each of the requests."""
    table = counts["write units"] * DYNAMODB_WRITE + counts["read units"] * DYNAMODB_READ
    return table + counts["requests"] * SECONDS_A_REQUEST * MEMORY_GB * LAMBDA_GB_SECOND


def storms() -> Iterator[str]:
    """A line for each storm."""
    for kind in CorrelationType:
        for records, span in ((5000, _HOUR), (5000, _TEN_MINUTES)):
            found = storm(_correlation(kind), records, span, 1)
            yield _line(f"one group, {kind}, files of {records}, {span} s", found)
    for kind in (CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT):
        yield _line(f"one group, {kind}, files of 50, {_HOUR} s", storm(_correlation(kind), 50, _HOUR, 1))
    for records in (50, 5000):
        found = storm(_correlation(CorrelationType.EVENT_COUNT), records, _HOUR, STORM)
        yield _line(f"{STORM} groups, event_count, files of {records}, {_HOUR} s", found)


def million(base_matches: int) -> Counter[str]:
    """What the table counts for a million records of which so many add to two groups each: people at work, so that
    a log file has one or two of them, the same group comes again within minutes, and nothing comes true.
    """
    table = CountingTable()
    both = [_correlation(CorrelationType.EVENT_COUNT), _correlation(CorrelationType.VALUE_COUNT)]
    correlating = Correlating(
        both,
        frozenset(),
        DynamoContributions(table, "hits", Workers(1)),
        DynamoEpisodes(table, "hits", 400),
        partial(episode_hit, roles=()),
    )
    seconds_a_record = 86_400 / (RECORDS_A_FILE * FILES_A_DAY)
    step = 1_000_000 // base_matches if base_matches else 1_000_001
    files: dict[int, list[int]] = {}
    for record in range(0, 1_000_000, step) if base_matches else ():
        files.setdefault(record // RECORDS_A_FILE, []).append(record)
    for file, records in files.items():
        log_file = correlating.source(f"trail/{file}")
        for record in records:
            for one in both:
                log_file.add(_match(one, record, record * seconds_a_record, f"person-{record // step % 10}"))
        log_file.finish()
    return table.counts


def without() -> float:
    """What a million records cost without correlations: an account's month, less what does not grow with records."""
    records = FILES_A_DAY * DAYS * RECORDS_A_FILE
    return (monthly_cost(work_of(1)).total - monthly_cost(work_of(0)).total) / records * 1e6


def millions() -> Iterator[str]:
    """A line for each share of records that correlations count."""
    plain = without()
    yield f"a million records without correlations: {plain:.2f} $"
    for base_matches in (0, 1000, 10_000, 100_000):
        counts = million(base_matches)
        yield (
            f"with {base_matches} base matches of two groups each: {plain + dollars(counts):.2f} $ "
            f"({counts['requests']} requests, {counts['write units']} write units, {counts['read units']} read units)"
        )


def main() -> None:
    """Print what was counted."""
    for line in chain(millions(), storms()):
        print(line, flush=True)


if __name__ == "__main__":
    main()
