"""Subjects: what tells two alerts apart is never what is cut."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.alerts.subject import SUBJECT_LIMIT, mail_subject
from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.record import make_record
from trailbell.engine.matcher import Match
from trailbell.engine.rulebook import SHORT_TITLE, Level
from trailbell.facts.facts import facts_of
from trailbell.hits.hit import Hit, make_hit
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.text.shorten import end_kept, tagged

from .conftest import RULE


GivenHit = Callable[..., Hit]
Group = list[Hit]

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_./@é漢"
_ENDING = st.text("abcdefghij0123456789", min_size=4, max_size=4)
_REGIONS = ("eu-central-1", "ap-northeast-1", "us-gov-west-1", "us-east-1", "")
RECORD = make_record(BASE_RECORD, 4)
HIT = make_hit(RECORD, facts_of(RECORD), [Match(RULE)], RULE.level, Place("b", "k", 4), "2026-09-01T09:18:57Z")


@st.composite
def _groups(draw: st.DrawFn) -> Callable[[Hit], Group]:
    """Makes an alert's hits of a hit: of any level, title, number, resources and actor, short or long."""
    title = draw(st.text("ABC def", min_size=4, max_size=SHORT_TITLE).map(str.strip).filter(bool))
    prefix = draw(st.sampled_from(("arn:aws:ssm:us-east-1:1:parameter/", "arn:aws:kms:us-east-1:1:key/mrk-", "")))
    resource = prefix + draw(st.text(_LETTERS[:40], max_size=80)) + draw(_ENDING)
    others = tuple(f"other-{number}" for number in range(draw(st.integers(0, 12))))
    name = draw(st.sampled_from(("role/", ""))) + draw(st.text(_LETTERS, min_size=1, max_size=64))
    level = draw(st.sampled_from(Level)).word
    region, before = draw(st.sampled_from(_REGIONS)), draw(st.sampled_from(("", "", "low", "medium", "high")))
    count = draw(st.sampled_from((1, 1, 2, 12, 999)))

    def make(hit: Hit) -> Group:
        actor = replace(hit.actor, name=name, key=f"arn:aws:iam::111122223333:{name}")
        texts = {"short_title": title, "level": level, "region": region, "raised_from": before}
        return [replace(hit, actor=actor, resources=(resource, *others), **texts)] * count

    return make


def _said(hits: Group) -> str:
    """The subject without the short id, which differs anyway."""
    subject = mail_subject(hits)
    assert len(subject) <= SUBJECT_LIMIT
    assert subject.isascii()
    assert subject.isprintable()
    said, _, short_id = subject.rpartition(" #")
    assert short_id == hits[0].short_id
    return said


def _changed(hits: Group, **members: object) -> Group:
    return [replace(hit, **members) for hit in hits]  # type: ignore[arg-type]  # any member


@settings(max_examples=examples(400), deadline=None)
@given(make=_groups(), ending=_ENDING, name=st.text(_LETTERS, min_size=1, max_size=64), rule=st.integers(0, 9))
def test_alerts_that_differ_have_different_subjects(
    make: Callable[[Hit], Group], ending: str, name: str, rule: int
) -> None:
    """Level, rule, the end of the resource's name, actor, account: each alone tells two alerts apart."""
    hits = make(HIT)
    hit, said = hits[0], _said(hits)
    level = Level.HIGH.word if hit.level == Level.MEDIUM.word else Level.MEDIUM.word
    resource = hit.resources[0][:-4] + ending
    actor = replace(hit.actor, name=hit.actor.name + name, key=f"{hit.actor.key}{name}")

    assert _said(_changed(hits, level=level)) != said
    assert _said(_changed(hits, short_title=f"{rule} {hit.short_title}"[:SHORT_TITLE])) != said
    assert _said(_changed(hits, actor=actor)) != said
    assert _said(_changed(hits, account="444455556666")) != said
    assert resource == hit.resources[0] or _said(_changed(hits, resources=(resource, *hit.resources[1:]))) != said


def test_room_is_taken_from_the_region_first_then_from_names(given_hit: GivenHit) -> None:
    """A deploy role's long name, a parameter's path: what is left of them still says which."""
    hit = replace(given_hit(), kept_as="act", short_title="KMS Deletion in 7 Days", level="critical")
    alice = replace(hit.actor, name="alice@mail.example.com")
    deploy = replace(hit.actor, name="role/cdk-hnb659fds-deploy-role-111122223333-eu-central-1")
    parameter = ("arn:aws:ssm:us-east-1:111122223333:parameter/app/prod/database/password",)

    assert _said([replace(hit, actor=alice)]) == (
        "[CRITICAL] KMS Deletion in 7 Days: 1234abcd by alice@mail.example.com, 111122223333 use1"
    )
    assert _said([replace(hit, actor=deploy, resources=parameter)] * 3) == (
        "[CRITICAL] x3 KMS Deletion in 7 Days: app..se/password by cdk-hnb659fd~dnsx, 111122223333"
    )


def test_cut_names_keep_what_tells_them_apart() -> None:
    """Ends of resources, and a tag for actors: also for those whose letters ASCII does not have."""
    assert end_kept("mrk-1234abcd12ab34cd56ef1234567890ab", 16) == "mrk..234567890ab"
    assert end_kept("mrk-1234abcd12ab34cd56ef1234567890ab", 8) == "..7890ab"
    assert tagged("alice", "alice", 5) == "alice"
    assert tagged("Жанна", "1", 20) != tagged("Борис", "2", 20)
    assert tagged("josé", "1", 20) != tagged("jose", "2", 20)
