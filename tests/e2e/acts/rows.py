"""The table: every act done on the deployed stack, and who answers it."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from tests.e2e.acts import functions, messages, storage
from tests.e2e.acts.act import Act
from tests.e2e.acts.canary import DrivenClock, Flight
from tests.e2e.acts.known import Known, Times
from tests.e2e.acts.record import DEPLOYER, Recorder
from tests.e2e.acts.stack import TRAIL, ActedOn
from tests.e2e.acts.times import Minutes
from trailbell.cli.doctor.stack_checks import check_stack
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import STACK, bootstrap, deploy
from trailbell.cli.local.local_aws import LocalAws
from trailbell.engine.rulebook import load_rulebook
from trailbell.hits.detect import HitDetector
from trailbell.ops.checks.finding import OK
from trailbell.ops.deployed_stack import DeployedStack


@dataclass(frozen=True)
class Row:
    """An act and its answers.

    call:       eventSource without the domain, and eventName.
    by_hand:    rules and levels where somebody of the account does it; deployed: where CloudFormation does.
    doctor:     conditions (ops/advice.toml) that were not there before.
    imitated:   the embedded AWS does not know the call: its record has no answer, and nothing was changed.
    told:       from the act to the message that the canary is missing; None where none comes.
    flight:     of a canary that was sent while the act was done; None where none was.
    """

    part: str
    what: str
    call: str
    by_hand: str
    deployed: str
    alarms: tuple[Known, ...]
    doctor: tuple[str, ...]
    cut: str
    missed: bool
    once: bool
    imitated: bool
    told: Minutes | None
    flight: Flight | None

    @property
    def answered_later(self) -> bool:
        """Whether anybody hears of it even if the rule's mail does not get out."""
        return bool(self.alarms or self.doctor or self.told)

    @property
    def known_within(self) -> int | None:
        """Minutes after which somebody knows at the latest without a hit; None where nobody does of itself."""
        alarms = (one.minutes for one in self.alarms if not one.hits)
        return min((one.most for one in (*alarms, self.told) if one), default=None)


def deployed(aws: LocalAws) -> LocalAws:
    """The same embedded AWS with the product in it, and with somebody who gets mails."""
    aws.client("s3").create_bucket(Bucket=TRAIL_BUCKET)
    bootstrap(aws)
    deploy(aws, TRAIL_BUCKET, alert_emails="oncall@example.com")
    return aws


@dataclass(frozen=True)
class Found:
    """The rows, the figures they are from, and a canary that was sent while nothing was cut."""

    rows: list[Row]
    times: Times
    whole: Flight


@dataclass(frozen=True)
class _Stage:
    """The deployed stack and what looks at it."""

    stack: ActedOn
    detector: HitDetector
    times: Times
    clock: DrivenClock


def everything(aws: LocalAws) -> Found:
    """Do every act on a fresh deployment, the ones that cannot be undone last."""
    _make_trail(aws)
    stack = ActedOn(aws, Recorder())
    detector = HitDetector(load_rulebook(_rulebook(aws).read_text(encoding="utf-8")))
    times = Times(DeployedStack(aws.client, STACK).template)
    stage = _Stage(stack, detector, times, DrivenClock(stack, aws.client))
    whole = stage.clock.fly()
    rows, before = list[Row](), _conditions(stack)
    for act in every_act(with_clock=True):
        row, before = _row(act, stage, before)
        rows.append(row)
    return Found(rows, times, whole)


def every_act(*, with_clock: bool) -> Iterator[Act]:
    """All acts, in the order in which they can be done; those on the clock where there is one."""
    yield from chain(functions.acts(), messages.acts(), storage.acts())
    if with_clock:
        yield from storage.clock_acts()
    yield from chain(functions.deletions(), messages.deletions(), storage.deletions())


def _make_trail(aws: LocalAws) -> None:
    """The embedded AWS deploys no trail, so the trail of the bucket is made by hand, as it would be."""
    cloudtrail = aws.client("cloudtrail")
    cloudtrail.create_trail(
        Name=TRAIL, S3BucketName=TRAIL_BUCKET, IsMultiRegionTrail=True, EnableLogFileValidation=True
    )
    cloudtrail.start_logging(Name=TRAIL)


def _rulebook(aws: LocalAws) -> Path:
    """The rulebook that was deployed, in its asset."""
    (found,) = (aws.log.parent / "cdk.out").glob("asset.*/trailbell/rulebook.json")
    return found


def _row(act: Act, stage: _Stage, before: Counter[str]) -> tuple[Row, Counter[str]]:
    """An act's row, and what doctor finds from then on. Of an act that is undone that is what it found before: what the
    undoing leaves is in the row of the next, where it is not expected.
    """
    stack, detector = stage.stack, stage.detector
    stack.recorder.records.clear()
    stack.recorder.imitated.clear()
    doing = act.do(stack)
    next(doing)
    records, imitated = list(stack.recorder.records), bool(stack.recorder.imitated)
    after = _conditions(stack)
    flight = stage.clock.fly() if act.flown else None
    for _ in doing:
        pass
    is_undone = len(stack.recorder.records) > len(records)
    left = _conditions(stack) if flight else before if is_undone else after
    (record, *_) = records
    row = Row(
        act.part,
        act.what,
        f"{record['eventSource'].removesuffix('.amazonaws.com')}:{record['eventName']}",
        _hits(records, detector),
        _hits([{**one, "userIdentity": DEPLOYER} for one in records], detector),
        stage.times.known(act),
        _found(after - before),
        act.cut,
        act.missed,
        act.once,
        imitated,
        stage.times.canary(act),
        flight,
    )
    return row, left


def _conditions(stack: ActedOn) -> Counter[str]:
    """What doctor finds, by condition."""
    findings = check_stack(stack.unrecorded, STACK, datetime.now(UTC))
    return Counter(one.condition for one in findings if one.state != OK and one.condition)


def _found(new: Counter[str]) -> tuple[str, ...]:
    """The conditions in order; of a stack that is deleted only that, for its parts go one by one while doctor looks."""
    return ("stack.deleted",) if "stack.deleted" in new else tuple(sorted(new))


def _hits(records: list[dict[str, Any]], detector: HitDetector) -> str:
    found = []
    for record in records:
        hit = detector.detect_record(json.loads(json.dumps(record)), record["eventTime"])
        if hit and not hit.muted_by:
            found.append(f"{hit.name} ({hit.level})")
    return ", ".join(dict.fromkeys(found))
