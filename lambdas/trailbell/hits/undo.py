"""Undo steps: a rule's templates, filled from the record, ready to paste into a shell.

`{name}` is one of: account, region (of the resource), partition, eventTime, resource (the first), resource.<type>
(the first ARN of that type, such as resource.key), resource.<type>.name (what follows the type in it), actor.name
(such as an IAM user's), and any path below requestParameters, responseElements, additionalEventData or
serviceEventDetails. Values are quoted for the shell, because the caller chose them.
"""

import functools
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trailbell.cloudtrail.record import NO_TIME, Record, mapping, names_of, text, texts
from trailbell.engine.rulebook import Undo
from trailbell.facts.facts import Facts
from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.safe_text import is_safe, one_line, unlinked
from trailbell.text.secrets import names_secret, redacted_name


_PLACE = lazy_pattern(r"\{([A-Za-z0-9_.]+)\}")
_SAME_FOR_ALL = frozenset({"account", "region", "partition", "eventTime"})
_PLAIN = _SAME_FOR_ALL | {"resource", "actor.name"}
_SECTIONS = frozenset({"requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"})
_MAX_VALUE = 2048
_MAX_QUOTED = (
    12_000  # bytes of all values of one place: ten names of parameters, and a row stays below DynamoDB's limit
)
_REMEMBERED, _VALUES_REMEMBERED, _TEMPLATES_REMEMBERED = 64, 512, 1024
_MAX_VALUES = 20  # DeleteParameters takes ten names

_DEADLINE = "%Y-%m-%d %H:%M:%S UTC"
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_AMERICAN = lazy_pattern(
    rf"(?P<month>{'|'.join(_MONTHS)}) (?P<day>\d{{1,2}}), (?P<year>\d{{4}}),? "
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d) (?P<half>[AP]M)",
    re.ASCII,
)


def unknown_places(template: str) -> list[str]:
    """The names in a template that can or must never be filled (no record has them, they hold secrets); checked when
    rules are compiled."""
    return [name for name in _PLACE.findall(template) if not _is_known(name)]


def is_section(name: str) -> bool:
    """Whether a place is a path below a member of the record."""
    return name.partition(".")[0] in _SECTIONS


def place_values(name: str, record: Record, facts: Facts) -> list[str]:
    """What a record holds in a place of a template, by its name without braces; none if nothing."""
    return _values(name, record, facts)


def resource_region(record: Record, facts: Facts) -> str:
    """Where the record's resource lives; where the call was made, if no resource says."""
    return _region_of(facts.resources) or record.region


def fill_steps(undo: Undo, record: Record, facts: Facts) -> tuple[str, ...]:
    """The steps for this record's event, filled. One that names what this record does not hold is left out if another
    fits: some acts are recorded in two forms. If none fits, all are shown with visible gaps."""
    if not undo.steps:
        return ()
    filled = [_fill(step, record, facts) for step in undo.steps_for(record.event_name)]
    fits = any(step.complete and step.specific for step in filled)
    return tuple(step.text for step in filled if step.complete or not fits)


def undo_deadline(undo: Undo, record: Record) -> str:
    """Until when undoing works, as text: what AWS answered, else event time plus the rule's days, else "".

    In one form, 2026-09-08 09:14:07 UTC, where the answer can be read as a time; else as AWS wrote it.
    """
    if not (undo.until or undo.within):
        return ""
    answered = " ".join(_values(undo.until, record, None)) if undo.until else ""
    moment = _moment(answered) if answered else None
    if moment:
        return _utc(moment)
    if answered or not undo.within or record.event_time == NO_TIME:
        return one_line(answered, 100)
    try:
        return _utc(datetime.fromisoformat(record.event_time) + timedelta(days=undo.within))
    except OverflowError:  # in the last days of the calendar
        return ""


def seconds_left(until: str, now: str) -> int | None:
    """Seconds from `now` (ISO 8601) to a deadline of `undo_deadline`, negative if past; None if it is no time."""
    deadline = deadline_time(until)
    try:
        return int((deadline - datetime.fromisoformat(now)).total_seconds()) if deadline else None
    except ValueError:
        return None


def deadline_time(until: str) -> datetime | None:
    """A deadline of `undo_deadline` as a time; None if it is none."""
    try:
        return datetime.strptime(until, _DEADLINE).replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Step:
    """A filled step: whether every place could be filled, and whether any of them was this record's own."""

    text: str
    complete: bool
    specific: bool


@functools.lru_cache(_TEMPLATES_REMEMBERED)
def _pieces(template: str) -> tuple[str, ...]:
    """The parts of a template: a text, the name of a place, a text ..."""
    return tuple(_PLACE.split(template))


def _fill(template: str, record: Record, facts: Facts) -> _Step:
    """Fill one step; a gap stays visible as '<name>', quoted so that it cannot run."""
    pieces = _pieces(template)
    names = pieces[1::2]
    filled = [_quoted(name, record, facts) for name in names]
    parts = [*pieces]
    parts[1::2] = [text or shlex.quote(f"<{name}>") for name, text in zip(names, filled, strict=True)]
    return _Step("".join(parts), all(filled), not _SAME_FOR_ALL.issuperset(names))


def _quoted(name: str, record: Record, facts: Facts) -> str:
    """What a place is filled with, "" where nothing can be used."""
    values = _values(name, record, facts)
    if not values or len(values) > _MAX_VALUES:
        return ""
    words = [_word(value) if len(value) <= _MAX_VALUE else "" for value in values]
    if not all(words):
        return ""
    quoted = " ".join(words)
    return quoted if len(quoted.encode("utf-8", "surrogatepass")) <= _MAX_QUOTED else ""


def _moment(answered: str) -> datetime | None:
    """The time that AWS answered: epoch seconds, ISO 8601, or as Java writes it for Americans, always UTC.

    Newer Javas put a narrow no-break space before AM, and not every one a comma after the year.
    """
    answered = " ".join(answered.replace("\u202f", " ").split())
    if re.fullmatch(r"[0-9]{10}(?:\.[0-9]{1,9})?", answered, re.ASCII):
        return datetime.fromtimestamp(int(answered[:10]), UTC)
    american = _AMERICAN.fullmatch(answered)
    try:
        if american:
            month = _MONTHS.index(american["month"]) + 1
            hour = int(american["hour"]) % 12 + (12 if american["half"] == "PM" else 0)
            day, year, minute, second = (int(american[name]) for name in ("day", "year", "minute", "second"))
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        moment = datetime.fromisoformat(answered)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


@functools.lru_cache(_VALUES_REMEMBERED)
def _word(value: str) -> str:
    """The value as a word of a shell, "" where it is not to be used."""
    return shlex.quote(value) if _is_harmless(value) else ""


def _is_harmless(value: str) -> bool:
    """Nothing that acts on a terminal, is taken for an option or a file by the AWS CLI, is a link or a secret.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html
    """
    plain = is_safe(value) and not value.startswith(("-", "file:", "fileb:"))
    return plain and unlinked(redacted_name(value)) == value


def _utc(moment: datetime) -> str:
    return moment.strftime(_DEADLINE)


def _is_known(name: str) -> bool:
    head, _, rest = name.partition(".")
    return name in _PLAIN or (bool(rest) and not names_secret(rest) and (head == "resource" or head in _SECTIONS))


def _values(name: str, record: Record, facts: Facts | None) -> list[str]:
    plain = _PLAIN_VALUES.get(name)
    if plain:
        value = plain(record, facts)
        return [value] if value else []
    names = names_of(name)
    if names[0] == "resource":
        return _named_resource(name.partition(".")[2], facts.resources if facts else ())
    if names[0] not in _SECTIONS:
        return []
    parent = mapping(record.fields, *names[:-1])
    scalar = parent.get(names[-1])
    if isinstance(scalar, int) and not isinstance(scalar, bool):
        return [str(scalar)]
    return texts(parent, names[-1])


def _named_resource(rest: str, resources: tuple[str, ...]) -> list[str]:
    """The first resource of the type that a place names (`rest` is what follows `resource.` in it), or its name."""
    kind = rest.removesuffix(".name")
    mark = f":{kind}/"
    for arn in resources:
        if not kind or mark in arn:
            return [arn.partition(mark)[2]] if kind != rest else [arn]
    return []


@functools.lru_cache(_REMEMBERED)  # a record is asked this for each of its rule's ways of undoing it
def _region_of(resources: tuple[str, ...]) -> str:
    for arn in resources:
        parts = arn.split(":")
        if arn.startswith("arn:") and len(parts) > 5 and parts[3]:
            return parts[3]
    return ""


# The Region is where the resource lives; awsRegion names where the call was made, which AWS's own samples mix up.
_PLAIN_VALUES: Mapping[str, Callable[[Record, Facts | None], str]] = {
    "account": lambda record, facts: record.account,
    "region": lambda record, facts: _region_of(facts.resources if facts else ()) or record.region,
    "partition": lambda record, facts: record.partition,
    "eventTime": lambda record, facts: text(record.fields, "eventTime"),
    "actor.name": lambda record, facts: facts.actor.name if facts else "",
}
