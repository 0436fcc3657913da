"""The second half of the way: from the hit to the reader. Was it to be notified, was it, and who gets such alerts?"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from trailbell.alerts.alert import Alert, alert_attributes
from trailbell.alerts.channels import declared_channels
from trailbell.alerts.over_time import group_of_alert
from trailbell.alerts.quiet import group_of
from trailbell.engine.rulebook import Level
from trailbell.hits.hit import Hit
from trailbell.hits.verdict import muted_text
from trailbell.ops.answers import Answer
from trailbell.ops.deployed_stack import Clients
from trailbell.ops.health import Health
from trailbell.ops.walk.filter_policy import accepts, is_about
from trailbell.ops.walk.step import Step, passed, stopped, unknown, waits
from trailbell.store.dynamo import get_all, query
from trailbell.store.periods import HELD, group_partition
from trailbell.store.rows import CLAIM, DELIVERED, delivery_key
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_time


EXCEPTION, NOTIFIED, CHANNELS, SUBSCRIPTION = "exception", "delivery", "channels", "subscription"


class Delivery:
    """Asks about one deployment."""

    def __init__(self, clients: Clients, health: Health) -> None:
        self._clients, self._health, self._stack = clients, health, health.stack
        self._table = health.stack.output("HitTable")

    def wanted(self, hit: Hit) -> Step:
        """Whether anybody was to be notified of the hit: not muted, not found by a quiet replay."""
        delivered = self._records(hit)
        if any(row["kind"] == DELIVERED and not row.get("skipped") for row in delivered):
            return passed(EXCEPTION, "somebody was to be notified of it")
        if hit.muted_by:
            owner = (
                f"; owner {one_line(hit.muted_owner, 100)}: {one_line(hit.muted_reason, 200)}"
                if hit.muted_owner
                else ""
            )
            later = "trailbell undelivered --muted --deliver"
            action = f"Change or remove that exception and deploy; what it mutes no more: {later}"
            return stopped(EXCEPTION, f"{one_line(muted_text(hit), 300)}{owner}", action)
        if hit.quiet:
            said = "it was found by a replay of history that notifies nobody"
            return stopped(EXCEPTION, said, "To be notified of such hits, replay with --notify.")
        return passed(EXCEPTION, "no exception mutes it")

    def notified(self, hit: Hit) -> Step:
        """Whether its alert was published, is held, claimed, or was given up."""
        rows = self._records(hit)
        for row in rows:
            if row["kind"] == DELIVERED:
                return self._delivered(hit, row)
        held = self._held_until(hit)
        if held:
            said = (
                f"gathered: an alert of the same kind was sent shortly before; this one goes out in a message at {held}"
            )
            return waits(NOTIFIED, said, "The setting quiet_minutes says how long that is.")
        claims = [row for row in rows if row["kind"] == CLAIM]
        if any(int(row.get("leaseUntil", 0)) > time.time() for row in claims):
            return waits(NOTIFIED, "a notifier has claimed it and is about to publish it")
        off = [one for one in self._health.event_sources() if ":dynamodb:" in one.source and one.state == "Disabled"]
        if off:
            enable = f"aws lambda update-event-source-mapping --uuid {off[0].uuid} --enabled"
            action = f"{enable}; then trailbell undelivered --deliver"
            return stopped(
                NOTIFIED, "the notifier does not read the hit table's stream: its mapping is Disabled", action
            )
        dead = self._stack.dead_letter_queue("AlertDeadLetters").waiting
        if dead:
            said = f"not published; {dead} parts of the stream were given up after retries (AlertDeadLetters)"
            return stopped(
                NOTIFIED, said, "Correct the cause (the notifier's log names it), then: trailbell dlq redrive"
            )
        tried = "a notifier claimed it and published nothing" if claims else "no notifier has taken it"
        return stopped(NOTIFIED, f"not published; {tried}", "trailbell undelivered --deliver")

    def channels(self, hit: Hit) -> Step:
        """Which of the deployment's channels get an alert of this hit; the alert topic gets every one."""
        function = self._stack.stream_function()
        found = self._clients("lambda").get_function_configuration(FunctionName=function)
        variables = _Variables(found.get("Environment", {}).get("Variables", {}))
        clients = _SameClients(self._clients)
        opened = [one.open(variables, clients) for one in declared_channels() if not one.promised]
        channels = [one for one in opened if one]
        if not channels:
            return passed(CHANNELS, "the alert topic alone")
        alert = Alert((hit,))
        parts = [f"{one.name} {'gets' if one.wants(alert) else 'does not get'} it" for one in channels]
        return passed(CHANNELS, f"of level {hit.level}: {', '.join(parts)}")

    def subscriptions(self, hit: Hit, to: str) -> Step:
        """Which subscriptions of the alert topic take it; to: of which endpoint somebody asks, "" for all."""
        topic = self._stack.output("AlertTopic")
        found = [one for one in self._health.subscriptions(topic) if to.lower() in _endpoint(one).lower()]
        judged = [one for one in (self._takes(entry, hit) for entry in found) if one]
        if not judged:
            subscribe = f"aws sns subscribe --topic-arn {topic} --protocol email --notification-endpoint ADDRESS"
            who = f"no subscription of the alert topic goes to {one_line(to, 100)}" if to else "nobody is subscribed"
            return stopped(SUBSCRIPTION, who, f"Add the address to the setting alert_emails, or: {subscribe}")
        taken, refused, undecided = (
            [part for decision, part in judged if decision is wanted] for wanted in (True, False, None)
        )
        if taken:
            rest = f"; not by {', '.join(refused)}" if refused else ""
            return passed(
                SUBSCRIPTION, f"taken by {', '.join(taken)}{rest}. What comes after SNS only the reader can see"
            )
        if undecided:
            return unknown(SUBSCRIPTION, f"cannot be decided here: {', '.join(undecided)}")
        action = (
            "Confirm a subscription that waits (the link in AWS's mail; a new one: trailbell doctor); lower the level"
        )
        return stopped(SUBSCRIPTION, f"taken by none: {'; '.join(refused)}", f"{action} of an address in alert_emails.")

    def _takes(self, subscription: Answer, hit: Hit) -> tuple[bool | None, str] | None:
        """Whether a subscription takes an alert of the hit, and its endpoint with why not; None for the canary's."""
        arn, endpoint = str(subscription.get("SubscriptionArn", "")), one_line(_endpoint(subscription), 100)
        if not arn.startswith("arn:"):
            return False, f"{endpoint} ({'not confirmed' if arn == 'PendingConfirmation' else one_line(arn, 40)})"
        attributes = self._clients("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        if attributes.get("PendingConfirmation") == "true":
            return False, f"{endpoint} (not confirmed)"
        policy, scope = str(attributes.get("FilterPolicy") or ""), str(attributes.get("FilterPolicyScope") or "")
        if policy and is_about(policy, "kind"):
            return None
        decision = accepts(policy, scope, alert_attributes(Alert((hit,))))
        if decision:
            return True, endpoint
        leaves_out = "leaves out" if decision is False else "may leave out"
        return decision, f"{endpoint} (its filter {one_line(policy, 200)} {leaves_out} {hit.level})"

    def _delivered(self, hit: Hit, row: Mapping[str, Any]) -> Step:
        if row.get("skipped"):
            return stopped(
                NOTIFIED, "it was no news any more when its turn came, and was left out", "Nothing is to be done."
            )
        alert = one_line(str(row.get("alert") or ""), 200)
        if alert and alert != hit.hit_id:
            said = f"published in the alert of hit {alert}, of which it is one of several"
            return passed(NOTIFIED, said)
        return passed(NOTIFIED, f"published as an alert of its own{f' ({alert})' if alert else ''}")

    def _records(self, hit: Hit) -> list[dict[str, Any]]:
        keys = [delivery_key(*one) for one in dict.fromkeys(hit.delivery_identities)]
        return [dict(row) for row in get_all(self._clients("dynamodb"), self._table, keys)]

    def _held_until(self, hit: Hit) -> str:
        """When the quiet period ends that holds it, "" if none does."""
        alone = group_of_alert(Alert((hit,)))
        storm = group_of(hit.rule_id, hit.level, hit.account, ("several", "actors"))
        for group in (alone, storm):
            rows = query(self._clients("dynamodb"), self._table, group_partition(group), f"{HELD}#", f"{HELD}$")
            for row in rows:
                _, ends, hit_id = str(row["sk"]).split("#", 2)
                if hit_id == hit.hit_id:
                    overdue = " (overdue)" if ends < iso_time(datetime.now(UTC)) else ""
                    return f"{ends}{overdue}"
        return ""


def _endpoint(subscription: Answer) -> str:
    return str(subscription.get("Endpoint", ""))


class _Variables:
    """A function's environment as AWS describes it."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given

    def text(self, name: str, *, required: bool = True) -> str:
        """A variable, "" where it is not set."""
        return self._given.get(name, "")

    def level(self, name: str) -> Level:
        """A level's word, medium where it is none."""
        return Level.__members__.get(self._given.get(name, "").upper(), Level.MEDIUM)


class _SameClients:
    """Clients for channels that are only asked what they want."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def client(self, service: str) -> Any:
        """A client."""
        return self._clients(service)

    def impatient_client(self, service: str) -> Any:
        """The same."""
        return self._clients(service)
