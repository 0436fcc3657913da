"""The way of one event through a deployment, from CloudTrail to a reader: the first step that it did not pass is why
nobody was told.

Read-only, but for messages in the dead letters, which are hidden from others for a moment. What cannot be looked at is
unknown, and does not stop the walk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trailbell.alerts.origin_text import place_text, seen_text
from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import LogFileError, NewerFormatError
from trailbell.hits.explained import Explained, Explainer, Standing
from trailbell.hits.hit import Hit
from trailbell.ops.deployed_stack import Clients, DeployedStack
from trailbell.ops.health import Health
from trailbell.ops.record_reader import Fetched, fetch_record
from trailbell.ops.walk.delivery import CHANNELS, EXCEPTION, NOTIFIED, SUBSCRIPTION, Delivery
from trailbell.ops.walk.find_record import find_record
from trailbell.ops.walk.looking import looked
from trailbell.ops.walk.reading import LOG_FILE, READ, TRAIL, Reading, replay
from trailbell.ops.walk.step import Step, passed, stopped, unknown, waits
from trailbell.store.query.hit_lookup import hit_of_identity, hits_of_event
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_time


RULE, HIT = "rule", "hit"

_LONGEST = timedelta(days=400)
_SKEW = timedelta(days=1)
_READ_BUCKET = "s3:ListBucket, s3:GetObject on the trail bucket (and kms:Decrypt with its key)"
_READ_QUEUES = (
    "sqs:GetQueueAttributes, sqs:ReceiveMessage, lambda:GetFunctionConfiguration, lambda:GetEventSourceMapping"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: an event, when it happened (at least since when), where, and of whose subscription ("" for all).

    near: its time, where it is known.
    """

    event_id: str
    selection: Selection
    near: datetime | None = None
    to: str = ""


@dataclass(slots=True)
class Walk:
    """What a walk came to.

    record: the event's, or why it cannot be had, None where it was not found; explained: by the deployed rulebook.
    """

    event_id: str
    steps: list[Step] = field(default_factory=list)
    place: Place | None = None
    record: Fetched | None = None
    explained: Explained | None = None
    hit: Hit | None = None

    @property
    def ended_at(self) -> Step | None:
        """The first step that it did not pass; None if it passed all that can be seen."""
        return next((step for step in self.steps if step.ends), None)

    def add(self, step: Step) -> bool:
        """Add a step; whether the walk goes on."""
        self.steps.append(step)
        return not step.ends


class EventWalk:
    """Follows events through one stack. rulebook: what its detector runs, None where that cannot be had."""

    def __init__(self, clients: Clients, stack: DeployedStack, rulebook: Rulebook | None, now: datetime) -> None:
        self._clients, self._stack, self._rulebook, self._now = clients, stack, rulebook, now
        health = Health(clients, stack)
        self._reading, self._delivery = Reading(clients, health), Delivery(clients, health)
        self._table = stack.output("HitTable")

    def walk(self, asked: Asked, hit: Hit | None = None) -> Walk:
        """Follow one event, or that of a hit, up to where it stopped. Raises SettingsError, and what reading the hit
        table raises.
        """
        walk = Walk(asked.event_id, hit=hit)
        try:
            walk.hit = hit or self._hit_of(asked)
        except NewerFormatError as error:
            walk.add(unknown(HIT, str(error)))
            return walk
        if walk.hit:
            self._from_hit(walk, walk.hit)
            self._to_reader(walk, walk.hit, asked.to)
        elif self._to_detector(walk, asked) and self._to_hit(walk) and walk.hit:
            self._to_reader(walk, walk.hit, asked.to)
        return walk

    def _hit_of(self, asked: Asked) -> Hit | None:
        """The hit that is kept under the event's id; None where none is, as with a window of a day."""
        since, until = asked.selection.since or self._now - _LONGEST, asked.selection.until or self._now + _SKEW
        found = hits_of_event(self._clients("dynamodb"), self._table, asked.event_id, since, until)
        return found[0] if found else None

    def _from_hit(self, walk: Walk, hit: Hit) -> None:
        """A hit that is kept says of itself where its record is and when it was read; the record explains it."""
        walk.place = hit.place
        walk.add(passed(LOG_FILE, place_text(hit)))
        walk.add(passed(READ, seen_text(hit) or f"read at {hit.seen_at}"))
        if hit.episode:
            walk.add(passed(RULE, f"the correlation {hit.name} ({hit.level}) came true"))
            return
        walk.add(looked(RULE, lambda: self._fetched(walk, hit), _READ_BUCKET))

    def _fetched(self, walk: Walk, hit: Hit) -> Step:
        reports = f"{hit.name} reports it ({hit.level}{f', {hit.level_note}' if hit.level_note else ''})"
        try:
            walk.record = fetch_record(self._clients("s3"), hit.place)
        except LogFileError as error:
            walk.record = one_line(str(error), 300)
            return passed(RULE, f"{reports}; its record cannot be had: {walk.record}")
        self._explain(walk)
        return passed(RULE, f"{reports}{_today(walk.explained, hit)}")

    def _to_detector(self, walk: Walk, asked: Asked) -> bool:
        """From the trail to the detector; whether the walk goes on."""
        bucket = self._stack.output("TrailBucket")

        def find() -> Step:
            search = find_record(self._clients("s3"), bucket, asked.event_id, asked.selection, asked.near)
            if search.found:
                walk.place, walk.record = search.found.place, search.found.record
            return self._reading.log_file(asked.event_id, search, asked.near, self._now)

        log_file = looked(LOG_FILE, find, _READ_BUCKET)
        if not walk.place:
            trail = looked(TRAIL, self._reading.trail, "cloudtrail:DescribeTrails, cloudtrail:GetTrailStatus")
            return walk.add(trail) and walk.add(log_file) and False
        place = walk.place
        walk.add(log_file)
        if not walk.add(looked(READ, lambda: self._reading.read(place), _READ_QUEUES)):
            return False
        if isinstance(walk.record, str):
            return walk.add(self._reading.malformed(walk.record))
        return True

    def _to_hit(self, walk: Walk) -> bool:
        """From the record to its hit, of which there is none under its event's id; whether the walk goes on."""
        assert isinstance(walk.record, Mapping)
        assert walk.place
        place = walk.place
        if not self._rulebook:
            return walk.add(unknown(RULE, "the deployed rulebook cannot be had, and no hit is kept")) and False
        self._explain(walk)
        explained = walk.explained
        if explained is None:
            return walk.add(self._reading.malformed("the record is nested too deeply to be matched"))
        rule = _rule_step(explained)
        if not walk.add(rule) or not explained.hit:
            return False
        kept = hit_of_identity(self._clients("dynamodb"), self._table, explained.hit.identity)
        if kept:
            walk.hit = kept
            if explained.hit.once:
                said = f"its rule makes one hit a day: it is part of hit {kept.hit_id}"
                return walk.add(passed(HIT, said))
            return walk.add(passed(HIT, f"kept as {kept.hit_id}"))
        return walk.add(looked(HIT, lambda: self._not_kept(place), _READ_QUEUES))

    def _not_kept(self, place: Place) -> Step:
        """Why no hit is kept of a record that makes one."""
        waiting = self._reading.waiting()
        if waiting:
            said = f"none is kept yet; {waiting} messages wait in the ingest queue, its own may be one of them"
            return waits(HIT, said, "Ask again when they are read.")
        said = "today's rules make a hit of it, and none is kept: it was read by other rules, or never, or has expired"
        return stopped(HIT, said, replay(place))

    def _explain(self, walk: Walk) -> None:
        if not (self._rulebook and isinstance(walk.record, Mapping)):
            return
        seen_at = walk.hit.seen_at if walk.hit else iso_time(self._now)
        try:
            walk.explained = Explainer(self._rulebook, seen_at).explain(walk.record, place=walk.place)
        except RecursionError:
            walk.explained = None

    def _to_reader(self, walk: Walk, hit: Hit, to: str) -> None:
        delivery, table = self._delivery, "dynamodb:Query, dynamodb:BatchGetItem on the hit table"
        steps = (
            (EXCEPTION, lambda: delivery.wanted(hit), table),
            (NOTIFIED, lambda: delivery.notified(hit), f"{table}, {_READ_QUEUES}"),
            (CHANNELS, lambda: delivery.channels(hit), "lambda:GetFunctionConfiguration on the notifier"),
            (
                SUBSCRIPTION,
                lambda: delivery.subscriptions(hit, to),
                "sns:ListSubscriptionsByTopic, sns:GetSubscriptionAttributes",
            ),
        )
        for name, look, needs in steps:
            if not walk.add(looked(name, look, needs)):
                return


def _today(explained: Explained | None, hit: Hit) -> str:
    """What the rules of today say where that is something else: they may have changed since it was read."""
    if explained is None or (explained.hit and explained.hit.name == hit.name):
        return ""
    return f"; today's rules: {f'{explained.hit.name} reports it' if explained.hit else 'none reports it'}"


def _rule_step(explained: Explained) -> Step:
    """Whether a rule reports the record; where none does, why, in a sentence."""
    hit = explained.hit
    if hit and explained.is_canary:
        said = "it is a canary, trailbell's own harmless act, which comes back to the clock and alerts nobody"
        return stopped(RULE, said, "Nothing is to be done: trailbell doctor shows when the last one came back.")
    if hit:
        return passed(RULE, f"{hit.name} reports it ({hit.level}{f', {hit.level_note}' if hit.level_note else ''})")
    standings = {one.standing for one in explained.rules}
    if Standing.REPEATED in standings:
        said = "the record only repeats or counts what other records say, each for itself: those are matched"
        return stopped(RULE, said, "Ask for the event of the call itself.")
    counted = explained.counted_by
    if counted:
        said = f"it makes no hit of its own: correlations count it ({', '.join(counted)})"
        return stopped(RULE, said, f"Those that came true: trailbell hits --rule {counted[0]}")
    if not explained.watched:
        source, name = one_line(explained.record.event_source, 80), one_line(explained.record.event_name, 80)
        said = f"no rule is about {name} of {source}"
        return stopped(RULE, said, f"The setting alert_on, or a rule: trailbell rules new --help ({name})")
    near = next((one for one in explained.rules if not one.matches), None)
    short = near.condition.short_by if near else 0
    nearest = f"; {near.rule.name} is {short} condition{'' if short == 1 else 's'} short" if near else ""
    return stopped(RULE, f"no rule matches it{nearest}", "Below stands what the nearest rules wanted.")
