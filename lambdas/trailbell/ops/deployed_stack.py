"""A deployed stack as CloudFormation knows it, and its queues. Read-only calls.

None is made before it is asked for. What botocore raises goes through: whoever asks decides what a refusal means.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from trailbell.errors import SettingsError
from trailbell.ops.answers import Answer, Queue


Clients = Callable[[str], Any]
"""Gives the boto3 client of a service."""

AUDITED = "AuditDeadLetters"
"""The output that a stack has with the setting `audit`."""


class DeployedStack:
    """A stack as CloudFormation knows it: its outputs, its resources, its account and region."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._clients, self.name = clients, name

    @cached_property
    def _description(self) -> Answer:
        try:
            (found,) = self._clients("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                raise SettingsError(self._missing()) from None
            raise
        return found

    def _missing(self) -> str:
        region = getattr(getattr(self._clients("cloudformation"), "meta", None), "region_name", "")
        where = f"region {region}" if region else "this region"
        return (
            f"no stack {self.name} in this account and {where}: deploy it, set AWS_PROFILE and AWS_REGION to where it"
            " is, name it with --stack, or give --table where a command has it"
        )

    def output(self, name: str) -> str:
        """The value of an output. Raises SettingsError when there is none."""
        for output in self._description.get("Outputs", ()):
            if output["OutputKey"] == name:
                return str(output["OutputValue"])
        raise SettingsError(f"stack {self.name} has no output {name}: deploy it again, or is it another stack?")

    def has_output(self, name: str) -> bool:
        """Whether the stack has an output: some come with a setting."""
        return any(output["OutputKey"] == name for output in self._description.get("Outputs", ()))

    @property
    def region(self) -> str:
        """Where the stack is, by its ARN."""
        return str(self._description["StackId"].split(":")[3])

    @property
    def account(self) -> str:
        """Whose the stack is, by its ARN."""
        return str(self._description["StackId"].split(":")[4])

    @property
    def status(self) -> str:
        """Such as UPDATE_COMPLETE."""
        return str(self._description.get("StackStatus", ""))

    @property
    def parameters(self) -> dict[str, str]:
        """The values of the template's parameters by name; those kept in SSM as they were at the deployment."""
        found = self._description.get("Parameters", ())
        return {entry["ParameterKey"]: entry.get("ResolvedValue") or entry["ParameterValue"] for entry in found}

    @property
    def partition(self) -> str:
        """The partition, by the stack's ARN."""
        return str(self._description["StackId"].split(":")[1])

    @cached_property
    def template(self) -> Answer:
        """The template that was deployed, transforms applied."""
        answer = self._clients("cloudformation").get_template(StackName=self.name, TemplateStage="Processed")
        found = answer["TemplateBody"]
        return json.loads(found) if isinstance(found, str) else found

    @cached_property
    def _resources(self) -> list[Answer]:
        pages = self._clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        return [entry for page in pages for entry in page["StackResourceSummaries"]]

    def resources(self, kind: str) -> list[str]:
        """The physical ids of the stack's resources of one type, such as AWS::SQS::Queue."""
        found = [entry.get("PhysicalResourceId", "") for entry in self._resources if entry["ResourceType"] == kind]
        return [physical for physical in found if physical]

    def physical_ids(self) -> dict[str, str]:
        """The physical ids by logical id."""
        return {entry["LogicalResourceId"]: entry.get("PhysicalResourceId", "") for entry in self._resources}

    def dead_letter_queue(self, output: str = "DeadLetters") -> Queue:
        """The queue that an output names."""
        return read_queue(self._clients("sqs"), self.output(output))

    def queue(self, url: str) -> Queue:
        """A queue by its URL."""
        return read_queue(self._clients("sqs"), url)

    def ingest_queue(self) -> Queue:
        """The queue of the output IngestQueue; of an older stack the one whose dead letters go to DeadLetters.

        Raises SettingsError when there is none.
        """
        with suppress(SettingsError):
            return self.queue(self.output("IngestQueue"))
        return self.source_of(self.dead_letter_queue())

    def source_of(self, dead_letters: Queue) -> Queue:
        """The queue whose dead letters go to another one. Raises SettingsError when there is none."""
        for queue in map(self.queue, self.resources("AWS::SQS::Queue")):
            if queue.dead_letters == dead_letters.arn:
                return queue
        raise SettingsError(f"stack {self.name}: no queue gives its dead letters to {dead_letters.arn}")

    def stream_function(self) -> str:
        """The ARN of the function that a table's stream feeds. Raises SettingsError when there is none."""
        return self._fed_by(lambda source: ":dynamodb:" in source, "the hit table's stream")

    def queue_function(self) -> str:
        """The ARN of the function that the ingest queue feeds. Raises SettingsError when there is none."""
        queue = self.ingest_queue().arn if self.has_output(AUDITED) else ""  # only then another one has a queue, too
        return self._fed_by(lambda source: ":sqs:" in source and queue in ("", source), "the ingest queue")

    def _fed_by(self, is_source: Callable[[str], bool], what: str) -> str:
        for uuid in self.resources("AWS::Lambda::EventSourceMapping"):
            mapping = self._clients("lambda").get_event_source_mapping(UUID=uuid)
            if is_source(mapping["EventSourceArn"]):
                return str(mapping["FunctionArn"])
        raise SettingsError(f"stack {self.name}: no function reads {what}")


def read_queue(sqs: Any, url: str) -> Queue:
    """A queue by its URL."""
    found: Mapping[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    counts = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
    redrive = json.loads(found.get("RedrivePolicy") or "{}")
    return Queue(
        url,
        found["QueueArn"],
        sum(int(found.get(name) or 0) for name in counts),
        json.loads(found.get("Policy") or "{}"),
        str(redrive.get("deadLetterTargetArn", "")),
    )
