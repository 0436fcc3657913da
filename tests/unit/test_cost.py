"""What rules would have cost, and the exceptions that are proposed for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from trailalert.core.cost import Act, Cost, RuleCost, act_of
from trailalert.core.grouping import group_hits
from trailalert.core.hit import Hit
from trailalert.core.matcher import Matcher, matching
from trailalert.core.rulebook import Rule
from trailalert.rulebook.draft import draft_exception
from trailalert.rulebook.exceptions import apply_exceptions, read_exceptions
from trailalert.rulebook.placeholders import read_placeholders


TODAY = date(2026, 11, 26)


def given_acts(act: Act, count: int, **changes: object) -> list[Act]:
    return [replace(act, identity=f"{changes} {number}", **changes) for number in range(count)]  # type: ignore[arg-type]


@pytest.fixture
def act(given_hit: Callable[..., Hit]) -> Act:
    return act_of(given_hit())


def cost_of(*acts: Act) -> RuleCost:
    cost = Cost()
    for act in acts:
        cost.add(act)
    (rule,) = cost
    return rule


def given_hits(acts: list[Act], given_hit: Callable[..., Hit]) -> list[Hit]:
    """Hits of such acts."""
    base = given_hit()
    return [
        replace(base, event_id=str(number), actor=replace(base.actor, key=act.actor)) for number, act in enumerate(acts)
    ]


def test_an_act_counts_once_and_a_storm_is_one_alert(act: Act, given_hit: Callable[..., Hit]) -> None:
    """Overlapping trails must not make a rule look worse than it is; neither must twelve calls in a minute."""
    storm = given_acts(act, 12)
    later = given_acts(act, 1, event_time="2026-09-02T11:00:00Z")
    other = given_acts(act, 1, actor="someone else")
    muted = given_acts(act, 3, muted=True)

    cost = cost_of(*storm, *storm, *later, *other, *muted)

    crowd = [replace(act, identity=f"crowd {number}", actor=f"actor {number}") for number in range(40)]

    assert (cost.hits, cost.alerts, cost.muted) == (14, 3, 3)
    assert cost_of(*crowd[:10]).alerts == 10
    assert cost_of(*crowd).alerts == len(group_hits(given_hits(crowd, given_hit))) == 1
    assert cost.days == {"2026-09-01": 13, "2026-09-02": 1}
    assert cost.top_actors(1) == [(act.actor, 13)]


def test_counters_stay_small_however_many_actors_there_are(act: Act) -> None:
    """Names in records are free for anybody to invent; who makes most hits is found all the same."""
    loud = given_acts(act, 3000)
    names = [replace(act, identity=f"{number}", actor=f"actor {number}") for number in range(6000)]

    cost = cost_of(*(one for pair in zip(names, loud * 2, strict=True) for one in pair))

    assert cost.top_actors(1) == [(act.actor, 3000)]
    assert len(cost.actors) <= 2000
    assert set(cost.names) == set(cost.actors)


def test_draft_is_refused_until_it_is_filled_in_and_then_mutes_the_actor(
    act: Act, rule: Rule, given_hit: Callable[..., Hit], tmp_path: Path
) -> None:
    """Nothing becomes quiet because a file was written and nobody looked at it."""
    name = r"arn:aws:iam::111122223333:role/C\*I?"
    draft = draft_exception(cost_of(*given_acts(act, 6, actor=name), *given_acts(act, 5, actor="x")), TODAY)
    assert draft is not None
    file = tmp_path / draft.name

    file.write_text(draft.content)
    refused = apply_exceptions([rule], read_exceptions(tmp_path)[0], read_placeholders({}), TODAY)
    file.write_text(draft.content.replace("FILL IN", "filled in"))
    applied = apply_exceptions([rule], read_exceptions(tmp_path)[0], read_placeholders({}), TODAY)

    assert len(refused.errors) == 1
    assert "is a draft: fill in owner, reason" in refused.errors[0]
    assert refused.rules == (rule,)
    assert (applied.errors, applied.expired) == ((), ())
    (candidate,) = Matcher(applied.rules).candidates({"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"})
    fields = {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}
    for actor, is_muted in ((name, True), (name.replace("*", "anything"), False), ("other", False)):
        (match,) = matching([candidate], fields, {"actor": {"key": actor}}, "2026-11-26")
        assert bool(match.muted_by) is is_muted, actor
    assert yaml.safe_load(draft.content)["expires"] == date(2026, 12, 26)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"rule": "trail-logging-stopped"}, id="rule that cannot be muted"),
        pytest.param({"actor": "root:111122223333"}, id="root user"),
        pytest.param({"actor": "arn:\u202egpj"}, id="name with characters nobody sees"),
    ],
)
def test_no_draft_where_it_would_blind(act: Act, changes: dict[str, str]) -> None:
    """A proposal is an invitation."""
    assert draft_exception(cost_of(*given_acts(act, 9, **changes)), TODAY) is None


def test_no_draft_without_an_actor_that_makes_most_hits(act: Act) -> None:
    """An exception for one of many does not make a rule quiet."""
    acts = [one for name in "abc" for one in given_acts(act, 5, actor=name)]

    assert draft_exception(cost_of(*acts), TODAY) is None
    assert draft_exception(cost_of(*given_acts(act, 4)), TODAY) is None
