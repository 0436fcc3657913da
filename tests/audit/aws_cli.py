"""`aws cloudtrail validate-logs` beside our audit: asked where build/awscli is there, else as recorded (aws_cli.json).

make build/awscli/.ready && .venv/bin/python -m tests.audit.aws_cli     records anew
"""

import base64
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.audit.tamperings import KINDS
from tests.audit.world import BEGIN, BUCKET, World, below


ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "build" / "awscli" / "bin" / "python"
RECORDED = Path(__file__).with_name("aws_cli.json")

Said = dict[str, str]
"""Its words by key from AWSLogs/ on; "gap" and a beginning for a gap."""


def ask(worlds: Sequence[World]) -> list[Said]:
    """What it says of each world."""
    given = json.dumps([_given(world) for world in worlds])
    script = str(Path(__file__).with_name("ask_aws_cli.py"))
    done = subprocess.run([str(PYTHON), script], input=given, capture_output=True, text=True, check=True)
    answers: list[Said] = json.loads(done.stdout)
    return answers


def tampered() -> list[World]:
    """A world for each kind of tampering."""
    worlds = []
    for kind in KINDS:
        world = World(0)
        kind.do(world, world.chains[0])
        worlds.append(world)
    return worlds


def short(said: Said) -> list[str]:
    """The different things said of what is not valid, sorted: "log: not found"."""
    found = set()
    for key, words in said.items():
        if key.startswith("gap "):
            found.add("no log files were delivered")
        elif words != "valid":
            kind = "digest" if "/CloudTrail-Digest/" in key else "log"
            found.add(f"{kind}: {words.partition(' in region ')[0]}")
    return sorted(found)


def _given(world: World) -> dict[str, Any]:
    objects = {
        key: {"body": base64.b64encode(stored.body).decode(), "metadata": stored.metadata}
        for key, stored in world.objects.items()
    }
    chains = [
        {
            "arn": f"arn:aws:cloudtrail:{chain.spec.home}:{chain.account}:trail/{chain.spec.name}",
            "account": chain.account,
            "region": chain.region,
            "organisation": chain.spec.organisation,
            "prefix": chain.digests[-1].removesuffix(below(chain.digests[-1])).rstrip("/"),
        }
        for chain in world.chains
    ]
    keys = json.loads(world.public_keys())["PublicKeyList"]
    return {"objects": objects, "chains": chains, "keys": keys, "bucket": BUCKET, "begin": BEGIN.isoformat()}


def main() -> None:
    """Record what it says of each kind of tampering."""
    version = subprocess.run(
        [str(PYTHON), "-c", "import awscli; print(awscli.__version__)"], capture_output=True, text=True, check=True
    )
    said = {kind.name: short(answer) for kind, answer in zip(KINDS, ask(tampered()), strict=True)}
    recorded = {"version": version.stdout.strip(), "said": said}
    RECORDED.write_text(json.dumps(recorded, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
