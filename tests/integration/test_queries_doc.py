"""The recipes of docs/queries.md for the AWS CLI: the very text is parsed as the CLI does, and run."""

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]  # botocore's, and what the CLI's --query is
import pytest

from trailbell.hits.hit import Hit
from trailbell.store.hit_table import DynamoHitTable


DOC = Path(__file__).parents[2] / "docs" / "queries.md"
RECIPES = re.findall(r"```sh\n(aws dynamodb query .*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
FLAGS = {"consistent-read": ("ConsistentRead", True), "no-scan-index-forward": ("ScanIndexForward", False)}
TABLE = "hits"


@pytest.fixture
def run(dynamodb: Any, table: str) -> Callable[[str], Any]:
    """Run a recipe as `aws dynamodb query` does; what --query leaves of the answer."""

    def make(recipe: str) -> Any:
        words = iter(shlex.split(recipe.replace("\\\n", " ").replace("$TABLE", table))[3:])
        arguments: dict[str, Any] = {}
        own: dict[str, str] = {}
        for word in words:
            name = word.removeprefix("--")
            if name in FLAGS:
                arguments.update([FLAGS[name]])
            elif name in ("query", "output", "max-items"):
                own[name] = next(words)
            else:
                value = next(words)
                pascal = "".join(part.capitalize() for part in name.split("-"))
                arguments[pascal] = json.loads(value) if value.startswith("{") else value
        pages = dynamodb.get_paginator("query").paginate(**arguments)
        items = list(islice((item for page in pages for item in page["Items"]), int(own.get("max-items", 100))))
        assert own["output"] in ("text", "table", "json")
        return jmespath.search(own["query"], {"Items": items})

    return make


@pytest.fixture
def kept(dynamodb: Any, table: str, given_hit: Callable[..., Hit]) -> None:
    """Hits such as the page's questions are about, and others."""
    first = replace(given_hit(1), undo=("aws kms enable-key --key-id x", "and look"))
    others = [
        given_hit(2, level="low", event_time="2026-09-15T11:00:00Z"),
        given_hit(3, level="critical", event_time="2026-09-15T12:00:00Z"),
        given_hit(4, actor="arn:aws:iam::111122223333:role/Other", resources=()),
        given_hit(5, event_time="2026-08-31T23:59:59Z"),
    ]
    DynamoHitTable(dynamodb, table, 400).keep([first, *others])


def test_there_are_three_recipes_and_each_asks_one_partition() -> None:
    """A recipe that the pattern misses would be one that nobody runs."""
    text = DOC.read_text(encoding="utf-8")

    assert len(RECIPES) == text.count("aws dynamodb query --") == 3
    assert all("pk = :pk" in recipe for recipe in RECIPES)
    assert "aws dynamodb scan" not in text


@pytest.mark.usefixtures("kept")
def test_recipe_shows_what_happened_to_a_resource(run: Callable[[str], Any]) -> None:
    """Newest first, from the time given."""
    found = run(RECIPES[0])

    assert [(row[0][:20], row[1]) for row in found] == [
        ("2026-09-15T12:00:00Z", "critical"),
        ("2026-09-15T11:00:00Z", "low"),
        ("2026-09-15T10:00:00Z", "high"),
    ]
    assert found[0][2:] == ["KMS Key Disabled", "role/Deploy"]


@pytest.mark.usefixtures("kept")
def test_recipe_shows_what_a_role_did_that_matters(run: Callable[[str], Any]) -> None:
    """Of one actor, one month, two levels."""
    found = run(RECIPES[1])

    assert [(row["hit"][-3:], row["level"]) for row in found] == [("003", "critical"), ("001", "high")]


@pytest.mark.usefixtures("kept")
def test_recipe_shows_how_to_undo_and_where_the_record_is(run: Callable[[str], Any]) -> None:
    """The row alone is enough, should everything else be gone."""
    (found,) = run(RECIPES[2])

    assert found["undo"] == ["aws kms enable-key --key-id x", "and look"]
    assert (found["bucket"], found["index"]) == ("trail", "0")
    assert found["key"].endswith("a.json.gz")
