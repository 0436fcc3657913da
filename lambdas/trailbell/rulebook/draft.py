"""Drafts of exceptions, from what rules would have cost: where one actor makes most of the hits of a rule.

A draft is a whole exception but for its owner and its reason, which only a person can know; until those are filled
in it is refused (rulebook/exceptions.py). Never drafted: rules that cannot be muted, the root user, and actors whose
name holds characters that a reader cannot see.
"""

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta

from trailbell.engine.rulebook import UNMUTABLE
from trailbell.lookback.cost import RuleCost
from trailbell.text.safe_text import is_safe, one_line


FILL_IN = "FILL IN"
"""What drafts hold where only a person can know: they are no exceptions until it is gone."""

_FEWEST = 5  # hits: fewer are read more quickly than an exception is written
_LASTS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft: its file's name and content, and how many of the rule's hits it would mute."""

    name: str
    content: str
    rule: str
    mutes: int
    of: int


def draft_exception(cost: RuleCost, today: date) -> Draft | None:
    """The draft for a rule's loudest actor, None where there is nothing to propose."""
    if cost.hits < _FEWEST or cost.rule.startswith(UNMUTABLE):
        return None
    actor, hits = cost.top_actors(1)[0]
    if hits * 2 <= cost.hits or actor.startswith("root:") or not actor or not is_safe(actor):
        return None
    days = len(cost.days)
    content = f"""\
# Draft by `trailbell scan --propose-exceptions`: {hits} of {cost.hits} hits of {cost.rule} ({cost.level}) on
# {days} day{"" if days == 1 else "s"} were made by {one_line(cost.names[actor], 300)}
# It is refused until owner and reason are filled in. Before that make it narrower: say which resource, too.
title: {json.dumps(f"{cost.rule} by its loudest actor")}
logsource:
    product: aws
    service: cloudtrail
owner: {FILL_IN} who answers for this
reason: {FILL_IN} why these calls are expected
expires: {today + _LASTS}
filter:
    rules:
        - {cost.rule}
    loudest:
        facts.actor.key: {json.dumps(literal(actor), ensure_ascii=False)}
    condition: not loudest
"""
    return Draft(f"draft-{cost.rule}.yml", content, cost.rule, hits, cost.hits)


def literal(text: str) -> str:
    """The text as a Sigma value that matches itself alone: no wildcards."""
    return re.sub(r"([\\*?])", r"\\\1", text)
