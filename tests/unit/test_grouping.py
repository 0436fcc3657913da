"""Hits become alerts: a storm is one, and nobody's level or account is lost in it."""

from collections.abc import Callable
from dataclasses import replace

from trailbell.alerts.grouping import MAX_ACTORS, group_hits
from trailbell.hits.hit import Hit


GivenHit = Callable[..., Hit]


def by_actors(hit: Hit, count: int, **changes: object) -> list[Hit]:
    """The act of a hit, done once by each of so many actors."""
    actors = [replace(hit.actor, key=f"arn:aws:iam::111122223333:user/{n}") for n in range(count)]
    return [replace(hit, event_id=f"e-{n}", actor=actor, **changes) for n, actor in enumerate(actors)]  # type: ignore[arg-type]  # changes are members of Hit


def test_hits_are_grouped_by_rule_actor_and_account(given_hit: GivenHit) -> None:
    """A storm of one actor is one message; two actors are two."""
    storm = [given_hit(eventID=f"e-{n}", eventTime=f"2026-09-01T09:00:{59 - n:02}Z") for n in range(30)]
    other = given_hit(eventID="f", userIdentity={"type": "IAMUser", "arn": "arn:u", "userName": "ci"})
    critical = replace(given_hit(eventID="g"), rule_id="r2", level="critical")

    alerts = group_hits([*storm, other, critical])

    assert [len(alert.hits) for alert in alerts] == [1, 30, 1]
    assert alerts[0].sample is critical
    assert [hit.event_time for hit in alerts[1].hits] == sorted(hit.event_time for hit in storm)


def test_few_actors_are_told_apart_and_many_together(given_hit: GivenHit) -> None:
    """Ten mails can be read; an eleventh makes a storm, whose one mail holds every hit."""
    few = by_actors(given_hit(), MAX_ACTORS)
    many = by_actors(given_hit(), MAX_ACTORS + 1)

    assert [len(alert.hits) for alert in group_hits(few)] == [1] * MAX_ACTORS
    (storm,) = group_hits(many)
    assert set(storm.hits) == set(many)


def test_storm_never_mixes_rules_levels_or_accounts(given_hit: GivenHit) -> None:
    """A subscription to criticals, or to one account, must be told of every hit it asked for."""
    kinds: list[dict[str, object]] = [{}, {"level": "critical"}, {"account": "444455556666"}, {"rule_id": "r2"}]
    hits = [hit for changes in kinds for hit in by_actors(given_hit(), 100, **changes)]

    alerts = group_hits(hits)

    assert [len(alert.hits) for alert in alerts] == [100] * 4
    for alert in alerts:
        assert len({(hit.rule_id, hit.level, hit.account) for hit in alert.hits}) == 1


def test_persons_of_one_permission_set_are_alerts_of_their_own(given_hit: GivenHit) -> None:
    """One alert named the first of them three times, and the others nowhere."""
    name = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
    people = ("dana", "erin", "frank")
    issuer = {"arn": f"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/{name}", "userName": name}
    hits = [
        given_hit(
            eventID=f"e-{person}-{n}",
            userIdentity={
                "arn": f"arn:aws:sts::111122223333:assumed-role/{name}/{person}",
                "sessionContext": {"sessionIssuer": issuer},
            },
        )
        for person in people
        for n in range(2)
    ]

    alerts = group_hits(hits)

    assert sorted((alert.sample.actor.name, len(alert.hits)) for alert in alerts) == [(one, 2) for one in people]
