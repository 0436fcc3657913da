"""Rulebooks of any size: rules as people write them, in numbers nobody does, that hardly ever match.

wide: over all services; 6 of 10 rules name a source and calls and nothing else, 3 of 10 add one to four
conditions on other fields, and of a hundred rules four name calls by a pattern and one looks at user agents
alone. Three of ten are about calls that the corpus makes.
dense: on the operations of four services (rules/coverage.csv), all with one to four conditions.
"""

import csv
import random
from pathlib import Path
from typing import Any

from benchmarks.corpus import observed_calls
from trailbell.engine.rulebook import Level, Rule
from trailbell.rulebook.compile import gate_of


_COVERAGE = Path(__file__).resolve().parent.parent / "rules" / "coverage.csv"
_DENSE = ("kms.amazonaws.com", "ssm.amazonaws.com", "cloudhsm.amazonaws.com", "cloudtrail.amazonaws.com")
_VERBS = ("Create", "Delete", "Put", "Update", "Attach", "Detach", "Modify", "Start", "Stop", "Tag")

Node = list[Any]


def wide_rules(count: int) -> tuple[Rule, ...]:
    """Rules spread over services and calls."""
    rng = random.Random(count)  # noqa: S311 (made-up rules)
    return tuple(_rule(number, _wide(rng)) for number in range(count))


def dense_rules(count: int) -> tuple[Rule, ...]:
    """Rules on the operations of four services."""
    rng = random.Random(count)  # noqa: S311 (made-up rules)
    with _COVERAGE.open(encoding="utf-8") as stream:
        calls = [(entry["eventSource"], entry["operation"]) for entry in csv.DictReader(stream)]
    calls = [call for call in calls if call[0] in _DENSE]
    return tuple(
        _rule(number, ["and", [*_call(calls[number % len(calls)]), *_conditions(rng)]]) for number in range(count)
    )


def _wide(rng: random.Random) -> Node:
    share = rng.random()
    if share < 0.01:
        return ["field", "userAgent", ["contains", f"tool-{rng.randrange(10**6)}"]]
    if share < 0.05:
        pattern: Node = ["field", "eventName", ["prefix", rng.choice(_VERBS).lower() + f"thing{rng.randrange(999)}"]]
        return ["and", [["field", "eventSource", ["eq", f"service{rng.randrange(200)}.amazonaws.com"]], pattern]]
    observed = rng.random() < 0.3
    if share < 0.4 or observed:  # a rule that names nothing but a call that is made all day would match all day
        call = rng.choice(_OBSERVED) if observed else _invented(rng)
        return ["and", [*_call(call), *_conditions(rng)]]
    return ["and", _call(_invented(rng))]


def _invented(rng: random.Random) -> tuple[str, str]:
    return f"service{rng.randrange(200)}.amazonaws.com", f"{rng.choice(_VERBS)}Thing{rng.randrange(100)}"


def _call(call: tuple[str, str]) -> list[Node]:
    return [["field", "eventSource", ["eq", call[0].lower()]], ["field", "eventName", ["eq", call[1].lower()]]]


def _conditions(rng: random.Random) -> list[Node]:
    """One to four conditions, at least one of which hardly ever holds."""
    rare = rng.choice(
        [
            ["field", "userIdentity.arn", ["eq", f"arn:aws:iam::111122223333:user/nobody-{rng.randrange(10**6)}"]],
            ["field", "userIdentity.arn", ["contains", f":role/admin-{rng.randrange(10**6)}"]],
            ["field", "userIdentity.sessionContext.sessionIssuer.userName", ["eq", f"admin-{rng.randrange(10**6)}"]],
            ["field", "userAgent", ["contains", f"kali-{rng.randrange(10**6)}"]],
            ["field", "sourceIPAddress", ["eq", f"198.51.{rng.randrange(256)}.{rng.randrange(256)}"]],
            ["field", "requestParameters.name", ["prefix", f"prod-{rng.randrange(10**6)}"]],
            ["field", "requestParameters.keyId", ["suffix", f"{rng.getrandbits(48):012x}"]],
            ["field", "errorCode", ["eq", f"odd{rng.randrange(10**6)}exception"]],
        ]
    )
    common: list[Node] = [
        ["field", "awsRegion", ["eq", rng.choice(("us-east-1", "eu-central-1"))]],
        ["field", "userIdentity.type", ["in", ["assumedrole", "iamuser"]]],
        ["not", ["field", "userIdentity.invokedBy", ["any"]]],
        ["field", "recipientAccountId", ["eq", "111122223333"]],
    ]
    return [rare, *rng.sample(common, rng.randrange(4))]


def _rule(number: int, detection: Node) -> Rule:
    name = f"rule-{number}"
    return Rule(name, name, name, name, Level.MEDIUM, "", detection, gate_of(detection))


_OBSERVED = sorted(observed_calls())
