"""A new rule and its cases, valid as they stand; what only a person can know says FILL IN."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from trailbell.errors import RuleError
from trailbell.rulebook.draft import FILL_IN
from trailbell.rulebook.known_calls import SUFFIX, fault_of_call, fault_of_source, nearest_source


_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_NAME_LENGTH_MAX = 60
_SOURCES = {"fleethub": "iotfleethub", "identity": "ram"}
"""Folders of rules/ that are not called as the event source of their service is."""


@dataclass(frozen=True, slots=True)
class NewRule:
    """What a new rule is about: its name (`kms-key-renamed`), event source and call."""

    name: str
    source: str
    call: str

    @property
    def stem(self) -> str:
        """The files' name."""
        return "aws_" + self.name.replace("-", "_")

    @property
    def title(self) -> str:
        """From the name, to begin with: KMS Key Renamed."""
        upper = {"kms", "hsm", "ssm", "iam", "ram", "s3", "ec2", "mfa"}
        return " ".join(word.upper() if word in upper else word.title() for word in self.name.split("-"))[:50]


def name_of_rule(text: str) -> str:
    """`kms-key-renamed`, also from aws_kms_key_renamed.yml. Raises RuleError for what cannot be a name."""
    name = text.lower().removesuffix(".yml").removeprefix("aws_").replace("_", "-")
    if not _NAME.fullmatch(name) or len(name) > _NAME_LENGTH_MAX:
        raise RuleError(f"{text!r} is no name of a rule: lower-case words with hyphens, such as kms-key-renamed")
    return name


def source_of(service: str) -> str:
    """The event source of a service (or of a folder of rules/). Raises RuleError with the nearest right one."""
    name = service.lower().removesuffix(SUFFIX)
    source = f"{_SOURCES.get(name, name)}{SUFFIX}"
    if fault := fault_of_source(source):
        near = nearest_source(name)
        raise RuleError(f"--service {service}: {fault}" if near else f"--service {service}: no service is called so")
    return source


def check_call(source: str, call: str) -> None:
    """Raises RuleError for a call that the service does not have, with the nearest it has."""
    if fault := fault_of_call([source.removesuffix(SUFFIX)], call):
        raise RuleError(f"--event {call}: {fault}")


def call_to_begin_with(source: str, coverage: Path) -> str:
    """A call of the service that some rule reports already, so that the new rule compiles, matches its cases and
    changes no row of coverage.csv until it is about its own; "" where the file has none."""
    return next(_reported(source, coverage), "") if coverage.is_file() else ""


def _reported(source: str, coverage: Path) -> Iterator[str]:
    with coverage.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, restval=""):
            if row["eventSource"] == source and row["kind"] == "write" and row["rules"]:
                yield row["operation"]


def rule_text(rule: NewRule, identifier: UUID, today: date, schema: str, *, call_given: bool) -> str:
    """The rule's file. schema: where its JSON Schema is, from there."""
    fill_call = "" if call_given else f"  # {FILL_IN}: the call"
    return f"""\
# yaml-language-server: $schema={schema}
title: {rule.title}
id: {identifier}
name: {rule.name}
status: experimental
description: >
    {FILL_IN} what it means now and what may come next, for the person woken up at night.
references:
    - https://docs.aws.amazon.com/  # {FILL_IN}: AWS's page about the call
author: {FILL_IN} your name
date: {today.isoformat()}
logsource:
    product: aws
    service: cloudtrail
detection:
    selection:
        eventSource: {rule.source}
        eventName: {rule.call}{fill_call}
        facts.outcome: success
    condition: selection
falsepositives:
    - {FILL_IN} when it is harmless.
level: medium
check:
    - {FILL_IN} what to check first.
undo:
    note: {FILL_IN} how it is undone (commands go into steps), or why it cannot be.
"""


def cases_text(rule: NewRule, schema: str, *, call_given: bool) -> str:
    """Its cases: what matches, and three near misses. The call stands in them once."""
    fill_call = "" if call_given else f"  # {FILL_IN}: the call, as in the rule"
    return f"""\
# yaml-language-server: $schema={schema}
- name: a role makes the call
  match: true
  record:
    eventSource: {rule.source}
    eventName: &call {rule.call}{fill_call}
    requestParameters: {{}}  # {FILL_IN}: what CloudTrail records of it

- name: the call was denied
  match: false
  record:
    eventSource: {rule.source}
    eventName: *call
    errorCode: AccessDenied

- name: the call was throttled and will be retried
  match: false
  record:
    eventSource: {rule.source}
    eventName: *call
    errorCode: ThrottlingException

- name: another service has an operation of the same name
  match: false
  record:
    eventSource: example.amazonaws.com
    eventName: *call
"""
