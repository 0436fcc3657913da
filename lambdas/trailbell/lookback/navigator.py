"""A layer for the ATT&CK Navigator: which techniques the rules are about, and how much each was seen.

Format 4.5: https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md
"""

import re
from collections.abc import Sequence
from typing import Any

from trailbell.lookback.scorecard import Score


LAYER_FORMAT = "4.5"
SCORES = ("rules", "hits")
"""What the number of a technique may be."""

_NAVIGATOR = "4.9.0"  # the least that the format asks for
_TECHNIQUE = re.compile(r"attack\.(?P<id>t\d{4}(?:\.\d{3})?)", re.ASCII)
_COLOURS = ["#ffffff", "#66b1ff"]


def navigator_layer(scores: Sequence[Score], counted: str, since: str) -> dict[str, Any]:
    """The layer of some rules. counted: `rules` or `hits`; since: from when on hits were counted (ISO 8601)."""
    by_technique: dict[str, list[Score]] = {}
    for score in scores:
        for technique in dict.fromkeys(techniques_of(score.tags)):
            by_technique.setdefault(technique, []).append(score)
    techniques = [_technique(name, rules, counted) for name, rules in sorted(by_technique.items())]
    highest = max((one["score"] for one in techniques), default=0)
    return {
        "name": f"trailbell: {counted} by technique",
        "versions": {"navigator": _NAVIGATOR, "layer": LAYER_FORMAT},
        "domain": "enterprise-attack",
        "description": (
            f"{len(scores)} rules of trailbell by their tags; scores are numbers of {counted}"
            + (f" since {since}" if counted == "hits" else "")
        ),
        "filters": {"platforms": ["IaaS"]},
        "sorting": 3,
        "techniques": techniques,
        "gradient": {"colors": _COLOURS, "minValue": 0, "maxValue": max(highest, 1)},
        "metadata": [
            {"name": "rules without a technique", "value": str(sum(not techniques_of(one.tags) for one in scores))}
        ],
    }


def techniques_of(tags: Sequence[str]) -> list[str]:
    """The techniques that a rule's tags name: T1078.004."""
    return [found["id"].upper() for tag in tags if (found := _TECHNIQUE.fullmatch(tag.lower()))]


def _technique(name: str, rules: Sequence[Score], counted: str) -> dict[str, Any]:
    hits = sum(one.hits for one in rules)
    return {
        "techniqueID": name,
        "score": hits if counted == "hits" else len(rules),
        "comment": ", ".join(sorted(one.name for one in rules)),
        "metadata": [
            {"name": "rules", "value": str(len(rules))},
            {"name": "hits", "value": str(hits)},
            {"name": "operations watched", "value": str(sum(one.operations for one in rules))},
            {"name": "rules that never fired", "value": str(sum(not one.has_fired for one in rules))},
        ],
        "showSubtechniques": "." in name,
    }
