"""An alert is the message about one or more hits of one rule in one account (which ones: alerts/grouping.py).

It is sent as text to people (alerts/mail.py) and, from here, as JSON to machines; the form is versioned by `schema` and
published (docs/schema/alert-1.json): members may be added to a version, never changed or removed.
"""

import json
from collections.abc import Iterator
from typing import Any

from trailbell.alerts.follow_up_mail import follow_up_subject, follow_up_text
from trailbell.alerts.links import EVENTS, links_of, links_of_all
from trailbell.alerts.mail import mail_text
from trailbell.alerts.mail_undo import most_urgent
from trailbell.alerts.subject import mail_subject
from trailbell.alerts.summary import counts, summary_of
from trailbell.hits.follow_up import FollowUp, follow_up_document
from trailbell.hits.hit import Hit, hit_document
from trailbell.hits.related import Related, RelatedHit
from trailbell.lazy_dataclass import dataclass


SCHEMA = "trailbell.alert/1"

_MAX_HIT_IDS = 200
_MAX_ACTORS = 20

# Bytes of hits and characters of text. JSON inside JSON doubles quotes and quadruples backslashes, so what fits is
# found by trying.
_ROOM = ((64_000, 30_000), (16_000, 12_000), (0, 6_000))


@dataclass(frozen=True, slots=True)
class Alert:
    """Hits of the same rule, level and account, oldest first, at least one; in a storm of several actors.

    related: what else the actor did, None if it was not looked up.
    runbook: the deployer's address of runbooks (alerts/links.py), "" for none.
    gathered: whether the hits came in a quiet period, after an alert of their group; quiet_minutes: how long that is.
    follow_ups: of a message that follows an alert: what is said of each hit, in their order; all of one kind.
    where:   options of commands that say where the hits are (alerts/commands.py), "" for none.
    as_of:   when it is sent or read (UTC, ISO 8601), for what is left until a deadline; "" for when it was detected.
    """

    hits: tuple[Hit, ...]
    related: Related | None = None
    runbook: str = ""
    follow_ups: tuple[FollowUp, ...] = ()
    where: str = ""
    gathered: bool = False
    as_of: str = ""
    quiet_minutes: int = 0

    @property
    def sample(self) -> Hit:
        """The first hit that happened, which stands for the alert where all of its hits are the same."""
        return self.hits[0]

    @property
    def alert_id(self) -> str:
        """The first hit's id and the number of further hits, with what follows; the same when it is sent again."""
        said = f"-{self.follow_ups[0].name}" if self.follow_ups else ""
        return f"{self.sample.hit_id}+{len(self.hits) - 1}{said}"

    @property
    def subject(self) -> str:
        """The subject of its mail."""
        if self.follow_ups:
            return follow_up_subject(self.hits, self.follow_ups)
        return mail_subject(self.hits)

    def text(self, max_chars: int) -> str:
        """The text of its mail, cut where it is longer."""
        if self.follow_ups:
            to_whom = {"runbook": self.runbook, "where": self.where, "as_of": self.as_of}
            return follow_up_text(self.hits, self.follow_ups, max_chars, **to_whom)
        return mail_text(
            self.hits,
            max_chars,
            related=self.related,
            runbook=self.runbook,
            where=self.where,
            as_of=self.as_of,
            gathered=self.gathered,
            quiet_minutes=self.quiet_minutes,
        )


def alert_document(alert: Alert, max_hits_bytes: int = 64_000, max_text: int = 30_000) -> dict[str, Any]:
    """The alert for machines. `hits` holds whole hits while they fit; `hitIds` the ids; `count` is always exact.

    max_hits_bytes: room for `hits`; max_text: characters of `text`, which says so if it is cut.
    """
    sample, summary = alert.sample, summary_of(alert.hits)
    document = {
        "schema": SCHEMA,
        "shortId": sample.short_id,
        "alertId": alert.alert_id,
        "level": sample.level,
        "count": len(alert.hits),
        "rule": {"id": sample.rule_id, "name": sample.name, "title": sample.title},
        "account": sample.account,
        **({"accountName": sample.account_name} if sample.account_name else {}),
        "region": sample.region,
        "service": sample.service,
        "also": sorted({name for hit in alert.hits for name in hit.also}),
        "actor": {"key": sample.actor.key, "text": sample.actor.text},
        "actors": [
            {"key": actor.key, "text": actor.text, "count": count} for actor, count in summary.actors[:_MAX_ACTORS]
        ],
        "actorCount": len(summary.actors),
        "firstEventTime": summary.first,
        "lastEventTime": summary.last,
        "regions": list(summary.regions),
        "outcomes": [{"outcome": outcome, "count": count} for outcome, count in summary.outcomes],
        "addresses": [
            {"address": address, "count": count}
            for address, count in counts(alert.hits, lambda hit: hit.source_ip)[:_MAX_ACTORS]
            if address
        ],
        "links": {**_first_event(sample), **links_of_all(alert.hits, alert.runbook)},
        "subject": alert.subject,
        "text": alert.text(max_text),
        "hits": _whole_hits(alert.hits, max_hits_bytes),
        "hitIds": [hit.hit_id for hit in alert.hits[:_MAX_HIT_IDS]],
    }
    if sample.raised_from:
        document["raisedFrom"] = {"level": sample.raised_from, "rule": sample.raised_from_rule}
    if alert.follow_ups:
        document["followUp"] = follow_up_document(alert.follow_ups[0])
    urgent = most_urgent(alert.hits)
    if urgent and urgent[0].undo_until:
        document["deadline"] = {"until": urgent[0].undo_until, "hitId": urgent[0].hit_id}
    if alert.related is not None:
        document["related"] = _related(alert.related)
    return document


def alert_documents(alert: Alert) -> Iterator[dict[str, Any]]:
    """The alert for machines, ever smaller: take the first that fits. Hostile text may need every step."""
    for max_hits_bytes, max_text in _ROOM:
        yield alert_document(alert, max_hits_bytes, max_text)


def alert_attributes(alert: Alert) -> dict[str, str]:
    """What a subscription's filter policy can select on."""
    sample = alert.sample
    return {
        "level": sample.level,
        "service": sample.service or "unknown",
        "account": sample.account,
        "rule": sample.name,
    }


def sns_attributes(alert: Alert) -> dict[str, dict[str, str]]:
    """The same as SNS takes them with a message."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in alert_attributes(alert).items()}


def _first_event(hit: Hit) -> dict[str, str]:
    """The link of the first event, also in an alert of several hits: readers of version 1 know it by this name."""
    return {label: address for label, address in links_of(hit).items() if label == EVENTS[0]}


def _related(related: Related) -> dict[str, Any]:
    return {"hits": [_related_hit(hit) for hit in related.hits], "more": related.more, "note": related.note}


def _related_hit(hit: RelatedHit) -> dict[str, Any]:
    return {
        "hitId": hit.hit_id,
        "eventTime": hit.event_time,
        "title": hit.title,
        "level": hit.level,
        "service": hit.service,
        "eventName": hit.event_name,
        "muted": hit.muted,
    }


def _whole_hits(hits: tuple[Hit, ...], max_bytes: int) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = []
    size = 0
    for hit in hits:
        document = hit_document(hit)
        size += len(json.dumps(document))
        if size > max_bytes:
            break
        documents.append(document)
    return documents
