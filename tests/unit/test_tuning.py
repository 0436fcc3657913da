"""`rules tune` drafts the narrowest exception, proves it, and refuses what would mute more than was false."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.shipped import shipped_cases, shipped_rules
from tests.unit.conftest import RULE
from trailbell.cli.rules.tune import all_cases
from trailbell.cloudtrail.origin import Place
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.detect import HitDetector
from trailbell.lookback.tuning import JudgedHit, Refusal, judged_hit, narrowest
from trailbell.rulebook.cases import BASE_RECORD, CASE_SETTINGS, Case, merged
from trailbell.rulebook.documents import Document
from trailbell.rulebook.exceptions import apply_exceptions
from trailbell.rulebook.source import judge_documents
from trailbell.rulebook.tune import Answerable, Judged, Tuned, tune


TODAY = date(2026, 9, 1)
ANSWERABLE = Answerable("ops@example.com", "The rotator.", date(2026, 12, 31))
ACCOUNT = "111122223333"
ROTATOR = f"arn:aws:iam::{ACCOUNT}:role/rotator"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/00000000-0000-4000-8000-000000000001"


def hit(number: int = 1, **members: Any) -> JudgedHit:
    base = JudgedHit(
        hit_id=f"{ACCOUNT}/e-{number}/act",
        rule_ids=(RULE.rule_id,),
        actor=ROTATOR,
        role=ROTATOR,
        resources=(KEY,),
        account=ACCOUNT,
        region="eu-central-1",
        call="DisableKey",
        agent="Boto3/1.44 md/x",
        place=Place("", "a.json.gz", number),
    )
    return replace(base, **members)


def drafted(false: Sequence[JudgedHit], *, confirmed: Sequence[JudgedHit] = (), cases: Sequence[Case] = ()) -> Any:
    return tune(RULE, Judged(false, confirmed, {}), cases, CASE_SETTINGS, ANSWERABLE, TODAY)


def taken(draft: Tuned, tmp_path: Path, *records: dict[str, Any]) -> list[bool]:
    """Whether the draft, read as a file of exceptions/, mutes the hits of records."""
    path = tmp_path / draft.name
    path.write_text(draft.content, encoding="utf-8")
    documents = [one for one in judge_documents(path) if isinstance(one, Document)]
    applied = apply_exceptions((RULE,), documents, CASE_SETTINGS, TODAY)
    assert applied.errors == ()
    detector = HitDetector(Rulebook(applied.rules))
    found = [detector.detect_record(one, "2026-09-01T10:00:00Z") for one in records]
    assert all(found)
    return [bool(one and one.muted_by) for one in found]


def record(role: str = "rotator", **changes: Any) -> dict[str, Any]:
    identity = {
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/x",
        "sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "userName": role}},
    }
    members = {
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "awsRegion": "eu-central-1",
        "userAgent": "Boto3/1.50",
        "resources": [{"ARN": KEY}],
        "userIdentity": identity,
    }
    return merged(merged(BASE_RECORD, members), changes)


def test_takes_what_was_false_and_nothing_beside_it(tmp_path: Path) -> None:
    """Another role, key, Region, account or agent still alerts."""
    draft = drafted([hit(1), hit(2)])

    assert isinstance(draft, Tuned)
    assert (draft.takes, draft.without_record) == (2, 2)
    assert taken(
        draft,
        tmp_path,
        record(),
        record("admin"),
        record(resources=[{"ARN": KEY.replace("0001", "0002")}]),
        record(awsRegion="us-east-1"),
        record(recipientAccountId="444455556666"),
        record(userAgent="curl/8"),
    ) == [True, False, False, False, False, False]


def test_several_actors_are_several_selections(tmp_path: Path) -> None:
    """The union of what each did, not every actor with every key."""
    other = KEY.replace("0001", "0002")
    nightly = f"arn:aws:iam::{ACCOUNT}:role/nightly"
    draft = drafted([hit(1), hit(2, actor=nightly, role=nightly, resources=(other,))])

    assert isinstance(draft, Tuned)
    assert "condition: not 1 of expected_*" in draft.content
    assert taken(
        draft, tmp_path, record(), record("nightly", resources=[{"ARN": other}]), record("nightly"), record("admin")
    ) == [True, True, False, False]


def test_many_sessions_of_one_role_are_the_role() -> None:
    """A permission set's persons are excepted by its role."""
    sso = f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef"
    draft = drafted([hit(number, actor=f"person-{number}", role=sso) for number in range(6)])

    assert isinstance(draft, Tuned)
    assert "facts.actor.role" in draft.content
    assert "facts.actor.key" not in draft.content


def test_many_resources_below_one_folder_are_the_folder() -> None:
    """Parameters of one application; a folder of the kind alone says nothing."""
    arn = f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/"
    below = drafted([hit(number, resources=(f"{arn}app/{number}",)) for number in range(7)])
    apart = drafted([hit(number, resources=(f"{arn}{number}/x",)) for number in range(7)])

    assert f'facts.resources|startswith: "{arn}app/"' in below.content
    assert "facts.resources" not in apart.content


@pytest.mark.parametrize(
    ("false", "says"),
    [
        ([], "no hit of kms-key-disabled is resolved as false"),
        ([hit(actor="root:111122223333", role="")], "root user"),
        ([hit(actor="evil\u202e")], "cannot see"),
        ([hit(number, actor=f"a-{number}", role="", resources=(f"r-{number}",)) for number in range(9)], "9 actors"),
        ([hit(actor="", role="", resources=())], "1 actors"),
    ],
)
def test_refuses_what_would_mute_the_rule(false: list[JudgedHit], says: str) -> None:
    """Muting everything is no tuning."""
    refusal = drafted(false)

    assert isinstance(refusal, Refusal)
    assert says in refusal.reason


def test_refuses_with_the_confirmed_hit_that_stands_against_it() -> None:
    """The same actor did the same to the same key, and that was right."""
    refusal = drafted([hit(1)], confirmed=[hit(2, actor="other"), hit(3)])

    assert isinstance(refusal, Refusal)
    assert refusal.hit_id == hit(3).hit_id


@pytest.mark.parametrize(
    ("unknown", "may_be_taken"),
    [
        ({"agent": ""}, True),
        ({"agent": "[redacted]"}, True),
        ({"resources": ()}, True),
        ({"resources": ("other",), "named": ("other", KEY.upper())}, True),
        ({"resources": ("other",)}, False),
        ({"region": "us-east-1"}, False),
        ({"actor": "arn:aws:iam::111122223333:role/admin"}, False),
    ],
)
def test_confirmed_hit_without_a_record_is_spared_only_if_it_surely_is(
    unknown: dict[str, Any], may_be_taken: bool
) -> None:
    """What a hit does not say may be so: a proof that guesses is none."""
    drafted_or_not = drafted([hit(1)], confirmed=[hit(2, **unknown)])

    assert isinstance(drafted_or_not, Refusal) is may_be_taken


def test_refuses_with_the_case_that_stands_against_it() -> None:
    """What the rule is proved to report stays reported."""
    case = Case(Path("aws_kms_key_disabled.yml"), "Somebody disables a key", True, record(), None, None)

    refusal = drafted([hit(1)], cases=[case])

    assert isinstance(refusal, Refusal)
    assert "Somebody disables a key" in refusal.hit_id


@pytest.mark.slow
def test_shipped_cases_are_all_asked() -> None:
    """Who resolves as false just what a case has is told of a case, whichever rule's it is."""
    rule = next(rule for rule in shipped_rules() if rule.name == "kms-key-disabled")
    case = next(case for case in shipped_cases(rule.stem) if case.match)
    found = HitDetector(Rulebook((rule,))).detect_record(case.record, "2026-09-01T10:00:00Z")
    assert found
    one = judged_hit(found)
    cases = all_cases()

    refusal = tune(rule, Judged([one], [], {one.hit_id: case.record}), cases, CASE_SETTINGS, ANSWERABLE, TODAY)

    assert len(cases) > 500
    assert isinstance(refusal, Refusal)
    assert "the record of a case that it reports would be muted" in refusal.reason
    assert ".yml:" in refusal.hit_id


def test_refuses_where_the_record_says_something_else_than_the_hit() -> None:
    """A hit's names are cut and hidden; what is deployed looks at the record."""
    judged = Judged([hit(1)], [], {hit(1).hit_id: record("somebody-else")})

    refusal = tune(RULE, judged, (), CASE_SETTINGS, ANSWERABLE, TODAY)

    assert isinstance(refusal, Refusal)
    assert refusal.hit_id == hit(1).hit_id


def test_trails_rules_are_never_tuned() -> None:
    """Muting one would hide an attack on the alerter."""
    refusal = tune(replace(RULE, name="trail-stopped"), Judged([hit()], [], {}), (), CASE_SETTINGS, ANSWERABLE, TODAY)

    assert isinstance(refusal, Refusal)


def test_draft_without_an_owner_is_refused_until_it_is_filled_in(tmp_path: Path) -> None:
    """Only a person knows who answers for it."""
    unfilled = Answerable("FILL IN who", "FILL IN why", date(2026, 12, 31))
    draft = tune(RULE, Judged([hit()], [], {}), (), CASE_SETTINGS, unfilled, TODAY)
    assert isinstance(draft, Tuned)
    path = tmp_path / draft.name
    path.write_text(draft.content, encoding="utf-8")

    documents = [one for one in judge_documents(path) if isinstance(one, Document)]

    assert "fill in owner, reason" in apply_exceptions((RULE,), documents, CASE_SETTINGS, TODAY).errors[0]


_NAMES = st.sampled_from(["a", "b", "c*", "d?", "e\\", "f: g", 'h"', "#i", "j'", "- k"])
_HITS = st.lists(
    st.builds(
        lambda number, actor, resource, call, agent: hit(
            number,
            actor=f"arn:aws:iam::{ACCOUNT}:role/{actor}",
            role=f"arn:aws:iam::{ACCOUNT}:role/{actor}",
            resources=(f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/{resource}/{number}",),
            call=call,
            agent=agent,
        ),
        st.integers(0, 50),
        _NAMES,
        _NAMES,
        st.sampled_from(["DisableKey", "PutKeyPolicy"]),
        st.sampled_from(["Boto3/1", "aws-cli/2", "", "odd agent/1"]),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=examples(60), deadline=None)
@given(false=_HITS)
def test_every_draft_takes_all_false_hits_and_no_stranger(false: list[JudgedHit]) -> None:
    """Whatever the names are, wildcards and YAML's own characters among them; tune itself proves the first half."""
    stranger = hit(99, actor="somebody", role="else", resources=("arn:aws:kms:eu-central-1:1:key/other",))

    draft = drafted(false, confirmed=[stranger])

    if isinstance(draft, Refusal):
        assert isinstance(narrowest(false), Refusal)
    else:
        assert (draft.takes, draft.spares) == (len(false), 1)
