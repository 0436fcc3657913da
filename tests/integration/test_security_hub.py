"""Security Hub gets each hit as one finding, whatever comes twice or late, and says who must act where it is off."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.asff_model import faults
from tests.integration.conftest import HIT
from trailbell.alerts.alert import Alert
from trailbell.alerts.batches import SECONDS
from trailbell.alerts.channels.security_hub import SecurityHub
from trailbell.alerts.finding import Finding
from trailbell.engine.rulebook import Level
from trailbell.errors import ChannelError
from trailbell.hits.follow_up import FollowUp, What
from trailbell.hits.hit import ACT, Hit, raised


GivenHit = Callable[..., Hit]
ACCOUNT = "123456789012"  # moto's
PRODUCT = f"arn:aws:securityhub:eu-central-1:{ACCOUNT}:product/{ACCOUNT}/default"
UNDONE = FollowUp(What.UNDONE, "undone", "2026-09-15T10:02:00Z", "undone", "role Ops", "ops", "EnableKey", "e-9")
REMINDER = FollowUp(What.REMINDER, "reminder-24h", "2026-09-15T10:06:00Z")


def hub(client: Any, **options: Any) -> SecurityHub:
    return SecurityHub(client, PRODUCT, Level.MEDIUM, **options)


@pytest.fixture
def client(aws: None) -> Any:
    client = boto3.client("securityhub")
    client.enable_security_hub()
    return client


def test_each_hit_is_a_finding_of_the_default_product(client: Any, given_hit: GivenHit) -> None:
    """The act's account may be another one; Security Hub takes findings of its own account alone."""
    hits = (given_hit(1, account="444455556666"), given_hit(2, account="444455556666"))

    hub(client).notify(Alert(hits))

    findings = client.get_findings()["Findings"]
    assert [one["Id"] for one in findings] == [f"trailbell/{Finding(hit).uid}" for hit in hits]
    assert {(one["ProductArn"], one["AwsAccountId"], one["RecordState"]) for one in findings} == {
        (PRODUCT, ACCOUNT, "ACTIVE")
    }
    assert {one["ProductFields"]["trailbell/account"] for one in findings} == {"444455556666"}


def test_same_alert_again_is_the_same_finding(client: Any, given_hit: GivenHit) -> None:
    """What a crash repeats must change nothing."""
    hub(client).notify(Alert((given_hit(),)))
    first = json.dumps(client.get_findings()["Findings"])

    hub(client).notify(Alert((given_hit(),), as_of="2026-09-15T11:00:00Z"))

    assert json.dumps(client.get_findings()["Findings"]) == first


def test_finding_is_archived_when_the_act_is_undone(client: Any, given_hit: GivenHit) -> None:
    """RecordState is ours to say, Workflow the customer's."""
    hit = given_hit(kept_as=ACT)
    hub(client).notify(Alert((hit,)))
    (before,) = client.get_findings()["Findings"]

    hub(client).notify(Alert((hit,), follow_ups=(UNDONE,), as_of="2026-09-15T10:09:00Z"))

    (after,) = client.get_findings()["Findings"]
    assert (before["RecordState"], after["RecordState"]) == ("ACTIVE", "ARCHIVED")
    assert after["Id"] == before["Id"]
    assert after["Description"].startswith("Undone by role Ops (EnableKey), 2026-09-15T10:02:00Z. ")
    assert datetime.fromisoformat(after["UpdatedAt"]) > datetime.fromisoformat(before["UpdatedAt"])
    assert "Workflow" not in after


@pytest.mark.parametrize("word", ["replaced", "stopped", "answered"])
def test_act_that_is_not_undone_stays_active(client: Any, given_hit: GivenHit, word: str) -> None:
    """Such a hit stays open: somebody has to look."""
    said = replace(UNDONE, name=word, word=word)

    hub(client).notify(Alert((given_hit(),), follow_ups=(said,)))

    (finding,) = client.get_findings()["Findings"]
    assert finding["RecordState"] == "ACTIVE"
    assert finding["ProductFields"]["trailbell/followUp"] == word


class NewestWins:
    """Security Hub's own rule for a finding that it has: what is not newer is ignored, and what comes is checked.

    https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
    """

    def __init__(self) -> None:
        self.findings: dict[str, dict[str, Any]] = {}

    def batch_import_findings(self, *, Findings: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (the API's name)
        for finding in Findings:
            assert faults(finding) == []
            known = self.findings.get(finding["Id"])
            if not known or time_of(finding) > time_of(known):
                self.findings[finding["Id"]] = finding
        return {"FailedCount": 0, "SuccessCount": len(Findings)}


def time_of(finding: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(finding["UpdatedAt"])


def life(hit: Hit) -> list[Alert]:
    """What is sent of an act in the order of its sending: the undo was made before the reminder, and read after it."""
    graver = raised(replace(hit, level="critical", seen_at="2026-09-15T10:04:00Z"), "high", "kms-key-disabled")
    return [
        Alert((hit,), as_of="2026-09-15T10:04:01Z"),
        Alert((graver,), as_of="2026-09-15T10:04:01Z"),
        Alert((hit,), follow_ups=(REMINDER,), as_of="2026-09-15T10:06:01Z"),
        Alert((hit,), follow_ups=(UNDONE,), as_of="2026-09-15T10:09:00Z"),
    ]


@pytest.mark.parametrize("until", range(1, 5))
def test_any_order_ends_in_the_same_finding(given_hit: GivenHit, until: int) -> None:
    """Retries, redrives and a second notifier change the order; not what is known in the end."""
    sent = life(given_hit(kept_as=ACT))[:until]
    ends = set()
    for order in itertools.permutations([*sent, *sent[:2]]):
        client = NewestWins()
        for alert in order:
            hub(client).notify(alert)
        ends.add(json.dumps(client.findings))

    (end,) = ends
    (finding,) = json.loads(end).values()
    assert finding["RecordState"] == ("ARCHIVED" if until == 4 else "ACTIVE")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_grouping_ends_in_the_same_findings(data: st.DataObject) -> None:
    """A batch that comes back may group its hits in another way."""
    given_hits = [replace(HIT, event_id=f"e-{number}", kept_as=ACT) for number in range(6)]
    expected = NewestWins()
    for hit in given_hits:
        hub(expected).notify(Alert((hit,)))

    client = NewestWins()
    left = data.draw(st.permutations(given_hits))
    while left:
        count = data.draw(st.integers(1, len(left)))
        hub(client).notify(Alert(tuple(left[:count])))
        left = left[count - data.draw(st.integers(0, 1)) if count > 1 else count :]

    assert client.findings == expected.findings


class Recording:
    """A client that remembers its requests; `refuse`: ids of findings that are refused."""

    def __init__(self, refuse: tuple[str, ...] = (), code: str = "InvalidInput") -> None:
        self.requests: list[list[dict[str, Any]]] = []
        self._refuse, self._code = refuse, code
        self.exceptions = boto3.client("securityhub").exceptions

    def batch_import_findings(self, *, Findings: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (the API's name)
        self.requests.append(Findings)
        failed = [
            {"Id": one["Id"], "ErrorCode": self._code, "ErrorMessage": "no"}
            for one in Findings
            if one["Id"] in self._refuse
        ]
        return {"FailedCount": len(failed), "SuccessCount": len(Findings) - len(failed), "FailedFindings": failed}


def test_storm_goes_in_batches_of_a_hundred(given_hit: GivenHit) -> None:
    """More at once are refused as a whole."""
    client = Recording()

    hub(client).notify(Alert(tuple(map(given_hit, range(250)))))

    assert [len(one) for one in client.requests] == [100, 100, 50]
    assert len({finding["Id"] for request in client.requests for finding in request}) == 250
    assert all(len(json.dumps(request)) < 2_500_000 for request in client.requests)


def test_refused_findings_are_counted_and_named(given_hit: GivenHit) -> None:
    """BatchImportFindings answers 200 even then; who does not look has lost them."""
    hits = tuple(map(given_hit, range(150)))
    refused = tuple(f"trailbell/{Finding(hits[number]).uid}" for number in (3, 120))
    client = Recording(refused)

    with pytest.raises(ChannelError) as caught:
        hub(client).notify(Alert(hits))

    assert str(caught.value) == (
        f"security hub: 2 of 150: {refused[0]}: InvalidInput: no; {refused[1]}: InvalidInput: no"
    )
    assert len(client.requests) == 2


def test_storm_ends_when_other_alerts_wait(given_hit: GivenHit) -> None:
    """The alerts behind it must not wait for minutes; what was not sent is counted and named."""
    client, seconds = Recording(), itertools.count(step=SECONDS / 2 + 0.1)
    hits = tuple(map(given_hit, range(500)))

    with pytest.raises(ChannelError, match=r"300 of 500 were not sent: 6 seconds were over \(trailbell/") as caught:
        hub(client, clock=lambda: next(seconds)).notify(Alert(hits))

    assert f"trailbell/{Finding(hits[200]).uid}" in str(caught.value)
    assert len(client.requests) == 2


class Off:
    """Security Hub in an account that has not enabled it, in AWS's words; moto takes findings all the same."""

    def __init__(self) -> None:
        self.exceptions = boto3.client("securityhub").exceptions

    def batch_import_findings(self, **_: Any) -> dict[str, Any]:
        error = {
            "Code": "InvalidAccessException",
            "Message": f"Account {ACCOUNT} is not subscribed to AWS Security Hub",
        }
        raise self.exceptions.InvalidAccessException({"Error": error}, "BatchImportFindings")


ADVICE = (
    f"Whoever administers Security Hub enables it in account {ACCOUNT}, Region eu-central-1; "
    "until then whoever deploys may set security_hub to false"
)


def test_account_without_security_hub_is_told_who_must_act(given_hit: GivenHit) -> None:
    """The log line is all that a person sees of it."""
    with pytest.raises(ChannelError, match="is not subscribed to AWS Security Hub") as caught:
        hub(Off()).notify(Alert((given_hit(),)))

    assert str(caught.value).endswith(ADVICE)


def test_findings_refused_one_by_one_for_it_say_so_too(given_hit: GivenHit) -> None:
    """Where the integration is off each finding is refused instead of the request."""
    ids = tuple(f"trailbell/{Finding(given_hit(number)).uid}" for number in range(2))

    with pytest.raises(ChannelError) as caught:
        hub(Recording(ids, "InvalidAccess")).notify(Alert((given_hit(0), given_hit(1))))

    assert str(caught.value).startswith("security hub: 2 of 2: ")
    assert str(caught.value).endswith(ADVICE)


@pytest.mark.parametrize(("level", "expected"), [("low", False), ("medium", True), ("critical", True)])
def test_hub_gets_alerts_from_its_level_on(given_hit: GivenHit, level: str, expected: bool) -> None:
    """A team that is sent everything reads nothing."""
    assert hub(None).wants(Alert((given_hit(level=level),))) is expected
