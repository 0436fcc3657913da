"""The first half of the way: from CloudTrail to the detector. Did the record get into the bucket, and was it read?"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

from trailbell.cloudtrail.notification import parse_notification
from trailbell.cloudtrail.object_key import ObjectKind, TrailPlace, classify_key
from trailbell.cloudtrail.origin import Place
from trailbell.errors import NotificationError, SettingsError
from trailbell.ops.dead_letters import look
from trailbell.ops.deployed_stack import AUDITED, Clients
from trailbell.ops.health import Health
from trailbell.ops.walk.find_record import Search
from trailbell.ops.walk.step import Step, passed, stopped, unknown, waits
from trailbell.store.ledger import DynamoLedger
from trailbell.text.counts import counted
from trailbell.text.safe_text import one_line


TRAIL, LOG_FILE, READ, MALFORMED = "trail", "log file", "reading", "record"

# "CloudTrail typically delivers logs within an average of about 5 minutes of an API call. This time is not guaranteed."
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html
_DELIVERY = timedelta(minutes=15)
_DEAD_LETTERS_READ = 200


class Reading:
    """Asks about one deployment."""

    def __init__(self, clients: Clients, health: Health) -> None:
        self._clients, self._health, self._stack = clients, health, health.stack

    @cached_property
    def detector_variables(self) -> Mapping[str, str]:
        """The detector's environment."""
        function = self._stack.queue_function()
        found = self._clients("lambda").get_function_configuration(FunctionName=function)
        return dict(found.get("Environment", {}).get("Variables", {}))

    def trail(self) -> Step:
        """Whether a trail writes into the bucket, logs, and delivers."""
        bucket = self._stack.output("TrailBucket")
        trails = self._health.trails
        if not trails:
            said = f"no trail that this account sees writes into {bucket}"
            return stopped(TRAIL, said, f"Create one, or name its bucket: trailbell doctor{_stack(self._stack.name)}")
        for trail in trails:
            status = self._health.trail_status(trail)
            if not status.logging:
                action = f"aws cloudtrail start-logging --name {trail.arn} --region {trail.home}"
                return stopped(TRAIL, f"the trail {trail.name} is stopped: what happens now is not recorded", action)
            if status.delivery_error:
                said = f"the trail {trail.name} cannot deliver into {bucket}: {one_line(status.delivery_error, 200)}"
                return stopped(TRAIL, said, "Correct the bucket's (or its key's) policy; CloudTrail goes on by itself.")
        names = ", ".join(trail.name for trail in trails)
        return passed(TRAIL, f"{names} logs, and writes into {bucket}")

    def log_file(self, event_id: str, search: Search, at: datetime | None, now: datetime) -> Step:
        """Whether the record was found in the bucket."""
        found = search.found
        if found:
            return passed(LOG_FILE, f"{_address(found.place)}, record {found.place.index}")
        if at and now - at < _DELIVERY:
            read = counted(search.files, "log file")
            said = f"not in {read} of that time: CloudTrail takes about five minutes, sometimes more"
            return waits(LOG_FILE, said, "Ask again in a quarter of an hour.")
        if search.unreadable:
            read = counted(search.files - len(search.unreadable), "log file")
            said = f"not in {read}; {len(search.unreadable)} cannot be read"
            return unknown(
                LOG_FILE, f"{said}, first {one_line(search.unreadable[0], 300)}", "Correct that, then repeat."
            )
        lookup = f"aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventId,AttributeValue={event_id}"
        action = (
            "Name its time with --at, and its account and Region where you know them. If CloudTrail knows the event"
            f" ({lookup} --region REGION), the trail leaves its kind out: trailbell doctor{_stack(self._stack.name)}"
        )
        return stopped(LOG_FILE, f"not in {counted(search.files, 'log file')} of that time", action)

    def read(self, place: Place) -> Step:
        """Whether the detector took up the log file: is it the trail's, does its message wait, was it read?"""
        ignored = self._ignored(place)
        if ignored:
            return ignored
        dead = self._dead_letter(place)
        if dead:
            return dead
        source = self._switched_off()
        if source:
            return source
        return self._by_ledger(place) if self._stack.has_output(AUDITED) else self._without_ledger(place)

    def malformed(self, reason: str) -> Step:
        """The record is none that can be matched."""
        said = f"{one_line(reason, 300)}; it was not matched against any rule"
        return stopped(MALFORMED, said, "Look at it: trailbell malformed. What CloudTrail writes broken stays so.")

    def _ignored(self, place: Place) -> Step | None:
        kind = classify_key(place.key).kind
        if kind is not ObjectKind.LOG_FILE:
            said = f"the object is not read: by its key it is no log file of CloudTrail ({kind})"
            return stopped(READ, said, "Only [prefix/]AWSLogs/account/CloudTrail/region/yyyy/mm/dd/*.json.gz is read.")
        variables = self.detector_variables
        trail = TrailPlace(variables.get("TRAILBELL_TRAIL_BUCKET", ""), variables.get("TRAILBELL_TRAIL_PREFIX", ""))
        if not trail.holds(place.bucket, place.key):
            said = (
                f"it is not below s3://{trail.bucket}/{trail.prefix}, where the detector's trail writes, and is ignored"
            )
            return stopped(
                READ, said, "Deploy with the settings trail_bucket and trail_prefix of the trail that wrote it."
            )
        return None

    def _dead_letter(self, place: Place) -> Step | None:
        queue = self._stack.dead_letter_queue()
        if not queue.waiting:
            return None
        for message in look(self._clients("sqs"), queue.url, _DEAD_LETTERS_READ):
            try:
                objects = parse_notification(message["Body"]).objects
            except NotificationError:
                continue
            if any((one.bucket, one.key) == (place.bucket, place.key) for one in objects):
                said = "its message is in the dead letters: the log file could not be read, several times"
                return stopped(
                    READ, said, "Correct the cause (the detector's log names it), then: trailbell dlq redrive"
                )
        return None

    def _switched_off(self) -> Step | None:
        try:
            queue = self._stack.ingest_queue()
        except SettingsError:
            return None
        off = [one for one in self._health.consumers(queue.arn) if one.state not in ("Enabled", "Enabling", "Updating")]
        if not off:
            return None
        said = f"the detector does not take messages: its event source mapping is {off[0].state}; {queue.waiting} wait"
        return stopped(READ, said, f"aws lambda update-event-source-mapping --uuid {off[0].uuid} --enabled")

    def _by_ledger(self, place: Place) -> Step:
        rows = DynamoLedger(self._clients("dynamodb"), self._stack.output("HitTable")).read([place.key])[place.key]
        if rows:
            return passed(READ, f"read at {max(str(row['readAt']) for row in rows)}, by the ledger")
        waiting = self.waiting()
        if waiting:
            return waits(READ, f"not read yet, by the ledger; {waiting} messages wait in the ingest queue")
        said = "not read, by the ledger, and no message waits: nothing has told the detector of it"
        return stopped(READ, said, f"trailbell doctor{_stack(self._stack.name)}; then {replay(place)}")

    def waiting(self) -> int:
        """How many messages wait in the ingest queue. Raises what botocore raises."""
        return self._stack.ingest_queue().waiting

    def _without_ledger(self, place: Place) -> Step:
        waiting = self.waiting()
        if waiting:
            return unknown(READ, f"{waiting} messages wait in the ingest queue; its own may be one of them")
        said = "no message waits, and none of it is in the dead letters; without the setting audit nothing says more"
        return unknown(READ, said, f"If nothing below explains it: {replay(place)}")


def _address(place: Place) -> str:
    return one_line(f"s3://{place.bucket}/{place.key}", 400)


def replay(place: Place) -> str:
    """The command that has a log file read again, and tells of what is found."""
    return f"trailbell replay {_address(place)} --notify"


def _stack(name: str) -> str:
    return "" if name == "trailbell" else f" --stack {name}"
