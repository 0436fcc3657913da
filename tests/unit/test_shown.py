"""What a rule shows of a request: short, redacted, harmless, and nothing where there is nothing."""

import json
from typing import Any

import pytest

from trailbell.cloudtrail.record import make_record
from trailbell.facts.facts import facts_of
from trailbell.hits.shown import MAX_SHOWN, shown_of, unknown_show
from trailbell.rulebook.cases import BASE_RECORD, merged
from trailbell.rulebook.members import FACTS


def shown(path: str | tuple[str, ...], request: Any = None, **members: Any) -> str:
    """The value of one row, "" if there is none."""
    record = make_record(merged(BASE_RECORD, {"requestParameters": request or {}, **members}), 0)
    paths = (path,) if isinstance(path, str) else path
    return dict(shown_of((("it", paths),), record, facts_of(record))).get("it", "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, "7"),
        (True, "yes"),
        (False, "no"),
        ([], "none"),
        ("", ""),
        (None, ""),
        (["Decrypt", "Sign"], "Decrypt, Sign"),
        ([{"key": "tag:role", "values": ["web", "db"]}], "key tag:role, values web, db"),
        ('[{"Type":"Expiration"}]', "Type Expiration"),
        ("two\nlines", "two lines"),
        ("HIDDEN_DUE_TO_SECURITY_REASONS", ""),
        ("https://evil.example/x", "https[:]//evil.example/x"),
        ("x\x1b[2J", "x\\x1b[2J"),
    ],
)
def test_value_is_written_for_a_reader(value: Any, expected: str) -> None:
    """No braces, no escape sequences, no link; what AWS hides, or the record lacks, is no row."""
    assert shown("requestParameters.it", {"it": value}) == expected


def test_first_path_with_a_value_counts() -> None:
    """The grantee stands in one member or in another."""
    paths = ("requestParameters.granteePrincipal", "requestParameters.granteeServicePrincipal")

    assert shown(paths, {"granteeServicePrincipal": "backup.amazonaws.com"}) == "backup.amazonaws.com"


def test_path_goes_through_lists() -> None:
    """targetLocations is a list of maps."""
    locations = [{"accounts": ["444455556666"]}, {"accounts": ["999988887777"]}]

    assert shown("requestParameters.targetLocations.accounts", {"targetLocations": locations}) == (
        "444455556666; 999988887777"
    )


def test_secrets_are_left_out() -> None:
    """The mail goes to more people than may read the record."""
    token = "AKIA" + "IOSFODNN7EXAMPLE"

    assert token not in shown("requestParameters.note", {"note": f"key {token} and password=hunter2hunter2"})
    assert "hunter2" not in shown("requestParameters.note", {"note": "password=hunter2hunter2"})
    assert shown("requestParameters.parameters", {"parameters": {"command": ["rm -rf /secret"]}}) == ""


@pytest.mark.parametrize(
    "path",
    [
        "requestParameters",
        "requestParameters.password",
        "requestParameters.credentials.secretAccessKey",
        "requestParameters.encryptionContext",
        "responseElements.activationCode",
        "facts.invented",
        "userIdentity.arn",
        "policy.principals",
    ],
)
def test_path_that_shows_nothing_or_a_secret_is_refused(path: str) -> None:
    """A rule that would print a password does not compile."""
    assert unknown_show(path, FACTS)


def test_rows_and_values_are_bounded() -> None:
    """A mail is read at night, and a row has its limit."""
    record = make_record(merged(BASE_RECORD, {"requestParameters": {"it": "x" * 100_000}}), 0)
    rows = shown_of(tuple((f"row {at}", ("requestParameters.it",)) for at in range(50)), record, facts_of(record))

    assert len(rows) == MAX_SHOWN
    assert all(len(value) <= 300 for _, value in rows)


def test_policy_says_whom_it_lets_in_and_to_what() -> None:
    """Others than the account itself come first."""
    policy = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*"},
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": ["kms:Decrypt"]},
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": ["arn:aws:iam::111122223333:role/A"]},
                "Action": "kms:*",
                "Condition": {"Bool": {"aws:ViaAWSService": "false"}},
            },
        ]
    }
    request = {"policy": json.dumps(policy)}

    assert shown("policy.allows", request) == "444455556666: kms:Decrypt; 111122223333: kms:*"
    assert shown("policy.denies", request) == (
        "everybody but arn:aws:iam::111122223333:role/A: kms:* if aws:viaawsservice bool false"
    )
    assert shown("policy.allows", {"policy": "{broken"}) == ""


@pytest.mark.parametrize("request_", [None, [], "text", {"it": {"it": {"it": []}}}, {"policy": [[]]}])
def test_odd_requests_show_less_and_raise_nothing(request_: Any) -> None:
    """A record that cannot be shown must not keep its log file from being done."""
    record = make_record({**BASE_RECORD, "requestParameters": request_}, 0)
    shows = tuple((path, (path,)) for path in ("requestParameters.it.it.it", "policy.allows", "policy.denies", *FACTS))

    assert all(isinstance(value, str) for _, value in shown_of(shows, record, facts_of(record)))
