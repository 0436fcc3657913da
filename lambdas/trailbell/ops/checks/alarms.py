"""Whether alarms are firing, notify nobody, or are gone."""

import re
from collections.abc import Iterator, Sequence

from trailbell.ops.advice import table
from trailbell.ops.answers import Alarm
from trailbell.ops.checks.finding import PROBLEM, UNKNOWN, WARNING, Finding, fine, found
from trailbell.text.safe_text import one_line


_CHECK = "alarms"
# CloudFormation names an alarm stack, logical id (the construct's path and 8 hexadecimal digits), random letters.
_OURS = re.compile(r"-Watch(?P<name>[A-Za-z]+)[0-9A-F]{8}-[A-Za-z0-9]+$")
# How CloudWatch begins the reason of a state that it evaluated; who calls SetAlarmState writes another, or the same.
_EVALUATED = re.compile(
    r"Threshold Crossed|Unchecked|Insufficient Data|no datapoints|\d+ (out of|datapoint)|Thresholds? "
)


def alarm_findings(alarms: Sequence[Alarm], made: int) -> Iterator[Finding]:
    """What the stack's alarms say, of which it made some number."""
    firing = [alarm for alarm in alarms if alarm.state == "ALARM"]
    silent = [alarm.name for alarm in alarms if not alarm.acts]
    set_by_hand = [alarm.name for alarm in alarms if alarm.reason and not _EVALUATED.match(alarm.reason)]
    gone = made - len(alarms)
    yield from map(_firing_finding, firing)
    if silent:
        yield found(PROBLEM, _CHECK, "alarm.silent", count=len(silent), alarms=silent)
    if set_by_hand:
        yield found(WARNING, _CHECK, "alarm.set-by-hand", count=len(set_by_hand), alarms=set_by_hand)
    if gone > 0:
        yield found(PROBLEM, _CHECK, "alarm.gone", gone=gone, made=made)
    if not made:
        yield found(WARNING, _CHECK, "alarm.none")
    elif all(alarm.state == "INSUFFICIENT_DATA" for alarm in alarms):
        yield found(UNKNOWN, _CHECK, "alarm.not-evaluated", made=made)
    elif not (firing or silent or set_by_hand or gone > 0):
        yield fine(_CHECK, f"None of {made} is firing.")


def _firing_finding(alarm: Alarm) -> Finding:
    """By the table where it knows the alarm; else by the alarm's own description, which anybody may have written."""
    named = _OURS.search(alarm.name)
    name = one_line(alarm.name, 100)
    if named and (advice := table().get(f"alarm.{named['name']}")):
        return Finding(
            PROBLEM, _CHECK, f"{name} is firing. {advice.meaning}", advice.next_step, f"alarm.{named['name']}"
        )
    return found(PROBLEM, _CHECK, "alarm.other", alarm=name, description=one_line(alarm.meaning, 300))
