"""Parts of log files as they go from one process to another: columns and tuples, which cost a third of what objects do.

A scan of a thousand small log files sends ten thousand of these objects; what is like in most of them is left out.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from trailbell.cli.scan.counted import Counted
from trailbell.cli.scan.work import Part
from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.hits.detect import NUMBERS, DetectionCounts
from trailbell.hits.hit import Hit


Columns = tuple[tuple[Any, ...], ...]
"""The members of many of Counted: all of the first member, all of the second …; none at all where there are none."""

Ending = tuple[list[MalformedRecord], int, str, bool, bool, tuple[str, ...]]
"""Of a part what most have not: malformed, outside, error, foreign, stop, notes."""

Packed = tuple[tuple[int, ...], list[Hit], Columns, bool, tuple[str, str], Ending | None]
"""Of a part the numbers of its counts, its hits, what correlations count, whether it is the last, its span."""

_numbers = attrgetter(*NUMBERS)


def packed(part: Part) -> Packed:
    """A part as little as it can be."""
    ending: Ending = (part.counts.malformed, part.outside, part.error, part.foreign, part.stop, part.notes)
    columns = tuple(zip(*part.counted, strict=True))
    return _numbers(part.counts), part.hits, columns, part.last, part.span, ending if any(ending) else None


def unpacked(given: Packed) -> Part:
    """The part again."""
    numbers, hits, columns, last, span, ending = given
    counts = DetectionCounts()
    for name, number in zip(NUMBERS, numbers, strict=True):
        if number:
            setattr(counts, name, number)
    part = Part(hits, counts, _counted(columns), last=last, span=span)
    if ending:
        counts.malformed, part.outside, part.error, part.foreign, part.stop, part.notes = ending
    return part


def _counted(columns: Sequence[Sequence[Any]]) -> list[Counted]:
    return [*map(Counted, *columns)] if columns else []
