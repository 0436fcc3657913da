"""A hit's level: the rule's, shifted by who acted. No other place shifts levels.

    root user                          one level higher (there is hardly a reason to use it)
    role in `automation_roles`         one level lower (expected to do such things), never below low

The outcome needs no shift: a rule about successes does not match a denial, which has rules of its own.
Rules about the trail and trailbell itself are never lowered: a pipeline's role is what an attacker takes first.
"""

from fnmatch import fnmatchcase

from trailbell.engine.rulebook import UNMUTABLE, Level, Rule
from trailbell.facts.facts import Facts


def level_of(rule: Rule, facts: Facts, automation_roles: tuple[str, ...]) -> Level:
    """The level at which a rule reports an act of this actor."""
    if facts.actor.kind == "root":
        return Level(min(rule.level + 1, Level.CRITICAL))
    lowered = rule.level > Level.LOW and not rule.name.startswith(UNMUTABLE)
    if lowered and any(fnmatchcase(facts.actor.key, role) for role in automation_roles):
        return Level(rule.level - 1)
    return rule.level


def level_note(level: Level, facts: Facts) -> str:
    """Why a hit's level is not its rule's `level`, for the reader."""
    if facts.actor.kind == "root":
        return f"raised from {level.word}: root user"
    return f"lowered from {level.word}: automation role"
