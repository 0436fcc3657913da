"""What people call a resource: its short name in a subject line, its kind and name in a sentence."""

import re
from collections.abc import Sequence


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# By the service and the type in an ARN, as AWS's own consoles call them.
_KINDS = {
    "kms:key": "KMS key",
    "kms:alias": "KMS alias",
    "cloudhsm:backup": "CloudHSM backup",
    "cloudhsm:cluster": "CloudHSM cluster",
    "ssm:parameter": "parameter",
    "ssm:document": "SSM document",
    "ssm:association": "association",
    "ssm:managed-instance": "managed node",
    "ssm:servicesetting": "service setting",
    "ec2:instance": "EC2 instance",
    "cloudtrail:trail": "trail",
    "cloudtrail:eventdatastore": "event data store",
    "s3:": "S3 bucket",
    "iotfleethub:application": "Fleet Hub application",
    "ssm-contacts:contact": "contact",
    "ssm-contacts:contact-channel": "contact channel",
    "ssm-contacts:rotation": "rotation",
    "ssm-quicksetup:configuration-manager": "configuration",
    "ssm-incidents:response-plan": "response plan",
    "ssm-incidents:replication-set": "replication set",
    "ssm-incidents:incident-record": "incident",
    "ram:resource-share": "resource share",
    "dynamodb:table": "table",
    "iam:role": "role",
    "cloudformation:stack": "stack",
    "events:rule": "EventBridge rule",
    "events:event-bus": "event bus",
}


def short_resource(resource: str) -> str:
    """A resource's short name: the last part of its ARN, of a UUID the first eight digits."""
    last = resource.rpartition(":")[2] if resource.startswith("arn:") else resource
    name = last.partition("/")[2] or last
    return name[:8] if _UUID.fullmatch(name) else name


def short_resources(resources: Sequence[str]) -> tuple[str, str]:
    """The first of some resources, and the number of the others (" +2"), "" if none; an alias comes before its key."""
    if not resources:
        return "", ""
    first, *others = resources
    aliases = [resource for resource in resources if ":alias/" in resource]
    if len(resources) == 2 and len(aliases) == 1:
        (key,) = (resource for resource in resources if resource not in aliases)
        return f"{short_resource(aliases[0])} ({short_resource(key)})", ""
    return short_resource(first), f" +{len(others)}" if others else ""


def kind_and_name(resource: str) -> tuple[str, str]:
    """The kind and the full name of a resource, ("KMS key", "1234abcd-..."); ("", resource) if its kind has no name."""
    parts = resource.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return "", resource
    service, rest = parts[2], parts[5]
    kind, slash, name = rest.partition("/")
    if service == "ssm" and kind == "parameter":
        return "parameter", f"/{name}" if "/" in name else name or "/"
    word = _KINDS.get(f"{service}:{kind if slash else ''}", "")
    return (word, name or rest) if word else ("", resource)


def named_resource(resource: str) -> str:
    """The kind and full name of a resource in one, "KMS key 1234abcd-..."; unchanged if its kind has no name here."""
    return " ".join(filter(None, kind_and_name(resource)))
