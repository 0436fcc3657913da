"""A setting names a secret, and what looks like the secret itself is refused without being repeated."""

import json
from typing import Any

import pytest

from trailbell.alerts.channel import Permission, Site
from trailbell.alerts.stored_secret import StoredSecret, read_reference, secret_permissions
from trailbell.errors import ChannelError


SITE = Site({}, "aws", "eu-central-1", "111122223333")
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
PARAMETERS = "arn:aws:ssm:eu-central-1:111122223333:parameter"
SECRETS = "arn:aws:secretsmanager:eu-central-1:111122223333:secret"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("ssm:/trailbell/webhook", Permission(("ssm:GetParameter",), f"{PARAMETERS}/trailbell/webhook")),
        ("ssm:webhook", Permission(("ssm:GetParameter",), f"{PARAMETERS}/webhook")),
        (f"{PARAMETERS}/a/b", Permission(("ssm:GetParameter",), f"{PARAMETERS}/a/b")),
        ("secretsmanager:a/b", Permission(("secretsmanager:GetSecretValue",), f"{SECRETS}:a/b-??????")),
        (f"{SECRETS}:a/b-Ab3dEf", Permission(("secretsmanager:GetSecretValue",), f"{SECRETS}:a/b-Ab3dEf")),
        (f"{SECRETS}:a/b", Permission(("secretsmanager:GetSecretValue",), f"{SECRETS}:a/b-??????")),
    ],
)
def test_reference_is_taken_and_permits_that_secret_alone(reference: str, expected: Permission) -> None:
    """A name of a secret is the beginning of many ARNs; its own ends in six characters."""
    assert read_reference(reference) == reference
    assert [*secret_permissions([reference], "", SITE)] == [expected]


def test_key_of_the_customer_is_permitted_through_the_service_that_holds_the_secret() -> None:
    """Keys of AWS's own need nothing; a customer's decrypts more than this one secret."""
    _, decrypt = secret_permissions(["ssm:/a"], KEY, SITE)

    via = {"StringLike": {"kms:ViaService": "ssm.eu-central-1.amazonaws.com*"}}
    assert decrypt == Permission(("kms:Decrypt",), KEY, via)


@pytest.mark.parametrize(
    "given",
    [
        "https://hooks.example.com/services/x",
        "HTTPS://hooks.example.com/services/x",
        " https://hooks.example.com/",
        "http://10.0.0.1/x",
        "hooks.example.com/services/x",
        "hooks.example.com:8443/services/x",
        "ssm:hooks.example.com/services/x",
        "secretsmanager:hooks.example.com/services/x",
        "secretsmanager:https://hooks.example.com/x",
        "secretsmanager:T0123ABCD/B0123ABCD/abcdef",
        "T0123ABCD/B0123ABCD/abcdef",
    ],
)
def test_address_instead_of_a_name_is_refused_with_what_to_do(given: str) -> None:
    """In a template it could be read by everybody who may look at the stack."""
    with pytest.raises(ValueError, match="looks like the secret itself") as caught:
        read_reference(given)
    assert "put-parameter" in str(caught.value)
    assert "hooks" not in str(caught.value)


@pytest.mark.parametrize(
    "given", ["webhook", "s3cr3t", "ssm:", "ssm:/", "ssm:a/b", "ssm:/a*", "secretsmanager:a?", 7, []]
)
def test_what_names_no_secret_is_refused(given: object) -> None:
    """A secret without its service could be the secret's value; a wildcard would permit others."""
    with pytest.raises(ValueError, match="the name of a secret"):
        read_reference(given)


class FakeClients:
    """Parameter Store and Secrets Manager in one; `value` is what they hold."""

    def __init__(self, value: str, kind: str = "SecureString") -> None:
        self.value, self.kind, self.reads = value, kind, 0
        self.asked: list[str] = []

    def client(self, service: str) -> Any:
        raise AssertionError("an alert must not wait for a secret")

    def impatient_client(self, service: str) -> Any:
        return self

    def get_parameter(self, **request: Any) -> Any:
        assert request["WithDecryption"] is True
        return self._read(request["Name"], {"Parameter": {"Type": self.kind, "Value": self.value}})

    def get_secret_value(self, **request: Any) -> Any:
        return self._read(request["SecretId"], {"SecretString": self.value} if self.value else {"SecretBinary": b"x"})

    def _read(self, name: str, answer: Any) -> Any:
        self.reads += 1
        self.asked.append(name)
        return json.loads(json.dumps(answer, default=str))


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("ssm:/a/b", "/a/b"),
        ("ssm:a", "a"),
        ("secretsmanager:a/b", "a/b"),
        (f"{SECRETS}:a-Ab3dEf", f"{SECRETS}:a-Ab3dEf"),
    ],
)
def test_secret_is_read_once_and_again_after_five_minutes(reference: str, name: str) -> None:
    """Read for each alert it would cost money and time; read never again, a rotation would need a deployment."""
    clients, now = FakeClients("first\n"), [0.0]
    secret = StoredSecret(clients, reference, lambda: now[0])

    assert [secret.value(), secret.value()] == ["first", "first"]
    clients.value, now[0] = "second", 299.0
    assert secret.value() == "first"
    now[0] = 300.0
    assert secret.value() == "second"
    assert clients.asked == [name, name]


def test_renewing_says_whether_the_secret_has_changed() -> None:
    """Only then is it worth trying again."""
    clients = FakeClients("first")
    secret = StoredSecret(clients, "ssm:/a")
    secret.value()

    assert not secret.renew()
    clients.value = "second"
    assert secret.renew()
    assert secret.value() == "second"


@pytest.mark.parametrize(
    ("reference", "value", "kind", "said"),
    [
        ("ssm:/a", "x", "String", "ssm:/a is no SecureString"),
        ("ssm:/a", " \n", "SecureString", "ssm:/a is empty"),
        ("secretsmanager:a", "", "", "secretsmanager:a is empty"),
    ],
)
def test_what_is_no_secret_is_refused_by_its_name(reference: str, value: str, kind: str, said: str) -> None:
    """A plain parameter shows its value to everybody who may list parameters."""
    secret = StoredSecret(FakeClients(value, kind), reference)

    for _ in range(2):
        with pytest.raises(ChannelError, match=said):
            secret.value()
