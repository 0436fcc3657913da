"""Which resources a record is about, as ARNs; the bare id where AWS defines no ARN (key stores, HSMs).

CloudTrail names them in up to five places; the first that has any wins, most reliable first:
resources[].ARN, the response, the request's ids made into ARNs, the service's own details, the error message
(a denied call has neither request nor resources).
ARN formats: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from trailalert.core.record import Record, partition_of, text, texts


MAX_RESOURCES = 50
"""More are not kept: one call names at most 50 (SendCommand's InstanceIds)."""

_ARN_IN_MESSAGE = re.compile(r"on resource: (arn:[A-Za-z0-9-]+:[^\s\"']+)")


def resources_of(record: Record) -> tuple[str, ...]:
    """The resources of a record, without repetition, at most MAX_RESOURCES, possibly none."""
    fields = record.fields
    for found in (
        _listed(fields),
        texts(fields, "responseElements", "keyId"),
        _requested(record),
        texts(fields, "serviceEventDetails", "keyId"),
        _ARN_IN_MESSAGE.findall(text(fields, "errorMessage")),
    ):
        named = tuple(dict.fromkeys(found))
        if named:
            return named[:MAX_RESOURCES]
    return ()


def _listed(fields: Mapping[str, Any]) -> list[str]:
    resources = fields.get("resources")
    if not isinstance(resources, list):
        return []
    return [arn for entry in resources for arn in texts(entry, "ARN") + texts(entry, "arn")]


def _requested(record: Record) -> list[str]:
    finder = _FINDERS.get(record.service)
    return list(finder(record)) if finder else []


def _arn(record: Record, service: str, resource: str) -> str:
    if resource.startswith("arn:"):
        return resource
    return f"arn:{partition_of(record.region)}:{service}:{record.region}:{record.account}:{resource}"


def _kms(record: Record) -> Iterable[str]:
    request, response = ((record.fields, name) for name in ("requestParameters", "responseElements"))
    for key in texts(*request, "keyId") + texts(*request, "targetKeyId"):
        named = key if key.startswith(("alias/", "arn:")) else f"key/{key}"
        yield _arn(record, "kms", named)
    for alias in texts(*request, "aliasName"):
        yield _arn(record, "kms", alias)
    yield from texts(*request, "customKeyStoreId") or texts(*response, "customKeyStoreId")


def _cloudhsm(record: Record) -> Iterable[str]:
    request = (record.fields, "requestParameters")
    for arn in texts(*request, "resourceArn") + texts(*request, "resourceId"):
        yield arn if arn.startswith("arn:") else _arn(record, "cloudhsm", f"backup/{arn}")
    for backup in texts(*request, "backupId"):
        yield _arn(record, "cloudhsm", f"backup/{backup}")
    for cluster in texts(*request, "clusterId") or texts(record.fields, "responseElements", "cluster", "clusterId"):
        yield _arn(record, "cloudhsm", f"cluster/{cluster}")
    yield from texts(*request, "hsmId") or texts(record.fields, "responseElements", "hsmId")
    yield from texts(*request, "hsmArn")


def _ssm(record: Record) -> Iterable[str]:
    request = (record.fields, "requestParameters")
    if "Parameter" in record.event_name:
        for name in texts(*request, "name") + texts(*request, "names"):
            yield _arn(record, "ssm", name if name.startswith("arn:") else f"parameter/{name.lstrip('/')}")
        return
    for document in texts(*request, "name") + texts(*request, "documentName"):
        yield _document(record, document)
    for node in texts(*request, "instanceIds") + texts(*request, "instanceId") + texts(*request, "target"):
        yield _node(record, node)


def _document(record: Record, name: str) -> str:
    """AWS's own documents (AWS-RunShellScript) belong to no account."""
    if name.startswith(("AWS-", "AmazonCloudWatch-", "AWSSupport-", "AWSConfigRemediation-")):
        return f"arn:{partition_of(record.region)}:ssm:{record.region}::document/{name}"
    return _arn(record, "ssm", name if name.startswith("arn:") else f"document/{name}")


def _node(record: Record, node: str) -> str:
    if node.startswith("i-"):
        return _arn(record, "ec2", f"instance/{node}")
    return _arn(record, "ssm", f"managed-instance/{node}") if node.startswith("mi-") else node


def _fleet_hub(record: Record) -> Iterable[str]:
    response = texts(record.fields, "responseElements", "applicationArn")
    if response:
        yield from response
        return
    for application in texts(record.fields, "requestParameters", "applicationId"):
        yield _arn(record, "iotfleethub", f"application/{application}")


def _cloudtrail(record: Record) -> Iterable[str]:
    request = (record.fields, "requestParameters")
    for name in texts(*request, "name") + texts(*request, "trailName"):
        yield _arn(record, "cloudtrail", name if name.startswith("arn:") else f"trail/{name}")
    yield from texts(*request, "eventDataStore")


_FINDERS = {
    "kms": _kms,
    "cloudhsm": _cloudhsm,
    "ssm": _ssm,
    "iotfleethub": _fleet_hub,
    "cloudtrail": _cloudtrail,
}
