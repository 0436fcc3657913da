"""Whether a text begins as a log file of CloudTrail's own does, and whether a record's text may be of something else.

Decided by values, not by names alone: what Lambda gets from other services is in Records, too, and has an eventSource.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aggregated-events.html
"""

import re

from trailbell.cloudtrail.record import MEMBERS


LOOK = 4096
"""So many bytes of a beginning are looked at."""

_FIRST = "|".join(name for name in MEMBERS if name != "resources").encode()  # which envelopes have
_PLAIN = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"Records"\s*:\s*\[\s*(?:\{\s*"(%s)"|\]\s*\}\s*\Z)' % _FIRST)
_SOURCE = re.compile(rb'"eventSource"\s*:\s*"')
_OTHER = re.compile(rb'"event(?:Source"\s*:\s*"aws:|Category"\s*:\s*"Aggregated")')


def is_plain(head: bytes) -> bool:
    """Whether a text is a log file as CloudTrail writes it, whichever member the writer put first.

    One that is not recognised is unwrapped, which takes longer and finds the same.
    """
    found = _PLAIN.match(head)
    if not found or may_be_other(head):
        return False
    return found[1] in (None, b"eventVersion") or bool(_SOURCE.search(head, 0, LOOK))


def may_be_other(text: bytes) -> bool:
    """Whether a text that looks like a record may be an event of another service, or an aggregation."""
    return bool(_OTHER.search(text, 0, LOOK))
