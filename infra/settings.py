"""The deployer's settings: read from the context of cdk.json, or `cdk deploy -c name=value`, and checked at synth.

Every fault is reported at once, with the setting's name, what was given and what is allowed.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trailbell.engine.rulebook import Level
from trailbell.errors import SettingsError
from trailbell.rulebook.alert_on import read_alert_on
from trailbell.rulebook.placeholders import NAMES, STACK_NAME, Placeholders, read_placeholder, with_our_own


__all__ = ["LEVELS", "STACK_NAME", "Settings", "read_settings"]

LEVELS = tuple(level.word for level in Level)
"""Sigma's levels, weakest first."""

_NEEDS_BUCKET = {
    "trail_prefix": "a new trail has no prefix",
    "trail_topic_arn": "a new trail's bucket tells the queue itself",
}
_RUNBOOK = 'an https address such as https://wiki.example.com/alerts/{rule}, with {rule}, {service}, {level}, or ""'
_DEFAULT_LEVEL = Level.MEDIUM.word  # below that a hit is for asking, not for mailing


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen; the defaults deploy a working stack with a trail of its own.

    trail_bucket:       name of an existing trail bucket; "" makes a new multi-region trail with its own bucket.
    trail_prefix:       the prefix under which an existing bucket holds "AWSLogs/", without a slash at the end.
    trail_topic_arn:    ARN of an SNS topic that tells of an existing bucket's log files: S3's notifications, or
                        CloudTrail's own. It may be in another account (the stack's outputs say what that must allow).
    eventbridge:        take notifications from EventBridge, which the existing bucket must send them to.
    organization_id:    makes the new trail one of the whole organisation (o-...); deploy in its management account.
    trail_key_arn:      ARN of the KMS key that encrypts the log files: the one an existing trail uses, or one for the
                        new trail to use; "" leaves it to S3's own key.
    alert_emails:       address → lowest level it is mailed; a plain list means "medium". AWS mails each a link
                        to confirm. Hits below the level are in the table all the same.
    operations_emails:  addresses that are told when the alerter itself is in trouble; those of alert_emails if empty.
    chat_topic:         lowest level that goes to a second topic, in the form Amazon Q Developer takes for chat;
                        "" makes none.
    event_bus:          put alerts onto an event bus of the stack's own, for automation.
    runbook_url:        address of your runbooks, with {rule}, {service} and {level} filled in; in every alert.
    alert_on:           calls to be told of without writing a rule, as service:EventName.
    silence_minutes:    without a log file for so long, operations are told; 0 never tells.
    architecture:       of the functions.
    hit_retention_days: how long hits stay in the table.
    log_retention_days: how long the functions' own logs are kept; a number CloudWatch Logs knows.
    max_inflated_mb:    log files larger than this, inflated, go to the dead-letter queue.
    detector_memory_mb: the detector's memory, which sets its share of a processor, too.
    detector_seconds:   how long the detector may take for a batch before it gives back what is not done.
    python:             the functions' Python.
    placeholders:       lists that rules refer to (rulebook/placeholders.py names them).
    """

    trail_bucket: str = ""
    trail_prefix: str = ""
    trail_topic_arn: str = ""
    eventbridge: bool = False
    organization_id: str = ""
    trail_key_arn: str = ""
    alert_emails: Mapping[str, str] = field(default_factory=dict)
    operations_emails: tuple[str, ...] = ()
    chat_topic: str = ""
    event_bus: bool = False
    runbook_url: str = ""
    alert_on: tuple[str, ...] = ()
    silence_minutes: int = 60
    architecture: str = "arm64"
    hit_retention_days: int = 400
    log_retention_days: int = 90
    max_inflated_mb: int = 100
    detector_memory_mb: int = 1024
    detector_seconds: int = 120
    python: str = "3.13"
    placeholders: Placeholders = field(default_factory=dict)


def read_settings(get: Callable[[str], Any], given: Mapping[str, Any] | None = None) -> Settings:
    """Read every setting with `get` (name → value, None if not given), e.g. `app.node.try_get_context`.

    given: the whole context, where known, to find misspelt names in. Raises SettingsError with all faults.
    """
    faults = _unknown_names(given or {})
    values: dict[str, Any] = {}
    for name in (*_CHANNELS, *NAMES):
        raw = get(name)
        if raw is None:
            continue
        try:
            values[name] = _CHANNELS[name](raw) if name in _CHANNELS else read_placeholder(name, raw)
        except ValueError as fault:
            faults.append(f"setting {name} is {raw!r}; allowed: {fault}")
    for name, why in _NEEDS_BUCKET.items():
        if values.get(name) and not values.get("trail_bucket"):
            faults.append(f"setting {name} needs trail_bucket: {why}")
    if values.get("trail_topic_arn") and values.get("eventbridge"):
        faults.append("settings trail_topic_arn and eventbridge: allowed is one of them, or every file is read twice")
    if values.get("organization_id") and values.get("trail_bucket"):
        faults.append("setting organization_id makes a new trail; it cannot go with trail_bucket")
    if faults:
        raise SettingsError("\n".join(faults))
    placeholders = {name: values.pop(name, ()) for name in NAMES}
    return Settings(**values, placeholders=with_our_own(placeholders, values))


def _unknown_names(given: Mapping[str, Any]) -> list[str]:
    """Names that are neither ours nor the CDK's own (those hold "@", ":" or "-")."""
    known = [*_CHANNELS, *NAMES]
    return [
        f"setting {name} is unknown; known: {', '.join(known)}"
        for name in given
        if name not in known and not re.search("[@:-]", name)
    ]


def _matching(pattern: str, allowed: str) -> Callable[[Any], str]:
    def read(raw: Any) -> str:
        if not isinstance(raw, str) or (raw and not re.fullmatch(pattern, raw, re.ASCII)):
            raise ValueError(allowed)
        return raw

    return read


def _one_of(*choices: str) -> Callable[[Any], str]:
    def read(raw: Any) -> str:
        if raw not in choices:
            raise ValueError(" or ".join(choices))
        return str(raw)

    return read


def _number(low: int, high: int, choices: tuple[int, ...] = ()) -> Callable[[Any], int]:
    allowed = "one of " + ", ".join(map(str, choices)) if choices else f"a whole number from {low} to {high}"

    def read(raw: Any) -> int:
        text = str(raw)
        if isinstance(raw, bool) or not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
            raise ValueError(allowed)
        number = int(text)
        if not low <= number <= high or (choices and number not in choices):
            raise ValueError(allowed)
        return number

    return read


def _emails(raw: Any) -> dict[str, str]:
    """A map, or a list; from the command line as JSON, or as addresses separated by commas."""
    if isinstance(raw, str):
        try:
            raw = (
                json.loads(raw)
                if raw[:1] in "[{" and raw
                else [part.strip() for part in raw.split(",") if part.strip()]
            )
        except ValueError:
            raw = None
    if isinstance(raw, list):
        raw = {str(address): _DEFAULT_LEVEL for address in raw}
    if not isinstance(raw, Mapping) or not all(_is_email(name) and level in LEVELS for name, level in raw.items()):
        raise ValueError(f'["ops@example.com"] or {{"ops@example.com": "high"}}, levels: {", ".join(LEVELS)}')
    return dict(raw)


def _is_email(address: object) -> bool:
    return isinstance(address, str) and bool(re.fullmatch(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+", address))


def _boolean(raw: Any) -> bool:
    """The command line gives text."""
    words = {"true": True, "false": False}
    if isinstance(raw, bool) or str(raw).lower() in words:
        return raw if isinstance(raw, bool) else words[str(raw).lower()]
    raise ValueError("true or false")


def _level_or_none(raw: Any) -> str:
    """A level; true and false stand for the usual one and for none."""
    words = {"": "", "false": "", "true": _DEFAULT_LEVEL} | {level: level for level in LEVELS}
    if str(raw).lower() not in words:
        raise ValueError(f"false, true ({_DEFAULT_LEVEL} and above) or the lowest level: {', '.join(LEVELS)}")
    return words[str(raw).lower()]


def _runbook(raw: Any) -> str:
    """An address; nothing stands in braces but what alerts fill in (alerts/links.py)."""
    address = _matching(r"https://[^\s/]+\.[^\s/]+(?:/\S*)?", _RUNBOOK)(raw)
    if set(re.findall(r"\{[^}]*\}?", address)) - {"{rule}", "{service}", "{level}"}:
        raise ValueError(_RUNBOOK)
    return address


# Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
# Log retention: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_CHANNELS: dict[str, Callable[[Any], Any]] = {
    "trail_bucket": _matching(
        r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", 'the name of an existing bucket, or "" for a new trail'
    ),
    "trail_prefix": _matching(r"[^/\s](?:\S*[^/\s])?", 'a key prefix without a slash at either end, or ""'),
    "trail_topic_arn": _matching(
        r"arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+", 'the ARN of an SNS topic, or ""'
    ),
    "eventbridge": _boolean,
    "organization_id": _matching(r"o-[a-z0-9]{10,32}", 'an organisation id such as o-a1b2c3d4e5, or ""'),
    "trail_key_arn": _matching(
        r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+", 'the ARN of a KMS key (not of an alias), or ""'
    ),
    "alert_emails": _emails,
    "operations_emails": lambda raw: tuple(_emails(raw)),
    "chat_topic": _level_or_none,
    "event_bus": _boolean,
    "runbook_url": _runbook,
    "alert_on": read_alert_on,
    "silence_minutes": _number(0, 1440),
    "architecture": _one_of("arm64", "x86_64"),
    "hit_retention_days": _number(1, 3650),
    "log_retention_days": _number(
        1,
        3653,
        (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
    ),
    "max_inflated_mb": _number(1, 200),
    # Ten log files at once, in pieces, take less than half of the smallest; the largest is Lambda's own limit.
    "detector_memory_mb": _number(512, 10_240),
    # Ten seconds of them are kept in reserve (flows/detector.py); Lambda stops every function after fifteen minutes.
    "detector_seconds": _number(30, 900),
    # 3.11 is for the embedded AWS only: Lambda's runs on Amazon Linux 2, too old for RE2's wheel.
    "python": _one_of("3.11", "3.12", "3.13", "3.14"),
}
