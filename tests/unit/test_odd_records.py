"""No record, however odd, costs its file: the whole way from fields to a mail is total."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.log_files import examined, log_file
from trailbell.alerts.alert import alert_document
from trailbell.alerts.grouping import group_hits
from trailbell.cli.actor.words import Story, story_document, story_lines
from trailbell.cli.explain.document import explained_document
from trailbell.cli.explain.words import Style, explained_lines
from trailbell.engine.rulebook import Level, Rule, Rulebook, Undo
from trailbell.hits.detect import HitDetector
from trailbell.hits.explained import Explainer
from trailbell.hits.hit import hit_document, hit_from_document
from trailbell.lookback.acts import act_of_record
from trailbell.lookback.principals import Network, choices
from trailbell.lookback.profile import profile_of


_SOURCES = ["kms", "cloudhsm", "ssm", "iotfleethub", "cloudtrail", "ram", "ssm-contacts", "s3"]
_NAMES = ["DisableKey", "DeleteParameters", "SendCommand", "CreateAssociationBatch", "StopLogging", "DeleteBackup"]
_MEMBERS = [
    *(
        "keyId",
        "aliasName",
        "backupId",
        "clusterId",
        "name",
        "names",
        "entries",
        "target",
        "instanceIds",
        "resourceArns",
    ),
    *("ARN", "arn", "type", "accountId", "invokedBy", "sessionContext", "sessionIssuer", "attributes", "userName"),
    *("principalId", "accessKeyId", "onBehalfOf", "inScopeOf", "sourceArn", "omitted"),
]
_OPTIONAL = [
    *("userIdentity", "requestParameters", "responseElements", "resources", "additionalEventData", "eventType"),
    *("serviceEventDetails", "errorCode", "errorMessage", "eventTime", "awsRegion", "eventID", "userAgent"),
    *("recipientAccountId", "sourceIPAddress", "requestID", "sharedEventID"),
]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["Root", "IAMUser", "AssumedRole", "AWSService", "arn:aws:sts::1:assumed-role/a/b", "arn:a:b", "ASIA" * 5]
    ),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=4),
    max_leaves=12,
)
_RECORDS = st.fixed_dictionaries(
    {
        "eventSource": st.sampled_from([f"{name}.amazonaws.com" for name in _SOURCES]),
        "eventName": st.sampled_from(_NAMES),
    },
    optional=dict.fromkeys(_OPTIONAL, _VALUES),
)
_RULE = Rule(
    rule_id="r",
    name="any",
    stem="aws_any",
    title="Anything",
    level=Level.HIGH,
    description="Matches everything.",
    detection=["not", ["field", "nothing", ["any"]]],
    undo=Undo(("aws x {region} {resource.key} {requestParameters.name}",), until="responseElements.keyId", within=7),
)


@settings(max_examples=examples(400), deadline=None)
@given(records=st.lists(_RECORDS, min_size=1, max_size=3))
def test_every_record_becomes_a_hit_that_can_be_kept_and_told(records: list[dict[str, Any]]) -> None:
    """An exception here would send the whole file back to the queue until it is dead-lettered."""
    hits, found = examined(HitDetector(Rulebook((_RULE,))), log_file(*records))

    assert len(hits) == len(records)
    assert found.balanced
    for hit in hits:
        assert hit_from_document(hit_document(hit)) == hit
    for alert in group_hits(hits):
        document = alert_document(alert)
        assert len(document["subject"]) <= 99
        assert all(char == "\n" or char.isprintable() for char in document["text"])


_PARTS = st.sampled_from([*_MEMBERS, "requestParameters.name", "userIdentity.type", "eventTime", "responseElements"])
_LOOKING = st.builds(
    lambda path, test: ["field", path, test],
    _PARTS,
    st.sampled_from([["eq", "Root", True], ["contains", "a"], ["re", "a", ""], ["number", 1], ["null"], ["any"]]),
)


@settings(max_examples=examples(200), deadline=None)
@given(record=_RECORDS, tests=st.lists(_LOOKING, min_size=1, max_size=4))
def test_every_record_is_explained_in_lines_of_a_terminal(record: dict[str, Any], tests: list[list[Any]]) -> None:
    """Whoever asks why has no answer in a traceback, and no escape in his terminal."""
    rule = Rule("r", "r", "s", "T", Level.LOW, "", ["and", [["or", tests], ["not", ["and", tests]]]])

    found = Explainer(Rulebook((rule, _RULE)), "2026-09-01T09:18:57Z").explain(record, ["r", "any"])
    lines = [*explained_lines(found, Style(full=True, show_secrets=True))]

    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)
    assert json.dumps(explained_document(found, show_secrets=False))


@settings(max_examples=examples(200), deadline=None)
@given(records=st.lists(_RECORDS, min_size=1, max_size=4))
def test_every_record_has_its_place_in_a_story(records: list[dict[str, Any]]) -> None:
    """Who is named oddly is still somebody, and his story is text."""
    acts, network = [act_of_record(record) for record in records], Network()
    for act in acts:
        network.add(act)
    named = network.named(acts[0].who.key)

    story = Story("x", named, network.linked(named), profile_of(acts), "4 records")
    lines = [*story_lines(story, 50)]

    assert acts[0].who in named
    assert len(choices(named, {})) <= len(named)
    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)
    assert json.dumps(story_document(story))
