"""A whole deployed stack in moto: the synthesised template's resources, and a CloudFormation that knows them."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.infra.deployed.makers import MAKERS, REGION
from trailbell.ops.references import ANY, References


ACCOUNT = "123456789012"


@functools.cache
def real(service: str) -> Any:
    """moto's client of a service; it is made once, as that takes longer than all else here."""
    return boto3.Session("testing", "testing", region_name=REGION).client(service)


class World:
    """The stack `trailbell`, made from a template. `calls` are the (service, operation) that were asked of AWS."""

    def __init__(self, template: dict[str, Any]) -> None:
        self.template = template
        self.status = "CREATE_COMPLETE"
        self.physical: dict[str, str] = {}
        self.calls: set[tuple[str, str]] = set()
        self.protection: dict[str, str] = {}
        self.moves: list[dict[str, str]] = []
        self.managed: dict[str, list[str]] = {}
        self.mutes: dict[str, list[str]] = {}
        self.drifts: list[dict[str, Any]] = []
        self._types = {name: resource["Type"] for name, resource in template["Resources"].items()}
        self._attributes: dict[tuple[str, str], str] = {}
        waiting = dict(template["Resources"])
        while waiting:
            made = [name for name, resource in waiting.items() if self._make(name, resource)]
            assert made, f"these refer to each other: {sorted(waiting)}"
            waiting = {name: resource for name, resource in waiting.items() if name not in made}

    def _make(self, name: str, resource: dict[str, Any]) -> bool:
        """Make a resource if all that it refers to is there."""
        before = resource.get("DependsOn", [])
        properties = self.references.resolve(resource.get("Properties", {}))
        if repr(ANY)[1:-1] in repr(properties) or not {*before} <= set(self.physical):
            return False
        self.physical[name] = MAKERS[resource["Type"]](real, name, properties)
        self.managed |= {name: properties["ManagedPolicyArns"]} if "ManagedPolicyArns" in properties else {}
        if resource["Type"] == "AWS::DynamoDB::Table":
            self._attributes[name, "StreamArn"] = real("dynamodb").describe_table(TableName=name)["Table"][
                "LatestStreamArn"
            ]
        return True

    @property
    def references(self) -> References:
        """What the template's names mean so far."""
        place = {"AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::Partition": "aws"}
        return References(self._types, self.physical, place, self._attributes)

    def id(self, name: str) -> str:
        """The physical id of the one resource whose logical id is a name and a hash."""
        (found,) = [value for key, value in self.physical.items() if re.fullmatch(rf"{name}[0-9A-F]{{8}}", key)]
        return found

    def arn(self, name: str) -> str:
        """The ARN of such a resource."""
        (logical,) = [key for key in self.physical if re.fullmatch(rf"{name}[0-9A-F]{{8}}", key)]
        return str(self.references.resolve({"Fn::GetAtt": [logical, "Arn"]}))

    def clients(self, service: str) -> Any:
        """moto's clients, with what it lacks, and CloudFormation."""
        if service == "cloudformation":
            return _Recorded(service, FakeCloudFormation(self), self.calls)
        lacking = {"sns": _Protection, "logs": _Protection, "sqs": _Moves, "cloudwatch": _Mutes, "iam": _Managed}
        client = real(service)
        return _Recorded(service, lacking[service](client, self) if service in lacking else client, self.calls)


class FakeCloudFormation:
    """Knows one stack; moto's own needs packages we do not have."""

    def __init__(self, world: World) -> None:
        self._world = world

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        outputs = [
            {"OutputKey": name, "OutputValue": str(self._world.references.resolve(output["Value"]))}
            for name, output in self._world.template["Outputs"].items()
        ]
        arn = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{StackName}/1"
        return {"Stacks": [{"StackId": arn, "StackStatus": self._world.status, "Outputs": outputs}]}

    def get_template(self, **_: str) -> dict[str, Any]:
        return {"TemplateBody": self._world.template}

    def get_paginator(self, _: str) -> "FakeCloudFormation":
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        resources = self._world.template["Resources"]
        for name, physical in self._world.physical.items():
            entry = {"LogicalResourceId": name, "PhysicalResourceId": physical}
            yield {"StackResourceSummaries": [{**entry, "ResourceType": resources[name]["Type"]}]}

    def detect_stack_drift(self, **_: str) -> dict[str, Any]:
        return {"StackDriftDetectionId": "1"}

    def describe_stack_drift_detection_status(self, **_: str) -> dict[str, Any]:
        return {"DetectionStatus": "DETECTION_COMPLETE"}

    def describe_stack_resource_drifts(self, **_: str) -> dict[str, Any]:
        return {"StackResourceDrifts": self._world.drifts}


class _Lacking:
    """A client of moto's, with operations that moto does not have."""

    def __init__(self, real: Any, world: World) -> None:
        self._real, self._world = real, world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Protection(_Lacking):
    def put_data_protection_policy(self, **given: str) -> None:
        self._world.protection[given.get("ResourceArn") or given["logGroupIdentifier"]] = '{"Name": "mask"}'

    def get_data_protection_policy(self, **given: str) -> dict[str, str]:
        found = self._world.protection.get(given.get("ResourceArn") or given["logGroupIdentifier"], "")
        return {"DataProtectionPolicy": found} if "ResourceArn" in given else {"policyDocument": found}


class _Managed(_Lacking):
    """AWS's own policies, which moto reads for three seconds."""

    def get_paginator(self, name: str) -> Any:
        return self if name == "list_attached_role_policies" else self._real.get_paginator(name)

    def paginate(self, RoleName: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        yield {"AttachedPolicies": [{"PolicyArn": arn} for arn in self._world.managed.get(RoleName, ())]}
        yield from self._real.get_paginator("list_attached_role_policies").paginate(RoleName=RoleName)


class _Moves(_Lacking):
    def start_message_move_task(self, **given: str) -> None:
        self._world.moves.append({**given, "Status": "RUNNING"})

    def list_message_move_tasks(self, SourceArn: str, **_: int) -> dict[str, Any]:  # noqa: N803
        return {"Results": [move for move in self._world.moves if move["SourceArn"] == SourceArn]}


class _Mutes(_Lacking):
    def put_alarm_mute_rule(self, Name: str, MuteTargets: dict[str, list[str]], **_: Any) -> None:  # noqa: N803
        self._world.mutes[Name] = MuteTargets["AlarmNames"]

    def list_alarm_mute_rules(self, **_: Any) -> dict[str, Any]:
        arns = [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm-mute-rule:{name}" for name in self._world.mutes]
        return {"AlarmMuteRuleSummaries": [{"AlarmMuteRuleArn": arn} for arn in arns]}

    def get_alarm_mute_rule(self, AlarmMuteRuleName: str) -> dict[str, Any]:  # noqa: N803
        return {"MuteTargets": {"AlarmNames": self._world.mutes[AlarmMuteRuleName]}}


class _Recorded:
    """A client whose operations are noted."""

    def __init__(self, service: str, client: Any, calls: set[tuple[str, str]]) -> None:
        self._service, self._client, self._calls = service, client, calls

    def __getattr__(self, name: str) -> Any:
        self._calls.add((self._service, name))
        return getattr(self._client, name)

    def get_paginator(self, name: str) -> Any:
        self._calls.add((self._service, name))
        return self._client.get_paginator(name)


class Refusing:
    """Clients of which one operation is refused, as AWS refuses what nobody allowed."""

    def __init__(self, world: World, service: str, operation: str) -> None:
        self._world, self._service, self._operation = world, service, operation

    def __call__(self, service: str) -> Any:
        client = self._world.clients(service)
        return _Refused(client, self._operation) if service == self._service else client


class _Refused:
    def __init__(self, client: Any, operation: str) -> None:
        self._client, self._operation = client, operation

    def __getattr__(self, name: str) -> Any:
        if name == self._operation:
            return self._refuse
        return getattr(self._client, name)

    def get_paginator(self, name: str) -> Any:
        if name == self._operation:
            self._refuse()
        return self._client.get_paginator(name)

    def _refuse(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, self._operation)
