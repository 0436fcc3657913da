"""The line of a file in which a member stands, found again when there is a fault to report."""

from pathlib import Path
from typing import Any

import yaml

from trailbell.errors import RuleError
from trailbell.rulebook.misfits import Keys
from trailbell.rulebook.pieces import load_documents, read_file
from trailbell.rulebook.source import StrictLoader


def line_of(path: Path, number: int, keys: Keys) -> int:
    """The line (from 1) of the member that the keys lead to, in the document of that number (from 1).

    Where it is not there the line of what holds it; of members that came from a template, the template's.
    """
    try:
        documents = list(load_documents(read_file(path), StrictLoader))[:number]
    except RuleError:
        return 1
    for document in reversed(documents):
        found, lines = _walk(document.text, keys)
        if found == len(keys):
            return document.line + lines
    return documents[-1].line + _walk(documents[-1].text, keys)[1] if documents else 1


def _walk(text: str, keys: Keys) -> tuple[int, int]:
    """How many of the keys lead on, and how many lines after the document's first the last of them stands."""
    try:
        node: Any = yaml.compose(text, Loader=StrictLoader)
    except yaml.YAMLError:
        return 0, 0
    if node is None:
        return 0, 0
    first = line = node.start_mark.line
    found = 0
    for key in keys:
        entry = _entry(node, key)
        if entry is None:
            break
        line, node = entry
        found += 1
    return found, line - first


def _entry(node: Any, key: str | int) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == str(key):
                return name.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line, node.value[key]
    return None
