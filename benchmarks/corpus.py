"""Log files like those of a busy account, made up from a seed: nothing in them was ever recorded.

Two mixes. *general*: an account with some thirty services, mostly reading, as consoles, agents and pipelines
make it. *kms*: one that encrypts everything, six of ten records a KMS call and two an AssumeRole. Both come
in bursts (one session makes several calls in a row) and with a few thousand sessions, since that is what
decides how well they compress and how often a value is seen again. No file is like another.
"""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


MIXES = ("general", "kms")
ACCOUNT = "111122223333"
REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2")

Json = dict[str, Any]
Maker = Callable[["Account"], tuple[Any, Any, list[Json]]]
"""Makes the request, the response and the resources of one call."""


def log_file(mix: str, records: int, seed: int) -> bytes:
    """One log file, gzipped as CloudTrail does, one line of compact JSON."""
    return gzip.compress(b"".join(_document(mix, records, seed)), 6)


def write_log_file(path: Any, mix: str, records: int, seed: int) -> int:
    """Write a log file of any size without holding it; its inflated size in bytes."""
    size = 0
    with gzip.open(path, "wb", 6) as stream:
        for piece in _document(mix, records, seed):
            size += len(piece)
            stream.write(piece)
    return size


def _document(mix: str, records: int, seed: int) -> Iterator[bytes]:
    yield b'{"Records":['
    account = Account(random.Random(f"{mix} {seed}"))  # noqa: S311 (made-up data)
    for number in range(records):
        text = json.dumps(account.next_record(mix), separators=(",", ":"), ensure_ascii=False)
        yield (("," if number else "") + text).encode()
    yield b"]}"


@dataclass
class Account:
    """What happens in an account, one record after the other."""

    rng: random.Random
    clock: int = 0
    session: Json = field(default_factory=dict)
    left_in_burst: int = 0
    call: tuple[str, str, bool, Maker] = ("", "", True, lambda account: (None, None, []))

    def next_record(self, mix: str) -> Json:
        """The next record of the account."""
        if self.left_in_burst <= 0:
            self.session = self.new_session()
            self.left_in_burst = self.rng.choice((1, 1, 2, 3, 5, 8, 20))
            self.call = self.choose(mix)
        elif self.rng.random() < 0.4:
            self.call = self.choose(mix)
        self.left_in_burst -= 1
        self.clock += self.rng.choice((0, 0, 0, 1))
        return self.record(*self.call)

    def choose(self, mix: str) -> tuple[str, str, bool, Maker]:
        """Which call comes next."""
        share = self.rng.random()
        if mix == "kms" and share < 0.6:
            return self.rng.choices(_KMS, _KMS_WEIGHTS)[0]
        if mix == "kms" and share < 0.8:
            return _ASSUME_ROLE
        return self.rng.choices(_GENERAL, _GENERAL_WEIGHTS)[0]

    def record(self, service: str, name: str, read_only: bool, make: Maker) -> Json:
        """One record, its members in the order CloudTrail writes them."""
        request, response, resources = make(self)
        failed = self.rng.random() < 0.02
        record: Json = {
            "eventVersion": "1.11",
            "userIdentity": self.session["identity"],
            "eventTime": self.time(self.clock),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": self.session["region"],
            "sourceIPAddress": self.session["address"],
            "userAgent": self.session["agent"],
        }
        if failed:
            record["errorCode"] = self.rng.choice(("AccessDenied", "ThrottlingException", "ValidationException"))
            record["errorMessage"] = f"{record['errorCode']}: cannot perform {service}:{name} on this resource"
        record |= {
            "requestParameters": request,
            "responseElements": None if failed else response,
            "requestID": self.uuid(),
            "eventID": self.uuid(),
            "readOnly": read_only,
        }
        if resources:
            record["resources"] = resources
        record |= {
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        }
        if self.session["tls"]:
            record["tlsDetails"] = {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": f"{service}.{self.session['region']}.amazonaws.com",
            }
        return record

    def new_session(self) -> Json:
        """Somebody's credentials: of a role in most cases, of a user or a service in the others."""
        share, region = self.rng.random(), self.rng.choice(REGIONS)
        if share < 0.15:
            service = f"{self.rng.choice(('s3', 'lambda', 'ecs', 'autoscaling', 'rds', 'dynamodb'))}.amazonaws.com"
            identity = {"type": "AWSService", "invokedBy": service}
            return {"identity": identity, "region": region, "address": service, "agent": service, "tls": False}
        number = self.rng.randrange(4000)
        sub = random.Random(number)  # noqa: S311 (the same session, wherever it turns up)
        address = f"10.{sub.randrange(256)}.{sub.randrange(256)}.{sub.randrange(256)}"
        agent = f"{sub.choice(_AGENTS)}{sub.randrange(40)}"
        identity = _user(sub, number % 30) if share < 0.2 else _role_session(sub, number % 120)
        return {"identity": identity, "region": region, "address": address, "agent": agent, "tls": True}

    def time(self, second: int) -> str:
        """A time within the five minutes of a log file, or after it if there are very many records."""
        return f"2026-11-20T{9 + second // 3600 % 12:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"

    def uuid(self) -> str:
        """A random UUID's text."""
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def pick(self, what: str, many: int) -> str:
        """One of `many` names."""
        return f"{what}-{self.rng.randrange(many):04x}"


_AGENTS = (
    "aws-sdk-go/1.55.",
    "Boto3/1.40.49 md/Botocore#1.40.49 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.12.",
    "aws-sdk-java/2.28.1 Linux/5.10.228 OpenJDK_64-Bit_Server_VM/17.0.",
    "[aws-sdk-java/1.12.780 Linux/6.1.115 OpenJDK_64-Bit_Server_VM/25.",
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) aws-sdk-go-v2/1.32.",
    "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.16 md/arch#x86_64 lang/python#3.13.",
)


def _user(sub: random.Random, number: int) -> Json:
    name = f"user{number:02d}"
    return {
        "type": "IAMUser",
        "principalId": f"AIDAEXAMPLE{number:010d}",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": f"AKIAEXAMPLE{sub.randrange(10**9):09d}",
        "userName": name,
    }


def _role_session(sub: random.Random, number: int) -> Json:
    role, session = f"service-role-{number:03d}", f"i-{sub.getrandbits(68):017x}"
    principal = f"AROAEXAMPLE{number:010d}"
    return {
        "type": "AssumedRole",
        "principalId": f"{principal}:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": f"ASIAEXAMPLE{sub.randrange(10**9):09d}",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": principal,
                "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
                "accountId": ACCOUNT,
                "userName": role,
            },
            "attributes": {
                "creationDate": f"2026-11-20T0{sub.randrange(10)}:{sub.randrange(60):02d}:{sub.randrange(60):02d}Z",
                "mfaAuthenticated": "false",
            },
        },
    }


def _kms_use(account: Account) -> tuple[Any, Any, list[Json]]:
    name = f"{account.rng.randrange(60):08x}-1111-4222-a333-0123456789ab"
    key = f"arn:aws:kms:{account.session['region']}:{ACCOUNT}:key/{name}"
    context = {"aws:s3:arn": f"arn:aws:s3:::{account.pick('data', 40)}/part-{account.rng.getrandbits(40):010x}"}
    request = {"encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT", "keyId": key}
    return request, None, [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key}]


def _assume_role(account: Account) -> tuple[Any, Any, list[Json]]:
    role = f"arn:aws:iam::{ACCOUNT}:role/service-role-{account.rng.randrange(120):03d}"
    session = f"s{account.rng.getrandbits(48):012x}"
    token = f"IQoJb3JpZ2lu{account.rng.getrandbits(4800):x}"
    response = {
        "credentials": {
            "accessKeyId": f"ASIAEXAMPLE{account.rng.randrange(10**9):09d}",
            "sessionToken": token,
            "expiration": "Nov 20, 2026, 10:03:12 AM",
        },
        "assumedRoleUser": {"assumedRoleId": f"AROAEXAMPLE:{session}", "arn": f"{role}/{session}"},
    }
    request = {"roleArn": role, "roleSessionName": session, "durationSeconds": 3600}
    return request, response, [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": role}]


def _describe(account: Account) -> tuple[Any, Any, list[Json]]:
    items = [{"instanceId": f"i-{account.rng.getrandbits(68):017x}"} for _ in range(account.rng.randrange(4))]
    filters = {"items": [{"name": "vpc-id", "valueSet": {"items": [{"value": account.pick("vpc", 9)}]}}]}
    return {"instancesSet": {"items": items}, "filterSet": filters, "maxResults": 1000}, None, []


def _get(account: Account) -> tuple[Any, Any, list[Json]]:
    return {"name": account.pick("app/config", 300), "withDecryption": True, "limit": 50}, None, []


def _bucket(account: Account) -> tuple[Any, Any, list[Json]]:
    bucket = account.pick("data", 40)
    request = {"bucketName": bucket, "Host": f"{bucket}.s3.amazonaws.com", "location": ""}
    return request, None, [{"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}]


def _log_stream(account: Account) -> tuple[Any, Any, list[Json]]:
    return {"logGroupName": account.pick("/aws/lambda/worker", 80), "logStreamName": account.uuid()}, None, []


def _agent(account: Account) -> tuple[Any, Any, list[Json]]:
    request = {
        "instanceId": f"i-{account.rng.randrange(500):017x}",
        "agentVersion": "3.3.987.0",
        "agentStatus": "Active",
        "platformType": "Linux",
        "iPAddress": account.session["address"],
    }
    return request, None, []


_ASSUME_ROLE = ("sts", "AssumeRole", True, _assume_role)
_KMS = [
    ("kms", "Decrypt", True, _kms_use),
    ("kms", "GenerateDataKey", True, _kms_use),
    ("kms", "Encrypt", True, _kms_use),
]
_KMS_WEIGHTS = [70, 25, 5]
_CALLS: tuple[tuple[str, str, bool, Maker, int], ...] = (
    ("sts", "AssumeRole", True, _assume_role, 130),
    ("sts", "GetCallerIdentity", True, _get, 15),
    *((*call, weight) for call, weight in zip(_KMS, (70, 25, 5), strict=True)),
    *(
        ("ec2", f"Describe{what}", True, _describe, 220 // 11)
        for what in (
            "Instances Volumes Subnets Vpcs SecurityGroups NetworkInterfaces Tags Images InstanceStatus "
            "RouteTables VpcEndpoints"
        ).split()
    ),
    *(
        ("s3", f"GetBucket{what}", True, _bucket, 12)
        for what in "Acl Location Policy Versioning Encryption Tagging".split()
    ),
    ("s3", "ListBuckets", True, _get, 10),
    ("logs", "CreateLogStream", False, _log_stream, 60),
    ("logs", "DescribeLogGroups", True, _get, 20),
    ("ssm", "UpdateInstanceInformation", False, _agent, 25),
    ("ssm", "GetParameter", True, _get, 20),
    ("ssm", "DescribeInstanceInformation", True, _get, 5),
    ("cloudtrail", "DescribeTrails", True, _get, 4),
    ("cloudtrail", "LookupEvents", True, _get, 4),
    *(
        (service, name, True, _get, 10)
        for service, names in {
            "lambda": "GetFunction ListFunctions GetPolicy",
            "dynamodb": "DescribeTable ListTables",
            "ecs": "DescribeTasks DescribeServices ListTasks",
            "eks": "DescribeCluster ListNodegroups",
            "rds": "DescribeDBInstances DescribeDBClusters",
            "elasticloadbalancing": "DescribeTargetHealth DescribeLoadBalancers",
            "autoscaling": "DescribeAutoScalingGroups",
            "iam": "GetRole ListRolePolicies GetPolicyVersion ListAttachedRolePolicies",
            "config": "DescribeConfigurationRecorders SelectResourceConfig",
            "monitoring": "DescribeAlarms GetMetricData",
            "secretsmanager": "GetSecretValue DescribeSecret",
            "ecr": "GetAuthorizationToken BatchGetImage",
            "sqs": "GetQueueAttributes",
            "sns": "ListTopics",
            "cloudformation": "DescribeStacks ListStackResources",
            "tagging": "GetResources",
            "guardduty": "ListDetectors",
            "health": "DescribeEventAggregates",
            "organizations": "DescribeOrganization",
            "route53": "ListHostedZones",
            "acm": "DescribeCertificate",
            "kinesis": "DescribeStreamSummary",
        }.items()
        for name in names.split()
    ),
    ("ec2", "CreateTags", False, _describe, 8),
    ("ec2", "RunInstances", False, _describe, 3),
    ("iam", "CreateRole", False, _get, 1),
    ("ecs", "RegisterTaskDefinition", False, _get, 3),
)
_GENERAL = [call[:4] for call in _CALLS]
_GENERAL_WEIGHTS = [call[4] for call in _CALLS]


def observed_calls() -> set[tuple[str, str]]:
    """(eventSource, eventName) of everything the corpus calls."""
    return {(f"{call[0]}.amazonaws.com", call[1]) for call in (*_GENERAL, *_KMS, _ASSUME_ROLE)}
