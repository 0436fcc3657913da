"""A hit's level: the highest at which a rule it matches reports it, shifted by who acted and through what. No other
place shifts levels.

    root user                          one level higher (there is hardly a reason to use it)
    role in `automation_roles`         one level lower (expected to do such things), never below low
    a template's teardown              one level lower, never below high where something is lost that no template
                                       brings back: CloudFormation and its like remove what a stack made

One step at most; root is never lowered. The outcome needs no shift: a rule about successes does not match a denial,
which has rules of its own. Rules about the trail and trailbell itself are never lowered: a pipeline's role is what an
attacker takes first, and a stack is a way to hide a deletion. What a template opens, shares or weakens stays at its
level, too; only what every removed stack does is routine.
"""

from fnmatch import fnmatchcase

from trailbell.engine.matcher import Match
from trailbell.engine.rulebook import UNMUTABLE, Level, Rule
from trailbell.facts.direct import is_deployment
from trailbell.facts.facts import Facts


_LOW = Level.LOW  # looking up a member of an enumeration takes longer than comparing it

# What a stack's removal does to what it made.
_TEARDOWN = ("Delete", "Deregister", "Disassociate", "Detach", "Remove", "Schedule")
# Of these the same template makes the same again.
_MADE_AGAIN = ("Alias", "Association", "Document", "MaintenanceWindow", "Parameter", "Parameters", "PatchBaseline")


def level_of(rule: Rule, facts: Facts, automation_roles: tuple[str, ...], event_name: str = "") -> Level:
    """The level at which a rule reports an act (the call named `event_name`) of this actor."""
    actor, level = facts.actor, rule.level
    if actor.kind == "root":
        return Level(min(level + 1, Level.CRITICAL))
    if level <= _LOW or rule.name.startswith(UNMUTABLE):
        return level
    if (automation_roles and _is_automation(facts, automation_roles)) or (
        actor.via and _is_routine(rule, facts, event_name)
    ):
        return Level(level - 1)
    return level


def highest(
    matches: list[Match], facts: Facts, automation_roles: tuple[str, ...], event_name: str
) -> tuple[Level, str]:
    """The level of a hit, and why it is not the primary rule's, "" if it is.

    matches: the rules that count, the primary one first, at least one.
    """
    main = rule = matches[0].rule
    level = level_of(main, facts, automation_roles, event_name)
    for match in matches[1:]:
        other = level_of(match.rule, facts, automation_roles, event_name)
        if other > level:  # the first of equals, so the primary rule where it can be
            level, rule = other, match.rule
    if level is main.level:
        return level, ""
    if rule is not main:
        return level, f"{_moved(main.level, level)}: also matches {rule.name} ({rule.level.word})"
    return level, f"{_moved(main.level, level)}: {_reason(facts, automation_roles)}"


def _moved(before: Level, after: Level) -> str:
    return f"{'raised' if after > before else 'lowered'} from {before.word}"


def _reason(facts: Facts, automation_roles: tuple[str, ...]) -> str:
    if facts.actor.kind == "root":
        return "root user"
    return "automation role" if _is_automation(facts, automation_roles) else "removed with its stack"


def _is_automation(facts: Facts, automation_roles: tuple[str, ...]) -> bool:
    names = {facts.actor.key, facts.actor.role}
    return any(fnmatchcase(name, role) for role in automation_roles for name in names)


def _is_routine(rule: Rule, facts: Facts, event_name: str) -> bool:
    if not (is_deployment(facts.actor.via) and event_name.startswith(_TEARDOWN)):
        return False
    return rule.level is not Level.HIGH or event_name.endswith(_MADE_AGAIN)
