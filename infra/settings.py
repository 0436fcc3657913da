"""The deployer's settings: read from the context of cdk.json, or `cdk deploy -c name=value`, and checked at synth.

Every fault is reported at once, with the setting's name, what was given and what is allowed.
"""

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trailbell.alerts.channels import declared_channels
from trailbell.alerts.setting import Setting, boolean, emails, matching, one_of
from trailbell.engine.rulebook import Level
from trailbell.errors import SettingsError
from trailbell.hits.week import DAYS
from trailbell.rulebook.account_settings import read_account_names, read_accounts
from trailbell.rulebook.alert_on import read_alert_on
from trailbell.rulebook.misspellings import question
from trailbell.rulebook.placeholders import NAMES, STACK_NAME, Placeholders, read_placeholder, with_our_own


__all__ = ["STACK_NAME", "Settings", "read_settings"]

_NEEDS_BUCKET = {
    "trail_prefix": "a new trail has no prefix",
    "trail_topic_arn": "a new trail's bucket tells the queue itself",
}
_MAX_REMINDERS = 5
_MAX_QUIET_NAMES = 50  # they stand in the functions' environment, which takes 4 KB in all
_HOURS = f"a list of at most {_MAX_REMINDERS} whole numbers from 1 to 720, or []"
_QUIET = (
    'a whole number from 0 to 1440, or a map of levels, rules and "default" to such numbers,'
    f" with at most {_MAX_QUIET_NAMES} names"
)
_ORGANIZATION = r"o-[a-z0-9]{10,32}"
_RUNBOOK = 'an https address such as https://wiki.example.com/alerts/{rule}, with {rule}, {service}, {level}, or ""'


def channel_settings() -> dict[str, Setting]:
    """The settings that channels declare, by name."""
    return {setting.name: setting for channel in declared_channels() for setting in channel.settings}


def channel_defaults() -> dict[str, Any]:
    """What they are where nothing is given."""
    return {name: setting.read(setting.default) for name, setting in channel_settings().items()}


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen; the defaults deploy a working stack with a trail of its own.

    trail_bucket:       name of an existing trail bucket; "" makes a new multi-region trail with its own bucket.
    trail_prefix:       the prefix under which an existing bucket holds "AWSLogs/", without a slash at the end.
    trail_topic_arn:    ARN of an SNS topic that brings the notifications of an existing bucket: S3's, or CloudTrail's
                        own. It may be in another account (the stack's outputs say what that must allow).
    eventbridge:        take notifications from EventBridge, which the existing bucket must send them to.
    organization_id:    makes the new trail one of the whole organisation (o-...); deploy in its management account.
    trail_key_arn:      ARN of the KMS key that encrypts the log files: the one an existing trail uses, or one for the
                        new trail to use; "" leaves it to S3's own key.
    operations_emails:  addresses that are notified when the alerter itself is in trouble; if empty, the inboxes of the
                        alert topic.
    channels:           name → value of the settings that channels declare (lambdas/trailbell/alerts/channels/).
    runbook_url:        address of your runbooks, with {rule}, {service} and {level} filled in; in every alert.
    live:               take events from EventBridge as well, seconds after the act, in this Region and from members.
    live_organization:  id of the organisation (o-...) whose accounts may forward their events.
    live_accounts:      ids of the accounts that may, where there is no organisation.
    account_names:      account id → name, shown beside the id.
    alert_on:           calls to be notified of without writing a rule, as service:EventName.
    audit:              compare what is read with CloudTrail's digest files, and keep a ledger of it.
    silence_minutes:    without a log file for so long, operations are notified; 0 for never.
    canary_minutes:     a canary that takes longer than this is reported as missing; 0 sends none.
    report_day:         the day on which operations get the week's report; "" for none.
    reminders:          hours before an undo's deadline at which those who were notified are reminded; none for never.
    quiet_minutes:      name of a level or rule, or "default" → how long what follows an alert is gathered; 0: not.
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
    operations_emails: tuple[str, ...] = ()
    channels: Mapping[str, Any] = field(default_factory=channel_defaults)
    runbook_url: str = ""
    live: bool = False
    live_organization: str = ""
    live_accounts: tuple[str, ...] = ()
    account_names: Mapping[str, str] = field(default_factory=dict)
    alert_on: tuple[str, ...] = ()
    audit: bool = False
    silence_minutes: int = 60
    canary_minutes: int = 30
    report_day: str = "monday"
    reminders: tuple[int, ...] = (24,)
    quiet_minutes: Mapping[str, int] = field(default_factory=lambda: {"default": 60})
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
    readers = _all_readers()
    faults = _unknown_names(given or {}, readers)
    values: dict[str, Any] = {}
    for name, read in readers.items():
        raw = get(name)
        if raw is not None:
            try:
                values[name] = read(raw)
            except ValueError as fault:
                faults.append(f"setting {name} is {_shown(name, raw)}; allowed: {fault}")
    faults += _faults_together(values)
    if faults:
        raise SettingsError("\n".join(faults))
    placeholders = {name: values.pop(name, ()) for name in NAMES}
    channels = {name: values.pop(name, default) for name, default in channel_defaults().items()}
    return Settings(**values, channels=channels, placeholders=with_our_own(placeholders, values))


def check_quiet_names(quiet_minutes: Mapping[str, int], rules: Iterable[str]) -> None:
    """Raise SettingsError for names that are neither "default", a level, nor a rule's: they would gather nothing."""
    known = ["default", *(level.word for level in Level), *rules]
    unknown = [name for name in quiet_minutes if name not in known]
    if unknown:
        raise SettingsError(
            "\n".join(
                f"setting quiet_minutes names {name!r}, which is no level and no rule{question(name, known)}"
                for name in unknown
            )
        )


def setting_names() -> tuple[str, ...]:
    """Every setting's name."""
    return tuple(_all_readers())


def _all_readers() -> dict[str, Callable[[Any], Any]]:
    """What reads each setting: ours, the channels', and the lists for rules."""
    channels = {name: setting.read for name, setting in channel_settings().items()}
    lists = {name: functools.partial(read_placeholder, name) for name in NAMES}
    return {**_READERS, **channels, **lists}


def _shown(name: str, raw: Any) -> str:
    """A refused value; not one that may be a secret, for this is printed, and kept by whatever runs the synth."""
    setting = channel_settings().get(name)
    return "not shown, as it may be a secret" if setting and setting.secret else repr(raw)


def _faults_together(values: Mapping[str, Any]) -> list[str]:
    """Settings that are right alone and wrong together."""
    faults = [
        f"setting {name} needs trail_bucket: {why}"
        for name, why in _NEEDS_BUCKET.items()
        if values.get(name) and not values.get("trail_bucket")
    ]
    if values.get("trail_topic_arn") and values.get("eventbridge"):
        faults.append("settings trail_topic_arn and eventbridge: allowed is one of them, or every file is read twice")
    if values.get("organization_id") and values.get("trail_bucket"):
        faults.append("setting organization_id makes a new trail; it cannot go with trail_bucket")
    faults += [
        f"setting {name} needs live, without which no account forwards events"
        for name in ("live_organization", "live_accounts")
        if values.get(name) and not values.get("live")
    ]
    if values.get("live_organization") and values.get("live_accounts"):
        faults.append(
            "settings live_organization and live_accounts: allowed is one of them; accounts of it may forward"
        )
    for channel in declared_channels():
        switch, *others = channel.settings
        faults += [
            f"setting {other.name} needs {switch.name}, without which there is no such channel"
            for other in others
            if not values.get(switch.name) and values.get(other.name, other.default) != other.default
        ]
    return faults


def _unknown_names(given: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Names that are neither ours nor the CDK's own (those hold "@", ":" or "-")."""
    return [
        f"setting {name} is unknown; known: {', '.join(known)}"
        for name in given
        if name not in known and not re.search("[@:-]", name)
    ]


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


def _hours(raw: Any) -> tuple[int, ...]:
    """A list of hours, each once, the longest first; JSON on the command line."""
    try:
        given = json.loads(raw) if isinstance(raw, str) else raw
        if not isinstance(given, list | tuple):
            raise ValueError(_HOURS)
        read = _number(1, 720)
        hours = sorted({read(one) for one in given}, reverse=True)
        if len(hours) > _MAX_REMINDERS:
            raise ValueError(_HOURS)
        return tuple(hours)
    except ValueError:  # JSON's, too
        raise ValueError(_HOURS) from None


def _report_day(raw: Any) -> str:
    """A day of the week, or none."""
    if raw not in (*DAYS, ""):
        raise ValueError('a day from monday to sunday, or ""')
    return str(raw)


def _quiet(raw: Any) -> dict[str, int]:
    """Minutes for all, or a map of levels, rules and "default" to minutes; JSON on the command line."""
    try:
        given = json.loads(raw) if isinstance(raw, str) else raw
        by_name = given if isinstance(given, Mapping) else {"default": given}
        read = _number(0, 1440)
        if len(by_name) > _MAX_QUIET_NAMES:
            raise ValueError(_QUIET)
        return {"default": 60, **{str(name): read(minutes) for name, minutes in by_name.items()}}
    except ValueError:  # JSON's, too
        raise ValueError(_QUIET) from None


def _runbook(raw: Any) -> str:
    """An address; nothing stands in braces but what alerts fill in (alerts/links.py)."""
    address = matching(r"https://[^\s/]+\.[^\s/]+(?:/\S*)?", _RUNBOOK)(raw)
    if set(re.findall(r"\{[^}]*\}?", address)) - {"{rule}", "{service}", "{level}"}:
        raise ValueError(_RUNBOOK)
    return address


# Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
# Log retention: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_READERS: dict[str, Callable[[Any], Any]] = {
    "trail_bucket": matching(
        r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", 'the name of an existing bucket, or "" for a new trail'
    ),
    "trail_prefix": matching(r"[^/\s](?:\S*[^/\s])?", 'a key prefix without a slash at either end, or ""'),
    "trail_topic_arn": matching(
        r"arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+", 'the ARN of an SNS topic, or ""'
    ),
    "eventbridge": boolean,
    "organization_id": matching(_ORGANIZATION, 'an organisation id such as o-a1b2c3d4e5, or ""'),
    "trail_key_arn": matching(
        r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+", 'the ARN of a KMS key (not of an alias), or ""'
    ),
    "operations_emails": lambda raw: tuple(emails(raw)),
    "runbook_url": _runbook,
    "live": boolean,
    "live_organization": matching(_ORGANIZATION, 'an organisation id such as o-a1b2c3d4e5, or ""'),
    "live_accounts": read_accounts,
    "account_names": read_account_names,
    "alert_on": read_alert_on,
    "audit": boolean,
    "silence_minutes": _number(0, 1440),
    "canary_minutes": _number(0, 1440),
    "report_day": _report_day,
    "reminders": _hours,
    "quiet_minutes": _quiet,
    "architecture": one_of("arm64", "x86_64"),
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
    "python": one_of("3.11", "3.12", "3.13", "3.14"),
}
