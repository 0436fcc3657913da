"""Who it was, for the mail: CloudTrail's three questions answered, then what identifies the actor.

Root or IAM user? Temporary credentials of a role or a federated user? Another AWS service?
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from collections.abc import Callable, Iterator, Sequence

from trailbell.alerts.mail_lines import rows, utc, wrapped
from trailbell.alerts.summary import Summary, counts
from trailbell.cloudtrail.partition import service_name
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit
from trailbell.text.safe_text import one_line


MAX_ACTORS = 10
_MAX_PRINCIPAL = 1100

_IDENTITIES = {
    "root": "the root user of the account",
    "iam-user": "an IAM user",
    "role": "a role session (temporary credentials)",
    "identity-center": "a person signed in through IAM Identity Center (temporary credentials of a role)",
    "ec2": "an EC2 instance (temporary credentials of its role)",
    "lambda": "a Lambda function (temporary credentials of its role)",
    "federated": "a federated user (temporary credentials)",
    "account": "a principal of another account; CloudTrail gives no details",
    "service": "an AWS service, not a person",
    "unknown": "CloudTrail does not say",
}
_BY_SERVICE = " (an AWS service, not an address)"


def who_section(hits: Sequence[Hit], summary: Summary) -> Iterator[str]:
    """The section Who: what is so for all hits; where there are several people, each with its count and its own."""
    if hits[0].is_finding:
        return
    if len(summary.people) == 1:
        yield "Who (of the last act)" if hits[0].episode else "Who"
        yield from _rows(hits, _ROWS)
    else:
        differing = [label for label in _ROWS if len(counts(hits, _ROWS[label])) > 1]
        yield f"Who ({_how_many(summary)})"
        yield from _people(hits, summary, differing)
        common = [label for label in _ROWS if label not in differing]
        if any(_ROWS[label](hits[0]) for label in common):
            yield "  All of them:"
            yield from _rows(hits, common)
    if all("exec-env/AWS_Lambda" in hit.user_agent and hit.actor.kind == "role" for hit in hits):
        yield from wrapped("The agent says it runs in Lambda; if so, the session name is the function's name.", "  ")


def account_note(hit: Hit) -> str:
    """The actor's account if it is not the account of the record, else ""."""
    foreign = hit.actor.account and hit.actor.account != hit.account
    return one_line(hit.actor.account, 40) if foreign else ""


def _how_many(summary: Summary) -> str:
    actors = len(summary.actors)
    return f"{actors} actors" if actors > 1 else f"one actor, in {len(summary.people)} sessions or ways"


def _people(hits: Sequence[Hit], summary: Summary, labels: Sequence[str]) -> Iterator[str]:
    width = len(str(summary.people[0][1]))
    for person, count in summary.people[:MAX_ACTORS]:
        yield f"  {count:>{width}} x {one_line(person.text, 300)}"
        own = [hit for hit in hits if (hit.actor.key, hit.actor.text) == (person.key, person.text)]
        yield from _rows(own, labels, indent=" " * (width + 5))
    if len(summary.people) > MAX_ACTORS:
        yield f"  ... and {len(summary.people) - MAX_ACTORS} more"


def _rows(
    hits: Sequence[Hit], labels: Sequence[str] | dict[str, Callable[[Hit], str]], indent: str = "  "
) -> Iterator[str]:
    for label in labels:
        limit = _MAX_PRINCIPAL if label == "principal" else 400
        yield from rows(label, counts(hits, _ROWS[label]), len(hits), limit, indent)


def _account(hit: Hit) -> str:
    return f"{hit.actor.account}, not the account of the event ({hit.account})" if account_note(hit) else ""


def _credentials(actor: Actor) -> str:
    parts = (
        f"{actor.credential} key" if actor.credential else "",
        f"ending in {actor.key_hint}" if actor.key_hint else "",
        f"session since {utc(actor.session)}" if actor.session else "",
        "from the console" if actor.console else "",
        {"true": "with MFA", "false": "without MFA"}.get(actor.mfa, ""),
    )
    return ", ".join(filter(None, parts))


def _is_service(address: str) -> bool:
    return bool(service_name(address)) or address.startswith("AWS Internal")


_ROWS: dict[str, Callable[[Hit], str]] = {
    "identity": lambda hit: _IDENTITIES.get(hit.actor.kind, hit.actor.kind),
    "principal": lambda hit: hit.actor.arn or hit.actor.key.removeprefix("svc:"),
    "account": _account,
    "credentials": lambda hit: _credentials(hit.actor),
    "through": lambda hit: hit.actor.via,
    "address": lambda hit: hit.source_ip + (_BY_SERVICE if _is_service(hit.source_ip) else ""),
    "agent": lambda hit: hit.user_agent,
}
