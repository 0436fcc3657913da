"""Rule files: YAML that is read strictly, so that what the author wrote is what gets compiled.

YAML 1.1, which PyYAML speaks, turns `NO` into false, `2012-10-17` into a date, and an account id whose digits
are octal into another number. Here words and dates stay text, and numbers that lose digits are refused.
Two equal keys in a map are refused too.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sigma.collection import deep_dict_update
from sigma.rule.base import SigmaYAMLLoader

from trailbell.errors import RuleError


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its file, its position in it (from 1), and its content."""

    path: Path
    number: int
    content: dict[str, Any]

    @property
    def place(self) -> str:
        """How errors name it."""
        return str(self.path) if self.number == 1 else f"{self.path} (document {self.number})"


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

    Folders called `cases` hold cases, not rules.
    """
    if where.is_file():
        return [where]
    if not where.is_dir():
        raise RuleError(f"{where}: no such file or folder")
    found = (path for path in where.rglob("*") if path.suffix in (".yml", ".yaml") and not path.is_dir())
    return sorted(path for path in found if "cases" not in path.relative_to(where).parts[:-1])


def load_yaml(path: Path) -> list[Any]:
    """All documents of a file. Raises RuleError on bad YAML, a duplicate key or a number that loses digits."""
    try:
        return list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=StrictLoader))
    except yaml.YAMLError as error:
        raise RuleError(f"{path}: {_readable(error)}") from None
    except UnicodeDecodeError as error:
        raise RuleError(f"{path}: not UTF-8 text: {error}") from None
    except OSError as error:
        raise RuleError(f"{path}: {error.strerror}") from None
    except (TypeError, ValueError) as error:  # a list as a key, a tag that does not fit its value
        raise RuleError(f"{path}: {error}") from None


def read_documents(path: Path) -> Iterator[Document]:
    """The documents of one file, with Sigma's actions done: `global` goes into all that follow (and wins over
    what they say themselves), `reset` ends that, `repeat` is laid over the document before.

    Raises RuleError, also for a document that is no map.
    """
    template: dict[str, Any] = {}
    previous: dict[str, Any] = {}
    for number, content in enumerate(load_yaml(path), start=1):
        if content is None:
            continue
        if not isinstance(content, dict):
            raise RuleError(f"{path}: a rule is a YAML map, this is a {type(content).__name__}")
        action = content.pop("action", None)
        match action:
            case None:
                previous = content if _stands_alone(content) else deep_dict_update(content, deepcopy(template))
            case "global":
                template = previous = content
            case "reset":
                template = {}
            case "repeat":
                previous = deep_dict_update(deepcopy(previous), content)
            case _:
                raise RuleError(f"{path}: unknown action {action!r}; known: global, repeat, reset")
        if action in (None, "repeat"):
            yield Document(path, number, previous)


def _stands_alone(content: dict[str, Any]) -> bool:
    return "correlation" in content or "filter" in content


def _readable(error: yaml.YAMLError) -> str:
    """What is wrong and in which line, without the excerpt."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem or error.context}"
    return " ".join(str(error).split())
