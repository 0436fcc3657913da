"""Calls on log groups, keys and the account itself: ways to more rights, and to silence."""

import json
from collections.abc import Callable, Iterator

from tests.infra.iam.account import ACCOUNT
from tests.infra.iam.call import Call
from tests.infra.iam.statements import ROLES
from tests.infra.iam.world import Clients, World


def log_calls(world: World, role: str) -> Iterator[Call]:
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


def key_calls(world: World, role: str) -> Iterator[Call]:
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


def account_calls(_: World, role: str) -> Iterator[Call]:
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
