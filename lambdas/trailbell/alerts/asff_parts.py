"""The parts of a finding in Security Hub's format that are objects of their own: the resources, and the call.

Lengths are those of the API reference:
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Resource.html
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsApiCallAction.html
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from trailbell.alerts.finding import NamedResource, named
from trailbell.hits.hit import Hit
from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.safe_text import one_line


_MAX_WORD = 128  # of an API, a service, a domain
_MAX_REGION = 16
_MAX_NAME = 256  # of a resource, in its details

_PARTITIONS = {"aws", "aws-cn", "aws-us-gov", "aws-us-iso", "aws-us-iso-b"}
_REGION = lazy_pattern(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}", re.ASCII)


def resources(hit: Hit, most: int, chars: int) -> list[dict[str, Any]]:
    """At most so many, with names of at most so many characters, those acted upon first; the account where there are
    none, for one there must be.
    """
    names = [name for name in dict.fromkeys((*hit.main_resources, *hit.resources)) if name.strip()]
    if not names:
        whole = {"Type": "AwsAccount", "Id": f"AWS::::Account:{hit.account}"}
        return [{**whole, **_where(hit.partition, hit.region)}]
    return [_resource(named(name), hit, chars) for name in names[:most]]


def _resource(resource: NamedResource, hit: Hit, chars: int) -> dict[str, Any]:
    details = _details(resource)
    return {
        "Type": resource.asff_type or "Other",
        "Id": one_line(resource.name, chars),
        **_where(resource.partition or hit.partition, resource.region or hit.region),
        **({"Details": details} if details else {}),
    }


def _where(partition: str, region: str) -> dict[str, str]:
    found = {"Partition": partition} if partition in _PARTITIONS else {}
    if len(region) <= _MAX_REGION and _REGION.fullmatch(region):
        found["Region"] = region
    return found


def _details(resource: NamedResource) -> dict[str, Any]:
    """What the name of a resource says of it, in the members that its type has."""
    last = one_line(resource.last, _MAX_NAME)
    match resource.asff_type:
        case "AwsKmsKey":
            return {"AwsKmsKey": filled({"KeyId": last, "AWSAccountId": resource.account})}
        case "AwsS3Bucket":
            return {"AwsS3Bucket": filled({"Name": last, "OwnerAccountId": resource.account})}
        case "AwsIamRole":
            return {"AwsIamRole": filled({"RoleName": last.rpartition("/")[2]})}
        case "AwsIamUser":
            return {"AwsIamUser": filled({"UserName": last.rpartition("/")[2]})}
        case "AwsCloudTrailTrail":
            return {"AwsCloudTrailTrail": filled({"Name": last, "HomeRegion": resource.region})}
        case "AwsDynamoDbTable":
            return {"AwsDynamoDbTable": filled({"TableName": last.partition("/")[0]})}
    return {}


def action(hit: Hit) -> dict[str, Any]:
    """The call, where a record says that there was one."""
    if hit.is_finding or not hit.event_name:
        return {}
    call: dict[str, Any] = {
        "Api": one_line(hit.event_name, _MAX_WORD),
        "ServiceName": one_line(hit.event_source, _MAX_WORD),
        "FirstSeen": hit.event_time,
        "LastSeen": hit.event_time,
    }
    try:
        if ipaddress.ip_address(hit.source_ip).version == 4:
            call |= {"CallerType": "remoteIp", "RemoteIpDetails": {"IpAddressV4": hit.source_ip}}
    except ValueError:
        if hit.source_ip.strip():
            call |= {"CallerType": "domain", "DomainDetails": {"Domain": one_line(hit.source_ip, _MAX_WORD)}}
    return {"ActionType": "AWS_API_CALL", "AwsApiCallAction": filled(call)}


def filled(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members that say something: the format takes no empty text, and none of blanks."""
    return {name: value for name, value in members.items() if (value.strip() if isinstance(value, str) else value)}
