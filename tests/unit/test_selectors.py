"""Event selectors: what a set of them records, and what it says when it cannot be read."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.cloudtrail.record import make_record
from trailbell.facts import selectors as selectors_module
from trailbell.facts.facts import facts_of
from trailbell.facts.selectors import KMS, SOURCES, SelectorFacts


MANAGEMENT = {"field": "eventCategory", "equals": ["Management"]}
DATA = {"field": "eventCategory", "equals": ["Data"]}
EVERYTHING = SelectorFacts(True, True, writes=True, reads=True, kms=True, management=True)


def read(source: str = "cloudtrail.amazonaws.com", **request: Any) -> SelectorFacts:
    fields = {"eventSource": source, "eventName": "PutEventSelectors", "requestParameters": request}
    return facts_of(make_record(fields, 0)).selectors


def advanced(*selectors: list[dict[str, Any]]) -> SelectorFacts:
    return read(advancedEventSelectors=[{"fieldSelectors": selector} for selector in selectors])


def test_requests_without_selectors_have_none() -> None:
    """Rules about selectors must not speak of other calls, nor of other services."""
    assert read() == SelectorFacts()
    assert read(eventSelectors=None) == SelectorFacts()
    assert read("example.amazonaws.com", eventSelectors=[{}]) == SelectorFacts()


@pytest.mark.parametrize(
    "selectors",
    [
        pytest.param([{}], id="defaults"),
        pytest.param([{"readWriteType": "ReadOnly"}, {"readWriteType": "WriteOnly"}], id="reads-and-writes"),
        pytest.param([{"includeManagementEvents": False}, {"includeManagementEvents": True}], id="one-of-two"),
        pytest.param([{"excludeManagementEventSources": ["rdsdata.amazonaws.com"]}], id="data-api"),
        pytest.param([{"excludeManagementEventSources": [KMS]}, {}], id="excluded-and-not"),
        pytest.param([{"includeManagementEvents": "true"}], id="true-as-text"),
    ],
)
def test_classic_selectors_that_miss_nothing(selectors: list[dict[str, Any]]) -> None:
    """Each of these was critical when selectors were searched one by one."""
    assert read(eventSelectors=selectors) == EVERYTHING


@pytest.mark.parametrize(
    "selectors",
    [
        pytest.param([[MANAGEMENT]], id="plain"),
        pytest.param(
            [[MANAGEMENT, {"field": "readOnly", "equals": [value]}] for value in ("true", "false")], id="read-write"
        ),
        pytest.param(
            [[MANAGEMENT, {"field": "eventSource", operator: [KMS]}] for operator in ("equals", "notEquals")], id="kms"
        ),
        pytest.param(
            [[MANAGEMENT, {"field": "eventSource", operator: ["k"]}] for operator in ("startsWith", "notStartsWith")],
            id="prefix",
        ),
        pytest.param(
            [[MANAGEMENT, {"field": "eventName", operator: ["Key"]}] for operator in ("endsWith", "notEndsWith")],
            id="suffix",
        ),
        pytest.param(
            [[MANAGEMENT, {"field": "sessionCredentialFromConsole", "equals": [value]}] for value in ("true", "false")],
            id="console",
        ),
    ],
)
def test_advanced_selectors_that_miss_nothing(selectors: list[list[dict[str, Any]]]) -> None:
    """Together they take every event, each alone does not."""
    assert advanced(*selectors) == EVERYTHING


def test_what_writes_are_missing_is_named() -> None:
    """A reader must learn which services went dark."""
    without = advanced([MANAGEMENT, {"field": "eventSource", "notEquals": [KMS, "ssm.amazonaws.com"]}])

    assert without.missing == (KMS, "ssm.amazonaws.com")
    assert (without.writes, without.kms, without.reads) == (False, False, False)
    assert without.as_fields()["missing"] == [KMS, "ssm.amazonaws.com"]
    assert "missing" not in EVERYTHING.as_fields()


def test_a_list_of_services_misses_those_it_does_not_name() -> None:
    """Whoever names every service of today leaves out the one of tomorrow."""
    named = advanced([MANAGEMENT, {"field": "eventSource", "equals": [*SOURCES, KMS]}])

    assert (named.writes, named.kms, named.missing) == (False, True, ())


@pytest.mark.parametrize("field", ["eventName", "userIdentity.arn", "eventType"])
def test_what_leaves_out_some_writes_misses_writes(field: str) -> None:
    """One operation, one principal or one kind of event is all that an attacker needs."""
    found = advanced([MANAGEMENT, {"field": field, "notEquals": ["DisableKey"]}])

    assert (found.writes, found.kms, found.management) == (False, False, True)


def test_uses_of_keys_are_reads() -> None:
    """They are most of the volume; leaving them out is thrift."""
    found = advanced([MANAGEMENT, {"field": "eventName", "notEquals": ["Decrypt", "GenerateDataKey"]}])

    assert (found.writes, found.kms, found.reads) == (True, True, False)


def test_writes_only_miss_reads() -> None:
    """Nothing is destroyed by a read; a rule may say so more quietly."""
    found = read(eventSelectors=[{"readWriteType": "WriteOnly"}])

    assert (found.writes, found.kms, found.reads) == (True, True, False)


@pytest.mark.parametrize(
    ("request_", "data"),
    [
        ({"eventSelectors": []}, False),
        ({"eventSelectors": [{"includeManagementEvents": False, "dataResources": [{"values": []}]}]}, False),
        ({"eventSelectors": [{"includeManagementEvents": False, "dataResources": [{"values": ["arn:aws:s3"]}]}]}, True),
        ({"advancedEventSelectors": [{"fieldSelectors": [DATA]}]}, True),
        ({"advancedEventSelectors": [{"fieldSelectors": [DATA | {"equals": ["NetworkActivity"]}]}]}, True),
        ({"advancedEventSelectors": [{"fieldSelectors": [DATA | {"equals": ["Insight"]}]}]}, False),
    ],
)
def test_without_management_events_it_matters_whether_anything_is_recorded(
    request_: dict[str, Any], data: bool
) -> None:
    """A second trail for data blinds nobody; a trail that records nothing was switched off."""
    found = read(**request_)

    assert (found.parsed, found.management, found.data, found.writes) == (True, False, data, False)


@pytest.mark.parametrize(
    "request_",
    [
        {"eventSelectors": "[]"},
        {"eventSelectors": [None]},
        {"eventSelectors": [{"readWriteType": "Some"}]},
        {"eventSelectors": [{"includeManagementEvents": "perhaps"}]},
        {"eventSelectors": [{"excludeManagementEventSources": [{}]}]},
        {"eventSelectors": [{"dataResources": {"values": ["x"]}}]},
        {"advancedEventSelectors": [{}]},
        {"advancedEventSelectors": [{"fieldSelectors": [MANAGEMENT, {"field": 1, "equals": ["x"]}]}]},
        {"advancedEventSelectors": [{"fieldSelectors": [MANAGEMENT, {"field": "eventName"}]}]},
        {"advancedEventSelectors": [{"fieldSelectors": [MANAGEMENT, {"field": "moon", "equals": ["full"]}]}]},
        {"advancedEventSelectors": [{"fieldSelectors": [{"field": "eventCategory", "notEquals": ["Data"]}]}]},
        {
            "advancedEventSelectors": [
                {"fieldSelectors": [MANAGEMENT, {"field": "eventName", "equals": [str(n) for n in range(5000)]}]}
            ]
        },
    ],
    ids=lambda request_: json.dumps(request_)[:60],
)
def test_selectors_that_cannot_be_read_are_said_to_be_so(request_: dict[str, Any]) -> None:
    """Silence about them would be a way around the rules."""
    assert read(**request_) == SelectorFacts(given=True)


_VALUES = st.sampled_from(
    [KMS, "ssm.amazonaws.com", "DeleteTrail", "GetTrail", "Delete", "true", "false", "arn:x", "A"]
)
_FIELDS = st.sampled_from(["eventSource", "readOnly", "sessionCredentialFromConsole", "eventName", "eventType"])
_CONDITIONS = st.dictionaries(
    st.sampled_from(sorted(selectors_module._OPERATORS)),
    st.lists(_VALUES, min_size=1, max_size=2),
    min_size=1,
    max_size=2,
)
_FIELD_SELECTORS = st.builds(lambda field, conditions: {"field": field, **conditions}, _FIELDS, _CONDITIONS)
_CATEGORIES = st.sampled_from(["Management", "Data"]).map(lambda name: {"field": "eventCategory", "equals": [name]})
_ADVANCED = st.builds(
    lambda category, others: selectors_module._advanced({"fieldSelectors": [category, *others]}),
    _CATEGORIES,
    st.lists(_FIELD_SELECTORS, max_size=3),
)
_CLASSIC = st.builds(
    lambda kind, excluded: selectors_module._classic(
        {"readWriteType": kind, "excludeManagementEventSources": excluded}
    ),
    st.sampled_from(["All", "ReadOnly", "WriteOnly"]),
    st.lists(_VALUES, max_size=2),
)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(st.one_of(_ADVANCED, _CLASSIC), max_size=3))
def test_what_no_selector_looks_at_need_not_be_asked(selectors: list[Any]) -> None:
    """The same follows as from an event for each source, read or write, from the console or not."""
    takers = [selector for selector in selectors if selector.management]
    values = {field: selectors_module._values(takers, field) for field in selectors_module._VARIED}
    sources = (*selectors_module.SOURCES, KMS, selectors_module._OTHER)
    events = [*selectors_module._events(sources, values, ("true", "false"))]
    left_out = [event for event in events if not any(selector.takes(event) for selector in takers)]
    writes = {event["eventSource"] for event in left_out if event["readOnly"] == "false"}

    found = selectors_module._asked(selectors)

    assert found.missing == tuple(sorted(writes - {selectors_module._OTHER}))
    assert found.writes is not bool(writes - {KMS})
    assert found.kms is (KMS not in writes)
    assert found.reads is not any(event["readOnly"] == "true" for event in left_out)
