"""The rule that finds canaries: part of every deployed rulebook, beside the rules, and no exception can mute it."""

from trailbell.engine.rulebook import Level, Rule
from trailbell.hits.canary import CANARY_PATH, CANARY_RULE_ID
from trailbell.rulebook.compile import gate_of


_PRECEDENCE = 1_000_000  # whatever else such a record matches, it is a canary


def canary_rule() -> Rule:
    """The rule; what it finds is kept as a canary and not as a hit (hits/canary.py)."""
    detection = [
        "and",
        [
            ["field", "eventSource", ["eq", "ssm.amazonaws.com"]],
            ["field", "eventName", ["eq", "deleteparameter"]],
            ["field", "errorCode", ["eq", "parameternotfound"]],
            ["field", "requestParameters.name", ["prefix", CANARY_PATH.lower()]],
        ],
    ]
    return Rule(
        rule_id=CANARY_RULE_ID,
        name="canary",
        stem="canary",
        title="Canary",
        level=Level.INFORMATIONAL,
        description="A harmless call of the alerter's own clock, on its way through the whole chain.",
        detection=detection,
        gate=gate_of(detection),
        precedence=_PRECEDENCE,
    )
