"""A key policy is also read for what it takes away: the account's hold on its key, and everybody else's."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.facts.policy_hold import Hold, read_hold


OWN, FOREIGN = "111122223333", "444455556666"
ROOT = f"arn:aws:iam::{OWN}:root"
KEEPER = f"arn:aws:iam::{OWN}:role/Keeper"
DEFAULT = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}


def hold(*statements: Any) -> Hold:
    return read_hold(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), OWN)


def allow(principal: Any = None, action: Any = "kms:*", condition: Any = None, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal or {"AWS": ROOT}, "Action": action, "Resource": "*", **more}
    return statement if condition is None else {**statement, "Condition": condition}


def deny(condition: Any = None, action: Any = "kms:*", principal: Any = "*", **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Deny", "Principal": principal, "Action": action, "Resource": "*", **more}
    return statement if condition is None else {**statement, "Condition": condition}


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(DEFAULT, id="default"),
        pytest.param(allow({"AWS": OWN}), id="bare-account"),
        pytest.param(allow({"AWS": [KEEPER, ROOT]}), id="among-others"),
        pytest.param(allow({"AWS": f"arn:aws-cn:iam::{OWN}:root"}), id="another-partition"),
        pytest.param(allow(action="*"), id="every-action"),
        pytest.param(allow(action=["kms:Describe*", "KMS:Put*"]), id="administration-by-patterns"),
        pytest.param({**allow(), "Action": None, "NotAction": ["kms:Decrypt"]}, id="all-but-use"),
        pytest.param(allow("*", condition={"StringEquals": {"kms:CallerAccount": OWN}}), id="everyone-of-the-account"),
        pytest.param(allow(condition={"StringEquals": {"aws:PrincipalType": "Account"}}), id="root-user-alone"),
        pytest.param(allow(condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/*"}}), id="all-roles"),
        pytest.param(allow(condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}), id="with-mfa"),
        pytest.param(allow(condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}), id="organization"),
    ],
)
def test_account_keeps_its_key(statement: Any) -> None:
    """A policy that leaves the account in charge is no takeover, in whichever form it says so."""
    assert hold(statement, allow({"AWS": KEEPER}, "kms:Decrypt")) == Hold()


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param([allow({"AWS": KEEPER})], id="one-role"),
        pytest.param([allow({"AWS": f"arn:aws:iam::{FOREIGN}:root"})], id="another-account"),
        pytest.param([allow(action=["kms:Decrypt", "kms:DescribeKey"]), allow({"AWS": KEEPER})], id="reads-only"),
        pytest.param([allow(action="kms:PutKeyPolicyX")], id="another-action"),
        pytest.param([{**allow(), "Action": None, "NotAction": "kms:Put*"}], id="all-but-the-policy"),
        pytest.param([allow(condition={"ArnEquals": {"aws:PrincipalArn": KEEPER}})], id="root-narrowed-to-one"),
        pytest.param([allow(condition={"StringEquals": {"aws:userid": "AROAEXAMPLE:x"}})], id="narrowed-to-a-user"),
        pytest.param([allow(condition={"StringEquals": {"kms:CallerAccount": FOREIGN}})], id="never-true"),
        pytest.param([allow(condition={"StringNotEquals": {"kms:CallerAccount": OWN}})], id="negated"),
        pytest.param([allow(condition={"Null": {"aws:PrincipalArn": "true"}})], id="never-true-null"),
        pytest.param([allow(condition={"StringEquals": {"kms:ViaService": "s3.x"}})], id="through-a-service-only"),
        pytest.param([allow({"Service": "logs.amazonaws.com"})], id="service-only"),
        pytest.param([deny({"Bool": {"aws:SecureTransport": "false"}})], id="no-allow-at-all"),
        pytest.param([{**DEFAULT, "Effect": "allow"}], id="effect-that-aws-does-not-know"),
    ],
)
def test_account_loses_its_key(statements: list[Any]) -> None:
    """Whoever takes root out of a key policy decides alone from then on."""
    assert hold(*statements).account_lost


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(deny(), id="everyone"),
        pytest.param(deny(principal={"AWS": "*"}), id="everyone-by-aws"),
        pytest.param(deny(principal={"AWS": ROOT}), id="account"),
        pytest.param(deny(principal={"AWS": OWN}), id="bare-account"),
        pytest.param({**deny(), "Principal": None, "NotPrincipal": {"AWS": [KEEPER, ROOT]}}, id="not-principal"),
        pytest.param(deny({"ArnNotEquals": {"aws:PrincipalArn": KEEPER}}), id="all-but-one-arn"),
        pytest.param(deny({"StringNotLike": {"aws:PrincipalArn": [KEEPER, "*/Other"]}}), id="all-but-two"),
        pytest.param(deny({"ArnNotLikeIfExists": {"aws:PrincipalArn": KEEPER}}), id="if-exists"),
        pytest.param(deny({"StringNotEquals": {"aws:userid": "AIDAEXAMPLE"}}), id="all-but-one-user-id"),
        pytest.param(deny({"StringNotLike": {"aws:userid": ["AROAEXAMPLE:*"]}}), id="all-but-one-role-id"),
        pytest.param(deny({"StringNotEquals": {"aws:PrincipalTag/keys": "yes"}}), id="all-without-a-tag"),
        pytest.param(deny({"Null": {"aws:PrincipalTag/keys": "true"}}), id="all-that-have-no-tag"),
        pytest.param(deny({"StringEquals": {"kms:CallerAccount": OWN}}), id="own-account-denied"),
        pytest.param(deny({"StringNotEquals": {"aws:PrincipalAccount": FOREIGN}}), id="all-but-a-foreign-account"),
        pytest.param(deny({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:*"}}), id="all-arns-of-the-account"),
        pytest.param(deny({"StringLike": {"aws:PrincipalArn": "*"}}), id="all-arns"),
        pytest.param(deny({"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}), id="all-other-ways"),
        pytest.param(deny({"NotIpAddress": {"aws:SourceIp": "198.51.100.7/32"}}), id="all-other-addresses"),
        pytest.param(deny({"StringNotEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}), id="direct-calls"),
        pytest.param(deny({"Bool": {"aws:SecureTransport": "true"}}), id="a-condition-that-always-holds"),
        pytest.param(deny({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}), id="from-a-date"),
        pytest.param(
            deny({"ArnNotEquals": {"aws:PrincipalArn": KEEPER}, "Bool": {"aws:PrincipalIsAWSService": "false"}}),
            id="all-persons-but-one",
        ),
    ],
)
def test_denying_all_but_a_few_takes_management_and_use(statement: Any) -> None:
    """The statement for the account is still there, and worth nothing."""
    assert hold(DEFAULT, statement).denies[:1] == ("manage",)
    assert not hold(DEFAULT, statement).account_lost


@pytest.mark.parametrize(
    ("action", "denies"),
    [
        pytest.param("kms:PutKeyPolicy", ("manage",), id="policy"),
        pytest.param(["kms:Describe*", "kms:Put*"], ("manage",), id="administration"),
        pytest.param("kms:Decrypt", ("use",), id="decrypt"),
        pytest.param(["kms:Sign", "kms:Verify"], ("use",), id="sign"),
        pytest.param("kms:GenerateMac", ("use",), id="mac"),
        pytest.param("*", ("manage", "use"), id="all"),
        pytest.param(["kms:ScheduleKeyDeletion", "kms:DisableKey"], (), id="hardening-against-deletion"),
    ],
)
def test_denied_actions_say_what_is_taken(action: Any, denies: tuple[str, ...]) -> None:
    """Keeping everybody from deleting a key is a guard; keeping them from its policy is a takeover."""
    assert hold(DEFAULT, deny({"ArnNotEquals": {"aws:PrincipalArn": KEEPER}}, action)).denies == denies


def test_denial_by_what_it_leaves_out_is_read() -> None:
    """NotAction denies all the rest."""
    denial = {**deny(), "Action": None, "NotAction": ["kms:Decrypt", "kms:Describe*"]}

    assert hold(DEFAULT, denial).denies == ("manage", "use")


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(deny({"Bool": {"aws:SecureTransport": "false"}}), id="without-tls"),
        pytest.param(deny({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}), id="without-mfa"),
        pytest.param(deny({"StringNotEquals": {"kms:CallerAccount": OWN}}), id="other-accounts"),
        pytest.param(deny({"StringNotEquals": {"aws:PrincipalAccount": [OWN, FOREIGN]}}), id="all-but-two-accounts"),
        pytest.param(
            deny({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}), id="other-organization"
        ),
        pytest.param(deny({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/*"}}), id="all-but-our-roles"),
        pytest.param(deny(principal={"AWS": f"arn:aws:iam::{OWN}:user/bob"}), id="one-user"),
        pytest.param(deny({"ArnEquals": {"aws:PrincipalArn": KEEPER}}), id="one-role-by-condition"),
        pytest.param(deny(principal={"AWS": f"arn:aws:iam::{FOREIGN}:root"}), id="another-account"),
        pytest.param(deny(principal={"Service": "ec2.amazonaws.com"}), id="a-service"),
        pytest.param(deny({"Null": {"kms:EncryptionContext:app": "true"}}, "kms:Decrypt"), id="without-context"),
        pytest.param(
            deny({"StringNotEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, "kms:Decrypt"),
            id="use-except-through-a-service",
        ),
        pytest.param(deny({"StringNotEquals": {"aws:SourceVpce": "vpce-01234567"}}, "kms:Decrypt"), id="use-elsewhere"),
        pytest.param(deny({"Bool": {"kms:GrantIsForAWSResource": "false"}}, "kms:CreateGrant"), id="grants-by-hand"),
    ],
)
def test_guards_are_no_takeover(statement: Any) -> None:
    """What AWS and the companies recommend must not wake anybody."""
    assert hold(DEFAULT, statement) == Hold()


@pytest.mark.parametrize("given_policy", [None, "", "x", "{}", {"Statement": []}, {"Statement": [7, None]}])
def test_nothing_is_said_of_what_cannot_be_read(given_policy: Any) -> None:
    """kms-policy-unreadable speaks of that."""
    assert read_hold(given_policy, OWN) == Hold()


def test_nothing_is_said_of_an_unknown_account() -> None:
    """Without the owner every root principal would be a stranger's."""
    assert read_hold({"Statement": [allow({"AWS": KEEPER})]}, "unknown") == Hold()


def test_hostile_patterns_take_no_time() -> None:
    """Stars by the thousand must not stall the detector."""
    stars = "*a" * 50_000 + "b"

    assert hold(allow(action=stars), deny({"ArnNotLike": {"aws:PrincipalArn": stars}})) == Hold(True, ("manage", "use"))


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["Allow", "Deny", "*", "kms:*", ROOT, KEEPER, OWN, None, True, 7, 1.5]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition", "AWS", "Null"])
            | st.sampled_from(["StringNotLike", "Bool", "aws:PrincipalArn", "kms:CallerAccount", "kms:ViaService"]),
            inner,
            max_size=5,
        )
    ),
)


@settings(max_examples=examples(200))
@given(_JSON)
def test_reading_is_total(statement: Any) -> None:
    """An error would cost the whole log file."""
    assert isinstance(read_hold({"Statement": [statement, DEFAULT]}, OWN), Hold)
