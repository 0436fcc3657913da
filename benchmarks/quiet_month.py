"""How many alerts a month an account makes in which nothing is wrong: 20 stacks, deployments, people, a polling role.

    python -m benchmarks.quiet_month FOLDER      writes the month as log files; then: trailbell scan FOLDER --summary

Nothing in it was ever recorded. Every record is routine: whatever alerts here is noise, or a deliberate choice that
docs/noise.md gives the reason for. The same records on every run.
"""

import gzip
import json
import random
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


Json = dict[str, Any]

ACCOUNT, REGION = "111122223333", "eu-central-1"
START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 30
STACKS = 20
_FILE_MINUTES = 60  # CloudTrail writes more files, which cost the reader more and show nothing else
_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
_PEOPLE = ("alice@example.com", "bob@example.com", "chris@example.com")


def write_month(folder: Path, seed: int = 1) -> int:
    """Write the month below a folder as a trail would, an hour a file; how many records it has."""
    files: dict[str, list[Json]] = {}
    for record in month(seed):
        files.setdefault(record["eventTime"][:13], []).append(record)
    for hour, records in files.items():
        moment = datetime.fromisoformat(f"{hour}:00:00+00:00")
        name = f"{ACCOUNT}_CloudTrail_{REGION}_{moment:%Y%m%dT%H%MZ}_{uuid.uuid5(uuid.NAMESPACE_OID, hour).hex[:16]}"
        path = folder / f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{moment:%Y/%m/%d}/{name}.json.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(json.dumps({"Records": records}).encode(), mtime=0))
    return sum(map(len, files.values()))


def month(seed: int = 1) -> Iterator[Json]:
    """The records of the month, by day."""
    account = Account(random.Random(seed))  # noqa: S311 (made-up data)
    for day in range(DAYS):
        account.day = START + timedelta(days=day)
        yield from account.everyday()
        if account.day.weekday() < 5:
            yield from account.workday()


class Account:
    """What happens on a day of the account."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.day = START

    def everyday(self) -> Iterator[Json]:
        """What runs by itself: polling, agents, services that encrypt, patches, keys that rotate."""
        poller = self._role("config-poller", "i-0a11c0ffee445566")
        by_path = {"path": "/shop/prod", "recursive": True, "withDecryption": True}
        by_name = {"names": [f"/shop/prod/secret-{number}" for number in range(12)], "withDecryption": True}
        for minute in range(24 * 60):
            yield self.call(minute, poller, "ssm", "GetParametersByPath", by_path, read=True)
            yield self.call(minute, poller, "ssm", "GetParameters", by_name, read=True)
        for minute in range(0, 24 * 60, 30):
            node = self._role("node", "i-0b22c0ffee445566")
            yield self.call(minute, node, "ssm", "UpdateInstanceInformation", {"instanceId": "i-0b22c0ffee445566"})
            stored = {
                "encryptionContext": {"aws:s3:arn": "arn:aws:s3:::shop"},
                "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
            }
            app = self._role("shop-api", "shop-api") | {"invokedBy": "s3.amazonaws.com"}
            yield self.call(minute, app, "kms", "Decrypt", stored, read=True, key=1)
        for minute in range(0, 24 * 60, 360):  # a role with one permission too few, that nobody has looked at yet
            yield self.call(
                minute, self._role("reporting", "reporting"), "ssm", "PutParameter",
                {"name": "/reporting/last-run", "type": "String", "overwrite": True}, error="AccessDenied",
            )  # fmt: skip
        for instance in range(4):  # an auto scaling group starts encrypted volumes
            scaling = self._service_role("autoscaling", "AWSServiceRoleForAutoScaling")
            grant = {
                "keyId": f"{_KEY}{self._id(2)}",
                "granteePrincipal": scaling["sessionContext"]["sessionIssuer"]["arn"],
                "operations": ["Decrypt", "GenerateDataKeyWithoutPlaintext"],
                "constraints": {"encryptionContextSubset": {"aws:ebs:id": f"vol-{self.rng.getrandbits(64):017x}"}},
            }
            yield self.call(300 + instance, scaling, "kms", "CreateGrant", grant, {"grantId": "a" * 64}, key=2)
        if self.day.weekday() == 6:
            window = self._service_role("ssm", "AWSServiceRoleForAmazonSSM")
            patch = {"documentName": "AWS-RunPatchBaseline", "targets": [{"key": "tag:Patch", "values": ["sunday"]}],
                     "parameters": {"Operation": ["Install"]}}  # fmt: skip
            yield self.call(120, window, "ssm", "SendCommand", patch, {"command": {"commandId": self._uuid()}})
        if self.day.day == 12:
            service = {"type": "AWSService", "invokedBy": "AWS Internal"}
            rotated = self.call(200, service, "kms", "RotateKey", None, key=3)
            yield rotated | {"eventType": "AwsServiceEvent", "serviceEventDetails": {"keyId": f"{_KEY}{self._id(3)}"}}

    def workday(self) -> Iterator[Json]:
        """What people and their pipelines do: sign-ins, sessions on nodes, deployments, previews made and removed."""
        for number, person in enumerate(_PEOPLE):
            someone = self._person(person)
            signed_in = self.call(480 + number, someone, "signin", "ConsoleLogin", None, {"ConsoleLogin": "Success"})
            yield signed_in | {"eventType": "AwsConsoleSignIn"}
            started = {"target": f"i-0b22c0ffee44556{number}"}
            yield self.call(
                600 + number, someone, "ssm", "StartSession", started, {"sessionId": f"{person}-{self._hex(17)}"}
            )
            yield self.call(610 + number, someone, "kms", "ListKeys", None, read=True)
            yield self.call(611 + number, someone, "cloudtrail", "LookupEvents", None, read=True)
        if self.day.weekday() == 2:
            tunnel = {"target": "i-0b22c0ffee445566", "documentName": "AWS-StartPortForwardingSession",
                      "parameters": {"portNumber": ["5432"]}}  # fmt: skip
            yield self.call(700, self._person(_PEOPLE[0]), "ssm", "StartSession", tunnel, {"sessionId": "a"})
            inventory = {"documentName": "AWS-GatherSoftwareInventory", "instanceIds": ["i-0b22c0ffee445566"]}
            yield self.call(
                701, self._person(_PEOPLE[1]), "ssm", "SendCommand", inventory, {"command": {"commandId": "c"}}
            )
        for stack in self.rng.sample(range(STACKS), 8):
            yield from self._deployment(stack, 540 + 10 * stack)
        if self.day.weekday() in (1, 3):
            yield from self._preview_removed(900)

    def _deployment(self, stack: int, minute: int) -> Iterator[Json]:
        """A pipeline deploys one stack: change set, then what CloudFormation does for it."""
        deployer = self._role("cdk-hnb659fds-deploy-role", "github-actions", federated=True)
        name = {"stackName": f"shop-{stack:02}", "changeSetName": "cdk-deploy"}
        yield self.call(
            minute, deployer, "ssm", "GetParameter", {"name": "/cdk-bootstrap/hnb659fds/version"}, read=True
        )
        yield self.call(minute, deployer, "cloudformation", "CreateChangeSet", name)
        yield self.call(minute + 1, deployer, "cloudformation", "ExecuteChangeSet", name)
        engine = self._through_cloudformation()
        yield self.call(
            minute + 1, engine, "lambda", "UpdateFunctionCode20150331v2", {"functionName": f"shop-{stack:02}-api"}
        )
        value = {"name": f"/shop/{stack:02}/version", "type": "String", "overwrite": True}
        yield self.call(minute + 2, engine, "ssm", "PutParameter", value)
        if stack % 5 == 0:
            allow: Json = {"Effect": "Allow", "Resource": "*"}
            root, app = f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:role/shop-{stack:02}"
            policy = {
                "Version": "2012-10-17",
                "Statement": [
                    allow | {"Principal": {"AWS": root}, "Action": "kms:*"},
                    allow | {"Principal": {"AWS": app}, "Action": ["kms:Decrypt", "kms:GenerateDataKey"]},
                ],
            }
            changed = {"keyId": self._id(stack), "policyName": "default", "policy": json.dumps(policy)}
            yield self.call(minute + 2, engine, "kms", "PutKeyPolicy", changed, key=stack)
        if stack == 7:
            document = {
                "name": "shop-restart",
                "documentVersion": "$LATEST",
                "content": "HIDDEN_DUE_TO_SECURITY_REASONS",
            }
            updated = {
                "documentDescription": {"name": "shop-restart", "documentType": "Command", "documentVersion": "4"}
            }
            yield self.call(minute + 2, engine, "ssm", "UpdateDocument", document, updated)
        if stack == 9:  # a secret that the pipeline rotates
            secret = {"name": "/shop/09/token", "type": "SecureString", "overwrite": True, "keyId": "alias/shop"}
            yield self.call(minute + 3, deployer, "ssm", "PutParameter", secret)

    def _preview_removed(self, minute: int) -> Iterator[Json]:
        """A preview environment's stack is made in the morning and torn down in the evening, its key with it."""
        engine = self._through_cloudformation()
        key = self._uuid()
        made = {"keyMetadata": {"keyId": key, "arn": f"{_KEY}{key}"}}
        yield self.call(minute - 300, engine, "kms", "CreateKey", {"description": "preview"}, made, arn=f"{_KEY}{key}")
        alias = {"aliasName": "alias/preview", "targetKeyId": f"{_KEY}{key}"}
        yield self.call(minute - 300, engine, "kms", "CreateAlias", alias, arn=f"{_KEY}{key}")
        yield self.call(minute, engine, "ssm", "DeleteParameter", {"name": "/preview/version"})
        yield self.call(minute, engine, "kms", "DeleteAlias", {"aliasName": "alias/preview"}, arn=f"{_KEY}{key}")
        gone = {"keyId": f"{_KEY}{key}", "deletionDate": f"{self.day + timedelta(days=30):%b %d, %Y, %I:%M:%S %p}"}
        asked = {"keyId": f"{_KEY}{key}", "pendingWindowInDays": 30}
        yield self.call(minute, engine, "kms", "ScheduleKeyDeletion", asked, gone, arn=f"{_KEY}{key}")

    def call(
        self, minute: int, identity: Json, service: str, name: str, request: Json | None, response: Json | None = None,
        *, read: bool = False, key: int | None = None, arn: str = "", error: str = "",
    ) -> Json:  # fmt: skip
        """One record; key: the number of a key of the account that is its resource."""
        when = self.day + timedelta(minutes=minute, seconds=self.rng.randrange(60))
        record: Json = {
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": REGION,
            "sourceIPAddress": identity.get("invokedBy", "198.51.100.64"),
            "userAgent": identity.get("invokedBy", "aws-cli/2.31.4"),
            "requestParameters": request,
            "responseElements": None if error or read else response,
            "requestID": self._uuid(),
            "eventID": self._uuid(),
            "readOnly": read,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        }
        if error:
            record |= {"errorCode": error, "errorMessage": f"User is not authorized to perform: {service}:{name}"}
        if key is not None or arn:
            resource = arn or f"{_KEY}{self._id(key or 0)}"
            record["resources"] = [{"ARN": resource, "accountId": ACCOUNT, "type": "AWS::KMS::Key"}]
        return record

    def _through_cloudformation(self) -> Json:
        role = self._role("cdk-hnb659fds-cfn-exec-role", "AWSCloudFormation")
        return role | {"invokedBy": "cloudformation.amazonaws.com"}

    def _service_role(self, service: str, name: str) -> Json:
        """A service that acts by its service-linked role."""
        role = self._role(name, service, path=f"aws-service-role/{service}.amazonaws.com/")
        return role | {"invokedBy": f"{service}.amazonaws.com"}

    def _person(self, name: str) -> Json:
        return self._role("AWSReservedSSO_Operator_df24df604b6cb36b", name, path="aws-reserved/sso.amazonaws.com/")

    def _role(self, name: str, session: str, path: str = "", federated: bool = False) -> Json:
        context: Json = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": f"AROA{name.upper()[:16]:0<17}",
                "arn": f"arn:aws:iam::{ACCOUNT}:role/{path}{name}",
                "accountId": ACCOUNT,
                "userName": name,
            },
            "attributes": {"creationDate": f"{self.day:%Y-%m-%dT00:00:00Z}", "mfaAuthenticated": "false"},
        }
        if session.startswith("i-"):
            context["ec2RoleDelivery"] = "2.0"
        if federated:
            context["webIdFederationData"] = {
                "federatedProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
                "attributes": {},
            }
        return {
            "type": "AssumedRole",
            "principalId": f"AROA{name.upper()[:16]:0<17}:{session}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
            "accountId": ACCOUNT,
            "accessKeyId": "ASIAEXAMPLE000000000",
            "sessionContext": context,
        }

    def _id(self, number: int) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"key {number}"))

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def _hex(self, digits: int) -> str:
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"


if __name__ == "__main__":
    print(f"{write_month(Path(sys.argv[1])):,} records")
