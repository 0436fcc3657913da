"""Rule files: YAML that is read strictly, so that what the author wrote is what gets compiled.

YAML 1.1, which PyYAML speaks, turns `NO` into false, `2012-10-17` into a date, and an account id whose digits
are octal into another number. Here words and dates stay text, and numbers that lose digits are refused.
Two equal keys in a map are refused too.
"""

import os
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from sigma.collection import deep_dict_update
from sigma.rule.base import SigmaYAMLLoader

from trailbell.errors import RuleError
from trailbell.rulebook.documents import Document, Kind, Refused, is_of_sigma
from trailbell.rulebook.pieces import load_documents, read_file


_GLOBAL = re.compile(r"""^["']?action["']?[ \t]*:[ \t]*["']?global\b""", re.MULTILINE)
_TITLE = re.compile(r"""^title[ \t]*:[ \t]*["']?(.*?)["']?[ \t]*$""", re.MULTILINE)


LOCAL = "local"
"""The folder in rules/ with the deployer's own rules: compiled and deployed with the rest, left out of the tests."""
LEFT_OUT = "TRAILBELL_RULES_LEFT_OUT"
"""Environment variable with the path of a folder of rules that is not read: the tests set it, to rules/local."""


class StrictLoader(SigmaYAMLLoader):
    """pySigma's loader, which refuses duplicate keys, without YAML 1.1's guesses."""


def _integer(loader: StrictLoader, node: yaml.ScalarNode) -> int:
    if not re.fullmatch(r"-?(?:0|[1-9][0-9]{0,10})", node.value):
        problem = f"write {node.value!r} in quotes: YAML would change the digits of an account id or long number"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    return int(node.value)


def _float(loader: StrictLoader, node: yaml.ScalarNode) -> float:
    try:
        if repr(float(node.value)) == node.value:
            return float(node.value)
    except ValueError:
        pass  # told below, with its place
    problem = f"write {node.value!r} in quotes: YAML would change its digits"
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _boolean(loader: StrictLoader, node: yaml.ScalarNode) -> bool | str:
    words: dict[str, bool] = {"true": True, "false": False}
    return words.get(str(node.value).lower(), str(node.value))


StrictLoader.add_constructor("tag:yaml.org,2002:int", _integer)
StrictLoader.add_constructor("tag:yaml.org,2002:float", _float)
StrictLoader.add_constructor("tag:yaml.org,2002:bool", _boolean)
StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: node.value)


def rule_files(where: Path) -> list[Path]:
    """The .yml and .yaml files of a folder at any depth, sorted; a file stands for itself.

    Folders called `cases` hold cases, not rules; the tests leave rules/local/ out. A file that links reach twice is
    taken once. What cannot be walked (a folder that may not be listed, a link to a folder outside) stands in the list
    itself, so that reading it says why.
    Raises RuleError if there is nothing of that name.
    """
    if not where.is_dir():
        if not os.path.lexists(where):
            raise RuleError(f"{where}: no such file or folder")
        return [where]
    taken: dict[str, Path] = {}
    for path in sorted(_paths(where)):
        taken.setdefault(os.path.realpath(path), path)
    return list(taken.values())


def _paths(where: Path) -> Iterator[Path]:
    unlisted: list[OSError] = []
    root = Path(os.path.realpath(where))
    left_out = os.environ.get(LEFT_OUT)
    for folder, folders, files in os.walk(where, onerror=unlisted.append):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if name != "cases" and str((here / name).resolve()) != left_out)
        linked = (here / name for name in folders if (here / name).is_symlink())
        yield from (link for link in linked if not Path(os.path.realpath(link)).is_relative_to(root))
        yield from (here / name for name in files if name.lower().endswith((".yml", ".yaml")))
    yield from (Path(str(error.filename)) for error in unlisted)


def load_yaml(path: Path) -> list[Any]:
    """All documents of a file. Raises RuleError on bad YAML, a duplicate key or a number that loses digits."""
    documents = list(load_documents(read_file(path), StrictLoader))
    for document in documents:
        if document.fault:
            raise RuleError(f"{path}: {document.fault}")
    return [document.content for document in documents]


def read_documents(path: Path) -> Iterator[Document]:
    """The documents of one file. Raises RuleError for the first that cannot be read."""
    for document in judge_documents(path):
        if isinstance(document, Refused):
            raise RuleError(document.message)
        yield document


def judge_documents(path: Path) -> Iterator[Document | Refused]:
    """Each document of one file, or why it cannot be one, with Sigma's actions done.

    `global` goes into all that follow (and wins over what they say themselves), `reset` ends that, `repeat` is laid
    over the document before. What builds on a document that cannot be read is refused with it.
    Raises RuleError for a file that cannot be read at all.
    """
    actions = _Actions()
    for number, loaded in enumerate(load_documents(read_file(path), StrictLoader), start=1):
        if loaded.fault:
            actions.lose(loaded.text)
            yield Refused(path, number, loaded.line, loaded.fault, title=_title_of(loaded.text))
        elif isinstance(loaded.content, dict):
            document = Document(path, number, loaded.content, loaded.line)
            try:
                content = actions.apply(loaded.content)
            except RuleError as error:
                kind = Kind.REFUSED if is_of_sigma(document.content) else Kind.NO_RULE
                yield Refused.of(document, str(error), kind)
                continue
            if content is not None:
                yield replace(document, content=content)
        elif loaded.content is not None:
            problem = f"a rule is a YAML map, this is a {type(loaded.content).__name__}"
            yield Refused(path, number, loaded.line, problem, Kind.NO_RULE)


@dataclass(slots=True)
class _Actions:
    """Sigma's actions over the documents of a file; None stands for a document that could not be read."""

    template: dict[str, Any] | None = field(default_factory=dict)
    previous: dict[str, Any] | None = field(default_factory=dict)

    def lose(self, text: str) -> None:
        """A document could not be read; it may have been a template."""
        self.previous = None
        if _GLOBAL.search(text):
            self.template = None

    def apply(self, content: dict[str, Any]) -> dict[str, Any] | None:
        """The content with what its action says; None if it only prepares others. Raises RuleError, a reason."""
        action = content.pop("action", None)
        match action:
            case None if _stands_alone(content):
                return content
            case None:
                self.previous = self._merged(content, self.template, "the template before it (action: global)")
                return self.previous
            case "repeat":
                self.previous = self._merged(deepcopy(self.previous), content, "the document it repeats")
                return self.previous
            case "global":
                self.template = self.previous = content
                return None
            case "reset":
                self.template = {}
                return None
        raise RuleError(f"unknown action {action!r}; known: global, repeat, reset")

    def _merged(self, below: dict[str, Any] | None, above: dict[str, Any] | None, what: str) -> dict[str, Any]:
        self.previous = None
        if below is None or above is None:
            raise RuleError(f"{what} could not be read")
        try:
            return deep_dict_update(below, deepcopy(above))
        except (AttributeError, TypeError):  # a map laid over a text or a list
            raise RuleError(f"does not fit {what}: one has a map where the other has none") from None


def _stands_alone(content: dict[str, Any]) -> bool:
    return "correlation" in content or "filter" in content


def _title_of(text: str) -> str:
    """The title of a document that cannot be read, as far as one can see it."""
    found = _TITLE.search(text)
    return found.group(1) if found else ""
