"""What undoes a rule, on the page of rules: in the words of its own file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trailbell.rulebook.source import load_yaml


_HEADS = {
    "undone": "Undone by",
    "replaced": "Replaced by",
    "stopped": "Stopped by",
    "answered": "Answered by, which begins the undo; no record says how it ends",
}


def undone_by_lines(path: Path) -> Iterator[str]:
    """A sentence for each word of the rule's entries; nothing if it has none."""
    (content,) = load_yaml(path)
    entries = content.get("undone_by", [])
    for word, head in _HEADS.items():
        calls = dict.fromkeys(_calls(one) for one in entries if one.get("word", "undone") == word)
        if calls:
            notes = dict.fromkeys(one["note"] for one in entries if one.get("word", "undone") == word and "note" in one)
            yield " ".join([f"{head}: {'; '.join(calls)}.", *notes]) + "\n"


def _calls(entry: dict[str, Any]) -> str:
    limits = [f"after {_listed(entry['of'])}"] if "of" in entry else []
    if not entry.keys().isdisjoint({"fields", "unless", "when"}):
        limits.append("on conditions")
    return _listed(entry["event"]) + (f" ({', '.join(limits)})" if limits else "")


def _listed(given: Any) -> str:
    names = [f"`{one}`" for one in (given if isinstance(given, list) else [given])]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
