"""The fields that a CloudTrail record can have, and what is meant by names that other products give them.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

import re
from difflib import get_close_matches


_MEMBERS = (
    *("eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress"),
    *("userAgent", "errorCode", "errorMessage", "requestParameters", "responseElements", "additionalEventData"),
    *("requestID", "eventID", "eventType", "apiVersion", "managementEvent", "readOnly", "resources"),
    *("recipientAccountId", "serviceEventDetails", "sharedEventID", "vpcEndpointId", "vpcEndpointAccountId"),
    *("eventCategory", "addendum", "sessionCredentialFromConsole", "eventContext", "edgeDeviceDetails"),
    *("tlsDetails", "insightDetails"),
)
_IDENTITY = (
    *("type", "principalId", "arn", "accountId", "accessKeyId", "userName", "sessionContext", "invokedBy"),
    *("identityProvider", "credentialId", "onBehalfOf", "inScopeOf", "invokedByDelegate", "sessionIssuer"),
    *("webIdFederationData", "userId", "identityStoreArn"),
)
_OURS = "facts"  # derived, rules/README.md
_CLOSE = 0.75

# Where records are wrapped, or paths written in another language.
_WRAPPERS = re.compile(r"^(?:\$\.|detail\.|Records\.|cloudtrail\.|aws\.cloudtrail\.)+")
_MARKS = re.compile(r"[{}\[\]*]")

# The Elastic Common Schema: https://www.elastic.co/docs/reference/integrations/aws/cloudtrail
_ECS = {
    "event.action": "eventName",
    "event.provider": "eventSource",
    "event.outcome": "errorCode",
    "event.type": "eventType",
    "event.id": "eventID",
    "cloud.region": "awsRegion",
    "cloud.account.id": "recipientAccountId",
    "source.ip": "sourceIPAddress",
    "source.address": "sourceIPAddress",
    "user.name": "userIdentity.userName",
    "user.id": "userIdentity.principalId",
    "user_agent.original": "userAgent",
    "@timestamp": "eventTime",
    "error_code": "errorCode",
    "error_message": "errorMessage",
    "request_parameters": "requestParameters",
    "response_elements": "responseElements",
    "user_identity.arn": "userIdentity.arn",
    "user_identity.type": "userIdentity.type",
    "recipient_account_id": "recipientAccountId",
}


def fault_of_field(path: str) -> str:
    """Why no record has a field, "" if one may; with the right name where it can be told."""
    head, *rest = path.split(".")
    if head == _OURS or (head in _MEMBERS and not _MARKS.search(path) and not _is_odd_identity(head, rest)):
        return ""
    meant = _meant_by(path)
    return f"{path} is no member of a CloudTrail record" + (f", write {meant}" if meant else "")


def is_arn(path: str) -> bool:
    """Whether a field holds an ARN, by its name."""
    return path.rpartition(".")[2].lower().endswith("arn")


def path_meant_by(text: str) -> str:
    """The path that a value spells out by mistake (perhaps in lower case), "" if it is no path of a record."""
    head, dot, rest = text.partition(".")
    member = next((one for one in _MEMBERS if one.lower() == head.lower()), "")
    return f"{member}.{rest}" if dot and member and re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", rest) else ""


def _is_odd_identity(head: str, rest: list[str]) -> bool:
    """A member of userIdentity that is nearly one of those it has; a new one of AWS's is hardly that near."""
    known = head != "userIdentity" or not rest or rest[0] in _IDENTITY
    return not known and bool(_nearest(rest[0], _IDENTITY))


def _meant_by(path: str) -> str:
    bare = _MARKS.sub("", _WRAPPERS.sub("", path)).strip(".").replace("..", ".")
    if bare in _ECS:
        return _ECS[bare]
    head, *rest = bare.split(".")
    member = head if head in _MEMBERS else _nearest(head, _MEMBERS)
    if not member:
        return ""
    if member == "userIdentity" and rest and rest[0] not in _IDENTITY:
        rest[0] = _nearest(rest[0], _IDENTITY) or rest[0]
    return ".".join((member, *rest))


def _nearest(name: str, known: tuple[str, ...]) -> str:
    spelled = {one.lower(): one for one in known}
    close = get_close_matches(name.lower().replace("_", ""), spelled, n=1, cutoff=_CLOSE)
    return spelled[close[0]] if close else ""
