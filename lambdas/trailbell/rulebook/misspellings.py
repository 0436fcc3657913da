"""What somebody meant by a name that is not known."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches


_CLOSE = 0.75
"""Of difflib's ratio: `undoo`, `chek` and `falsepositive` are close to what they mean, `owner` is close to nothing."""

_CALLED_ELSEWHERE: Mapping[str, str] = {
    "severity": "level",
    "priority": "level",
    "false_positives": "falsepositives",
    "next_steps": "check",
    "triage": "check",
    "rollback": "undo",
    "remediation": "undo",
    "matches": "match",
    "expect": "match",
    "expected": "match",
    "event": "record",
    "expiry": "expires",
    "expiration": "expires",
    "valid_until": "expires",
    "why": "reason",
    "because": "reason",
    "justification": "reason",
    "responsible": "owner",
}
"""The same things under other tools' names."""


def meant(name: str, known: Iterable[str]) -> str:
    """The known name that was meant, "" if none is close. Case, `_` and `-` do not count."""
    by_plain = {_plain(one): one for one in known}
    plain = _plain(name)
    elsewhere = _CALLED_ELSEWHERE.get(name.lower().replace("-", "_"), "")
    if elsewhere and _plain(elsewhere) in by_plain:
        return by_plain[_plain(elsewhere)]
    close = get_close_matches(plain, by_plain, 1, _CLOSE)
    return by_plain[close[0]] if close else ""


def question(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'undo'?`, or "" where nothing is close."""
    close = meant(name, known)
    return f"; did you mean {close!r}?" if close else ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
