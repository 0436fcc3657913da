"""The stack's two roles in a small AWS that enforces IAM, and what each must and must not be able to do there.

`python -m tests.infra.iam_world` prints the matrix. The policies, the roles, the queues, the table and the functions'
environment are those of the synthesised template; only what CloudFormation would do (create, and fill in names) is
done here. moto enforces identity policies on every call: toolchain.md section 4 says for which services it knows the
resource of a call, and the others are taught here. What moto does not evaluate (Condition) is read from the statement
by `granted`, a second line that must also agree with moto everywhere else.
"""

import functools
import gzip
import importlib
import itertools
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core.authorization import disable_iam_authentication, enable_iam_authentication
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from moto.events.responses import EventsHandler
from moto.events.utils import EventTemplateParser
from moto.kms.responses import KmsResponse
from moto.logs.responses import LogsResponse
from moto.sns.responses import SNSResponse
from moto.sqs.responses import SQSResponse


Template = dict[str, Any]
Statement = dict[str, Any]
Clients = Callable[[str], Any]

ROLES = ("Detector", "Notifier")
REGION = "eu-central-1"
ACCOUNT = "123456789012"
KEY = f"arn:aws:kms:{REGION}:111122223333:key/11111111-2222-3333-4444-555555555555"
EXISTING: dict[str, Any] = {
    "trail_bucket": "central-logs",
    "trail_prefix": "org/trails",
    "trail_key_arn": KEY,
    "chat_topic": "low",
    "event_bus": True,
}
_REFUSED = {"403", "AccessDenied", "AccessDeniedException"}


def listed(value: Any) -> list[Any]:
    """A value that a policy may hold bare or in a list, as a list."""
    return value if isinstance(value, list) else [value]


def granted(statements: Sequence[Statement], action: str, resource: str, leading_key: str = "") -> bool:
    """Whether Allow statements cover a call; the second line. Knows Allow, wildcards and dynamodb:LeadingKeys only."""
    return any(_covers(statement, action, resource, leading_key) for statement in statements)


def _covers(statement: Statement, action: str, resource: str, leading_key: str) -> bool:
    assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}
    assert statement["Effect"] == "Allow"
    keys = listed(statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", "*"))
    return (
        action in listed(statement["Action"])
        and any(_like(pattern, resource) for pattern in listed(statement["Resource"]))
        and (not leading_key or any(_like(pattern, leading_key) for pattern in keys))
    )


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


class World:
    """The resources of a template, in moto. `names` are what its references mean."""

    def __init__(self, template: Template, rulebook: Path | None = None) -> None:
        self.template, self._rulebook = template, rulebook
        self.admin = boto3.Session("testing", "testing", region_name=REGION)
        self._admin_client = functools.cache(self.admin.client)
        self.names = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
        self.numbers = itertools.count(1)
        for identifier, resource in template["Resources"].items():
            if make := _MAKERS.get(resource["Type"]):
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
        self.set_policy(role, _less(self.policies[role], action, resource))
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
            _make_bucket(self.admin, self.bucket)
        _make_bucket(self.admin, "payroll")
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        for name in (self.name("DetectorLogs"), self.name("NotifierLogs")):
            self.admin.client("logs").create_log_stream(logGroupName=name, logStreamName="old")
        table = _make_table(
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


def _less(statements: Sequence[Statement], action: str, resource: object) -> list[Statement]:
    kept = []
    for statement in statements:
        if statement["Resource"] == resource:
            statement = {**statement, "Action": [one for one in listed(statement["Action"]) if one != action]}
        if statement["Action"]:
            kept.append(statement)
    return kept


def _make_bucket(admin: Any, name: str, _: object = None) -> dict[str, str]:
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


def _make_table(admin: Any, name: str, properties: Template) -> dict[str, str]:
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


_MAKERS: dict[str, Callable[[Any, str, Template], dict[str, str]]] = {
    "AWS::S3::Bucket": _make_bucket,
    "AWS::SQS::Queue": _make_queue,
    "AWS::SNS::Topic": _make_topic,
    "AWS::Events::EventBus": _make_bus,
    "AWS::DynamoDB::Table": _make_table,
    "AWS::Logs::LogGroup": _make_log_group,
}


def _table_of(request: Any) -> str:
    """The one table of a request; of several tables none, which no statement of ours allows."""
    tables = (
        [request.body["TableName"]] if request.body.get("TableName") else list(request.body.get("RequestItems", ()))
    )
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{tables[0]}" if len(tables) == 1 else "*"


def _stream_of(request: Any) -> str:
    arn = request._get_param("StreamArn") or request._get_param("ShardIterator")
    return str(arn).partition("|")[0] if arn else "*"


def _topic_of(request: Any) -> str:
    return str(request.params.get("TopicArn") or request.params.get("TargetArn") or "*")


def _bus_of(request: Any) -> str:
    entries = json.loads(request.body).get("Entries") or [{}]
    return f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{entries[0].get('EventBusName', 'default')}"


def _queue_of(request: Any) -> str:
    name = request._get_param("QueueName") or str(request._get_param("QueueUrl")).rpartition("/")[2]
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def _log_stream_of(request: Any) -> str:
    group, stream = request._get_param("logGroupName"), request._get_param("logStreamName") or ""
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}"


def _key_of(request: Any) -> str:
    return str(request._get_param("KeyId") or "*")


_RESOURCE_OF = {
    DynamoHandler: _table_of,
    DynamoDBStreamsHandler: _stream_of,
    SNSResponse: _topic_of,
    EventsHandler: _bus_of,
    SQSResponse: _queue_of,
    LogsResponse: _log_stream_of,
    KmsResponse: _key_of,
}


@contextmanager
def enforcing_aws() -> Iterator[None]:
    """A fresh moto that knows which resource a call is about; the caller's shell is not heard."""
    environment = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        # Else botocore asks for streams at a host with the account's number, which moto does not know.
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    }
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment))
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
            os.environ.pop(name, None)
        for response, find in _RESOURCE_OF.items():
            stack.enter_context(mock.patch.object(response, "_determine_resource", find, create=True))
        # moto wants jsonpath-ng for the transformers of targets, of which there are none here.
        stack.enter_context(mock.patch.object(EventTemplateParser, "parse", lambda *, event, **_: event))
        stack.enter_context(mock_aws())
        yield


@dataclass(frozen=True)
class Call:
    """One call of one role, and whether it is to be allowed.

    `on` says for people what it is about, `resource` for IAM. A call with a leading key depends on a Condition,
    which moto does not evaluate: only `granted` judges it.
    """

    role: str
    action: str
    on: str
    resource: str
    allowed: bool
    run: Callable[[World, Clients], object] = field(repr=False)
    leading_key: str = ""

    @property
    def by_moto(self) -> bool:
        """Whether moto can enforce it."""
        return not self.leading_key

    def __str__(self) -> str:
        return f"{self.role} {self.action} on {self.on}"


def calls(world: World) -> list[Call]:
    """The matrix: every granted action, and what somebody who took over a function would try next."""
    return [call for role in ROLES for part in _PARTS for call in part(world, role)]


_ROW = {"pk": {"S": "N#1#2"}, "sk": {"S": "3"}}


def _s3_calls(world: World, role: str) -> Iterator[Call]:
    bucket, reads = world.bucket, role == "Detector"
    key, version = world.put_log_file()
    secret = "elsewhere/secret.json.gz"
    _, elsewhere = world.put_log_file(key=secret)
    file, place = f"arn:aws:s3:::{bucket}/{key}", f"arn:aws:s3:::{bucket}"
    one = {"Bucket": bucket, "Key": key}
    other = {"Bucket": bucket, "Key": secret}

    def call(action: str, on: str, resource: str, run: Callable[[Any], object], allowed: bool = False) -> Call:
        return Call(role, f"s3:{action}", on, resource, allowed, lambda _, clients: run(clients("s3")))

    yield call("GetObject", "a log file", file, lambda s3: s3.get_object(**one), reads)
    yield call("GetObjectVersion", "a log file", file, lambda s3: s3.get_object(**one, VersionId=version), reads)
    yield call("GetObject", "the trail bucket, elsewhere", f"{place}/{secret}", lambda s3: s3.get_object(**other))
    yield call(
        "GetObjectVersion",
        "the trail bucket, elsewhere",
        f"{place}/{secret}",
        lambda s3: s3.get_object(**other, VersionId=elsewhere),
    )
    yield call(
        "GetObject", "another bucket", "arn:aws:s3:::payroll/x", lambda s3: s3.get_object(Bucket="payroll", Key="x")
    )
    yield call("PutObject", "a log file", file, lambda s3: s3.put_object(**one, Body=b""))
    yield call("DeleteObject", "a log file", file, lambda s3: s3.delete_object(**one))
    yield call("DeleteObjectVersion", "a log file", file, lambda s3: s3.delete_object(**one, VersionId=version))
    yield call("ListBucket", "the trail bucket", place, lambda s3: s3.list_objects_v2(Bucket=bucket))
    yield call("ListBucketVersions", "the trail bucket", place, lambda s3: s3.list_object_versions(Bucket=bucket))
    yield call("DeleteBucket", "the trail bucket", place, lambda s3: s3.delete_bucket(Bucket=bucket))
    yield call(
        "PutBucketPolicy", "the trail bucket", place, lambda s3: s3.put_bucket_policy(Bucket=bucket, Policy="{}")
    )
    yield call(
        "PutBucketNotification",
        "the trail bucket",
        place,
        lambda s3: s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={}),
    )
    yield call("ListAllMyBuckets", "the account", "arn:aws:s3:::*", lambda s3: s3.list_buckets())


def _table_calls(world: World, role: str) -> Iterator[Call]:
    hits, detects = world.name("HitsTable"), role == "Detector"
    table = world.name("HitsTable.Arn")
    key = {"TableName": hits, "Key": _ROW}
    put = [{"PutRequest": {"Item": _ROW}}]
    delete = [{"DeleteRequest": {"Key": _ROW}}]
    other_table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/payroll"

    def call(
        action: str, on: str, run: Callable[[Any], object], allowed: bool = False, resource: str = table, row: str = ""
    ) -> Call:
        full = f"dynamodb:{action}"
        return Call(role, full, on, resource, allowed, lambda _, clients: run(clients("dynamodb")), row)

    put_it, mark = "the hit table", "the hit table, a row N#"
    marks = {hits: {"Keys": [_ROW]}}
    yield call("PutItem", put_it, lambda ddb: ddb.put_item(TableName=hits, Item=_ROW), detects)
    yield call("BatchGetItem", mark, lambda ddb: ddb.batch_get_item(RequestItems=marks), not detects)
    yield call("BatchWriteItem", mark, lambda ddb: ddb.batch_write_item(RequestItems={hits: put}), True)
    # IAM has one action for both kinds of request: who may put in batches may delete in batches.
    yield call(
        "BatchWriteItem", f"{mark}, deleting", lambda ddb: ddb.batch_write_item(RequestItems={hits: delete}), True
    )
    for row in ("H#1#2", "T#2026-09-15#0"):
        yield call("BatchGetItem", f"{put_it}, a row {row[:2]}", lambda _: None, row=row)
        for how in ("", ", deleting"):
            yield call("BatchWriteItem", f"{put_it}, a row {row[:2]}{how}", lambda _: None, detects, row=row)
    yield call("GetItem", put_it, lambda ddb: ddb.get_item(**key))
    yield call("DeleteItem", put_it, lambda ddb: ddb.delete_item(**key))
    yield call("UpdateItem", put_it, lambda ddb: ddb.update_item(**key))
    yield call("Scan", put_it, lambda ddb: ddb.scan(TableName=hits))

    def query(row: str) -> Callable[[Any], object]:
        values = {":pk": {"S": row}}
        return lambda ddb: ddb.query(
            TableName=hits, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values
        )

    actor = "P#arn:aws:iam::111122223333:role/Deploy#2026-09"
    yield call("Query", f"{put_it}, a row P#", query(actor), not detects)
    for row in ("H#1#2", "N#1#2", "T#2026-09-15#0", "R#r#2026-09", "X#arn", "A#1#2026-09"):
        yield call("Query", f"{put_it}, a row {row[:2]}", query(row), row=row)
    yield call("DeleteTable", put_it, lambda ddb: ddb.delete_table(TableName=hits))
    yield call("UpdateTable", put_it, lambda ddb: ddb.update_table(TableName=hits, DeletionProtectionEnabled=False))
    yield call(
        "UpdateTimeToLive",
        put_it,
        lambda ddb: ddb.update_time_to_live(
            TableName=hits, TimeToLiveSpecification={"Enabled": True, "AttributeName": "seenAt"}
        ),
    )
    for action, run in {
        "PutItem": lambda ddb: ddb.put_item(TableName="payroll", Item=_ROW),
        "BatchWriteItem": lambda ddb: ddb.batch_write_item(RequestItems={"payroll": put}),
        "BatchGetItem": lambda ddb: ddb.batch_get_item(RequestItems={"payroll": {"Keys": [_ROW]}}),
        "Query": lambda ddb: ddb.query(
            TableName="payroll", KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "x"}}
        ),
    }.items():
        yield call(action, "another table", run, resource=other_table)


def _stream_calls(world: World, role: str) -> Iterator[Call]:
    tells = role == "Notifier"
    runs: dict[str, Callable[[World, Any, str], object]] = {
        "DescribeStream": lambda _, streams, arn: streams.describe_stream(StreamArn=arn),
        "GetShardIterator": lambda world, streams, arn: streams.get_shard_iterator(**world.shard(arn)),
        "GetRecords": lambda world, streams, arn: streams.get_records(ShardIterator=world.iterator(arn)),
        "ListStreams": lambda _, streams, __: streams.list_streams(),
    }
    ours, others = world.name("HitsTable.StreamArn"), world.other_stream
    for on, arn in {"the hit table's stream": ours, "another stream": others, "the account": "*"}.items():
        for action, run in runs.items():
            if (action == "ListStreams") == (arn == "*"):

                def made(world: World, clients: Clients, run: Any = run, arn: str = arn) -> object:
                    return run(world, clients("dynamodbstreams"), arn)

                yield Call(role, f"dynamodb:{action}", on, arn, tells and arn != others, made)


def _topic_calls(world: World, role: str) -> Iterator[Call]:
    topic, notified = world.name("AlertsTopic"), role == "Notifier"

    def call(action: str, on: str, arn: str, run: Callable[[Any], object], allowed: bool = False) -> Call:
        return Call(role, f"sns:{action}", on, arn, allowed, lambda _, clients: run(clients("sns")))

    yield call("Publish", "the alert topic", topic, lambda sns: sns.publish(TopicArn=topic, Message="x"), notified)
    if world.channels:
        chat = world.name("OthersChat")
        yield call("Publish", "the chat topic", chat, lambda sns: sns.publish(TopicArn=chat, Message="x"), notified)
    for on, arn in {"the operations topic": world.name("WatchTopic"), "another topic": world.other_topic}.items():
        yield call("Publish", on, arn, lambda sns, arn=arn: sns.publish(TopicArn=arn, Message="x"))  # type: ignore[misc]
    yield call(
        "Subscribe",
        "the alert topic",
        topic,
        lambda sns: sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="eve@example.com"),
    )
    yield call("DeleteTopic", "the alert topic", topic, lambda sns: sns.delete_topic(TopicArn=topic))
    yield call(
        "SetTopicAttributes",
        "the alert topic",
        topic,
        lambda sns: sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="x"),
    )


def _bus_calls(world: World, role: str) -> Iterator[Call]:
    buses = {"another event bus": ("default", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default", False)}
    if world.channels:
        buses["the event bus"] = (world.name("OthersBus"), world.name("OthersBus.Arn"), role == "Notifier")
    for on, (name, arn, allowed) in buses.items():

        def put(_: World, clients: Clients, name: str = name) -> object:
            entry = {"Source": "x", "DetailType": "x", "Detail": "{}", "EventBusName": name}
            return clients("events").put_events(Entries=[entry])

        yield Call(role, "events:PutEvents", on, arn, allowed, put)


_QUEUES = {
    "IngestQueue": "the feed",
    "IngestDeadLetters": "the feed's dead letters",
    "NotifierDeadLetters": "the notifier's dead letters",
}
_QUEUE_CALLS: dict[str, Callable[[World, Any, str, str], object]] = {
    "ReceiveMessage": lambda world, sqs, queue, url: sqs.receive_message(QueueUrl=url),
    "DeleteMessage": lambda world, sqs, queue, url: sqs.delete_message(
        QueueUrl=url, ReceiptHandle=world.receipt(queue)
    ),
    "ChangeMessageVisibility": lambda world, sqs, queue, url: sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=world.receipt(queue), VisibilityTimeout=0
    ),
    "GetQueueAttributes": lambda world, sqs, queue, url: sqs.get_queue_attributes(QueueUrl=url),
    "GetQueueUrl": lambda world, sqs, queue, url: sqs.get_queue_url(QueueName=url.rpartition("/")[2]),
    "SendMessage": lambda world, sqs, queue, url: sqs.send_message(QueueUrl=url, MessageBody="{}"),
    "PurgeQueue": lambda world, sqs, queue, url: sqs.purge_queue(QueueUrl=url),
    "DeleteQueue": lambda world, sqs, queue, url: sqs.delete_queue(QueueUrl=url),
    "SetQueueAttributes": lambda world, sqs, queue, url: sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"}
    ),
}
# What Lambda does in the roles' names. The poller of a queue and the destination of a stream's failures:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_POLLED = {
    ("Detector", "IngestQueue"): {"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"},
    ("Notifier", "NotifierDeadLetters"): {"SendMessage"},
}


def _queue_calls(world: World, role: str) -> Iterator[Call]:
    for queue, on in _QUEUES.items():
        arn, url = world.name(f"{queue}.Arn"), world.name(queue)
        allowed = _POLLED.get((role, queue), set())
        for action, run in _QUEUE_CALLS.items():

            def made(world: World, clients: Clients, run: Any = run, queue: str = queue, url: str = url) -> object:
                return run(world, clients("sqs"), queue, url)

            yield Call(role, f"sqs:{action}", on, arn, action in allowed, made)


def _log_calls(world: World, role: str) -> Iterator[Call]:
    for owner in ROLES:
        group = world.name(f"{owner}Logs")
        arn = world.name(f"{owner}Logs.Arn").removesuffix("*") + "log-stream:old"
        on = "its own log group" if owner == role else f"the {owner.lower()}'s log group"

        def create(world: World, clients: Clients, group: str = group) -> object:
            return clients("logs").create_log_stream(logGroupName=group, logStreamName=f"s{next(world.numbers)}")

        def put(_: World, clients: Clients, group: str = group) -> object:
            event = {"timestamp": 1_789_466_400_000, "message": "x"}
            return clients("logs").put_log_events(logGroupName=group, logStreamName="old", logEvents=[event])

        def delete(_: World, clients: Clients, group: str = group) -> object:
            return clients("logs").delete_log_stream(logGroupName=group, logStreamName="old")

        def drop(_: World, clients: Clients, group: str = group) -> object:
            return clients("logs").delete_log_group(logGroupName=group)

        yield Call(role, "logs:CreateLogStream", on, arn, owner == role, create)
        yield Call(role, "logs:PutLogEvents", on, arn, owner == role, put)
        yield Call(role, "logs:DeleteLogStream", on, arn, False, delete)
        yield Call(role, "logs:DeleteLogGroup", on, arn, False, drop)


def _key_calls(world: World, role: str) -> Iterator[Call]:
    for on, key in {"the trail's key": world.key, "another key": world.other_key}.items():
        if key:

            def decrypt(world: World, clients: Clients, key: str = key) -> object:
                secret = world.as_admin("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
                return clients("kms").decrypt(CiphertextBlob=secret, KeyId=key)

            def encrypt(_: World, clients: Clients, key: str = key) -> object:
                return clients("kms").encrypt(KeyId=key, Plaintext=b"x")

            def disable(_: World, clients: Clients, key: str = key) -> object:
                return clients("kms").disable_key(KeyId=key)

            yield Call(role, "kms:Decrypt", on, key, role == "Detector" and key == world.key, decrypt)
            yield Call(role, "kms:Encrypt", on, key, False, encrypt)
            yield Call(role, "kms:DisableKey", on, key, False, disable)


def _account_calls(_: World, role: str) -> Iterator[Call]:
    """Ways to more rights, and to silence; about what, moto need not know: nothing of the kind is granted."""
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    (other,) = set(ROLES) - {role}
    tried: dict[tuple[str, str, str], Callable[[Clients], object]] = {
        ("iam:PutRolePolicy", "its own role", f"arn:aws:iam::{ACCOUNT}:role/{role}"): lambda clients: clients(
            "iam"
        ).put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=document),
        ("sts:AssumeRole", "the other role", f"arn:aws:iam::{ACCOUNT}:role/{other}"): lambda clients: clients(
            "sts"
        ).assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{other}", RoleSessionName="eve"),
        ("lambda:UpdateFunctionCode", "a function", "*"): lambda clients: clients("lambda").update_function_code(
            FunctionName="x", ZipFile=b""
        ),
        ("cloudtrail:StopLogging", "the trail", "*"): lambda clients: clients("cloudtrail").stop_logging(Name="x"),
        ("secretsmanager:GetSecretValue", "a secret", "*"): lambda clients: clients("secretsmanager").get_secret_value(
            SecretId="x"
        ),
    }
    for (action, on, resource), run in tried.items():
        yield Call(role, action, on, resource, False, lambda _, clients, run=run: run(clients))  # type: ignore[misc]


_PARTS = (
    _s3_calls,
    _table_calls,
    _stream_calls,
    _topic_calls,
    _bus_calls,
    _queue_calls,
    _log_calls,
    _key_calls,
    _account_calls,
)


def matrix(world: World) -> list[str]:
    """The matrix as a Markdown table, both roles side by side: what was found, not what was hoped."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for call in calls(world):
        may = world.can(call) if call.by_moto else world.granted(call)
        text = (
            ("allowed" if may else "-") + ("" if call.by_moto else " *") + ("" if may == call.allowed else " (WRONG)")
        )
        on = "its own log group" if "log group" in call.on and "own" in call.on else call.on
        on = "the other's log group" if "'s log group" in on else on
        found.setdefault((call.action, on), {})[call.role] = text
    grouped: dict[tuple[str, ...], list[str]] = {}
    for (action, on), of in found.items():
        service, _, name = action.partition(":")
        grouped.setdefault((service, on, of["Detector"], of["Notifier"]), []).append(name)
    lines = ["| calls | on | detector | notifier |", "|---|---|---|---|"]
    lines += [f"| `{key[0]}:` {' '.join(names)} | {' | '.join(key[1:])} |" for key, names in grouped.items()]
    return lines


def main() -> int:
    """Print the matrix of the stack with an existing, encrypted bucket; status 1 if a line is not as expected."""
    conftest = importlib.import_module("tests.infra.conftest")  # finds jsii its node, so it comes first
    import aws_cdk as cdk
    from aws_cdk import assertions

    from infra.stack import TrailbellStack

    context = json.loads((conftest.ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    with TemporaryDirectory() as folder:
        app = cdk.App(context=context, outdir=folder)
        settings = conftest.given_settings(**EXISTING, alert_emails={"ops@example.com": "low"})
        stack = TrailbellStack(app, "trailbell", settings=settings, code=Path(__file__).parent)
        template = dict(assertions.Template.from_stack(stack).to_json())
    with enforcing_aws():
        lines = matrix(World(template))
    sys.stdout.write("\n".join(lines) + "\n\n* by the policy's text: moto evaluates no Condition\n")
    return int(any("(WRONG)" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
