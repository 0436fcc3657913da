"""`trailbell audit` on a copy of a world, and what it says of an honest one."""

import json
from pathlib import Path

from click.testing import CliRunner

from tests.audit.world import World, below
from trailbell.cli.main import cli


Told = dict[str, str]
"""Verdicts by key; gaps by "gap", their beginning and their end, with their cause."""


def audit(folder: Path, world: World, *, sidecars: bool = True) -> tuple[int, Told]:
    """The exit status and the verdicts on a copy of a world."""
    keys = world.write(folder, sidecars=sidecars)
    arguments = ["audit", str(folder / "copy"), "--public-keys", str(keys), "--format", "jsonl"]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    told: Told = {}
    for line in map(json.loads, result.stdout.splitlines()):
        name, word = (
            (f"gap {line['from']} {line['to']}", line["cause"])
            if line["type"] == "gap"
            else (line["key"], line["verdict"])
        )
        assert name not in told, "one line each"
        told[name] = word
    return result.exit_code, told


def honest(world: World) -> Told:
    """What an honest world's audit says: all valid, but for what no digest has listed yet."""
    listed = {log for chain in world.chains for logs in chain.logs.values() for log in logs}
    return {
        below(key): "valid" if "/CloudTrail-Digest/" in key or key in listed else "unproven" for key in world.objects
    }
