"""A rule's undo steps are templates; here they are filled from the record, ready to paste into a shell.

`{name}` is one of: account, region (the resource's), partition, eventTime, resource (the first), resource.<type> (the first
ARN of that type, such as resource.key), and any path below requestParameters, responseElements,
additionalEventData or serviceEventDetails. Values are quoted for the shell, because the caller chose them.
"""

import re
import shlex
from datetime import datetime, timedelta

from trailalert.core.facts import Facts
from trailalert.core.record import NO_TIME, Record, mapping, partition_of, text, texts
from trailalert.core.rulebook import Undo
from trailalert.core.safe_text import is_safe, one_line


_PLACE = re.compile(r"\{([A-Za-z0-9_.]+)\}")
_PLAIN = frozenset({"account", "region", "partition", "eventTime", "resource"})
_SECTIONS = frozenset({"requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"})
_MAX_VALUE = 2048


def unknown_places(template: str) -> list[str]:
    """The names in a template that can never be filled; checked when rules are compiled."""
    return [name for name in _PLACE.findall(template) if not _is_known(name)]


def fill_step(template: str, record: Record, facts: Facts) -> str:
    """Fill one step. What the record does not hold stays visible as '<name>', quoted, so it cannot run."""

    def fill(place: re.Match[str]) -> str:
        values = _values(place[1], record, facts)
        usable = values and all(len(value) <= _MAX_VALUE and is_safe(value) for value in values)
        return " ".join(shlex.quote(value) for value in values) if usable else shlex.quote(f"<{place[1]}>")

    return _PLACE.sub(fill, template)


def undo_deadline(undo: Undo, record: Record) -> str:
    """Until when undoing works, as text: what AWS answered, else event time plus the rule's days, else ""."""
    answered = one_line(" ".join(_values(undo.until, record, None)), 100) if undo.until else ""
    if answered or not undo.within or record.event_time == NO_TIME:
        return answered
    end = datetime.fromisoformat(record.event_time) + timedelta(days=undo.within)
    return end.strftime("%Y-%m-%d %H:%M:%S UTC")


def _is_known(name: str) -> bool:
    head, _, rest = name.partition(".")
    return name in _PLAIN or (bool(rest) and (head == "resource" or head in _SECTIONS))


def _values(name: str, record: Record, facts: Facts | None) -> list[str]:
    head, _, rest = name.partition(".")
    resources = facts.resources if facts else ()
    if head == "resource":
        fitting = [arn for arn in resources if not rest or f":{rest}/" in arn]
        return fitting[:1]
    if head in _SECTIONS:
        *parents, last = name.split(".")
        scalar = mapping(record.fields, *parents).get(last)
        if isinstance(scalar, int) and not isinstance(scalar, bool):
            return [str(scalar)]
        return texts(record.fields, *name.split("."))
    plain = {
        "account": record.account,
        "region": _region(record, resources),
        "partition": partition_of(record.region),
        "eventTime": text(record.fields, "eventTime"),
    }
    return [plain[name]] if plain.get(name) else []


def _region(record: Record, resources: tuple[str, ...]) -> str:
    """Where the resource lives; awsRegion names where the call was made, which AWS's own samples mix up."""
    for arn in resources:
        parts = arn.split(":")
        if arn.startswith("arn:") and len(parts) > 5 and parts[3]:
            return parts[3]
    return record.region
