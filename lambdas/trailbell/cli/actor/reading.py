"""The acts of a principal out of log files: read once for who is there and what links them, then, of the files that
hold some, once more for what they did. So memory grows with one principal's acts, and not with everybody's.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trailbell.aws.errors import aws_errors
from trailbell.cli.scan.log_files import read_pieces
from trailbell.cli.scan.standard_input import StandardInput
from trailbell.cli.scan.work import Source
from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.cloudtrail.object_key import ObjectKind, classify_key
from trailbell.cloudtrail.record import make_record
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import LogFileError
from trailbell.lookback.acts import Act, Who, act_of_record
from trailbell.lookback.principals import Network
from trailbell.text.safe_text import one_line
from trailbell.wrappings.read import wrapped_records


_FILES_AT_ONCE = 8


@dataclass(slots=True)
class _Read:
    """What one log file holds: its acts, how many entries are malformed, and why it could be read no further.

    foreign: it is JSON of something else, and lies where no trail writes.
    """

    acts: list[Act] = field(default_factory=list)
    malformed: int = 0
    error: str = ""
    foreign: bool = False


@dataclass(slots=True)
class LogActs:
    """Log files, and who acts in them.

    malformed: entries that are no records; unreadable: log files that could not be read to their end, and why;
    is_partial: whether there is anything that could not be read, beside JSON of something else that nobody named;
    named: the files that somebody did.
    """

    sources: Sequence[Source]
    selection: Selection
    clients: Callable[[str], Any]
    records: int = 0
    malformed: int = 0
    unreadable: list[str] = field(default_factory=list)
    is_partial: bool = False
    named: frozenset[str] = frozenset()
    _places: dict[Who, set[int]] = field(default_factory=dict)

    def add_to(self, network: Network) -> None:
        """Read every log file for who acts in it."""
        for number, read in enumerate(self._reads(self.sources)):
            self.records += len(read.acts)
            self.malformed += read.malformed
            if read.error:
                self.is_partial |= not read.foreign or str(self.sources[number]) in self.named
                self.unreadable.append(f"{one_line(str(self.sources[number]), 300)}: {read.error}")
            for act in read.acts:
                network.add(act)
                self._places.setdefault(act.who, set()).add(number)

    def of(self, members: Iterable[Who]) -> Iterator[Act]:
        """The acts of some of them, out of the log files that hold any."""
        wanted = frozenset(members)
        numbers = sorted({number for who in wanted for number in self._places.get(who, ())})
        for read in self._reads([self.sources[number] for number in numbers]):
            yield from (act for act in read.acts if act.who in wanted)

    def _reads(self, sources: Sequence[Source]) -> Iterator[_Read]:
        with ThreadPoolExecutor(_FILES_AT_ONCE, "logs") as pool:
            yield from pool.map(self._read, sources)

    def _read(self, source: Source) -> _Read:
        read = _Read()
        try:
            for index, fields in enumerate(wrapped_records(self._pieces(source))):
                if isinstance(fields, MalformedRecord):
                    read.malformed += 1
                    continue
                try:
                    read.acts += self._act(fields, index)
                except RecursionError:  # deeper than any request of AWS; it must not cost its neighbours
                    read.malformed += 1
        except LogFileError as error:
            read.error = one_line(str(error), 300)
            read.foreign = error.foreign and classify_key(_key(source)).kind is ObjectKind.OTHER
        except aws_errors() as error:
            read.error = one_line(str(error), 300)
        return read

    def _pieces(self, source: Source) -> Iterable[bytes]:
        if isinstance(source, Path):
            return read_pieces(source)
        if isinstance(source, StandardInput):
            return source.pieces()
        from trailbell.aws.trail_bucket import S3TrailBucket  # here, as files of this machine are read without botocore

        return S3TrailBucket(self.clients("s3")).read(source)

    def _act(self, fields: dict[str, Any], index: int) -> list[Act]:
        """The act of a record that is selected; none of another."""
        record = make_record(fields, index)
        is_selected = self.selection.holds(record.account, record.region, record.event_time)
        return [act_of_record(fields, index)] if is_selected else []


def _key(source: Source) -> str:
    """What says whether a log file lies where a trail writes."""
    if isinstance(source, Path):
        return source.as_posix()
    return "" if isinstance(source, StandardInput) else source.key
