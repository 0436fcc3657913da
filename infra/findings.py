"""Findings of cdk-nag and checkov that are not fixed: each is acknowledged beside its resource, with the reason.

The two run in tests/infra/test_lint.py, not at every user's synth.
"""

from typing import Any

from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from constructs import Construct


NO_CUSTOMER_KEY = "A customer key is one an attacker with KMS rights can disable to silence us; AWS's own is not."


def acknowledge(construct: Construct, finding: str, reason: str) -> None:
    """Accept a finding of the pack AwsSolutions, such as "S1", on a construct and what it holds."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions::AwsSolutions-{finding}", reason=reason))


def skip(construct: Construct, check: str, reason: str) -> None:
    """Accept a finding of checkov, such as "CKV_AWS_18", on a resource."""
    resource = construct if isinstance(construct, CfnResource) else construct.node.default_child
    assert isinstance(resource, CfnResource)
    before = resource.get_metadata("checkov") or {"skip": []}
    resource.add_metadata("checkov", {"skip": [*before["skip"], {"id": check, "comment": reason}]})


def wildcard(construct: Construct, resource: str) -> str:
    """The finding that a policy names a resource with a wildcard; it carries the resource as cdk-nag writes it."""
    return f"IAM5[Resource::{_written(Stack.of(construct).resolve(resource))}]"


def _written(value: Any) -> str:
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": ["", parts]}:
            return "".join(map(_written, parts))
    return str(value)
