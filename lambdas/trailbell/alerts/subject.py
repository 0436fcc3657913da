"""The subject of an alert's mail: all that a lock screen shows.

SNS subjects are at most 100 characters of ASCII without line breaks.
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from collections.abc import Sequence

from trailbell.alerts.summary import summary_of
from trailbell.hits.hit import Hit
from trailbell.text.resource_name import short_resources
from trailbell.text.safe_text import ascii_line


SUBJECT_LIMIT = 99
_LEAST = 12  # characters of the resource and of who that stay


def mail_subject(hits: Sequence[Hit]) -> str:
    """[LEVEL] title: resource by who, account region; at most SUBJECT_LIMIT characters, printable ASCII.

    What does not fit is cut from who first, then from the resource, then from the title.
    """
    hit, summary = hits[0], summary_of(hits)
    count = f" x{len(hits)}" if len(hits) > 1 else ""
    raised = f", WAS {hit.raised_from.upper()}" if hit.raised_from else ""
    head = f"[{hit.level.upper()}{raised}]{count} "
    account = hit.account if len(summary.accounts) == 1 else f"{len(summary.accounts)} accounts"
    region = hit.region if len(summary.regions) == 1 else f"{len(summary.regions)} regions"
    tail = f", {account} {region}".rstrip()
    title, what = hit.title, short_resources(summary.acted_on)
    who = f"{len(summary.actors)} actors" if len(summary.actors) > 1 else hit.actor.name or hit.actor.text
    joints = len(" by ") + (len(": ") if what else 0)
    room = SUBJECT_LIMIT - len(head) - len(tail) - joints
    title = ascii_line(title, max(room - min(len(what), _LEAST) - min(len(who), _LEAST), _LEAST), "..")
    what = ascii_line(what, max(room - len(title) - min(len(who), _LEAST), _LEAST), "..")
    who = ascii_line(who, max(room - len(title) - len(what), _LEAST), "..")
    act = f"{title}: {what}" if what else title
    return ascii_line(f"{head}{act} by {who}{tail}", SUBJECT_LIMIT, "..")
