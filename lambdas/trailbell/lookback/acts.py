"""An act as the story of an actor tells it, from a record or from a hit: who by, what, where, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trailbell.cloudtrail.event_source import service_of
from trailbell.cloudtrail.record import make_record, mapping, text
from trailbell.facts.actor import actor_of
from trailbell.facts.facts import facts_of
from trailbell.hits.hit import Hit, kept_resource, shown_actor, shown_name
from trailbell.text.redaction import redacted_member


_KEY_HINT = 4


@dataclass(frozen=True, slots=True)
class Who:
    """Who acted, as one set of credentials: what a principal can be named by, and what links it to others.

    key, kind, text, name, role, arn, account: as the actor's (facts/actor.py).
    access_key:      the access key's id; of a hit its last four characters, which are all that is kept.
    session:         the name of a role's session, which its caller chose, "" if it is none.
    user:            the name of an IAM or root user, "" for others.
    source_identity: what stays the same through all roles that follow.
    center_user:     IAM Identity Center's id of the person it acts on behalf of.
    """

    key: str
    kind: str
    text: str
    name: str
    role: str = ""
    arn: str = ""
    account: str = ""
    access_key: str = ""
    session: str = ""
    user: str = ""
    source_identity: str = ""
    center_user: str = ""

    @property
    def key_hint(self) -> str:
        """The last characters of the access key's id; more is never shown."""
        return self.access_key[-_KEY_HINT:]


@dataclass(frozen=True, slots=True)
class Act:
    """One act.

    outcome:   success, denied, dryrun or failed. reads: whether it changed nothing, as the record says.
    agent:     the user agent; address: where it came from.
    issued:    the id of the access key that it gave its caller (AssumeRole and its like), "" for none.
    shared:    the id that both records of an act between two accounts share.
    rule, level: of its hit, "" for none; muted: whether nobody was to be notified of it.
    episode:   the title of the episode that it is, "" for none.
    """

    time: str
    who: Who
    service: str
    call: str
    outcome: str
    account: str
    region: str
    address: str
    agent: str
    event_id: str
    resources: tuple[str, ...] = ()
    reads: bool = False
    issued: str = ""
    shared: str = ""
    rule: str = ""
    level: str = ""
    muted: bool = False
    episode: str = ""

    @property
    def is_denied(self) -> bool:
        """Whether it was not allowed."""
        return self.outcome == "denied"


def act_of_record(fields: Mapping[str, Any], index: int = 0) -> Act:
    """An act from a record; its texts are as harmless as those of a hit."""
    record = make_record(fields, index)
    facts = facts_of(record)
    return Act(
        time=record.event_time,
        who=who_of(fields),
        service=shown_name(service_of(record.event_source)),
        call=shown_name(record.event_name),
        outcome=str(facts.outcome),
        account=record.account,
        region=shown_name(record.region),
        address=shown_name(text(fields, "sourceIPAddress")),
        agent=str(redacted_member("userAgent", text(fields, "userAgent"))),
        event_id=record.event_id,
        resources=tuple(map(kept_resource, facts.resources)),
        reads=fields.get("readOnly") is True,
        issued=text(fields, "responseElements", "credentials", "accessKeyId"),
        shared=text(fields, "sharedEventID"),
    )


def who_of(fields: Mapping[str, Any]) -> Who:
    """Who acted, by a record."""
    identity = mapping(fields, "userIdentity")
    actor = shown_actor(actor_of(fields))
    arn = text(identity, "arn")
    is_user = text(identity, "type") in ("IAMUser", "Root")
    return Who(
        key=actor.key,
        kind=actor.kind,
        text=actor.text,
        name=actor.name,
        role=actor.role,
        arn=shown_name(arn),
        account=shown_name(text(identity, "accountId")),
        access_key=text(identity, "accessKeyId"),
        session=shown_name(arn.rpartition("/")[2]) if ":assumed-role/" in arn else "",
        user=shown_name(text(identity, "userName") or ("root" if actor.kind == "root" else "")) if is_user else "",
        source_identity=shown_name(text(identity, "sessionContext", "sourceIdentity")),
        center_user=shown_name(text(identity, "onBehalfOf", "userId")),
    )


def act_of_hit(hit: Hit) -> Act:
    """An act from a hit; what a hit does not hold is empty."""
    actor = hit.actor
    is_session = ":assumed-role/" in actor.arn
    who = Who(
        key=actor.key,
        kind=actor.kind,
        text=actor.text,
        name=actor.name,
        role=actor.role,
        arn=actor.arn,
        account=actor.account,
        access_key=actor.key_hint,
        session=actor.arn.rpartition("/")[2] if is_session else "",
        user=actor.name if actor.kind in ("iam-user", "root") else "",
        center_user=actor.key.removeprefix("idc:") if actor.key.startswith("idc:") else "",
    )
    return Act(
        time=hit.event_time,
        who=who,
        service=hit.service,
        call=hit.event_name,
        outcome=hit.outcome,
        account=hit.account,
        region=hit.region,
        address=hit.source_ip,
        agent=hit.user_agent,
        event_id=hit.event_id,
        resources=hit.main_resources,
        shared=hit.shared_event_id,
        rule=hit.name,
        level=hit.level,
        muted=bool(hit.muted_by),
        episode=hit.title if hit.episode else "",
    )
