"""The published schema (docs/schema/alert-1.json) is what machines are written against: every alert keeps to it."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import fastjsonschema
import pytest

from tests.golden.alerts import awkward_alerts, correlation_alerts, matching_hits, rule_alerts
from tests.shipped import ROOT
from trailbell.alerts.alert import SCHEMA, Alert, alert_document


PUBLISHED: dict[str, Any] = json.loads((ROOT / "docs" / "schema" / "alert-1.json").read_text(encoding="utf-8"))
VALIDATE = fastjsonschema.compile(PUBLISHED)


def closed(schema: Any) -> Any:
    """The schema without room for members it does not name, to find those that nobody published."""
    if isinstance(schema, dict):
        shut = {name: closed(member) for name, member in schema.items()}
        return {**shut, "additionalProperties": False} if "properties" in shut and "type" in shut else shut
    return [closed(member) for member in schema] if isinstance(schema, list) else schema


VALIDATE_CLOSED = fastjsonschema.compile(closed(copy.deepcopy(PUBLISHED)))


def documents() -> Iterator[dict[str, Any]]:
    """The alert of every matching case of every rule, and the awkward ones, as JSON carries them."""
    alerts = [alert for _, alert in rule_alerts()]
    alerts += [alert for _, alert in correlation_alerts()]
    alerts += [alert for _, _, alert in awkward_alerts()]
    alerts += [Alert((hit,)) for hit in matching_hits()]
    muted = replace(alerts[0].sample, muted_by="planned", muted_owner="ops", muted_reason="test", shared_event_id="x")
    alerts.append(Alert((replace(muted, account_name="payments"),)))
    alerts.append(Alert((replace(muted, quiet=True, muted_until="2026-12-31", seen_note="still learning"),)))
    for alert in alerts:
        yield json.loads(json.dumps(alert_document(alert)))


@pytest.fixture(scope="module")
def all_documents() -> list[dict[str, Any]]:
    return list(documents())


def test_every_alert_of_every_rule_keeps_to_the_published_schema(all_documents: list[dict[str, Any]]) -> None:
    """A consumer that validates must not throw an alert away."""
    assert len(all_documents) > 300
    for document in all_documents:
        VALIDATE(document)


def test_every_member_that_is_sent_is_published(all_documents: list[dict[str, Any]]) -> None:
    """A member that no schema names is one nobody may rely on, so nobody can."""
    for document in all_documents:
        VALIDATE_CLOSED(document)


def test_every_published_member_is_sent(all_documents: list[dict[str, Any]]) -> None:
    """A member that never comes is a promise not kept."""
    hits = [hit for document in all_documents for hit in document["hits"]]
    sent = {
        "alert": set[str]().union(*all_documents),
        "hit": set[str]().union(*hits),
        "actor": set[str]().union(*(hit["actor"] for hit in hits)),
    }
    hit = PUBLISHED["definitions"]["hit"]["properties"]
    published = {"alert": set(PUBLISHED["properties"]), "hit": set(hit), "actor": set(hit["actor"]["properties"])}

    assert {name: published[name] - sent[name] for name in sent} == {"alert": set(), "hit": set(), "actor": set()}


@pytest.mark.parametrize(
    "spoil",
    [
        {"schema": "trailbell.alert/2"},
        {"level": "severe"},
        {"count": 0},
        {"firstEventTime": "yesterday"},
        {"hits": [{"hitId": "x"}]},
        {"subject": "x" * 100},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
def test_schema_refuses_what_is_no_alert(all_documents: list[dict[str, Any]], spoil: dict[str, Any]) -> None:
    """A schema that takes everything proves nothing."""
    with pytest.raises(fastjsonschema.JsonSchemaException):
        VALIDATE({**all_documents[0], **spoil})


def test_schema_is_of_the_version_that_is_sent() -> None:
    """Readers choose the schema by this member."""
    assert PUBLISHED["properties"]["schema"]["const"] == SCHEMA
