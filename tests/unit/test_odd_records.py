"""No record, however odd, costs its file: the whole way from fields to a mail is total."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.log_files import examined, log_file
from trailbell.alerts.alert import alert_document
from trailbell.alerts.grouping import group_hits
from trailbell.engine.rulebook import Level, Rule, Rulebook, Undo
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import hit_document, hit_from_document


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
