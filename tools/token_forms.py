"""Makes `lambdas/trailbell/text/token_forms.py`: the tokens that begin alike, from the rules of the scanner Kingfisher.

`make token-forms` runs it in an environment of its own (tools/tokens.in); a new version of the scanner is a new pin.
What is taken of a rule are facts: how its tokens begin, how long they are at least, which signs they contain. Its
pattern itself would miss tokens in our texts: it wants white space or a quote behind them, and records have commas,
brackets and tags there (docs/security.md has the figures).
"""

import re
import string
from collections.abc import Iterable, Iterator
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any


MODULE = Path(__file__).resolve().parent.parent / "lambdas" / "trailbell" / "text" / "token_forms.py"
_WORD = frozenset(string.ascii_letters + string.digits)
_SIGNS = frozenset("_-.+/=~")
_OWN = re.compile("A3T|AKIA|ASIA|ABIA|ACCA|eyJ|_")  # key ids and signed tokens: text/secrets.py knows them better
_END = re.compile(r"\(\?:\\\\\?\[.{0,12}\]\|\[\\s;\]\|\\\\\[nr\]\|\$\)$|\\b$")  # what Kingfisher wants behind a token
_MIN_REST = 10  # characters after the beginning: fewer are a name's
_ENOUGH = 16  # after a beginning that nothing else has, so many are a token, whatever its full length

Form = tuple[int, str]
Item = tuple[Any, Any]


def token_forms(patterns: Iterable[str]) -> dict[str, Form]:
    """Beginning → how many characters follow at least, and which signs are among them, of all patterns that are one
    beginning and a rest of letters, digits and signs."""
    found: dict[str, Form] = {}
    for pattern in patterns:
        plain = _END.sub("", pattern.replace("[[:alnum:]]", "[A-Za-z0-9]").replace(r"\z", r"\Z"))
        plain = re.sub(r"\(\?-?i:", "(?:", re.sub(r"\(\?[is]\)", "", plain))
        parsed = _parser.parse(plain)
        for head, rest in _beginnings(list(parsed)):
            signs = _characters(rest)
            width = _parser.SubPattern(parsed.state, rest).getwidth()[0]
            if signs is not None and width >= _MIN_REST and _is_telling(head, width):
                shortest, known = found.get(head, (width, ""))
                found[head] = min(width, shortest), "".join(sorted(signs - _WORD | set(known)))
    return {head: (_least(head, width), signs) for head, (width, signs) in sorted(found.items())}


def module_text(version: str, forms: dict[str, Form]) -> str:
    """The module's source."""
    rows = "".join(f'    ("{head}", {width}, "{signs}"),\n' for head, (width, signs) in forms.items())
    return (
        '"""Tokens that begin alike: their beginning, how many characters follow at least, the signs among them.\n\n'
        f"Made by `make token-forms` from the rules of kingfisher-secret-scanner {version} (Apache-2.0, MongoDB,\n"
        "Inc.); do not edit. https://github.com/mongodb/kingfisher\n"
        f'"""\n\nTOKEN_FORMS = (\n{rows})\n'
    )


def _is_telling(head: str, width: int) -> bool:
    """Nothing else begins so: a sign ends it, or it is mixed or the start of something long."""
    if len(head) < 3 or _OWN.match(head) or not set(head) <= _WORD | set("_-."):
        return False
    return not head[-1].isalnum() or (len(head) >= 4 and width >= 32 and not head[0].isdigit())


def _least(head: str, width: int) -> int:
    """Tokens grow shorter and longer with the years; a beginning of five and more is telling enough."""
    telling = len(head) >= 5 and not head[-1].isalnum() and sum(map(str.isalpha, head)) >= 3
    return min(width, _ENOUGH) if telling else width


def _beginnings(items: list[Item], head: str = "") -> Iterator[tuple[str, list[Item]]]:
    """All ways in which a pattern begins, with what follows."""
    while items:
        (kind, given), after = items[0], items[1:]
        if kind is sre.LITERAL:
            head, items = head + chr(given), after
        elif kind is sre.AT:
            items = after
        elif kind is sre.SUBPATTERN:
            items = [*given[3], *after]
        elif (ways := _ways(kind, given)) is not None:
            for way in ways:
                yield from _beginnings([*way, *after], head)
            return
        else:
            break
    yield head, items


def _ways(kind: Any, given: Any) -> list[list[Item]] | None:
    """The ways to go on at a branch, a choice of a few characters or something optional; None at all else."""
    if kind is sre.BRANCH and len(given[1]) < 12:
        return [list(way) for way in given[1]]
    if kind is sre.IN and len(given) <= 6 and all(part is sre.LITERAL for part, _ in given):
        return [[(sre.LITERAL, code)] for _, code in given]
    if kind is sre.MAX_REPEAT and given[:2] == (0, 1):
        return [list(given[2]), []]
    return None


def _characters(items: Iterable[Item]) -> frozenset[str] | None:
    """Every character that a token may have there; None if that is more than letters, digits and signs."""
    found: set[str] = set()
    for kind, given in items:
        part = _of_item(kind, given)
        if part is None:
            return None
        found |= part
    return frozenset(found) if found <= _WORD | _SIGNS else None


def _of_item(kind: Any, given: Any) -> set[str] | frozenset[str] | None:
    if kind is sre.LITERAL:
        return {chr(given)}
    if kind is sre.IN:
        return _of_set(given)
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return _characters(given[2])
    if kind is sre.SUBPATTERN:
        return _characters(given[3])
    if kind is sre.BRANCH:
        return _characters(item for way in given[1] for item in way)
    return set() if kind is sre.AT else None


def _of_set(given: Iterable[Item]) -> set[str] | None:
    found: set[str] = set()
    for kind, value in given:
        if kind is sre.LITERAL:
            found.add(chr(value))
        elif kind is sre.RANGE:
            found |= set(map(chr, range(value[0], value[1] + 1)))
        elif value is sre.CATEGORY_DIGIT:
            found |= set(string.digits)
        elif value is sre.CATEGORY_WORD:
            found |= _WORD | {"_"}
        else:
            return None
    return found


def main() -> None:
    """Write the module anew."""
    from importlib.metadata import version

    from kingfisher_sdk import Rules  # type: ignore[import-not-found]

    rules = Rules(confidence="low", cache=False)
    details = [rules.detail(rule["id"]) for rule in rules.metadata() if rule["visible"]]
    forms = token_forms(detail["detection_regex"] for detail in details)
    MODULE.write_text(module_text(version("kingfisher-secret-scanner"), forms), encoding="utf-8")


if __name__ == "__main__":
    main()
