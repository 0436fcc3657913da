"""The member stack: what another Region or account gets, as one plain CloudFormation template.

A few rules on the default bus, a role that may put events on the central bus and do nothing else, and a queue for what
could not be forwarded. No assets, transforms or nested stacks, so that CloudFormation StackSets take it with their own
role, and nothing of the CDK. Nothing has a name of its own: IAM is global, and one template goes to several Regions.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trailbell.rulebook.live_calls import OWN_ACCOUNT
from trailbell.rulebook.live_patterns import LivePattern, fingerprint


CENTRAL_BUS = "CentralBusArn"
"""The template's parameter."""

DEAD_LETTERS = "MemberDeadLetters"
"""The output by which a member stack is known."""

MOST_BYTES = 51_200
"""Of a template that is given to CloudFormation as text; S3 would be needed for more."""

_BUS_ARN = r"arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._/-]{1,256}"
_RETENTION_SECONDS = 14 * 24 * 3600
_NO_CUSTOMER_KEY = "A customer key is one an attacker with KMS rights can disable to silence us; SQS's own is not."


def member_template(patterns: Sequence[LivePattern], central_bus: str = "") -> dict[str, Any]:
    """The template for the patterns of a default bus (live_patterns).

    central_bus: the ARN that the parameter has where none is given; "" for no such default.
    """
    rules = {pattern.name: _rule(pattern) for pattern in patterns}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "trailbell member: forwards events of watched calls to the central event bus",
        "Parameters": {
            CENTRAL_BUS: {
                "Type": "String",
                "Description": "The output CentralBus of the stack trailbell",
                "AllowedPattern": _BUS_ARN,
                "ConstraintDescription": "must be the ARN of an event bus",
                **({"Default": central_bus} if central_bus else {}),
            }
        },
        "Resources": {
            "DeadLetters": _dead_letters(),
            "DeadLettersPolicy": _dead_letters_policy(rules),
            "ForwardRole": _role(),
            "ForwardPolicy": _role_policy(),
            **rules,
        },
        "Outputs": {
            DEAD_LETTERS: {
                "Description": "Events that could not be forwarded: trailbell doctor --stack <this stack>",
                "Value": {"Ref": "DeadLetters"},
            },
            "MemberPatterns": {
                "Description": "The same as trailbell doctor says of the central stack, where both ask for the same",
                "Value": fingerprint(patterns),
            },
        },
    }


def template_text(template: Mapping[str, Any]) -> str:
    """A template as text, the same for the same template, with a line for each resource."""
    resources = ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in template["Resources"].items())
    parts = {name: json.dumps(part) for name, part in template.items()} | {"Resources": f"{{\n{resources}\n }}"}
    return "{\n" + ",\n".join(f' "{name}": {part}' for name, part in parts.items()) + "\n}\n"


def _rule(pattern: LivePattern) -> dict[str, Any]:
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Description": "trailbell: live events of the calls that rules watch",
            "EventPattern": json.loads(
                json.dumps(pattern.pattern).replace(json.dumps(OWN_ACCOUNT), '{"Ref": "AWS::AccountId"}')
            ),
            "State": pattern.state,
            "Targets": [
                {
                    "Id": "CentralBus",
                    "Arn": {"Ref": CENTRAL_BUS},
                    "RoleArn": {"Fn::GetAtt": ["ForwardRole", "Arn"]},
                    "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}},
                    "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
                }
            ],
        },
    }


def _dead_letters() -> dict[str, Any]:
    return {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Metadata": {"checkov": {"skip": [{"id": "CKV_AWS_27", "comment": _NO_CUSTOMER_KEY}]}},
        "Properties": {"MessageRetentionPeriod": _RETENTION_SECONDS, "SqsManagedSseEnabled": True},
    }


def _dead_letters_policy(rules: Iterable[str]) -> dict[str, Any]:
    """EventBridge may send for the rules of this stack; a standard queue, as nothing else is taken."""
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    of_ours = {"aws:SourceArn": [{"Fn::GetAtt": [name, "Arn"]} for name in rules]}
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": "DeadLetters"}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "OnlyEncrypted",
                        "Effect": "Deny",
                        "Principal": {"AWS": "*"},
                        "Action": "sqs:*",
                        "Resource": queue,
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    },
                    {
                        "Sid": "WhatCouldNotBeForwarded",
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": queue,
                        "Condition": {"ArnEquals": of_ours},
                    },
                ],
            },
        },
    }


def _role() -> dict[str, Any]:
    """EventBridge may take it on for rules of this account: who makes one passes the role, which IAM asks for."""
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": "trailbell: puts events on the central event bus",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
        },
    }


def _role_policy() -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "PolicyName": "forward",
            "Roles": [{"Ref": "ForwardRole"}],
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": {"Ref": CENTRAL_BUS}}],
            },
        },
    }
