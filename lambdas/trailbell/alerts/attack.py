"""MITRE ATT&CK in the tags of rules: attack.t1562.008 names a technique, attack.defense-evasion a tactic.

https://sigmahq.io/sigma-specification/specification/sigma-appendix-tags.html
"""

import re
from collections.abc import Iterable

from trailbell.text.lazy_pattern import lazy_pattern


# https://attack.mitre.org/tactics/enterprise/
TACTICS = {
    "reconnaissance": ("TA0043", "Reconnaissance"),
    "resource-development": ("TA0042", "Resource Development"),
    "initial-access": ("TA0001", "Initial Access"),
    "execution": ("TA0002", "Execution"),
    "persistence": ("TA0003", "Persistence"),
    "privilege-escalation": ("TA0004", "Privilege Escalation"),
    "defense-evasion": ("TA0005", "Defense Evasion"),
    "credential-access": ("TA0006", "Credential Access"),
    "discovery": ("TA0007", "Discovery"),
    "lateral-movement": ("TA0008", "Lateral Movement"),
    "collection": ("TA0009", "Collection"),
    "command-and-control": ("TA0011", "Command and Control"),
    "exfiltration": ("TA0010", "Exfiltration"),
    "impact": ("TA0040", "Impact"),
}
"""Slug → id and name."""

_TECHNIQUE = lazy_pattern(r"attack\.(t[0-9]{4}(?:\.[0-9]{3})?)", re.ASCII)


def techniques(tags: Iterable[str]) -> tuple[str, ...]:
    """Ids of the techniques and sub-techniques that tags name, such as T1562.008, in their order, each once."""
    found = (_TECHNIQUE.fullmatch(tag.lower()) for tag in tags)
    return tuple(dict.fromkeys(one[1].upper() for one in found if one))


def tactics(tags: Iterable[str]) -> tuple[str, ...]:
    """Slugs of the tactics that tags name, in their order, each once; keys of TACTICS."""
    slugs = (tag.lower().removeprefix("attack.").replace("_", "-") for tag in tags if tag.lower().startswith("attack."))
    return tuple(dict.fromkeys(slug for slug in slugs if slug in TACTICS))
