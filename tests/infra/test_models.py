"""The models in the asset know every call the functions make, and say of it what botocore's own say."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.loaders import Loader

from infra.models import cut_down, function_calls, write_models
from trailbell.alerts.channel import Declaration
from trailbell.alerts.channels import declared_channels
from trailbell.aws import clients
from trailbell.aws.clients import Clients


ROOT = Path(__file__).parents[2]
CALLS = function_calls()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "models"
    write_models(folder)
    return folder


@pytest.fixture
def lean(models: Path, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """Clients as they are made in Lambda."""
    monkeypatch.setattr(clients, "MODELS", models)
    for name, value in {
        "ACCESS_KEY_ID": "testing",
        "SECRET_ACCESS_KEY": "testing",
        "DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return Clients()


def calls_in(module: Path) -> set[str]:
    """Names of methods called on what is named a client."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    called = {
        node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    return {function.attr for function in called if ast.unparse(function.value).endswith("client")}


def test_every_call_of_the_functions_is_known() -> None:
    """A call without a model is an AttributeError in Lambda and nowhere else: in a checkout all models are there."""
    code = (
        "import sys, trailbell.handlers.audit, trailbell.handlers.clock, trailbell.handlers.detector\n"
        "import trailbell.handlers.notifier\n"
        "trailbell.handlers.notifier.declared_channels()\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith('trailbell.')), sep='\\n')"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    made = set().union(*(calls_in(Path(module)) for module in loaded)) - {"get_paginator"}

    # Paginators are made by the command line, which has all models; store/malformed.py holds one for it.
    assert made == {method_of(call) for calls in CALLS.values() for call in calls}


@pytest.mark.parametrize("channel", declared_channels(), ids=lambda channel: channel.name)
def test_channel_calls_what_it_declares(channel: Declaration) -> None:
    """What one channel forgets, another may declare: until that one is removed."""
    module = sys.modules[channel.open.__module__]
    helpers = {one.__module__ for one in vars(module).values() if hasattr(one, "__module__")}
    files = [str(sys.modules[name].__file__) for name in {module.__name__, *helpers} if name.startswith("trailbell.")]

    made = set().union(*(calls_in(Path(file)) for file in files))

    assert made == {method_of(call) for calls in channel.calls.values() for call in calls}


def method_of(call: str) -> str:
    """The client's method for an operation: PutItem → put_item."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in call)[1:]


@pytest.mark.parametrize("service", CALLS)
def test_call_is_described_as_by_botocore(lean: Clients, service: str) -> None:
    """A shape lost in cutting is a parameter refused, or a part of the answer that is not there."""
    session = botocore.session.get_session()
    session.register_component("data_loader", Loader())  # calls of other tests change a shared one
    full = session.create_client(service, region_name="eu-west-1").meta.service_model
    cut = lean.client(service).meta.service_model

    assert set(cut.operation_names) == set(CALLS[service])
    for name in CALLS[service]:
        ours, theirs = cut.operation_model(name), full.operation_model(name)
        assert described(ours.input_shape) == described(theirs.input_shape)
        assert described(ours.output_shape) == described(theirs.output_shape)
        assert [error.name for error in ours.error_shapes] == [error.name for error in theirs.error_shapes]
        assert (ours.http, ours.http_checksum, ours.auth_type) == (theirs.http, theirs.http_checksum, theirs.auth_type)


def described(shape: Any, seen: tuple[str, ...] = ()) -> Any:
    """A shape and all it holds, as plain data."""
    if shape is None or shape.name in seen:
        return shape and shape.name
    seen = (*seen, shape.name)
    inner: Any = None
    if shape.type_name == "structure":
        inner = [shape.required_members, {name: described(member, seen) for name, member in shape.members.items()}]
    elif shape.type_name == "list":
        inner = described(shape.member, seen)
    elif shape.type_name == "map":
        inner = [described(shape.key, seen), described(shape.value, seen)]
    return [shape.name, shape.type_name, dict(shape.serialization), inner]


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "cn-north-1", "ap-southeast-5"])
def test_endpoints_are_those_of_botocore(lean: Clients, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong endpoint is found in the one region nobody tested."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    full = botocore.session.get_session()

    for service in CALLS:
        ours, theirs = lean.client(service), full.create_client(service)
        assert ours.meta.endpoint_url == theirs.meta.endpoint_url
        assert ours.meta.partition == theirs.meta.partition


def test_models_are_small(models: Path) -> None:
    """Each is parsed at a cold start by the functions that ask its service: CloudTrail's by the audit alone, Security
    Hub's, which knows every resource of AWS, by notifiers that have the channel.
    """
    sizes = {path.relative_to(models): path.stat().st_size for path in models.rglob("*.json")}
    of_the_audit = sum(size for path, size in sizes.items() if path.parts[0] == "cloudtrail")

    of_the_hub = sum(size for path, size in sizes.items() if path.parts[0] == "securityhub")

    assert sum(sizes.values()) - of_the_audit - of_the_hub < 256 * 1024
    assert of_the_audit < 32 * 1024
    assert of_the_hub < 256 * 1024


def test_operation_that_does_not_exist_cannot_be_asked_for() -> None:
    """A misspelt call must end the synth, not the detector."""
    model = Loader().load_service_model("sns", "service-2")

    with pytest.raises(KeyError, match="Publsh"):
        cut_down(model, ("Publsh",))
