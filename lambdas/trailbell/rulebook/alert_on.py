"""The easy path: `alert_on: ["kms:DisableKey"]` in the settings becomes a rule without writing Sigma."""

import re
import uuid
from collections.abc import Iterable
from typing import Any

from trailbell.cloudtrail.event_source import TWINS
from trailbell.engine.rulebook import Level, Rule, Undo
from trailbell.rulebook.compile import gate_of
from trailbell.rulebook.known_calls import SUFFIX, fault_of_call, nearest_source


_FORM = re.compile(r"(?P<service>[a-z0-9][a-z0-9.-]{1,40}):(?P<call>[A-Za-z0-9_]{2,80})", re.ASCII)
_NAMESPACE = uuid.UUID("5d9f0c52-3b0a-5c0e-9a53-6a1c1c9a1b7e")


def read_alert_on(raw: Any) -> tuple[str, ...]:
    """The setting's entries: a list, or text separated by commas.

    Raises ValueError saying what is allowed, also for a call that no record of CloudTrail can name.
    """
    entries = [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else raw
    if not isinstance(entries, list) or not all(isinstance(one, str) and _FORM.fullmatch(one) for one in entries):
        raise ValueError('a list of service:EventName such as ["kms:DisableKey", "cloudhsm:DeleteBackup"]')
    faults = [f"{entry}: {fault}" for entry in entries if (fault := _fault_of(entry))]
    if faults:
        raise ValueError(f"calls that CloudTrail records, as service:EventName; {'; '.join(faults)}")
    return tuple(dict.fromkeys(entries))


def _fault_of(entry: str) -> str:
    """Why an entry could never match, with what to write instead; "" if it can."""
    service, _, call = entry.partition(":")
    bare = service.removesuffix(SUFFIX)
    meant = nearest_source(bare)
    if meant != service:
        known = f"; write {meant}:{call}" if meant else ""
        return f"{service} is not how records name a service{known}"
    return fault_of_call([service], call)


def alert_on_rules(entries: Iterable[str]) -> tuple[Rule, ...]:
    """A rule for each entry: the call succeeded. The rules that know more about a call speak before it.

    The service is the first label of the eventSource (kms of kms.amazonaws.com).
    """
    return tuple(_rule(entry) for entry in entries)


def _rule(entry: str) -> Rule:
    service, _, call = entry.partition(":")
    source = f"{service}.amazonaws.com"
    detection = [
        "and",
        [
            ["field", "eventSource", ["in", sorted({source, TWINS.get(source, source)})]],
            ["field", "eventName", ["eq", call.lower()]],
            ["field", "facts.outcome", ["eq", "success"]],
        ],
    ]
    slug = re.sub("[^a-z0-9]+", "-", f"alert-on-{service}-{call}".lower())
    return Rule(
        rule_id=str(uuid.uuid5(_NAMESPACE, entry)),
        name=slug,
        stem=slug.replace("-", "_"),
        title=f"{call} Called ({service})",
        level=Level.HIGH,
        description=f"{call} of {service} was called with success, and the setting alert_on asks to be told.",
        detection=detection,
        gate=gate_of(detection),
        precedence=-1,
        undo=Undo(note="No undo is known for calls that the setting alert_on names; a rule of your own can say one."),
    )
