"""A template's references filled in with what a stack's resources are called. Pure: what cannot be known is ANY."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


ANY = "\x00"
"""Stands for a value, or for a part of a text, that cannot be known from the template: it equals everything."""

_SUBSTITUTE = re.compile(r"\$\{(!?)([^}]*)\}")
_DROPPED = object()
# What Fn::GetAtt gives, by type and attribute: {0} is the physical id, {name} what follows its last / or :.
_ATTRIBUTES = {
    ("AWS::CloudTrail::Trail", "Arn"): "arn:{partition}:cloudtrail:{region}:{account}:trail/{0}",
    ("AWS::CloudWatch::Alarm", "Arn"): "arn:{partition}:cloudwatch:{region}:{account}:alarm:{0}",
    ("AWS::DynamoDB::Table", "Arn"): "arn:{partition}:dynamodb:{region}:{account}:table/{0}",
    ("AWS::Events::EventBus", "Arn"): "arn:{partition}:events:{region}:{account}:event-bus/{0}",
    ("AWS::Events::EventBus", "Name"): "{0}",
    ("AWS::Events::Rule", "Arn"): "arn:{partition}:events:{region}:{account}:rule/{0}",
    ("AWS::IAM::Role", "Arn"): "arn:{partition}:iam::{account}:role/{0}",
    ("AWS::KMS::Key", "Arn"): "arn:{partition}:kms:{region}:{account}:key/{0}",
    ("AWS::Lambda::Function", "Arn"): "arn:{partition}:lambda:{region}:{account}:function:{0}",
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-logs-loggroup.html
    ("AWS::Logs::LogGroup", "Arn"): "arn:{partition}:logs:{region}:{account}:log-group:{0}:*",
    ("AWS::S3::Bucket", "Arn"): "arn:{partition}:s3:::{0}",
    ("AWS::SNS::Topic", "TopicArn"): "{0}",
    ("AWS::SNS::Topic", "TopicName"): "{name}",
    ("AWS::SQS::Queue", "Arn"): "arn:{partition}:sqs:{region}:{account}:{name}",
    ("AWS::SQS::Queue", "QueueName"): "{name}",
    ("AWS::SQS::Queue", "QueueUrl"): "{0}",
}


@dataclass(frozen=True, slots=True)
class References:
    """What names of a template mean: `types` and `physical` by logical id, `values` of parameters and AWS::Region etc.

    `attributes` are answers to Fn::GetAtt that cannot be derived from an id, by (logical id, attribute).
    """

    types: Mapping[str, str]
    physical: Mapping[str, str]
    values: Mapping[str, str]
    attributes: Mapping[tuple[str, str], str]

    def resolve(self, value: Any) -> Any:
        """A value of the template with every reference filled in; ANY for one that cannot be."""
        match value:
            case list():
                return [found for found in map(self.resolve, value) if found is not _DROPPED]
            case dict():
                name = next(iter(value), "") if len(value) == 1 else ""
                if function := _FUNCTIONS.get(name):
                    return function(self, value[name])
                return ANY if name.startswith("Fn::") else self._members(value)
        return value

    def _members(self, value: Mapping[str, Any]) -> dict[str, Any]:
        resolved = {key: self.resolve(member) for key, member in value.items()}
        return {key: member for key, member in resolved.items() if member is not _DROPPED}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _DROPPED
        return self.values.get(name) or self.physical.get(name) or ANY

    def _attribute(self, where: str | list[str]) -> str:
        name, attribute = where.split(".", 1) if isinstance(where, str) else where
        if known := self.attributes.get((name, attribute)):
            return known
        physical, pattern = self.physical.get(name), _ATTRIBUTES.get((self.types.get(name, ""), attribute))
        if not (physical and pattern):
            return ANY
        if self.types[name] == "AWS::Events::Rule":  # of a bus of its own it is "bus|rule"
            physical = physical.replace("|", "/")
        short = re.split(r"[/:]", physical)[-1]
        place = {key: self.values.get(f"AWS::{word}", ANY) for key, word in _PLACE.items()}
        return pattern.format(physical, name=short, **place)

    def _join(self, given: list[Any]) -> str:
        joint, parts = given
        found = self.resolve(parts)
        return str(joint).join(map(str, found)) if isinstance(found, list) else ANY

    def _sub(self, given: str | list[Any]) -> str:
        text, own = (given, {}) if isinstance(given, str) else given

        def fill(found: re.Match[str]) -> str:
            literal, name = found[1], found[2]
            if literal:
                return f"${{{name}}}"
            if name in own:
                return str(self.resolve(own[name]))
            return str(self._attribute(name) if "." in name else self._ref(name))

        return _SUBSTITUTE.sub(fill, text)

    def _select(self, given: list[Any]) -> Any:
        index, values = given
        found = self.resolve(values)
        return found[int(index)] if isinstance(found, list) and int(index) < len(found) else ANY

    def _split(self, given: list[Any]) -> Any:
        joint, text = given
        found = str(self.resolve(text))
        return ANY if ANY in found else found.split(joint)


_PLACE = {"partition": "Partition", "region": "Region", "account": "AccountId"}
_FUNCTIONS: Mapping[str, Callable[[References, Any], Any]] = {
    "Ref": References._ref,
    "Fn::GetAtt": References._attribute,
    "Fn::Join": References._join,
    "Fn::Sub": References._sub,
    "Fn::Select": References._select,
    "Fn::Split": References._split,
}
