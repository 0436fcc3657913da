"""Which resources a record is about, as ARNs; the bare id where AWS defines no ARN (key stores, HSMs).

CloudTrail names them in up to five places; the first that has any wins, most reliable first:
resources[].ARN, the response, the request's ids made into ARNs, the service's own details, the error message
(a denied call has neither request nor resources).
ARN formats: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import re
from collections.abc import Callable, Iterable

from trailbell.cloudtrail.partition import PARTITIONS
from trailbell.cloudtrail.record import Record, mapping, text, texts
from trailbell.facts.alerter_parts import alerter_parts


MAX_RESOURCES = 50
"""More are not kept: one call names at most 50 (SendCommand's InstanceIds)."""

RESOURCE_WORDS = frozenset(
    (
        "activation alarm alarm-mute-rule alias application arn association backup cloudformation cloudhsm cloudtrail "
        "cloudwatch cluster default document dynamodb ec2 event-bus event-source-mapping eventdatastore events "
        "function iam instance iotfleethub key kms lambda layer log-group logs managed-instance parameter role rule "
        "s3 schedule schedule-group scheduler servicesetting sns sqs ssm stack table trail unknown"
    ).split()
).union(PARTITIONS)
"""Words that a resource may hold without being in the record: all else of it is, between colons and slashes."""

# What AWS gives to everybody: documents and parameters of Systems Manager without an account, IAM's managed policies.
_AWS_OWNED = re.compile(r"arn:[^:]*:(?:ssm:[^:]*::|[^:]*:[^:]*:aws:)")
_ARN_IN_MESSAGE = re.compile(r"on resource: (arn:[A-Za-z0-9-]+:[^\s\"']+)")


def resources_of(record: Record) -> tuple[str, ...]:
    """The resources of a record, without repetition, at most MAX_RESOURCES, possibly none."""
    fields = record.fields
    found = record.listed_arns or texts(fields, "responseElements", "keyId") or _requested(record)
    if not found and (message := text(fields, "errorMessage")):
        found = _ARN_IN_MESSAGE.findall(message)
    return tuple(dict.fromkeys(found))[:MAX_RESOURCES]


def is_aws_owned(resource: str) -> bool:
    """Whether a resource is AWS's own: the same for everybody, so that it does not say what a call was about."""
    return bool(_AWS_OWNED.match(resource))


def _requested(record: Record) -> list[str]:
    finder = _FINDERS.get(record.service)
    if finder:
        return list(finder(record))
    service, parts = alerter_parts(record)
    return [_arn(record, service, part) for part in parts]


def _arn(record: Record, service: str, resource: str) -> str:
    if resource.startswith("arn:"):
        return resource
    region = "" if service == "iam" else record.region
    return f"arn:{record.partition}:{service}:{region}:{record.account}:{resource}"


def _kms(record: Record) -> Iterable[str]:
    request, response = ((record.fields, name) for name in ("requestParameters", "responseElements"))
    yield from texts(*response, "keyMetadata", "arn")
    keys = (
        texts(*request, "keyId") + texts(*request, "targetKeyId") + texts(record.fields, "serviceEventDetails", "keyId")
    )
    for key in keys:
        named = key if key.startswith(("alias/", "arn:")) else f"key/{key}"
        yield _arn(record, "kms", named)
    for alias in texts(*request, "aliasName"):
        yield _arn(record, "kms", alias)
    stores = texts(*request, "customKeyStoreId") or texts(*response, "customKeyStoreId")
    yield from stores or texts(record.fields, "additionalEventData", "customKeyStoreId")


def _cloudhsm(record: Record) -> Iterable[str]:
    request, response = ((record.fields, name) for name in ("requestParameters", "responseElements"))
    for backup in texts(*request, "backupId") or texts(*response, "backup", "backupId"):
        yield _arn(record, "cloudhsm", f"backup/{backup}")
    for given in texts(*request, "resourceArn") + texts(*request, "resourceId"):
        kind = "cluster" if given.startswith("cluster-") else "backup"
        yield _arn(record, "cloudhsm", given if given.startswith("arn:") else f"{kind}/{given}")
    answered = texts(*response, "cluster", "clusterId") + texts(*response, "backup", "clusterId")
    for cluster in texts(*request, "clusterId") or answered:
        yield _arn(record, "cloudhsm", f"cluster/{cluster}")
    for backup in texts(*request, "sourceBackupId"):
        yield _arn(record, "cloudhsm", backup if backup.startswith("arn:") else f"backup/{backup}")
    yield from texts(*request, "hsmId") or texts(*response, "hsmId") or texts(*response, "hsm", "hsmId")
    yield from texts(*request, "hsmArn")


def _ssm(record: Record) -> Iterable[str]:
    request, response = ((record.fields, name) for name in ("requestParameters", "responseElements"))
    if "Parameter" in record.event_name:
        deleted = texts(*response, "deletedParameters")  # the request may name some that never existed
        for name in deleted or texts(*request, "name") + texts(*request, "names") + texts(*request, "path"):
            yield _arn(record, "ssm", name if name.startswith("arn:") else f"parameter/{name.lstrip('/')}")
        return
    for node in texts(*request, "instanceIds") + texts(*request, "instanceId") + texts(*request, "target"):
        yield _node(record, node)
    yield from texts(*request, "resourceArn")
    for association in texts(*request, "associationId"):
        yield _arn(record, "ssm", f"association/{association}")
    for document in _documents(record):
        yield _document(record, document)
    for setting in texts(*request, "settingId"):
        yield _arn(record, "ssm", setting if setting.startswith("arn:") else f"servicesetting/{setting.lstrip('/')}")
    yield from texts(*request, "activationId") or texts(*response, "activationId")


def _documents(record: Record) -> Iterable[str]:
    """`name` is a document's in calls about documents and associations; elsewhere it names something else."""
    request = (record.fields, "requestParameters")
    if "Document" in record.event_name or "Association" in record.event_name:
        yield from texts(*request, "name")
        entries = mapping(*request).get("entries")
        for entry in entries if isinstance(entries, list) else ():
            yield from texts(entry, "name")
    yield from texts(*request, "documentName") + texts(*request, "taskArn")


def _document(record: Record, name: str) -> str:
    """AWS's own documents (AWS-RunShellScript) belong to no account; nobody else's may begin like that."""
    if name.lower().startswith(("aws", "amazon", "amzn")):
        return f"arn:{record.partition}:ssm:{record.region}::document/{name}"
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
    yield from texts(*request, "resourceArn")
    for store in texts(*request, "eventDataStore"):
        yield _arn(record, "cloudtrail", store if store.startswith("arn:") else f"eventdatastore/{store}")


def _bucket(record: Record) -> Iterable[str]:
    for name in texts(record.fields, "requestParameters", "bucketName"):
        yield f"arn:{record.partition}:s3:::{name}"


def _as_given(*members: str) -> Callable[[Record], Iterable[str]]:
    """For services whose requests hold ARNs."""

    def find(record: Record) -> Iterable[str]:
        return [value for member in members for value in texts(record.fields, "requestParameters", member)]

    return find


_FINDERS: dict[str, Callable[[Record], Iterable[str]]] = {
    "kms": _kms,
    "cloudhsm": _cloudhsm,
    "ssm": _ssm,
    "iotfleethub": _fleet_hub,
    "cloudtrail": _cloudtrail,
    "s3": _bucket,
    "ram": _as_given("resourceArns", "resourceShareArn"),
    "ssm-contacts": _as_given("contactId", "contactArn", "contactChannelId", "engagementId", "rotationId"),
    "ssm-guiconnect": lambda record: [_node(record, node) for node in _as_given("InstanceId")(record)],
    "ssm-incidents": _as_given("arn", "resourceArn", "incidentRecordArn"),
    "ssm-quicksetup": _as_given("managerArn", "ManagerArn"),
}
