"""What was deployed: the resources of the stack's own template, with their references filled in."""

import re
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trailbell.ops.answers import Answer, Declared
from trailbell.ops.deployed_stack import Clients, DeployedStack
from trailbell.ops.references import References


_HASH = re.compile(r"[0-9A-F]{8}$")  # of the construct's path, which the CDK puts behind a logical id


def declared_resources(clients: Clients, stack: DeployedStack) -> list[Declared]:
    """The template's resources that the stack has, in the template's order. Raises what botocore raises."""
    resources: Answer = stack.template["Resources"]
    physical = stack.physical_ids()
    references = _references(clients, stack, resources, physical)
    return [
        Declared(
            name=_HASH.sub("", logical),
            kind=resource["Type"],
            physical=physical.get(logical, ""),
            properties=references.resolve(resource.get("Properties", {})),
        )
        for logical, resource in resources.items()
        if physical.get(logical)
    ]


def _references(clients: Clients, stack: DeployedStack, resources: Answer, physical: dict[str, str]) -> References:
    types = {logical: resource["Type"] for logical, resource in resources.items()}
    values = {
        **stack.parameters,
        "AWS::AccountId": stack.account,
        "AWS::Partition": stack.partition,
        "AWS::Region": stack.region,
        "AWS::StackName": stack.name,
    }
    references = References(types, physical, values, _streams(clients("dynamodb"), types, physical))
    return replace(references, physical=physical | _rules_of_buses(references, resources))


def _rules_of_buses(references: References, resources: Answer) -> dict[str, str]:
    """The physical ids, "bus|rule" as AWS has them, of rules of buses of their own: the embedded AWS has the name only.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
    """
    found = {}
    for logical, resource in resources.items():
        rule, bus = references.physical.get(logical), resource.get("Properties", {}).get("EventBusName")
        if resource["Type"] == "AWS::Events::Rule" and rule and bus and "|" not in rule:
            found[logical] = f"{references.resolve(bus)}|{rule}"
    return found


def _streams(dynamodb: Any, types: dict[str, str], physical: dict[str, str]) -> dict[tuple[str, str], str]:
    """The tables' streams as they are now: whoever reads an older one reads nothing that is new."""
    found = {}
    for logical, kind in types.items():
        if kind != "AWS::DynamoDB::Table" or not physical.get(logical):
            continue
        try:
            table = dynamodb.describe_table(TableName=physical[logical])["Table"]
        except (BotoCoreError, ClientError):
            continue  # the table's own reading says why
        if stream := table.get("LatestStreamArn"):
            found[logical, "StreamArn"] = stream
    return found
