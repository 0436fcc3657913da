"""`rules tune` and `rules scorecard` by the hits of the table and what people said of them."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.shipped import shipped_rules
from trailbell.cli.main import cli
from trailbell.hits.hit import Hit
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.hit_table import DynamoHitTable


DISABLED = next(rule for rule in shipped_rules() if rule.name == "kms-key-disabled")
GivenHit = Callable[..., Hit]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--table", "hits"])


def tune(*arguments: str) -> Result:
    return run("rules", "tune", *arguments, "--since", "2026-09-01")


@pytest.fixture
def kept(dynamodb: Any, table: str, given_hit: GivenHit, monkeypatch: pytest.MonkeyPatch) -> list[Hit]:
    """Hits of a rule that ships: two of a pipeline, one of a person, and one of a rule that is gone."""
    ours = {"rule_id": DISABLED.rule_id, "kept_as": "act"}
    hits = [
        given_hit(1, **ours),
        given_hit(2, **ours, event_time="2026-09-16T10:00:00Z"),
        given_hit(3, actor="arn:aws:iam::111122223333:role/Person", **ours),
        given_hit(4, name="old-rule", rule_id="99999999-0000-4000-8000-000000000000", kept_as="act"),
    ]
    DynamoHitTable(dynamodb, table, 4000).keep(hits)
    monkeypatch.setattr("trailbell.cli.options.connection.Connection.caller", lambda _: "arn:dana")
    monkeypatch.setattr("trailbell.cli.rules.tune.all_cases", list)  # all of them: tests/unit/test_tuning.py
    return hits


def test_false_hits_become_an_exception(kept: list[Hit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the mail's command to a file that `cdk deploy` takes; it is not written over."""
    monkeypatch.setattr("trailbell.cli.rules.tune.default_exceptions", lambda: tmp_path)
    assert run("resolve", kept[0].hit_id, kept[1].hit_id, "--as", "false").exit_code == 0

    shown = tune()
    written = tune("--write", "--owner", "ops@example.com", "--reason", "The pipeline.", "--expires", "2027-01-31")
    again = tune("--write")

    assert shown.exit_code == written.exit_code == 0, shown.output + written.output
    assert 'facts.actor.key: "arn:aws:iam::111122223333:role/Deploy"' in shown.stdout
    assert "takes 2 false hits, none of 0 confirmed" in shown.stderr
    assert "2 judged by what the hit says" in shown.stderr
    (file,) = tmp_path.iterdir()
    assert file.name == "tuned-kms-key-disabled.yml"
    assert "expires: 2027-01-31" in file.read_text()
    assert "exists" in str(again.exception)


def test_confirmed_hit_stands_against_it(kept: list[Hit]) -> None:
    """It is named, and the exit status is 1."""
    run("resolve", kept[0].hit_id, "--as", "false")
    run("resolve", kept[1].hit_id, "--as", "confirmed")

    result = tune("kms-key-disabled")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert kept[1].hit_id in result.stderr


def test_nothing_false_is_said(kept: list[Hit]) -> None:
    """With the command that says so of a hit."""
    assert "trailbell resolve ID --as false" in str(tune().exception)


def test_hits_of_files_are_judged_by_their_records(kept: list[Hit], tmp_path: Path) -> None:
    """As `hits` prints them; a line that is no hit is named."""
    lines = run("hits", "--since", "2026-09-01", "--rule", "kms-key-disabled", "--format", "jsonl").stdout.splitlines()
    mine = [line for line in lines if "role/Deploy" in line]
    file, odd = tmp_path / "false.jsonl", tmp_path / "odd.jsonl"
    file.write_text("\n".join(mine))
    odd.write_text("{}")

    result, refused = tune("--false", str(file)), tune("--false", str(odd))

    assert result.exit_code == 0, result.output
    assert "takes 2 false hits" in result.stderr
    assert "line 1 is no hit" in str(refused.exception)


def scorecard(*arguments: str) -> Result:
    return run("rules", "scorecard", "--since", "2026-09-01", *arguments)


def test_scorecard_counts_what_people_said(kept: list[Hit], dynamodb: Any) -> None:
    """Alerts are messages, not hits; who looked after how long; and which rule is gone or never fired."""
    DynamoDeliveryRecords(dynamodb, "hits", 4000).record(kept[:2])
    DynamoDeliveryRecords(dynamodb, "hits", 4000).record(kept[2:3])
    run("ack", kept[0].hit_id)
    run("resolve", kept[0].hit_id, "--as", "false")
    run("resolve", kept[2].hit_id, "--as", "confirmed")

    documents = {one["rule"]: one for one in json.loads(scorecard("--format", "json").stdout)}
    shown = scorecard()
    rows = list(csv.DictReader(io.StringIO(scorecard("--format", "csv").stdout)))

    ours = documents["kms-key-disabled"]
    assert (ours["hits"], ours["alerts"], ours["resolvedFalse"], ours["confirmed"], ours["open"]) == (3, 2, 1, 1, 1)
    assert ours["lastFired"] == "2026-09-16T10:00:00Z"
    assert ours["medianSecondsToAcknowledge"] > 0
    assert documents["old-rule"]["gone"]
    silent = {rule.name for rule in shipped_rules() if rule.is_silent}
    assert {one.name for one in shipped_rules()} - silent <= documents.keys()
    assert documents["kms-key-deleted"]["neverFired"]
    assert "kms-key-disabled" in shown.stdout
    assert "never fired" in shown.stderr
    assert {row["rule"] for row in rows} == documents.keys()
    assert rows[0]["rule"] == "kms-key-disabled"


def test_hit_of_another_rule_counts_as_also_matched(dynamodb: Any, table: str, given_hit: GivenHit) -> None:
    """A rule that is always outranked has fired all the same."""
    other = "99999999-0000-4000-8000-000000000000"
    hit = replace(given_hit(1), rule_id=other, also=("kms-key-disabled",), also_ids=(DISABLED.rule_id,))
    DynamoHitTable(dynamodb, table, 4000).keep([hit])

    documents = {one["rule"]: one for one in json.loads(scorecard("--format", "json").stdout) if not one["gone"]}

    assert (documents["kms-key-disabled"]["hits"], documents["kms-key-disabled"]["alsoMatched"]) == (0, 1)
    assert not documents["kms-key-disabled"]["neverFired"]


# What the published format 4.5 requires, by kind of object, with types.
# https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md
REQUIRED: dict[str, dict[str, type | tuple[type, ...]]] = {
    "layer": {"name": str, "domain": str},
    "versions": {"navigator": str, "layer": str},
    "technique": {"techniqueID": str},
    "gradient": {"colors": list, "minValue": (int, float), "maxValue": (int, float)},
    "metadata": {"name": str, "value": str},
}
KNOWN = {
    "layer": set(
        "versions name description domain customDataURL filters sorting layout hideDisabled techniques gradient"
        " legendItems showTacticRowBackground tacticRowBackground selectTechniquesAcrossTactics"
        " selectSubtechniquesWithParent selectVisibleTechniques metadata links".split()
    ),
    "versions": {"attack", "navigator", "layer"},
    "technique": set("techniqueID tactic comment enabled score color metadata links showSubtechniques".split()),
    "gradient": {"colors", "minValue", "maxValue"},
    "metadata": {"name", "value"},
}


def check(kind: str, value: dict[str, Any]) -> None:
    assert value.keys() <= KNOWN[kind]
    for name, allowed in REQUIRED[kind].items():
        assert isinstance(value[name], allowed), (kind, name)


@pytest.mark.parametrize("counted", ["rules", "hits"])
def test_navigator_layer_is_of_the_published_format(kept: list[Hit], tmp_path: Path, counted: str) -> None:
    """Each required member is there, none is unknown, and the numbers are those of the rules or of the hits."""
    file = tmp_path / "layer.json"

    result = scorecard("--navigator", str(file), "--score", counted)

    layer = json.loads(file.read_text())
    assert result.exit_code == 0, result.output
    assert "layer format 4.5" in result.stderr
    check("layer", layer)
    check("versions", layer["versions"])
    check("gradient", layer["gradient"])
    assert layer["versions"]["layer"] == "4.5"
    assert layer["domain"] == "enterprise-attack"
    assert layer["gradient"]["minValue"] < layer["gradient"]["maxValue"]
    scores = {}
    for technique in layer["techniques"]:
        check("technique", technique)
        for one in technique["metadata"]:
            check("metadata", one)
        scores[technique["techniqueID"]] = technique["score"]
    loud = [rule for rule in shipped_rules() if not rule.is_silent]
    about = sum("attack.t1489" in rule.tags for rule in loud)
    techniques = {tag.removeprefix("attack.").upper() for tag in DISABLED.tags if tag.startswith("attack.t1")}
    if counted == "rules":
        assert scores["T1489"] >= about > 0
    else:
        assert {name: score for name, score in scores.items() if score} == dict.fromkeys(techniques, 3)
