"""Links into the AWS console, for the right partition and region.

Console hosts per partition: https://docs.aws.amazon.com/general/latest/gr/rande.html#regional-endpoints
Event history keeps management events for 90 days, in their own account and region.
"""

import re
from urllib.parse import quote

from trailalert.core.hit import Hit


_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-\d{1,2}", re.ASCII)
_KEY = re.compile(r"arn:[a-z-]+:kms:(?P<region>[a-z0-9-]+):\d{12}:key/(?P<key>[A-Za-z0-9-]+)", re.ASCII)


def links_of(hit: Hit) -> dict[str, str]:
    """Label → address, most useful first; empty where the record names no real region."""
    if not _REGION.fullmatch(hit.region):
        return {}
    links = {"event": _console(hit.partition, hit.region, f"cloudtrailv2/home?region={hit.region}#/events/{_id(hit)}")}
    for arn in hit.resources:
        key = _KEY.fullmatch(arn)
        if key:
            path = f"kms/home?region={key['region']}#/kms/keys/{key['key']}"
            links["key"] = _console(hit.partition, key["region"], path)
            break
    return links


def _console(partition: str, region: str, path: str) -> str:
    return f"https://{region}.{_HOSTS[partition]}/{path}"


def _id(hit: Hit) -> str:
    return quote(hit.event_id, safe="")
