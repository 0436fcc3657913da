"""The functions' roles and their policies, as they are now."""

from collections.abc import Iterable
from typing import Any

from trailbell.ops.answers import Answer, Declared
from trailbell.ops.deployed_stack import Clients
from trailbell.ops.live.reader import Reader


def _role(clients: Clients, resource: Declared) -> Answer:
    found = clients("iam").get_role(RoleName=resource.physical)["Role"]
    boundary = found.get("PermissionsBoundary") or {}
    return {
        "AssumeRolePolicyDocument": found["AssumeRolePolicyDocument"],
        "PermissionsBoundary": boundary.get("PermissionsBoundaryArn"),
    }


def _attached(clients: Clients, resource: Declared) -> Answer:
    pages = clients("iam").get_paginator("list_attached_role_policies").paginate(RoleName=resource.physical)
    return {"ManagedPolicyArns": [entry["PolicyArn"] for page in pages for entry in page["AttachedPolicies"]]}


def _inline(clients: Clients, resource: Declared) -> Answer:
    pages = clients("iam").get_paginator("list_role_policies").paginate(RoleName=resource.physical)
    return {"InlinePolicies": [name for page in pages for name in page["PolicyNames"]]}


def _policy(clients: Clients, resource: Declared) -> Answer:
    """An inline policy, which the CDK gives to one role."""
    (role,) = resource.properties["Roles"]
    found = clients("iam").get_role_policy(RoleName=role, PolicyName=resource.properties["PolicyName"])
    return {"PolicyDocument": found["PolicyDocument"]}


def with_inline_policies(resources: Iterable[Declared]) -> list[Declared]:
    """The resources; a role declares the names of the inline policies that AWS::IAM::Policy puts into it, too."""
    listed = list(resources)
    names: dict[str, list[Any]] = {}
    for resource in listed:
        if resource.kind == "AWS::IAM::Policy":
            for role in resource.properties.get("Roles", ()):
                names.setdefault(role, []).append(resource.properties["PolicyName"])
    return [_with_inline(resource, names.get(resource.physical, [])) for resource in listed]


def _with_inline(resource: Declared, names: list[Any]) -> Declared:
    if resource.kind != "AWS::IAM::Role":
        return resource
    own = [policy["PolicyName"] for policy in resource.properties.get("Policies", ())]
    properties = {**resource.properties, "InlinePolicies": [*own, *names]}
    return Declared(resource.name, resource.kind, resource.physical, properties)


READERS: dict[str, tuple[Reader, ...]] = {
    "AWS::IAM::Role": (_role, _attached, _inline),
    "AWS::IAM::Policy": (_policy,),
}
