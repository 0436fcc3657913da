"""A call is direct if a person or a workload is behind it, whichever service carried it out.

Most services act with a role of the customer's (Step Functions, Scheduler, EventBridge, API Gateway, SSM Automation,
CodePipeline, Lambda, CloudFormation …). What they do was put there by somebody who may use that role; to take it for
AWS's own doing would hand everybody a way around the rules. So a service is not listed to be direct: it is direct
unless it acts on its own.
"""

from collections.abc import Mapping
from typing import Any

from trailbell.cloudtrail.partition import service_name
from trailbell.cloudtrail.record import mapping, text


# Where IAM puts service-linked roles, and nobody else can put one.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
_SERVICE_LINKED = ":role/aws-service-role/"
_SERVICE_LINKED_NAME = "AWSServiceRoleFor"

# Services that keep data (or start what does), and have KMS encrypt it in a forward access session of whoever stores or
# reads it. None of them carries out calls that a customer wrote down; those that do (ssm, lambda, states …) must not
# stand here.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
_STORES = frozenset(
    (
        "aoss autoscaling backup cloudtrail codeartifact datasync dax dms dynamodb ebs ec2 ecr elasticache "
        "elasticfilesystem es firehose fsx glacier kafka kinesis logs memorydb mq rds redshift redshift-serverless s3 "
        "s3express secretsmanager sns sqs storagegateway timestream workspaces"
    ).split()
)

# What encrypting needs, and nothing that outlasts it but grants, which name the service's own key use, and the key that
# AWS manages for the service in the account, made under a policy of the service's own when it is first used.
# https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
# https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
_ENCRYPTING = frozenset(
    (
        "CreateAlias CreateGrant CreateKey Decrypt DescribeKey Encrypt GenerateDataKey GenerateDataKeyPair "
        "GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext ListGrants ReEncrypt RetireGrant "
        "RevokeGrant"
    ).split()
)

_PERSONAL = ("IAMUser", "Root")
"""Types of identity that are no role, and so no service's."""

# Tools that make and remove whole sets of resources as a template says.
_DEPLOYMENT_TOOLS = frozenset(("cloudformation", "cloudcontrolapi", "cloudcontrol", "servicecatalog"))


def is_direct(fields: Mapping[str, Any]) -> bool:
    """Whether a person or workload asked for this call, rather than an AWS service on its own account."""
    identity = mapping(fields, "userIdentity")
    if not identity.get("invokedBy") and identity.get("type") in _PERSONAL:  # nobody is between
        return fields.get("eventType") != "AwsServiceEvent"
    invoked_by = text(identity, "invokedBy")
    if _is_service(text(fields, "eventType"), text(identity, "type"), invoked_by) or _is_service_linked(identity):
        return False
    return not (invoked_by and _may_encrypt(invoked_by) and _encrypts(fields))


def possibly_direct(event_type: str, identity_type: str, invoked_by: str) -> tuple[bool, ...]:
    """What `is_direct` may say of a record with these; a role may be service-linked, a store may be encrypting."""
    if _is_service(event_type, identity_type, invoked_by):
        return (False,)
    return (True, False) if identity_type not in _PERSONAL or _may_encrypt(invoked_by) else (True,)


def is_deployment(via: str) -> bool:
    """Whether a call came through a tool that carries out a template, by the actor's `via`."""
    return service_name(via) in _DEPLOYMENT_TOOLS


def _is_service(event_type: str, identity_type: str, invoked_by: str) -> bool:
    """No caller at all: what a service does in its own name."""
    return event_type == "AwsServiceEvent" or identity_type == "AWSService" or (not identity_type and bool(invoked_by))


def _is_service_linked(identity: Mapping[str, Any]) -> bool:
    """By the path, which is IAM's own; by the name alone only where no path is recorded, for anybody may take it."""
    if text(identity, "type") in _PERSONAL:
        return False
    issuer = text(identity, "sessionContext", "sessionIssuer", "arn")
    session = text(identity, "arn").partition(":assumed-role/")[2]
    return _SERVICE_LINKED in issuer if issuer else session.startswith(_SERVICE_LINKED_NAME)


def _encrypts(fields: Mapping[str, Any]) -> bool:
    """Whether KMS was called for nothing but a store's encryption; a record that names no call is no act of anybody."""
    source, name = text(fields, "eventSource").lower(), text(fields, "eventName")
    return source.partition(".")[0] in ("kms", "") and (name in _ENCRYPTING or not name)


def _may_encrypt(invoked_by: str) -> bool:
    return invoked_by.startswith("AWS Internal") or service_name(invoked_by) in _STORES
