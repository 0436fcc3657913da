"""`trailbell actor`: who is one principal by AWS's own word, what is an inference, and the story in any order."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.cli.main import cli
from trailbell.lookback.acts import Act, act_of_hit, act_of_record
from trailbell.lookback.principals import Named, Network, choices, named_by
from trailbell.lookback.profile import profile_of
from trailbell.rulebook.cases import BASE_RECORD, merged


ACCOUNT, OTHER = "111122223333", "444455556666"


def session(role: str, name: str, key: str, number: int = 0, account: str = ACCOUNT, **more: Any) -> dict[str, Any]:
    """A call of a role's session, with these credentials."""
    identity = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}",
        "principalId": f"AROA{role.upper()}:{name}",
        "accountId": account,
        "accessKeyId": key,
        "sessionContext": {
            "sessionIssuer": {"userName": role, "arn": f"arn:aws:iam::{account}:role/{role}"},
            "attributes": {},
            **more.pop("context", {}),
        },
        **more.pop("identity", {}),
    }
    return {**call(number, **more), "userIdentity": identity}


def user(name: str, key: str, number: int = 0, **more: Any) -> dict[str, Any]:
    """A call of an IAM user."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    identity = {"type": "IAMUser", "userName": name, "arn": arn, "accountId": ACCOUNT, "accessKeyId": key}
    return {**call(number, **more), "userIdentity": identity}


def call(number: int = 0, **more: Any) -> dict[str, Any]:
    base = {
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "eventID": f"ca7e0000-0000-4000-8000-{number:012d}",
        "eventTime": f"2026-09-01T09:{number % 60:02d}:00Z",
    }
    return merged(merged(BASE_RECORD, base), more)


def assume(by: dict[str, Any], issued: str) -> dict[str, Any]:
    """The same caller's AssumeRole, which was given an access key."""
    answer = {"credentials": {"accessKeyId": issued}}
    return {**by, "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "responseElements": answer}


def network_of(*records: dict[str, Any]) -> tuple[Network, list[Act]]:
    network, acts = Network(), [act_of_record(one) for one in records]
    for act in acts:
        network.add(act)
    return network, acts


def linked_names(network: Network, given_name: str) -> dict[str, tuple[bool, str]]:
    """Access keys of what is linked to a name, whether stated, and why."""
    links = network.linked(network.named(given_name))
    return {who.access_key: (link.is_stated, link.why) for who, link in links.items()}


CHAIN = (
    assume(user("alice", "AKIAEXAMPLEALICE0001", 1), "ASIAEXAMPLE0000FRST1"),
    assume(session("Jump", "alice-laptop", "ASIAEXAMPLE0000FRST1", 2), "ASIAEXAMPLE00000SEC2"),
    session("Admin", "xyz", "ASIAEXAMPLE00000SEC2", 3, OTHER),
    session("Admin", "xyz", "ASIAEXAMPLE0000OTHR3", 4, OTHER),
    user("bob", "AKIAEXAMPLE000BOB001", 5),
)


def test_chain_of_roles_is_one_person_by_what_aws_issued() -> None:
    """AWS gave the credentials to her calls, one after the other; another session of the same name is an inference."""
    network, _ = network_of(*CHAIN)

    links = linked_names(network, "alice")

    assert {key: stated for key, (stated, _) in links.items()} == {
        "ASIAEXAMPLE0000FRST1": True,
        "ASIAEXAMPLE00000SEC2": True,
        "ASIAEXAMPLE0000OTHR3": False,
    }
    assert links["ASIAEXAMPLE0000OTHR3"][1] == "its session has the same name, xyz"


def test_chain_is_followed_back_from_its_end() -> None:
    """Who begins at the last session finds who is behind it."""
    network, _ = network_of(*CHAIN)

    links = linked_names(network, "SEC2")

    assert links["AKIAEXAMPLEALICE0001"][0]
    assert "AKIAEXAMPLE000BOB001" not in links


def test_source_identity_and_identity_center_and_shared_events_link() -> None:
    """Three ways in which AWS itself says that it is one."""
    network, _ = network_of(
        session("A", "one", "ASIAEXAMPLE111111111", 1, context={"sourceIdentity": "dana"}),
        session("B", "two", "ASIAEXAMPLE222222222", 2, OTHER, context={"sourceIdentity": "dana"}),
        session("C", "three", "ASIAEXAMPLE333333333", 3, identity={"onBehalfOf": {"userId": "u-1"}}),
        session("D", "four", "ASIAEXAMPLE444444444", 4, identity={"onBehalfOf": {"userId": "u-1"}}),
        session("E", "five", "ASIAEXAMPLE555555555", 5, sharedEventID="shared-1"),
        session("F", "six", "ASIAEXAMPLE666666666", 6, OTHER, sharedEventID="shared-1"),
    )

    assert linked_names(network, "one") == {"ASIAEXAMPLE222222222": (True, "source identity dana")}
    assert linked_names(network, "three") == {
        "ASIAEXAMPLE444444444": (True, "on behalf of Identity Center user u-1"),
    }
    assert linked_names(network, "five") == {
        "ASIAEXAMPLE666666666": (True, "both are in the records of one act, shared-1"),
    }


@pytest.mark.parametrize(
    ("name", "named"),
    [
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Jump/ci", Named.ARN),
        (f"arn:aws:iam::{ACCOUNT}:role/Jump", Named.ARN),
        (ACCOUNT, Named.ACCOUNT),
        (OTHER, None),
        ("ASIAEXAMPLE0000FRST1", Named.ACCESS_KEY),
        ("RST1", Named.ACCESS_KEY),
        ("ST1", None),
        ("CI", Named.SESSION),
        ("Dana", Named.SOURCE_IDENTITY),
        ("jump", Named.ROLE),
        ("c", None),
        ("", None),
    ],
)
def test_principal_is_named_in_many_ways(name: str, named: Named | None) -> None:
    """By what an alert, a log or a colleague says; never by a part of a name."""
    record = session("Jump", "ci", "ASIAEXAMPLE0000FRST1", context={"sourceIdentity": "dana"})

    assert named_by(act_of_record(record).who, name) is named


def test_name_of_several_is_ambiguous_unless_aws_says_they_are_one() -> None:
    """Two roles whose sessions are both called ci are two, until one was given its credentials by the other."""
    first, second = session("A", "ci", "ASIAEXAMPLE111111111", 1), session("B", "ci", "ASIAEXAMPLE222222222", 2)
    apart, _ = network_of(first, second)
    together, _ = network_of(assume(first, "ASIAEXAMPLE222222222"), second)

    def found(network: Network) -> int:
        named = network.named("ci")
        return len(choices(named, network.linked([next(iter(named))])))

    assert (found(apart), found(together)) == (2, 1)


RECORDS = [
    *CHAIN,
    session("Admin", "xyz", "ASIAEXAMPLE00000SEC2", 6, OTHER, errorCode="AccessDenied"),
    session("Admin", "xyz", "ASIAEXAMPLE00000SEC2", 7, OTHER, readOnly=True, eventName="ListKeys"),
    session("Admin", "xyz", "ASIAEXAMPLE00000SEC2", 8, OTHER, sourceIPAddress="203.0.113.9"),
]


@settings(max_examples=examples(100), deadline=None)
@given(order=st.permutations(RECORDS), again=st.lists(st.sampled_from(RECORDS), max_size=4))
def test_story_does_not_depend_on_order_or_repetition(
    order: Sequence[dict[str, Any]], again: Sequence[dict[str, Any]]
) -> None:
    """Log files come late and twice."""
    network, acts = network_of(*order, *again)
    straight, in_order = network_of(*RECORDS)

    assert profile_of(acts) == profile_of(in_order)
    assert network.linked(network.named("alice")).keys() == straight.linked(straight.named("alice")).keys()


def test_numbers_add_up() -> None:
    """Every act is in one service, and what is not told is counted."""
    _, acts = network_of(*RECORDS)
    profile = profile_of(acts)

    assert profile.total.calls == len(RECORDS) == sum(one.calls for one in profile.services.values())
    assert profile.total.denied == 1
    assert profile.reads == 1
    assert (profile.first, profile.last) == ("2026-09-01T09:01:00Z", "2026-09-01T09:08:00Z")
    assert sum(chapter.count for chapter in profile.story) == len(RECORDS) - profile.reads
    assert any(chapter.new == ["address 203.0.113.9"] for chapter in profile.story)


def test_hit_adds_its_rule_to_its_record(given_hit: Any) -> None:
    """A record of the bucket and its hit of the table are one act."""
    hit = given_hit()
    record = merged(BASE_RECORD, {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"})

    profile = profile_of([act_of_hit(hit), act_of_record(record)])

    assert profile.total.calls == 1
    assert [(one.rule, one.level) for one in profile.story] == [("kms-key-disabled", "high")]


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["actor", *arguments, "--logs", str(folder), "--since", "2026-01-01"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, record in enumerate(RECORDS):
        body = {"Records": [record, 7]}
        (tmp_path / f"{number}.json.gz").write_bytes(gzip.compress(json.dumps(body).encode()))
    return tmp_path


def test_command_tells_the_story(folder: Path) -> None:
    """The linked sessions are counted, the inferred one is not, and malformed records are named."""
    shown, counted = run(folder, "alice"), run(folder, "alice", "--inferred")
    document = json.loads(run(folder, "alice", "--format", "json").stdout)

    assert shown.exit_code == 0, shown.output
    assert "6 calls, 1 of them reads, 1 denied" in shown.stdout
    assert "also, by AWS's own word" in shown.stdout
    assert "perhaps, an inference" in shown.stdout
    assert "7 calls" in counted.stdout
    assert f"{len(RECORDS)} malformed records" in shown.stderr
    assert document["calls"] == 6
    assert {one["stated"]: one["counted"] for one in document["linked"]} == {True: True, False: False}


def test_ambiguous_name_lists_whom_it_may_mean(tmp_path: Path) -> None:
    """And --all takes them together."""
    records = [session("A", "ci", "ASIAEXAMPLE111111111", 1), session("B", "ci", "ASIAEXAMPLE222222222", 2)]
    (tmp_path / "a.json").write_text(json.dumps({"Records": records}))

    asked, together, nobody = run(tmp_path, "ci"), run(tmp_path, "ci", "--all"), run(tmp_path, "nobody")

    assert "role/A" in str(asked.exception)
    assert "role/B" in str(asked.exception)
    assert "2 calls" in together.stdout
    assert "nobody goes by nobody" in str(nobody.exception)


def test_hostile_names_are_data(tmp_path: Path) -> None:
    """Escapes, links and secrets in a record are one safe line, in 80 columns."""
    record = user("mallory", "AKIAEXAMPLEMALLORY01", 1, userAgent="\x1b[2J\r\nBcc: x" + "y" * 300)
    record["sourceIPAddress"] = "http://evil.example/\u202e"
    (tmp_path / "a.json").write_text(json.dumps({"Records": [record]}))

    shown = run(tmp_path, "mallory")

    assert shown.exit_code == 0, shown.output
    assert "\x1b" not in shown.stdout
    assert "http://" not in shown.stdout
    assert shown.stdout.isascii()
    assert "AKIAEXAMPLE" not in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
