"""The webhook in the template: the names of secrets and never a secret, and a permission on those alone."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from moto.secretsmanager.responses import SecretsManagerResponse
from moto.ssm.responses import SimpleSystemManagerResponse

from infra.settings import read_settings
from tests.infra.iam.account import ACCOUNT, REGION
from tests.infra.iam.call import Call
from tests.infra.iam.moto_patches import enforcing_aws
from tests.infra.iam.statements import Statement, Template, listed
from tests.infra.iam.world import World
from tests.infra.test_least_privilege import given_batch, given_record, news
from trailbell.alerts.https_post import Answer, HttpsPost
from trailbell.engine.rulebook import dump_rulebook
from trailbell.errors import SettingsError
from trailbell.rulebook.build import build_rulebook


TemplateOf = Callable[..., Template]
RULE = Path(__file__).parents[2] / "rules" / "kms" / "aws_kms_key_disabled.yml"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
ADDRESS = "https://hooks.example.com/services/SECRET"
ON = {"webhook": "ssm:/trailbell/webhook", "webhook_signing_secret": "secretsmanager:trailbell/signing"}
GETS = {"ssm:GetParameter", "secretsmanager:GetSecretValue", "kms:Decrypt"}


@pytest.fixture
def world(
    template_of: TemplateOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, posted: list[tuple[str, str]]
) -> Iterator[World]:
    """The stack with a webhook, the secrets it names, and others it does not."""
    parameters = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"

    def parameter_of(request: Any) -> str:
        return f"{parameters}/{str(request._get_param('Name')).removeprefix('/')}"

    def secret_of(request: Any) -> str:
        return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{request._get_param('SecretId')}-Ab3dEf"

    monkeypatch.setattr(SimpleSystemManagerResponse, "_determine_resource", parameter_of, raising=False)
    monkeypatch.setattr(SecretsManagerResponse, "_determine_resource", secret_of, raising=False)
    book, _ = build_rulebook(RULE, tmp_path, {}, date.today())
    rulebook = tmp_path / "rulebook.json"
    rulebook.write_text(dump_rulebook(book), encoding="utf-8")
    with enforcing_aws():
        world = World(template_of(**ON), rulebook)
        # moto takes "?" for a regular expression's; test_stored_secret.py holds what is really granted.
        world.policies["Notifier"] = json.loads(json.dumps(world.policies["Notifier"]).replace("-??????", "-*"))
        world.set_policy("Notifier", world.policies["Notifier"])
        for name in ("/trailbell/webhook", "/payroll/password"):
            world.admin.client("ssm").put_parameter(Name=name, Value=ADDRESS, Type="SecureString")
        for name in ("trailbell/signing", "payroll/signing"):
            world.admin.client("secretsmanager").create_secret(Name=name, SecretString="a signing secret")
        yield world


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Where requests went, and how they were signed: this computer has no internet."""
    found: list[tuple[str, str]] = []

    def post(_: HttpsPost, address: str, body: bytes, headers: dict[str, str], deadline: float) -> Answer:
        found.append((address, headers["X-Trailbell-Signature"][:3]))
        return Answer(200)

    monkeypatch.setattr(HttpsPost, "post", post)
    return found


def statements_of(template: Template) -> list[Statement]:
    return [
        statement
        for one in template["Resources"].values()
        if one["Type"] == "AWS::IAM::Policy"
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
    ]


def notify(world: World) -> None:
    """One hit, from the log file through both functions."""
    record = given_record(next(world.numbers))
    key, _ = world.put_log_file(record)
    world.invoke("Detector", given_batch(world, key=key))
    world.invoke("Notifier", news(world, record["eventID"]))


def test_notifier_posts_under_its_policy_and_misses_each_permission(
    world: World, posted: list[tuple[str, str]]
) -> None:
    """A permission forgotten is a chat that stays silent, one that nobody misses is for attackers."""
    notify(world)
    assert posted == [(ADDRESS, "v1=")]

    granted = [one for one in world.policies["Notifier"] if GETS & {*listed(one["Action"])}]
    assert len(granted) == 2
    for statement in granted:
        with world.without("Notifier", statement["Action"], statement["Resource"]):
            notify(world)
    assert len(posted) == 1


@pytest.mark.parametrize("role", ["Detector", "Notifier"])
def test_no_role_reads_another_secret(world: World, role: str) -> None:
    """Whoever takes over the notifier has the address of a chat, and no password."""
    secrets = {"/trailbell/webhook": "ssm", "/payroll/password": "ssm"}
    secrets |= {"trailbell/signing": "secretsmanager", "payroll/signing": "secretsmanager"}

    def reads(service: str, name: str) -> Callable[[World, Any], object]:
        if service == "ssm":
            return lambda _, clients: clients("ssm").get_parameter(Name=name, WithDecryption=True)
        return lambda _, clients: clients("secretsmanager").get_secret_value(SecretId=name)

    readable = {
        name for name, service in secrets.items() if world.can(Call(role, "", name, "", True, reads(service, name)))
    }

    assert readable == ({"/trailbell/webhook", "trailbell/signing"} if role == "Notifier" else set())


def test_template_holds_names_and_no_more(template_of: TemplateOf) -> None:
    """Whoever may look at the stack sees where the secrets are, as they see all else."""
    template = template_of(**ON, webhook_form="json", webhook_level="high")

    (variables,) = [
        one["Properties"]["Environment"]["Variables"]
        for name, one in template["Resources"].items()
        if name.startswith("NotifierFunction") and one["Type"] == "AWS::Lambda::Function"
    ]
    assert {name: value for name, value in variables.items() if "WEBHOOK" in name} == {
        "TRAILBELL_WEBHOOK": "ssm:/trailbell/webhook",
        "TRAILBELL_WEBHOOK_FORM": "json",
        "TRAILBELL_WEBHOOK_LEVEL": "high",
        "TRAILBELL_WEBHOOK_SIGNING_SECRET": "secretsmanager:trailbell/signing",
    }
    assert any(name.startswith("WatchChannelFailing") for name in template["Resources"])
    assert "kms:Decrypt" not in json.dumps(statements_of(template))


def test_key_of_the_customer_may_be_used_through_parameter_store_alone(template_of: TemplateOf) -> None:
    """The same key may encrypt what is none of our business."""
    template = template_of(webhook="ssm:/trailbell/webhook", webhook_key_arn=KEY)

    (decrypt,) = [one for one in statements_of(template) if one["Action"] == "kms:Decrypt"]
    assert decrypt["Resource"] == KEY
    ((operator, condition),) = decrypt["Condition"].items()
    assert operator == "StringLike"
    assert condition["kms:ViaService"]["Fn::Join"][1] == ["ssm.", {"Ref": "AWS::Region"}, ".amazonaws.com*"]


def test_nothing_is_there_when_it_is_off(template_of: TemplateOf) -> None:
    """What is optional costs nothing, and permits nothing."""
    text = json.dumps(template_of())

    assert "WEBHOOK" not in text
    assert not [action for action in GETS if action in text]


@pytest.mark.parametrize("name", ["webhook", "webhook_signing_secret"])
def test_address_in_a_setting_is_refused_and_not_repeated(name: str) -> None:
    """The synth's output is kept by whatever runs it."""
    with pytest.raises(SettingsError) as caught:
        read_settings({"webhook": "ssm:/a", name: ADDRESS}.get)

    assert "SECRET" not in str(caught.value)
    assert "hooks.example.com" not in str(caught.value)
    assert str(caught.value).startswith(f"setting {name} is not shown, as it may be a secret; allowed: ")
    assert "whoever deploys stores it" in str(caught.value)


def test_setting_of_a_webhook_that_is_off_is_refused() -> None:
    """A form without an address is one that was misspelt, or forgotten."""
    with pytest.raises(SettingsError, match="setting webhook_form needs webhook"):
        read_settings({"webhook_form": "json"}.get)
