"""Records written the way CloudTrail writes them: who calls, what the resources are called, and the record itself.

Names, ids and keys are made up, and the same on every run.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from string import ascii_uppercase, digits
from typing import Any
from uuid import UUID


Json = dict[str, Any]

ACCOUNT = "111122223333"
HOME, EUROPE = "us-east-1", "eu-central-1"
DAY = "2026-11-20"


def code(what: str, length: int, alphabet: str = ascii_uppercase + digits) -> str:
    """A code for something, in AWS's style."""
    return "".join(alphabet[byte % len(alphabet)] for byte in _digest(what)[:length])


def uuid(what: str) -> str:
    """A UUID for something."""
    return str(UUID(bytes=_digest(what)[:16], version=4))


def hexadecimal(what: str, length: int) -> str:
    """Hexadecimal digits for something."""
    return _digest(what).hex()[:length]


def _digest(what: str) -> bytes:
    return hashlib.sha256(what.encode()).digest()


def arn(service: str, region: str, resource: str) -> str:
    """The ARN of one of the account's resources."""
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{resource}"


def key_arn(name: str, region: str = EUROPE) -> str:
    """The ARN of the KMS key we call by a name."""
    return arn("kms", region, f"key/{uuid(name)}")


def listed(*arns: str, **more: str) -> list[Json]:
    """ARNs as a record lists its resources."""
    return [{"accountId": ACCOUNT, **more, "ARN": each} for each in arns]


def moment(clock: str) -> datetime:
    """A time of the day, from HH:MM or HH:MM:SS."""
    return datetime.fromisoformat(f"{DAY}T{clock}")


def answered(clock: str, days: int = 0) -> str:
    """A time as AWS puts it into a response: Nov 27, 2026, 9:31:02 AM."""
    at = moment(clock) + timedelta(days=days)
    return f"{at:%b} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M:%S %p}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: userIdentity, address and user agent."""

    identity: Json
    address: str
    agent: str

    def through(self, service: str) -> "Caller":
        """The same principal, where an AWS service makes the call."""
        return Caller({**self.identity, "invokedBy": service}, service, service)


def role_session(role: str, session: str, address: str, agent: str, path: str = "") -> Caller:
    """Temporary credentials of a role."""
    principal = f"AROA{code(role, 10)}EXAMPLE"
    issuer = {
        "type": "Role",
        "principalId": principal,
        "arn": f"arn:aws:iam::{ACCOUNT}:role/{path}{role}",
        "accountId": ACCOUNT,
        "userName": role,
    }
    identity = {
        "type": "AssumedRole",
        "principalId": f"{principal}:{session}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
        "accountId": ACCOUNT,
        "accessKeyId": f"ASIA{code(role + session, 9)}EXAMPLE",
        "sessionContext": {
            "sessionIssuer": issuer,
            "attributes": {"creationDate": f"{DAY}T07:58:41Z", "mfaAuthenticated": "false"},
        },
    }
    return Caller(identity, address, agent)


def service_role(service: str, role: str, session: str) -> Caller:
    """A service-linked role, with its service making the call."""
    host = f"{service}.amazonaws.com"
    return role_session(role, session, host, host, f"aws-service-role/{host}/").through(host)


def identity_center(person: str, permission_set: str, address: str, agent: str) -> Caller:
    """A person signed in through IAM Identity Center."""
    role = f"AWSReservedSSO_{permission_set}_{hexadecimal(permission_set, 16)}"
    return role_session(role, person, address, agent, f"aws-reserved/sso.amazonaws.com/{EUROPE}/")


def iam_user(name: str, address: str, agent: str) -> Caller:
    """An IAM user with a long-term access key."""
    identity = {
        "type": "IAMUser",
        "principalId": f"AIDA{code(name, 10)}EXAMPLE",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accountId": ACCOUNT,
        "accessKeyId": f"AKIA{code(name, 9)}EXAMPLE",
        "userName": name,
    }
    return Caller(identity, address, agent)


def aws_service(name: str) -> Caller:
    """An AWS service on its own account."""
    return Caller({"type": "AWSService", "invokedBy": name}, name, name)


def aws_itself() -> Caller:
    """What the identity of most service events says: no type and no principal."""
    return Caller({"accountId": ACCOUNT, "invokedBy": "AWS Internal"}, "AWS Internal", "AWS Internal")


@dataclass(slots=True)
class Log:
    """What happened in the account: its records by region, in the order they were told."""

    records: dict[str, list[Json]] = field(default_factory=lambda: {HOME: [], EUROPE: []})

    def call(
        self, clock: str, region: str, caller: Caller, operation: str, request: object = None, **members: object
    ) -> Json:
        """Record a call, such as kms:DisableKey; `members` are added to the record or replace what it has."""
        service, _, name = operation.partition(":")
        number = sum(len(records) for records in self.records.values())
        record = {
            "eventVersion": "1.11",
            "userIdentity": caller.identity,
            "eventTime": f"{moment(clock):%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": caller.address,
            "userAgent": caller.agent,
            "requestParameters": request,
            "responseElements": None,
            "requestID": uuid(f"request {number}"),
            "eventID": uuid(f"event {number}"),
            "readOnly": name.startswith(("Assume", "Decrypt", "Describe", "GenerateDataKey", "Get", "List")),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        }
        if caller.address[0].isdigit():
            record["tlsDetails"] = {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": f"{service}.{region}.amazonaws.com",
            }
        record |= members
        self.records[region].append(record)
        return record

    def service_event(self, clock: str, region: str, operation: str, **members: object) -> Json:
        """Record what an AWS service did without being called; such a record has no requestID."""
        record = self.call(clock, region, aws_itself(), operation, eventType="AwsServiceEvent", **members)
        del record["requestID"]
        return record
