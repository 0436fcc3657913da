"""The stack's two roles in a small AWS that enforces IAM, with the resources of the synthesised template.

The policies, the roles, the queues, the table and the functions' environment are the template's own; only what
CloudFormation would do (create, and fill in names) is done here.
"""

import functools
import gzip
import importlib
import itertools
import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
from botocore.exceptions import ClientError
from moto.core.authorization import disable_iam_authentication, enable_iam_authentication

from tests.infra.iam.account import ACCOUNT, KEY, REGION
from tests.infra.iam.resources import MAKERS, make_bucket, make_table
from tests.infra.iam.statements import ROLES, Statement, Template, granted, less, listed


if TYPE_CHECKING:
    from tests.infra.iam.call import Call  # which are made in a world


Clients = Callable[[str], Any]

_REFUSED = {"403", "AccessDenied", "AccessDeniedException"}


class World:
    """The resources of a template, in moto. `names` are what its references mean."""

    def __init__(self, template: Template, rulebook: Path | None = None) -> None:
        self.template, self._rulebook = template, rulebook
        self.admin = boto3.Session("testing", "testing", region_name=REGION)
        self._admin_client = functools.cache(self.admin.client)
        self.names = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
        self.numbers = itertools.count(1)
        for identifier, resource in template["Resources"].items():
            if make := MAKERS.get(resource["Type"]):
                made = make(self.admin, identifier, resource.get("Properties", {}))
                self.names |= {f"{identifier}{attribute}": value for attribute, value in made.items()}
        self.key = self._decryption_key()
        self.channels = any(name.startswith("OthersChat") for name in template["Resources"])
        self.policies = {role: self._statements(role) for role in ROLES}
        self._others()
        self.credentials = {role: self._take_on(role) for role in ROLES}
        self._clients = {role: functools.cache(session.client) for role, session in self.credentials.items()}

    def name(self, logical: str) -> str:
        """What the one logical id or attribute that begins with a name means ("IngestQueue.Arn")."""
        stem, dot, attribute = logical.partition(".")
        (found,) = {
            value
            for key, value in self.names.items()
            if re.fullmatch(rf"{stem}[0-9A-F]{{8}}{re.escape(dot + attribute)}", key)
        }
        return found

    def resolve(self, value: Any) -> Any:
        """A value of the template with every reference filled in."""
        match value:
            case {"Ref": name}:
                return self.names[name]
            case {"Fn::GetAtt": [name, attribute]}:
                return self.names[f"{name}.{attribute}"]
            case {"Fn::Join": [joint, parts]}:
                return joint.join(map(self.resolve, parts))
            case dict():
                return {key: self.resolve(member) for key, member in value.items()}
            case list():
                return [self.resolve(member) for member in value]
        return value

    def set_policy(self, role: str, statements: Sequence[Statement]) -> None:
        """Give a role exactly these statements; moto, like AWS, takes no policy without any."""
        iam = self.admin.client("iam")
        if not statements:
            iam.delete_role_policy(RoleName=role, PolicyName="synthesised")
            return
        document = {"Version": "2012-10-17", "Statement": [*statements]}
        iam.put_role_policy(RoleName=role, PolicyName="synthesised", PolicyDocument=json.dumps(document))

    @contextmanager
    def without(self, role: str, action: str, resource: object) -> Iterator[None]:
        """The role lacks one action on one statement's resource."""
        self.set_policy(role, less(self.policies[role], action, resource))
        try:
            yield
        finally:
            self.set_policy(role, self.policies[role])

    def clients(self, role: str) -> Clients:
        """Clients with the credentials of the assumed role."""
        return self._clients[role]

    def invoke(self, role: str, event: dict[str, Any]) -> dict[str, Any]:
        """Call the real handler as Lambda does: cold, with the stack's environment and the role's credentials."""
        (function,) = (
            resource["Properties"]
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == "AWS::Lambda::Function" and name.startswith(f"{role}Function")
        )
        module_name, _, attribute = function["Handler"].rpartition(".")
        module = importlib.import_module(module_name)
        for cached in vars(module).values():
            if hasattr(cached, "cache_clear"):
                cached.cache_clear()
        logging.Logger.manager.loggerDict.pop(role.lower(), None)
        keys = self.credentials[role].get_credentials()
        environment = {
            **self.resolve(function["Environment"]["Variables"]),
            "TRAILBELL_RULEBOOK": str(self._rulebook),
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
            "AWS_DEFAULT_REGION": REGION,
        }
        with (
            mock.patch.dict(os.environ, environment),
            enable_iam_authentication(),
        ):
            return dict(getattr(module, attribute)(event, None))

    def can(self, call: "Call") -> bool:
        """Make a call as its role, with enforcement on. Any other trouble than a refusal is raised."""
        with enable_iam_authentication():
            try:
                call.run(self, self.clients(call.role))
            except ClientError as error:
                if error.response["Error"]["Code"] in _REFUSED:
                    return False
                raise
        return True

    def granted(self, call: "Call") -> bool:
        """Whether the role's statements cover a call, by the second line."""
        return granted(self.policies[call.role], call.action, call.resource, call.leading_key)

    def put_log_file(self, *records: dict[str, Any], key: str = "") -> tuple[str, str]:
        """An object of the trail bucket (by default a log file): its key and its version."""
        key = key or f"{self.folder}/{next(self.numbers)}.json.gz"
        body = gzip.compress(json.dumps({"Records": records}).encode())
        return key, self.as_admin("s3").put_object(Bucket=self.bucket, Key=key, Body=body)["VersionId"]

    def as_admin(self, service: str) -> Any:
        """A client nobody refuses anything, also in the middle of a role's call."""
        return _Unrefused(self._admin_client(service))

    def receipt(self, queue: str) -> str:
        """The receipt handle of a fresh message of a queue."""
        sqs, url = self.as_admin("sqs"), self.name(queue)
        sqs.send_message(QueueUrl=url, MessageBody="{}")
        return str(sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"])

    def shard(self, stream: str) -> dict[str, str]:
        """What get_shard_iterator wants to know of a stream."""
        (shard,) = self.as_admin("dynamodbstreams").describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
        return {"StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}

    def iterator(self, stream: str) -> str:
        """A shard iterator of a stream, from its beginning."""
        return str(self.as_admin("dynamodbstreams").get_shard_iterator(**self.shard(stream))["ShardIterator"])

    def _decryption_key(self) -> str:
        """The ARN of moto's stand-in for the trail's key, "" without one; references to it mean the stand-in."""
        kms = self.admin.client("kms")
        self.other_key = kms.create_key()["KeyMetadata"]["Arn"]
        if KEY not in json.dumps(self.template["Resources"]):
            return ""
        stand_in = str(kms.create_key()["KeyMetadata"]["Arn"])
        self.template = json.loads(json.dumps(self.template).replace(KEY, stand_in))
        return stand_in

    def _role(self, role: str) -> tuple[str, Template]:
        """The role's logical id and properties; it has no other policies than those of AWS::IAM::Policy."""
        resources = self.template["Resources"].items()
        ((name, resource),) = (
            (name, one) for name, one in resources if one["Type"] == "AWS::IAM::Role" and name.startswith(f"{role}Role")
        )
        assert not {"ManagedPolicyArns", "Policies"} & set(resource["Properties"])
        assert not [one for _, one in resources if one["Type"] in ("AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")]
        return name, resource["Properties"]

    def _statements(self, role: str) -> list[Statement]:
        identifier, _ = self._role(role)
        return [
            self.resolve(statement)
            for one in self.template["Resources"].values()
            if one["Type"] == "AWS::IAM::Policy" and {"Ref": identifier} in one["Properties"].get("Roles", ())
            for statement in one["Properties"]["PolicyDocument"]["Statement"]
        ]

    def _take_on(self, role: str) -> Any:
        """A session of a role that has the synthesised statements and nothing else."""
        _, properties = self._role(role)
        trust = json.dumps(self.resolve(properties["AssumeRolePolicyDocument"]))
        made = self.admin.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=trust)
        self.set_policy(role, self.policies[role])
        given = self.admin.client("sts").assume_role(RoleArn=made["Role"]["Arn"], RoleSessionName="lambda")
        keys = given["Credentials"]
        return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=REGION)

    def _others(self) -> None:
        """The log files' place, and what else an account has that is none of the stack's business."""
        s3, (read,) = (
            self.admin.client("s3"),
            {
                resource
                for statement in self.policies["Detector"]
                if "s3:GetObject" in statement["Action"]
                for resource in listed(statement["Resource"])
            },
        )
        self.bucket, _, prefix = read.removeprefix("arn:aws:s3:::").removesuffix("*").partition("/")
        self.folder = f"{prefix}{ACCOUNT}/CloudTrail/{REGION}/2026/09/15"
        if self.bucket not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
            make_bucket(self.admin, self.bucket)
        make_bucket(self.admin, "payroll")
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        for name in (self.name("DetectorLogs"), self.name("NotifierLogs")):
            self.admin.client("logs").create_log_stream(logGroupName=name, logStreamName="old")
        table = make_table(
            self.admin,
            "payroll",
            {
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            },
        )
        self.other_stream = table[".StreamArn"]
        self.other_topic = self.admin.client("sns").create_topic(Name="deployments")["TopicArn"]


class _Unrefused:
    """A client whose calls are not subject to enforcement."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            with disable_iam_authentication():
                return getattr(self._client, name)(**arguments)

        return call
