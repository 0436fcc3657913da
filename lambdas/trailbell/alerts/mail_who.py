"""Who it was, for the mail: CloudTrail's three questions answered, then what identifies the actor.

Root or IAM user? Temporary credentials of a role or a federated user? Another AWS service?
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from collections.abc import Iterator

from trailbell.alerts.mail_lines import row, utc, wrapped
from trailbell.alerts.summary import Summary
from trailbell.cloudtrail.partition import service_name
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit
from trailbell.text.safe_text import one_line


MAX_ACTORS = 10

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


def who_section(hit: Hit, summary: Summary) -> Iterator[str]:
    """The section Who: all actors with their counts if there are several, then the first hit's in detail."""
    if len(summary.actors) > 1:
        yield f"Who ({len(summary.actors)} actors)"
        yield from _actors(summary)
        yield "  The first of them:"
    else:
        yield "Who"
    yield from _identity(hit)


def account_note(hit: Hit) -> str:
    """The actor's account if it is not the account of the record, else ""."""
    foreign = hit.actor.account and hit.actor.account != hit.account
    return one_line(hit.actor.account, 40) if foreign else ""


def _actors(summary: Summary) -> Iterator[str]:
    width = len(str(summary.actors[0][1]))
    for actor, count in summary.actors[:MAX_ACTORS]:
        yield f"  {count:>{width}} x {one_line(actor.text, 300)}"
    if len(summary.actors) > MAX_ACTORS:
        yield f"  ... and {len(summary.actors) - MAX_ACTORS} more"


def _identity(hit: Hit) -> Iterator[str]:
    actor = hit.actor
    yield from row("identity", _IDENTITIES.get(actor.kind, actor.kind))
    yield from row("principal", actor.arn or actor.key.removeprefix("svc:"), 1100)
    if account_note(hit):
        yield from row("account", f"{actor.account}, not the account of the event ({hit.account})")
    yield from row("credentials", ", ".join(_credentials(actor)))
    yield from row("through", actor.via)
    yield from row("address", hit.source_ip + (_BY_SERVICE if _is_service(hit.source_ip) else ""))
    yield from row("agent", hit.user_agent)
    if "exec-env/AWS_Lambda" in hit.user_agent and actor.kind == "role":
        yield from wrapped("The agent says it runs in Lambda; if so, the session name is the function's name.", "  ")


def _credentials(actor: Actor) -> Iterator[str]:
    parts = (
        f"{actor.credential} key" if actor.credential else "",
        f"ending in {actor.key_hint}" if actor.key_hint else "",
        f"session since {utc(actor.session)}" if actor.session else "",
        "from the console" if actor.console else "",
        {"true": "with MFA", "false": "without MFA"}.get(actor.mfa, ""),
    )
    return filter(None, parts)


def _is_service(address: str) -> bool:
    return bool(service_name(address)) or address.startswith("AWS Internal")
