"""A KMS key of somebody else is found wherever a record names it, and nothing else is taken for one."""

from typing import Any

import pytest

from trailbell.cloudtrail.record import make_record
from trailbell.facts.external_keys import MAX_KEYS, external_keys_of, possible_external
from trailbell.facts.facts import facts_of
from trailbell.rulebook.cases import BASE_RECORD, merged


OWN, FOREIGN = "111122223333", "444455556666"
KEY = f"arn:aws:kms:us-east-1:{FOREIGN}:key/0a1b2c3d-1111-4222-8333-444455556666"
OURS = f"arn:aws:kms:us-east-1:{OWN}:key/5d8f1c3a-90b7-4e26-a1f4-7c2e6b0d9a58"


def keys(changes: dict[str, Any], *trusted: str) -> tuple[str, ...]:
    return external_keys_of(make_record(merged(BASE_RECORD, changes), 0), frozenset(trusted))


def kms(name: str, request: Any = None, *arns: str) -> dict[str, Any]:
    resources = [{"accountId": arn.split(":")[4], "type": "AWS::KMS::Key", "ARN": arn} for arn in arns]
    return {
        "eventSource": "kms.amazonaws.com",
        "eventName": name,
        "requestParameters": request,
        "resources": resources,
    }


@pytest.mark.parametrize(
    "request_given",
    [
        pytest.param({"kmsKeyId": KEY}, id="member"),
        pytest.param({"ModifyEbsDefaultKmsKeyIdRequest": {"KmsKeyId": KEY}}, id="inside-an-object"),
        pytest.param({"items": [{"ebs": [{"kmsKeyId": KEY}]}]}, id="inside-lists"),
        pytest.param({"attributeName": "KmsMasterKeyId", "attributeValue": KEY}, id="member-of-any-name"),
    ],
)
def test_key_in_a_request_is_found_at_any_depth(request_given: Any) -> None:
    """Every service names its key in another member."""
    assert keys({"eventSource": "ec2.amazonaws.com", "requestParameters": request_given}) == (KEY,)
    assert keys({"eventSource": "ec2.amazonaws.com", "requestParameters": request_given}, FOREIGN) == ()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(OURS, id="our-own"),
        pytest.param("0a1b2c3d-1111-4222-8333-444455556666", id="bare-id"),
        pytest.param("alias/theirs", id="alias-by-name"),
        pytest.param(f"was under {KEY}", id="in-a-sentence"),
        pytest.param(f"arn:aws:s3:::{FOREIGN}", id="another-service"),
        pytest.param("arn:aws:kms:us-east-1::key/x", id="no-account"),
        pytest.param(7, id="number"),
    ],
)
def test_other_values_name_no_external_key(value: Any) -> None:
    """A bare id or an alias by its name is always the caller's own."""
    assert keys({"eventSource": "ec2.amazonaws.com", "requestParameters": {"kmsKeyId": value}}) == ()


def test_aliases_partitions_and_repetition() -> None:
    """An alias's ARN names the account as well, in every partition; one key is one key."""
    alias = f"arn:aws-cn:kms:cn-north-1:{FOREIGN}:alias/x"

    assert keys({"requestParameters": {"a": alias, "b": [alias, alias]}}) == (alias,)


def test_uses_of_a_key_are_told_by_the_resources() -> None:
    """The request of a call to KMS holds ids and aliases; the resources say whose key it was."""
    assert keys(kms("Encrypt", {"keyId": "alias/x"}, KEY)) == (KEY,)
    assert keys(kms("Encrypt", {"keyId": KEY}, OURS)) == ()
    assert keys(kms("Encrypt", {"keyId": KEY})) == (KEY,)


@pytest.mark.parametrize(
    ("request_given", "found"),
    [
        pytest.param({"sourceKeyId": OURS, "destinationKeyId": KEY}, (KEY,), id="to-theirs"),
        pytest.param({"sourceKeyId": KEY, "destinationKeyId": OURS}, (), id="to-ours"),
        pytest.param({"destinationKeyId": "alias/ours"}, (), id="to-an-alias-of-ours"),
        pytest.param(None, (KEY,), id="not-said"),
    ],
)
def test_reencryption_counts_for_where_it_ends(request_given: Any, found: tuple[str, ...]) -> None:
    """Taking data out of a stranger's key is the rescue, not the attack."""
    assert keys(kms("ReEncrypt", request_given, OURS, KEY)) == found


def test_work_is_bounded() -> None:
    """A request may name any number of keys."""
    many = [f"arn:aws:kms:us-east-1:{FOREIGN}:key/{number}" for number in range(500)]

    assert len(keys({"requestParameters": {"keys": many}})) == MAX_KEYS
    assert keys({"requestParameters": {"keys": [KEY] + [1] * 51_000}}) == (KEY,)  # as many as 100 KB hold
    assert keys({"requestParameters": {"keys": [KEY] + [1] * 99_000}}) == ()


@pytest.mark.parametrize(
    ("changes", "possible"),
    [
        pytest.param(kms("Encrypt", None, OURS), (False,), id="ours"),
        pytest.param(kms("Encrypt", None, OURS, KEY), None, id="theirs-among-them"),
        pytest.param(kms("Encrypt", {"keyId": KEY}), None, id="none-listed"),
        pytest.param(
            {**kms("x", {"keyId": KEY}, OURS), "eventSource": "ec2.amazonaws.com"}, None, id="another-service"
        ),
        pytest.param({**kms("Encrypt", None, OURS), "recipientAccountId": None}, None, id="no-recipient"),
        pytest.param({**kms("Encrypt"), "resources": [{"ARN": 7}, {"ARN": [OURS]}]}, None, id="odd"),
    ],
)
def test_prefilter_passes_over_uses_of_our_own_keys_only(
    changes: dict[str, Any], possible: tuple[bool, ...] | None
) -> None:
    """Nearly all records of KMS are uses of one's own keys, and must not be parsed; no other may be passed over."""
    record = merged(BASE_RECORD, changes)
    given = [record[name] for name in ("eventSource", "resources", "recipientAccountId")]

    assert possible_external(frozenset())(*given) == possible
    assert facts_of(make_record(record, 0)).as_fields()["key_external"] in (possible or (True, False))
