"""Where a failure can stand in a record: an act that had no effect must not be reported as one that had."""

import json
from typing import Any

import pytest

from trailbell.facts.outcome import (
    DENIED_STATES,
    FAILED_LIST,
    FAILED_STATES,
    Outcome,
    outcome_of,
    outcomes_by_json,
    possible_outcomes,
)


SIGN_IN = {"eventType": "AwsConsoleSignIn", "eventSource": "signin.amazonaws.com"}


def batch(request: dict[str, Any] | None, response: dict[str, Any] | None) -> dict[str, Any]:
    return {"eventType": "AwsApiCall", "requestParameters": request, "responseElements": response}


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("Client.DryRunOperation", Outcome.DRYRUN),
        ("AuthorizationError", Outcome.DENIED),
        ("NotAuthorizedException", Outcome.DENIED),
        ("UnauthorizedException", Outcome.DENIED),
        ("KMSInvalidStateException", Outcome.FAILED),
        ("InternalFailure", Outcome.FAILED),
    ],
)
def test_codes_of_all_services_are_classed(code: str, outcome: Outcome) -> None:
    """Services have their own words for a denial."""
    assert outcome_of({"errorCode": code, "errorMessage": "x"}) is outcome


@pytest.mark.parametrize("name", ["ConsoleLogin", "CheckMfa", "SwitchRole", "ExitRole", "PasswordRecoveryCompleted"])
def test_sign_in_fails_in_its_answer(name: str) -> None:
    """A failed console sign-in has no errorCode; its mail said that it succeeded."""
    assert outcome_of({**SIGN_IN, "eventName": name, "responseElements": {name: "Failure"}}) is Outcome.FAILED
    assert outcome_of({**SIGN_IN, "eventName": name, "responseElements": {name: "Success"}}) is Outcome.SUCCESS
    assert outcome_of({"eventName": name, "responseElements": {name: "Failure"}}) is Outcome.FAILED


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({**SIGN_IN, "errorMessage": "Failed authentication"}, Outcome.FAILED),
        ({"errorMessage": "User: a is not authorized to perform: kms:DisableKey"}, Outcome.DENIED),
        ({"errorMessage": "An explicit deny in an identity-based policy"}, Outcome.DENIED),
        ({"errorMessage": ""}, Outcome.SUCCESS),
        ({"errorMessage": None}, Outcome.SUCCESS),
    ],
)
def test_a_message_alone_tells_of_a_failure(fields: dict[str, Any], outcome: Outcome) -> None:
    """The message describes an error; where there is none, CloudTrail writes no message."""
    assert outcome_of(fields) is outcome


@pytest.mark.parametrize(
    ("details", "outcome"),
    [
        ({"CredentialVerification": "Failure"}, Outcome.FAILED),
        ({"CredentialVerification": "Success"}, Outcome.SUCCESS),
        ({"status": "Failed"}, Outcome.FAILED),
        ({"state": "ERROR"}, Outcome.FAILED),
        ({"Status": "TIMED_OUT"}, Outcome.FAILED),
        ({"result": "Denied"}, Outcome.DENIED),
        ({"status": "Complete"}, Outcome.SUCCESS),
        ({"status": {"code": 1}}, Outcome.SUCCESS),
        ({"keyId": "failed"}, Outcome.SUCCESS),
    ],
)
def test_a_services_event_says_how_it_ended(details: dict[str, Any], outcome: Outcome) -> None:
    """Its own state is all it has."""
    event = {"eventType": "AwsServiceEvent", "eventName": "CredentialVerification"}

    assert outcome_of({**event, "serviceEventDetails": details}) is outcome


def test_key_of_a_cloudhsm_store_is_deleted_even_if_its_copies_are_not() -> None:
    """KMS has deleted the key; what is left in the cluster stands in additionalEventData, and changes nothing."""
    more = {"backingKeysDeletionStatus": '[{"cloudHsmClusterId":"cluster-1","deletionStatus":"FAILURE"}]'}
    fields = {"eventType": "AwsServiceEvent", "eventName": "DeleteKey", "additionalEventData": more}

    assert outcome_of(fields) is Outcome.SUCCESS


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        (batch({"names": ["a", "b"]}, {"invalidParameters": ["a", "b"], "deletedParameters": []}), Outcome.FAILED),
        (batch({"names": ["a", "b"]}, {"invalidParameters": ["a"], "deletedParameters": ["b"]}), Outcome.SUCCESS),
        (batch({"entries": [{}]}, {"failed": [{"message": "no"}], "successful": []}), Outcome.FAILED),
        (batch({"targets": [{}, {}]}, {"failedEntryCount": 1, "failedEntries": [{}]}), Outcome.SUCCESS),
        (batch({"targets": [{}, {}]}, {"failedEntryCount": 2, "failedEntries": [{}, {}]}), Outcome.FAILED),
        (batch({"accountIds": ["1"]}, {"unprocessedAccounts": [{"accountId": "1"}]}), Outcome.FAILED),
        (batch({"ids": ["1"]}, {"errors": [{}]}), Outcome.FAILED),
        (batch({"ids": ["1"]}, {"errors": []}), Outcome.SUCCESS),
        (batch({"name": "a"}, {"errors": [{}]}), Outcome.SUCCESS),
        (batch(None, {"failed": [{}]}), Outcome.SUCCESS),
    ],
)
def test_a_batch_fails_only_if_all_of_it_did(fields: dict[str, Any], outcome: Outcome) -> None:
    """A name that does not exist, added to a request, must not hide what was deleted beside it."""
    assert outcome_of(fields) is outcome


def test_what_a_caller_can_name_is_no_failure() -> None:
    """A resource whose state is failed, or called so, was still made."""
    answer = {"status": "Failed", "name": "failed", "CreateDocument": {"status": "Failed"}}

    fields = {"eventType": "AwsApiCall", "eventName": "CreateDocument", "responseElements": answer}

    assert outcome_of(fields) is Outcome.SUCCESS


@pytest.mark.parametrize("section", ["responseElements", "serviceEventDetails", "additionalEventData"])
@pytest.mark.parametrize("odd", [None, 7, "Failure", [], [{"status": "Failed"}], {"status": ["Failed"]}])
def test_odd_sections_are_no_failure(section: str, odd: object) -> None:
    """No record may cost its hit by being odd."""
    assert outcome_of({"eventName": "DisableKey", section: odd}) is Outcome.SUCCESS


def test_prefilter_takes_every_outcome_for_possible_that_there_is() -> None:
    """What it rules out is never looked at."""
    without_code = [{}, {"errorMessage": "x"}, {"errorMessage": "access denied"}]

    assert {outcome_of(fields) for fields in without_code} == set(possible_outcomes(""))
    assert possible_outcomes("AccessDenied") == (Outcome.DENIED,)


@pytest.mark.parametrize("state", sorted(DENIED_STATES | FAILED_STATES))
def test_each_state_of_a_failure_has_a_word_that_is_looked_for(state: str) -> None:
    """The prefilter takes an answer without such a word for a success: a rule on denials would not see the record."""
    for answer in ({"status": state.upper()}, {"DeleteThing": state.title()}):
        text = json.dumps(answer).encode()

        assert outcomes_by_json(b"", b"", b"", b"", text) is None
        assert outcomes_by_json(b"", b"", text.replace(b"e", rb"\u0065"), b"", b"") is None
    assert outcomes_by_json(b"", b"", b'{"status":"Success"}', b"", b'{"state":"ok"}') == (Outcome.SUCCESS,)


@pytest.mark.parametrize("part", FAILED_LIST.pattern.split("|"))
def test_each_list_of_failures_has_a_word_that_is_looked_for(part: str) -> None:
    """The same for a batch of which nothing worked."""
    text = json.dumps({f"{part.title()}edEntries": [{}]}).encode()

    assert outcomes_by_json(b"", b"", text, b"", b"") is None
