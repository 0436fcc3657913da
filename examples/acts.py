"""The sensitive calls of the story, each with the request, the response and the resources AWS writes for it."""

import json

from examples.records import (
    ACCOUNT,
    EUROPE,
    HOME,
    Caller,
    Json,
    Log,
    answered,
    arn,
    code,
    hexadecimal,
    key_arn,
    listed,
    uuid,
)


BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
CLUSTER, HSM, BACKUP = (f"{what}-{code(what, 11, BASE32)}" for what in ("cluster", "hsm", "backup"))
NODES = [f"i-{hexadecimal(f'build host {number}', 17)}" for number in (1, 2, 3)]


def on_key(
    log: Log, clock: str, caller: Caller, operation: str, key: str, answer: Json | None = None, **request: object
) -> None:
    """A call on a KMS key; since 2022 the response names the key even where the API returns nothing."""
    log.call(
        clock,
        EUROPE,
        caller,
        f"kms:{operation}",
        {"keyId": uuid(key), **request},
        responseElements={"keyId": key_arn(key), **(answer or {})},
        resources=listed(key_arn(key), type="AWS::KMS::Key"),
    )


def put_key_policy(log: Log, clock: str, caller: Caller, key: str, principal: str) -> None:
    """The account keeps the key, and one more principal may use it."""
    principals = {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", principal]}
    statement = {"Effect": "Allow", "Principal": principals, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    request: Json = {"policyName": "default", "policy": policy, "bypassPolicyLockoutSafetyCheck": False}
    on_key(log, clock, caller, "PutKeyPolicy", key, **request)


def schedule_deletion(log: Log, clock: str, caller: Caller, key: str, days: int) -> None:
    """A key's last days begin: until then it cannot be used, and can be kept."""
    answer = {"keyState": "PendingDeletion", "deletionDate": answered(clock, days), "pendingWindowInDays": days}
    on_key(log, clock, caller, "ScheduleKeyDeletion", key, answer, pendingWindowInDays=days)


def key_is_gone(log: Log, clock: str, key: str) -> None:
    """The end of a planned deletion: nobody calls, AWS tells."""
    record = log.service_event(clock, EUROPE, "kms:DeleteKey", serviceEventDetails={"keyId": uuid(key)})
    record["resources"] = listed(key_arn(key), type="AWS::KMS::Key")


def on_hsm(log: Log, clock: str, caller: Caller, operation: str, request: Json, answer: Json) -> None:
    """A CloudHSM call; its records list no resources."""
    log.call(clock, EUROPE, caller, f"cloudhsm:{operation}", request, eventVersion="1.08", responseElements=answer)


def backup(state: str, **more: str) -> Json:
    """The backup as CloudHSM answers about it."""
    taken = answered("02:00:07", days=-1)
    known = {"backupId": BACKUP, "clusterId": CLUSTER, "createTimestamp": taken, "neverExpires": False}
    return {"backup": {**known, "backupState": state, **more}}


def on_document(
    log: Log,
    clock: str,
    caller: Caller,
    operation: str,
    document: str,
    request: Json | None = None,
    **members: object,
) -> None:
    """A call on a Systems Manager document."""
    request = {"name": document, **(request or {})}
    resources = listed(arn("ssm", HOME, f"document/{document}"))
    log.call(clock, HOME, caller, f"ssm:{operation}", request, resources=resources, **members)


def send_command(log: Log, clock: str, caller: Caller) -> None:
    """A shell command to the build hosts; what it was, CloudTrail hides."""
    hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"
    request = {"instanceIds": NODES, "documentName": "AWS-RunShellScript", "parameters": hidden, "interactive": False}
    command = {
        **request,
        "commandId": uuid(f"command {clock}"),
        "documentVersion": "$DEFAULT",
        "requestedDateTime": answered(clock),
        "status": "Pending",
        "maxConcurrency": "50",
        "maxErrors": "0",
        "targets": [],
        "targetCount": len(NODES),
    }
    log.call(clock, HOME, caller, "ssm:SendCommand", request, responseElements={"command": command})


def delete_parameter(log: Log, clock: str, caller: Caller, name: str) -> None:
    """One parameter less."""
    resources = listed(arn("ssm", HOME, f"parameter{name}"))
    log.call(clock, HOME, caller, "ssm:DeleteParameter", {"name": name}, resources=resources)
