"""The subject of each shipped rule, also where everything beside its title is as long as can be."""

from collections import Counter
from dataclasses import replace

import pytest

from trailbell.alerts.subject import mail_subject
from trailbell.engine.rulebook import SHORT_TITLE, Level, Rule

from .rule_hits import hit_of, matching_records


RECORDS = matching_records()
ACTOR = "role/cdk-hnb659fds-cloudformation-exec-role-111122223333-ap-northeast-1"
RESOURCE = "arn:aws:ssm:ap-northeast-1:111122223333:parameter/application/production/database/password"


def _title(rule: Rule) -> str:
    return rule.short or rule.title


def test_every_rule_has_a_title_that_fits_into_a_subject_and_is_its_own() -> None:
    """A title that is cut reads like the one of another rule."""
    assert [rule.name for rule, _ in RECORDS if len(_title(rule)) > SHORT_TITLE] == []
    assert [title for title, count in Counter(_title(rule).lower() for rule, _ in RECORDS).items() if count > 1] == []
    assert [rule.name for rule, _ in RECORDS if rule.short == rule.title] == []


@pytest.mark.parametrize(("rule", "record"), [pytest.param(*pair, id=pair[0].name) for pair in RECORDS])
@pytest.mark.parametrize(("count", "before"), [(1, ""), (12, ""), (3, "medium")])
def test_worst_subject_still_says_level_what_which_and_who(
    rule: Rule, record: dict[str, object], count: int, before: str
) -> None:
    """The longest level, account, resource and actor: the title stays whole, and both names tell what they name."""
    hit = hit_of(rule, record)
    actor = replace(hit.actor, name=ACTOR, key=ACTOR)
    hit = replace(
        hit,
        level=Level.CRITICAL.word,
        raised_from=before,
        actor=actor,
        resources=(RESOURCE, "other"),
        acted_on=(),
        region="ap-northeast-1",
    )

    subject = mail_subject([hit] * count)

    head, _, rest = subject.partition("] ")
    assert head == "[CRITICAL" + (f", WAS {before.upper()}" if before else "")
    assert f"{_title(rule)}: " in rest
    assert "word +1 by cdk" in rest
    assert "~" in rest
    where = rest.rpartition(", ")[2]
    assert where in (f"{hit.account} #{hit.short_id}", f"{hit.account} apne1 #{hit.short_id}")
