"""The resources of a template, made in moto as CloudFormation would: only what the roles' calls are about.

A maker takes an administrator's session, the logical id and the properties; it gives what references to the resource
mean: "" for Ref, ".Arn" and the like for GetAtt.
"""

from collections.abc import Callable
from typing import Any

from tests.infra.iam.account import ACCOUNT, REGION
from tests.infra.iam.statements import Template


def make_bucket(admin: Any, name: str, _: object = None) -> dict[str, str]:
    name = name.lower()
    admin.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return {"": name, ".Arn": f"arn:aws:s3:::{name}"}


def _make_queue(admin: Any, name: str, _: object) -> dict[str, str]:
    url = admin.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return {"": url, ".Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", ".QueueName": name}


def _make_topic(admin: Any, name: str, _: object) -> dict[str, str]:
    return {"": admin.client("sns").create_topic(Name=name)["TopicArn"]}


def _make_bus(admin: Any, _: str, properties: Template) -> dict[str, str]:
    name = properties["Name"]
    return {"": name, ".Arn": admin.client("events").create_event_bus(Name=name)["EventBusArn"], ".Name": name}


def make_table(admin: Any, name: str, properties: Template) -> dict[str, str]:
    selection = {key: properties[key] for key in ("KeySchema", "AttributeDefinitions", "BillingMode")}
    stream = {"StreamEnabled": True, **properties["StreamSpecification"]}
    made = admin.client("dynamodb").create_table(TableName=name, StreamSpecification=stream, **selection)
    table = made["TableDescription"]
    return {"": name, ".Arn": table["TableArn"], ".StreamArn": table["LatestStreamArn"]}


def _make_log_group(admin: Any, name: str, _: object) -> dict[str, str]:
    """GetAtt Arn of a log group ends in ":*".

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-logs-loggroup.html
    """
    admin.client("logs").create_log_group(logGroupName=name)
    return {"": name, ".Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"}


MAKERS: dict[str, Callable[[Any, str, Template], dict[str, str]]] = {
    "AWS::S3::Bucket": make_bucket,
    "AWS::SQS::Queue": _make_queue,
    "AWS::SNS::Topic": _make_topic,
    "AWS::Events::EventBus": _make_bus,
    "AWS::DynamoDB::Table": make_table,
    "AWS::Logs::LogGroup": _make_log_group,
}
