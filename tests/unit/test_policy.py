"""A policy is read for whom it lets in, whatever its form, and facts compare those with the trusted accounts."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.cloudtrail.record import make_record
from trailbell.facts.account_limits import account_of
from trailbell.facts.facts import Facts, facts_of
from trailbell.facts.policy import MAX_MEMBERS, MAX_TEXT, PolicyFacts, read_policy
from trailbell.rulebook.cases import BASE_RECORD, merged


OWN, FOREIGN, THIRD = "111122223333", "444455556666", "777788889999"
UNREAD = PolicyFacts(parsed=False, public=False, accounts=())


def allow(principal: Any, condition: Any = None, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "kms:Decrypt", "Resource": "*", **more}
    return statement if condition is None else {**statement, "Condition": condition}


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def everyone(condition: Any) -> PolicyFacts:
    return read_policy(policy(allow("*", condition)))


@pytest.mark.parametrize(
    ("principal", "public", "accounts"),
    [
        pytest.param("*", True, (), id="star"),
        pytest.param({"AWS": "*"}, True, (), id="aws-star"),
        pytest.param({"AWS": [f"arn:aws:iam::{OWN}:root", "*"]}, True, (OWN,), id="star-in-a-list"),
        pytest.param({"Service": "*"}, True, (), id="every-service"),
        pytest.param({"AWS": "arn:aws:iam::*:root"}, True, (), id="wildcard-account"),
        pytest.param({"AWS": FOREIGN}, False, (FOREIGN,), id="bare-account"),
        pytest.param({"AWS": [FOREIGN, OWN]}, False, (OWN, FOREIGN), id="two-accounts"),
        pytest.param({"AWS": f"arn:aws:iam::{FOREIGN}:root"}, False, (FOREIGN,), id="root"),
        pytest.param({"AWS": f"arn:aws-cn:iam::{FOREIGN}:role/path/Reader"}, False, (FOREIGN,), id="role-in-china"),
        pytest.param({"AWS": f"arn:aws:iam::{FOREIGN}:user/a*b"}, False, (FOREIGN,), id="user"),
        pytest.param({"AWS": f"arn:aws:sts::{FOREIGN}:assumed-role/Reader/job"}, False, (FOREIGN,), id="session"),
        pytest.param({"AWS": f"arn:aws:sts::{FOREIGN}:federated-user/bob"}, False, (FOREIGN,), id="federated-user"),
        pytest.param({"Federated": f"arn:aws:iam::{FOREIGN}:saml-provider/x"}, False, (FOREIGN,), id="provider"),
        pytest.param({"Federated": "accounts.google.com"}, False, (), id="web-identity"),
        pytest.param({"Service": "cloudtrail.amazonaws.com"}, False, (), id="service"),
        pytest.param({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d9"}, False, (), id="canonical-user"),
        pytest.param({"AWS": "AROAEXAMPLEEXAMPLE123"}, False, (), id="unique-id"),
        pytest.param({"AWS": 12}, False, ("000000000012",), id="account-that-lost-its-quotes-and-zeros"),
        pytest.param({"aws": FOREIGN}, False, (FOREIGN,), id="other-case"),
        pytest.param({"AWS": ["٤" * 12, "1234", "", None, True, -1, 10**5000, ["*"], {}]}, False, (), id="nonsense"),
    ],
)
def test_principal_names_accounts_or_everyone(principal: Any, public: bool, accounts: tuple[str, ...]) -> None:
    """Each documented form of a principal; one that is misread is a stranger nobody is told of."""
    assert read_policy(policy(allow(principal))) == PolicyFacts(True, public, accounts)


@pytest.mark.parametrize(
    ("statement", "public", "accounts"),
    [
        pytest.param({"Effect": "Deny", "Principal": "*"}, False, (), id="deny"),
        pytest.param({"Effect": "Deny", "Principal": {"AWS": FOREIGN}}, False, (), id="deny-an-account"),
        pytest.param({"Effect": "allow", "Principal": "*"}, False, (), id="effect-in-another-case"),
        pytest.param({"Principal": "*"}, False, (), id="no-effect"),
        pytest.param({"Effect": "Allow", "NotPrincipal": {"AWS": FOREIGN}}, True, (), id="not-principal"),
        pytest.param({"Effect": "Allow"}, False, (), id="no-principal"),
        pytest.param(
            {"Effect": "Allow", "NotPrincipal": "x", "Condition": {"StringEquals": {"kms:CallerAccount": FOREIGN}}},
            False,
            (FOREIGN,),
            id="not-principal-of-one-account",
        ),
        pytest.param(
            allow({"Service": "logs.amazonaws.com"}, {"ArnLike": {"aws:SourceArn": f"arn:aws:logs:*:{FOREIGN}:*"}}),
            False,
            (FOREIGN,),
            id="service-for-an-account",
        ),
        pytest.param(
            allow({"AWS": OWN}, {"StringEquals": {"aws:PrincipalAccount": FOREIGN}}),
            False,
            (OWN,),
            id="condition-of-a-named-principal-adds-nobody",
        ),
    ],
)
def test_statement_counts_for_what_it_grants(statement: Any, public: bool, accounts: tuple[str, ...]) -> None:
    """Only Allow lets anybody in, and NotPrincipal lets in all but a few."""
    assert read_policy(policy(statement)) == PolicyFacts(True, public, accounts)
    assert read_policy({"Statement": statement}) == PolicyFacts(True, public, accounts)


@pytest.mark.parametrize(
    ("condition", "accounts"),
    [
        pytest.param({"StringEquals": {"kms:CallerAccount": OWN, "kms:ViaService": "s3.x"}}, (OWN,), id="template"),
        pytest.param({"StringEquals": {"KMS:calleraccount": [FOREIGN, OWN]}}, (OWN, FOREIGN), id="two-accounts"),
        pytest.param({"StringLike": {"aws:SourceAccount": FOREIGN}}, (FOREIGN,), id="source-account"),
        pytest.param({"StringEquals": {"aws:SourceOwner": int(FOREIGN)}}, (FOREIGN,), id="number"),
        pytest.param({"StringEqualsIgnoreCase": {"aws:PrincipalAccount": FOREIGN}}, (FOREIGN,), id="ignore-case"),
        pytest.param(
            {"ArnLike": {"aws:PrincipalArn": f"arn:*:iam::{FOREIGN}:role/*"}}, (FOREIGN,), id="arn-of-any-partition"
        ),
        pytest.param(
            {"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{FOREIGN}:role/*"}}, (FOREIGN,), id="arn-as-string"
        ),
        pytest.param({"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::orders"}}, (), id="bucket-names-no-account"),
        pytest.param({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, (), id="organization"),
        pytest.param({"StringEquals": {"aws:SourceOrgID": "${aws:ResourceOrgID}"}}, (), id="own-organization"),
        pytest.param({"StringEquals": {"aws:SourceAccount": "${aws:ResourceAccount}"}}, (), id="own-account"),
        pytest.param(
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/r-ab12/ou-ab12-1/*"]}}, (), id="path"
        ),
        pytest.param(
            {
                "ForAllValues:StringLike": {"aws:SourceOrgPaths": "o-a1b2c3d4e5/*"},
                "Null": {"aws:sourceorgpaths": "false"},
            },
            (),
            id="for-all-values-of-a-demanded-key",
        ),
        pytest.param(
            {"StringEqualsIfExists": {"kms:CallerAccount": OWN}, "Null": {"kms:CallerAccount": [False]}},
            (OWN,),
            id="if-exists-of-a-demanded-key",
        ),
        pytest.param(
            {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"kms:CallerAccount": OWN}}, (OWN,), id="and-more"
        ),
        pytest.param({"StringLike": {"aws:userId": "AROAEXAMPLEEXAMPLE001:app"}}, (), id="one-session"),
        pytest.param(
            {"StringLike": {"aws:userid": ["AROAEXAMPLEEXAMPLE001:*", "AIDAEXAMPLE"]}}, (), id="role-and-user"
        ),
        pytest.param({"StringLike": {"aws:userid": f"{FOREIGN}:*"}}, (FOREIGN,), id="federated-users-of-an-account"),
        pytest.param({"StringEquals": {"aws:userid": FOREIGN}}, (FOREIGN,), id="root-by-its-user-id"),
        pytest.param({"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}, (), id="endpoint"),
        pytest.param({"StringEquals": {"aws:sourceVpc": ["vpc-01234567", "vpc-0123456789abcdef0"]}}, (), id="vpcs"),
        pytest.param({"StringEquals": {"aws:Ec2InstanceSourceVpc": "vpc-01234567"}}, (), id="instances-of-a-vpc"),
        pytest.param(
            {"ArnLike": {"aws:SourceVpcArn": f"arn:aws:ec2:*:{FOREIGN}:vpc/*"}}, (FOREIGN,), id="vpcs-of-an-account"
        ),
        pytest.param({"StringEquals": {"aws:VpceAccount": FOREIGN}}, (FOREIGN,), id="endpoints-of-an-account"),
        pytest.param({"StringEquals": {"aws:VpceOrgID": "o-a1b2c3d4e5"}}, (), id="endpoints-of-an-organization"),
        pytest.param(
            {"ForAnyValue:StringLike": {"aws:VpceOrgPaths": "o-a1b2c3d4e5/r-ab12/*"}}, (), id="endpoints-of-a-path"
        ),
        pytest.param({"Bool": {"aws:PrincipalIsAWSService": "true"}}, (), id="services-only"),
        pytest.param({"Bool": {"aws:PrincipalIsAWSService": [True]}}, (), id="services-only-as-a-boolean"),
        pytest.param({"StringEquals": {"aws:PrincipalIsAWSService": "true"}}, (), id="services-only-as-text"),
        pytest.param({"StringEquals": {"aws:PrincipalServiceName": "logs.eu-west-1.amazonaws.com"}}, (), id="service"),
        pytest.param(
            {"ForAnyValue:StringEquals": {"aws:PrincipalServiceNamesList": ["s3.amazonaws.com"]}}, (), id="services"
        ),
        pytest.param({"Null": {"aws:PrincipalServiceName": "false"}}, (), id="any-service-but-nobody-else"),
        pytest.param(
            {"ArnLike": {"lambda:SourceFunctionArn": f"arn:aws:lambda:us-east-1:{FOREIGN}:function:*"}},
            (FOREIGN,),
            id="functions-of-an-account",
        ),
    ],
)
def test_condition_restricts_everyone(condition: Any, accounts: tuple[str, ...]) -> None:
    """The console's own templates admit everyone of one account; a page for each of them would be ignored soon."""
    assert everyone(condition) == PolicyFacts(True, False, accounts)


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param({}, id="empty"),
        pytest.param({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, id="via-service-alone"),
        pytest.param({"StringEquals": {"aws:ResourceAccount": OWN}}, id="about-the-resource"),
        pytest.param({"StringLike": {"kms:CallerAccount": "*"}}, id="star"),
        pytest.param({"StringLike": {"kms:CallerAccount": "1111*"}}, id="half-a-star"),
        pytest.param({"StringLike": {"kms:CallerAccount": "?" * 12}}, id="question-marks"),
        pytest.param({"StringEquals": {"kms:CallerAccount": [OWN, "*"]}}, id="one-value-of-two"),
        pytest.param({"StringEquals": {"kms:CallerAccount": []}}, id="no-value"),
        pytest.param({"StringEquals": {"kms:CallerAccount": "${aws:PrincipalAccount}"}}, id="everybody-is-himself"),
        pytest.param({"StringNotEquals": {"kms:CallerAccount": FOREIGN}}, id="negated"),
        pytest.param({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{FOREIGN}:*"}}, id="negated-arn"),
        pytest.param({"StringEqualsIfExists": {"aws:SourceAccount": OWN}}, id="if-exists"),
        pytest.param({"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, id="for-all-values"),
        pytest.param(
            {"StringEqualsIfExists": {"aws:SourceAccount": OWN}, "Null": {"aws:SourceAccount": "true"}}, id="null-true"
        ),
        pytest.param({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Reader"}}, id="arn-of-any-account"),
        pytest.param({"ArnLike": {"aws:SourceArn": "*"}}, id="any-arn"),
        pytest.param({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::orders-*"}}, id="bucket-by-prefix"),
        pytest.param({"StringLike": {"aws:PrincipalArn": f"arn:aws*:{OWN}:role/*:x"}}, id="star-before-the-account"),
        pytest.param({"StringLike": {"aws:PrincipalArn": f"arn:*:iam::{OWN}:role/*"}}, id="star-that-crosses-colons"),
        pytest.param({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, id="any-organization"),
        pytest.param({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "*/ou-ab12-1/*"}}, id="path-of-any"),
        pytest.param({"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}}, id="own-of-the-caller"),
        pytest.param({"NumericEquals": {"kms:CallerAccount": OWN}}, id="operator-of-another-type"),
        pytest.param({"StringLike": {"aws:userid": "AROA*:app"}}, id="any-role"),
        pytest.param({"StringLike": {"aws:userid": "*:app"}}, id="any-session-of-that-name"),
        pytest.param({"StringNotLike": {"aws:userid": "AROAEXAMPLEEXAMPLE001:*"}}, id="everyone-but-a-role"),
        pytest.param({"StringLike": {"aws:SourceVpce": "vpce-*"}}, id="any-endpoint"),
        pytest.param({"StringNotEquals": {"aws:SourceVpc": "vpc-01234567"}}, id="everywhere-but-a-vpc"),
        pytest.param({"StringEqualsIfExists": {"aws:SourceVpce": "vpce-01234567"}}, id="endpoint-if-there-is-one"),
        pytest.param({"Null": {"aws:SourceVpce": "false"}}, id="through-an-endpoint-of-anybody"),
        pytest.param({"StringLike": {"aws:VpceOrgID": "*"}}, id="endpoints-of-any-organization"),
        pytest.param({"StringEquals": {"aws:VpceAccount": "${aws:PrincipalAccount}"}}, id="endpoint-of-his-own"),
        pytest.param({"Bool": {"aws:PrincipalIsAWSService": "false"}}, id="persons-only"),
        pytest.param({"Bool": {"aws:PrincipalIsAWSService": ["true", "false"]}}, id="services-and-persons"),
        pytest.param({"Bool": {"aws:ViaAWSService": "true"}}, id="through-a-service"),
        pytest.param({"StringLike": {"aws:PrincipalServiceName": "*.amazonaws.com"}}, id="service-by-pattern"),
        pytest.param({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, id="address"),
        pytest.param({"StringEquals": {"aws:PrincipalTag/team": "keys"}}, id="tag-that-an-outsider-can-have"),
        pytest.param({"StringEquals": {"aws:username": "alice"}}, id="name-that-an-outsider-can-have"),
        pytest.param({"Bool": {"kms:CallerAccount": OWN, "aws:PrincipalAccount": "true"}}, id="boolean-of-an-account"),
        pytest.param("StringEquals", id="text"),
        pytest.param([[1]], id="list"),
        pytest.param({"StringEquals": "kms:CallerAccount"}, id="no-keys"),
    ],
)
def test_condition_leaves_everyone_in(condition: Any) -> None:
    """What looks like a restriction and is none is how a key is opened unnoticed."""
    assert everyone(condition).public


def perimeter(condition: Any, **changes: Any) -> dict[str, Any]:
    """A Deny for everyone and everything under a condition."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": condition}
    return {**deny, **changes}


@pytest.mark.parametrize(
    ("statement", "accounts"),
    [
        pytest.param(perimeter({"StringNotEquals": {"kms:CallerAccount": OWN}}), (OWN,), id="account"),
        pytest.param(perimeter({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, Action="*"), (), id="org"),
        pytest.param(
            perimeter(
                {
                    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:PrincipalAccount": FOREIGN},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                }
            ),
            (FOREIGN,),
            id="data-perimeter",
        ),
        pytest.param(perimeter({"StringNotEquals": {"aws:SourceVpce": "vpce-01234567"}}), (), id="endpoint"),
        pytest.param(
            perimeter({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/*"}}, Principal={"AWS": "*"}),
            (OWN,),
            id="roles-of-an-account",
        ),
    ],
)
def test_denial_of_all_strangers_closes_what_an_allow_opened(statement: Any, accounts: tuple[str, ...]) -> None:
    """Companies with a data perimeter allow everyone, and deny all outside of it."""
    assert read_policy(policy(statement, allow("*"))) == PolicyFacts(True, False, accounts)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(perimeter({"StringEquals": {"kms:CallerAccount": FOREIGN}}), id="one-account-denied"),
        pytest.param(perimeter({"StringNotEquals": {"kms:CallerAccount": [OWN, "*"]}}), id="all-excepted"),
        pytest.param(perimeter({"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}}), id="by-name"),
        pytest.param(perimeter({"StringNotEquals": {"kms:CallerAccount": OWN}}, Action="kms:Decrypt"), id="one-action"),
        pytest.param(perimeter({"StringNotEquals": {"kms:CallerAccount": OWN}}, Principal={"AWS": OWN}), id="not-all"),
        pytest.param(
            perimeter({"StringNotEquals": {"kms:CallerAccount": OWN}, "Bool": {"aws:ViaAWSService": "false"}}),
            id="except-through-services",
        ),
        pytest.param(
            perimeter({"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}}), id="no-path-no-deny"
        ),
        pytest.param(perimeter({"Bool": {"aws:PrincipalIsAWSService": "false"}}, Effect="Allow"), id="allow"),
        pytest.param(perimeter({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), id="address"),
        pytest.param(perimeter({}), id="no-condition"),
    ],
)
def test_other_denials_leave_everyone_in(statement: Any) -> None:
    """A denial that strangers can walk around closes nothing."""
    assert read_policy(policy(statement, allow("*"))).public


TEXT = json.dumps(policy(allow({"AWS": f"arn:aws:iam::{FOREIGN}:root"})), indent=2)


@pytest.mark.parametrize(
    "given_policy",
    [
        pytest.param(json.loads(TEXT), id="object"),
        pytest.param(TEXT, id="text"),
        pytest.param(f"\ufeff\n {TEXT}\n", id="byte-order-mark"),
        pytest.param(json.dumps(TEXT), id="escaped"),
        pytest.param(json.dumps(json.dumps(TEXT)), id="escaped-twice"),
        pytest.param(json.dumps(TEXT)[1:-1], id="escaped-without-quotes"),
        pytest.param(quote(TEXT, safe=""), id="url-encoded"),
        pytest.param(json.dumps(quote(TEXT)), id="url-encoded-and-escaped"),
        pytest.param(TEXT.replace("arn:", "\\u0061rn:").replace("Allow", "\\u0041llow"), id="unicode-escapes"),
        pytest.param(TEXT.replace('"Version"', '"version"').replace('"Statement"', '"statement"'), id="other-case"),
        pytest.param(TEXT.replace('"kms:Decrypt"', "NaN"), id="not-a-number"),
        pytest.param(TEXT.replace("kms:Decrypt", "\\ud800"), id="lone-surrogate"),
        pytest.param(TEXT + " " * (MAX_TEXT - len(TEXT)), id="padded-to-the-limit"),
    ],
)
def test_policy_is_read_in_every_form(given_policy: Any) -> None:
    """Services log policies as text, escaped text, encoded text and objects."""
    assert read_policy(given_policy) == PolicyFacts(True, False, (FOREIGN,))


@pytest.mark.parametrize(
    "given_policy",
    [
        pytest.param(None, id="none"),
        pytest.param(True, id="true"),
        pytest.param(float("nan"), id="nan"),
        pytest.param("", id="empty"),
        pytest.param("HIDDEN_DUE_TO_SECURITY_REASONS", id="hidden"),
        pytest.param(TEXT[:-9], id="cut-off"),
        pytest.param("%7B%", id="cut-off-encoding"),
        pytest.param("{}", id="no-statement"),
        pytest.param({"Statement": []}, id="no-statements"),
        pytest.param("[1]", id="list"),
        pytest.param("\ud800", id="lone-surrogate"),
        pytest.param(f'{{"Statement": {"1" * 10_000}}}', id="number-of-thousands-of-digits"),
        pytest.param("[" * 200_000, id="deep-lists"),
        pytest.param('{"Statement":' * 20_000, id="deep-objects"),
        pytest.param('{"Statement":' * 19_000 + "1" + "}" * 19_000, id="deep-and-closed"),
        pytest.param(TEXT + " " * MAX_TEXT, id="too-long"),
    ],
)
def test_policy_that_cannot_be_read_is_said_to_be_unread(given_policy: Any) -> None:
    """parsed=False tells a rule that there was something to read; an error would cost the file."""
    assert read_policy(given_policy) == UNREAD


@pytest.mark.parametrize("odd", [None, 7, "x", ["nested"]])
def test_odd_statement_does_not_hide_its_neighbours(odd: Any) -> None:
    """A stranger behind a broken statement is still a stranger."""
    assert read_policy(policy(odd, allow("*"))) == PolicyFacts(False, True, ())


def test_ten_thousand_statements_are_read_to_the_last() -> None:
    """Whoever hides the statement that matters behind many must not get away with it."""
    statements = [allow({"AWS": OWN})] * 10_000

    assert read_policy(policy(*statements, allow("*"))) == PolicyFacts(True, True, (OWN,))


@pytest.mark.parametrize(
    "too_many",
    [
        pytest.param(policy(*[{}] * MAX_MEMBERS, allow("*")), id="statements"),
        pytest.param(policy(allow({"AWS": [*["x"] * MAX_MEMBERS, "*"]})), id="principals"),
        pytest.param(
            policy(allow("*", {"StringEquals": {"kms:CallerAccount": [OWN] * (MAX_MEMBERS + 1)}})), id="values"
        ),
    ],
)
def test_work_is_bounded_and_says_so(too_many: Any) -> None:
    """Past the limit reading stops, and the policy does not count as read."""
    assert not read_policy(too_many).parsed


def test_limit_is_beyond_every_policy_that_fits() -> None:
    """What is cut off must never be something that AWS accepted."""
    shortest = min(len(f'"{OWN}",'), len('{"Effect":"Allow","Principal":"*"},'))

    assert shortest * MAX_MEMBERS > MAX_TEXT


_WORDS = st.sampled_from(
    [
        *("*", "Allow", "Deny", OWN, FOREIGN, f"arn:aws:iam::{FOREIGN}:root", "arn:aws:iam::*:root", "::::::", "arn:"),
        *("o-a1b2c3d4e5", "o-a1b2c3d4e5/*", "${aws:ResourceAccount}", "false", "%7B%7D", "{}", '"', "\\"),
    ]
)
_NAMES = st.sampled_from(
    [
        *("Statement", "Effect", "Principal", "NotPrincipal", "Condition", "AWS", "Service", "Federated", "Null"),
        *("StringEquals", "ForAllValues:StringLike", "ArnLikeIfExists", "kms:CallerAccount", "aws:SourceArn"),
        *("aws:PrincipalOrgID", "aws:PrincipalOrgPaths", ":", ""),
    ]
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), _WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3) | _NAMES, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=examples(500), deadline=None)
@given(value=_VALUES, layers=st.integers(min_value=0, max_value=5), encoded=st.booleans())
@example(value={"Statement": {1: "Allow", "Effect": "Allow", "Principal": {2: "*"}}}, layers=0, encoded=False)
def test_reading_is_total(value: Any, layers: int, encoded: bool) -> None:
    """Policies are written by attackers: every value gives facts, and accounts are accounts."""
    for _ in range(layers):
        value = json.dumps(value)
    if encoded and isinstance(value, str):
        value = quote(value, errors="replace")

    for found in (
        read_policy(value),
        read_policy({"Statement": value}),
        read_policy(policy(allow(value))),
        everyone(value),
    ):
        assert all(account_of(account) == account for account in found.accounts)
        assert list(found.accounts) == sorted(set(found.accounts))
    for member in ("policy", "granteePrincipal", "constraints", "entries", "name", "principals", "omitted"):
        assert OWN not in facts({**request(**{member: value}), "responseElements": value}).external_accounts


def facts(changes: dict[str, Any], *trusted: str) -> Facts:
    return facts_of(make_record(merged(BASE_RECORD, changes), 0), frozenset(trusted))


def request(**parameters: Any) -> dict[str, Any]:
    return {"requestParameters": parameters}


DOCUMENT = f"arn:aws:ssm:us-east-1:{FOREIGN}:document/Acme-Setup"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(request(policy=TEXT), id="policy"),
        pytest.param({"responseElements": {"replicaPolicy": TEXT}}, id="policy-of-a-replica"),
        pytest.param(request(granteePrincipal=f"arn:aws:iam::{FOREIGN}:role/Reader"), id="grantee"),
        pytest.param(request(granteePrincipal=f"{FOREIGN}:aws:ec2-infrastructure:i-0abc"), id="grantee-of-ebs"),
        pytest.param(request(granteePrincipal=OWN, retiringPrincipal=FOREIGN), id="retiring-principal"),
        pytest.param(request(constraints={"sourceArn": f"arn:aws:backup:us-east-1:{FOREIGN}:x:y"}), id="grant-source"),
        pytest.param(request(accountIdsToAdd=["all", OWN, FOREIGN]), id="shared-document"),
        pytest.param(request(documentName=DOCUMENT), id="document"),
        pytest.param(request(name=DOCUMENT), id="document-of-an-association"),
        pytest.param(request(entries=[None, {"name": "AWS-UpdateSSMAgent"}, {"name": DOCUMENT}]), id="entries"),
        pytest.param(request(runbooks=[{"documentName": DOCUMENT}]), id="runbooks"),
        pytest.param(request(taskArn=DOCUMENT), id="task"),
        pytest.param(request(sourceBackupId=f"arn:aws:cloudhsm:us-east-1:{FOREIGN}:backup/backup-a"), id="backup"),
        pytest.param(request(backupId=f"arn:aws:cloudhsm:us-east-1:{FOREIGN}:backup/backup-a"), id="backup-copied"),
        pytest.param(request(principals=[OWN, f"arn:aws:iam::{FOREIGN}:role/Reader"]), id="resource-share"),
    ],
)
def test_account_that_a_request_names_is_external_unless_trusted(changes: dict[str, Any]) -> None:
    """The trusted accounts are how a deployer tells partners from strangers, once for all rules."""
    found = facts(changes)

    assert found.external_accounts == (FOREIGN,)
    assert found.as_fields()["external_accounts"] == [FOREIGN]
    assert facts(changes, THIRD, FOREIGN).external_accounts == ()
    assert facts({**changes, "recipientAccountId": FOREIGN}, OWN).external_accounts == ()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(request(accountIdsToRemove=[FOREIGN]), id="sharing-ended"),
        pytest.param(request(name=f"arn:aws:ssm:us-east-1:{FOREIGN}:parameter/x"), id="parameter"),
        pytest.param(request(documentName="arn:aws:ssm:us-east-1::document/AWS-RunShellScript"), id="document-of-aws"),
        pytest.param(request(granteePrincipal="AROAEXAMPLEEXAMPLE123"), id="unique-id"),
        pytest.param(request(sourceBackupId="backup-q3v7mdzkt2a"), id="own-backup"),
        pytest.param(
            request(principals=[f"arn:aws:organizations::{FOREIGN}:organization/o-a1b2c3d4e5"]), id="organization"
        ),
        pytest.param(request(entries=7, runbooks={"a": 1}, constraints=[], principals={}), id="odd-types"),
        pytest.param({"requestParameters": FOREIGN}, id="request-is-text"),
    ],
)
def test_request_that_lets_nobody_in_names_nobody(changes: dict[str, Any]) -> None:
    """Leaving the list out makes |exists mean what it says."""
    found = facts(changes)

    assert found.external_accounts == ()
    assert "external_accounts" not in found.as_fields()


def test_facts_of_a_policy_tell_given_from_read() -> None:
    """A rule can ask for a policy that was there and could not be read."""
    nothing = facts({}).as_fields()["policy"]
    unread = facts(request(policy="HIDDEN_DUE_TO_SECURITY_REASONS")).as_fields()["policy"]
    read = facts(request(policy=policy(allow("*"), allow({"AWS": [OWN, FOREIGN]})))).as_fields()["policy"]

    assert nothing == {"given": False, "parsed": False, "public": False, "account_lost": False}
    assert unread == {"given": True, "parsed": False, "public": False, "account_lost": False}
    assert read == {
        "given": True,
        "parsed": True,
        "public": True,
        "account_lost": False,
        "accounts": [OWN, FOREIGN],
    }


def test_facts_join_the_policies_of_request_and_answer() -> None:
    """ReplicateKey may ask for one policy and answer with another; both count."""
    found = facts({**request(policy=TEXT), "responseElements": {"replicaPolicy": policy(allow("*"))}})

    assert found.policy == PolicyFacts(True, True, (FOREIGN,))


@pytest.mark.parametrize(
    ("parameters", "omitted"),
    [
        ({"reason": "requestParameters too large", "omitted": "true", "originalSize": "110211"}, True),
        ({"omitted": True}, True),
        ({"reason": "requestParameters too large"}, True),
        ({"omitted": "false", "reason": "test"}, False),
        (None, False),
    ],
)
def test_omitted_request_is_recognised(parameters: Any, omitted: bool) -> None:
    """CloudTrail writes the flag as text, and says so of the request only."""
    assert facts({"requestParameters": parameters}).as_fields()["request_omitted"] is omitted


@pytest.mark.parametrize(
    ("changes", "trusted", "external"),
    [
        pytest.param({}, (), False, id="own"),
        pytest.param({"userIdentity": {"accountId": FOREIGN}}, (), True, id="another"),
        pytest.param({"userIdentity": {"accountId": FOREIGN}}, (FOREIGN,), False, id="trusted"),
        pytest.param({"userIdentity": {"accountId": None}}, (), False, id="a-service-has-none"),
        pytest.param({"userIdentity": {"accountId": "anonymous"}}, (), False, id="not-an-account"),
        pytest.param(
            {"userIdentity": {"accountId": FOREIGN}, "recipientAccountId": None}, (), False, id="no-recipient"
        ),
    ],
)
def test_caller_is_external_if_his_account_is(changes: dict[str, Any], trusted: Any, external: bool) -> None:
    """The record of a cross-account call in the owner's trail is the only sign of the key's use elsewhere."""
    assert facts(changes, *trusted).as_fields()["caller_external"] is external
