"""Rules before pySigma sees them: what it would compile to something else than the author meant.

Where the meaning is certain the rule is put right; where it is not, the rule is refused with what to write instead.
"""

import re
from collections.abc import Iterator
from typing import Any

import re2
from sigma.exceptions import SigmaError, SigmaTypeError
from sigma.modifiers import modifier_mapping
from sigma.rule.detection import SigmaDetectionItem


_MAX_PATTERN = 1000
_MAX_CONDITION = 10_000
_MAX_TESTS = 10_000
_OF = re.compile(r"\bof\b")
_PLACEHOLDER = re.compile(r"%\w+%")
_TEXT_MODIFIERS = frozenset({"contains", "startswith", "endswith"})
_MODIFIERS_OF_NULL = frozenset({"all", "neq"})
_TIME = re.compile(r"[ T][0-9]{2}:.*")


def normalised(content: dict[str, Any]) -> dict[str, Any]:
    """The rule with its meaning spelt out for pySigma: dates without a time, searches said to be searches."""
    dates = {name: _TIME.sub("", str(content[name])) for name in ("date", "modified") if content.get(name)}
    detection = content.get("detection")
    if not isinstance(detection, dict):
        return {**content, **dates}
    selections = {name: value if name == "condition" else _spelt_out(value) for name, value in detection.items()}
    return {**content, **dates, "detection": selections}


def _spelt_out(selection: Any) -> Any:
    if isinstance(selection, list):
        return [_spelt_out(item) for item in selection]
    if not isinstance(selection, dict):
        return selection
    return dict(_spelt_field(str(field), value) for field, value in selection.items())


def _spelt_field(field: str, value: Any) -> tuple[str, Any]:
    modifiers = field.split("|")[1:]
    if "base64offset" in modifiers and "contains" not in modifiers:
        field += "|contains"  # text encoded at an offset stands inside other text or not at all
    if _TEXT_MODIFIERS & set(modifiers):  # numbers and text compare by their text
        value = [_as_text(one) for one in value] if isinstance(value, list) else _as_text(value)
    if "exists" in modifiers and isinstance(value, str):
        value = {"yes": True, "no": False}.get(value.lower(), value)
    return field, value


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def faults_of(detection: Any) -> Iterator[str]:
    """One sentence for each construct that cannot mean what its author meant, with what to write instead."""
    if not isinstance(detection, dict):
        return
    for name, selection in detection.items():
        if not isinstance(name, str):
            yield f"selection {name!r} is no text: write its name in quotes"
        elif name == "timeframe":
            yield "timeframe belongs to correlations: write one that counts this rule, with timespan"
        elif name == "condition":
            yield from _condition_faults(selection, len(detection))
        else:
            yield from _selection_faults(selection, name)


def _condition_faults(condition: Any, selections: int) -> Iterator[str]:
    """Conditions that would take minutes to parse: no author wrote them, and other rules would wait."""
    for one in condition if isinstance(condition, list) else [condition]:
        text = str(one)
        if len(text) > _MAX_CONDITION:
            yield f"condition of {len(text)} characters; at most {_MAX_CONDITION}"
        elif len(_OF.findall(text)) * selections > _MAX_TESTS:
            yield f"condition that refers to selections more than {_MAX_TESTS} times"


def _selection_faults(selection: Any, place: str) -> Iterator[str]:
    if isinstance(selection, dict):
        for field, value in selection.items():
            yield from _modifier_faults(str(field), value, place)
            yield from _field_faults(str(field), value, place)
    elif isinstance(selection, list):
        for item in selection:
            if isinstance(item, dict):
                yield from _selection_faults(item, place)


def _modifier_faults(field: str, value: Any, place: str) -> Iterator[str]:
    name, *modifiers = field.split("|")
    unknown = [one for one in modifiers if one not in modifier_mapping]
    if unknown:
        known = ", ".join(sorted(modifier_mapping))
        yield f"{place}: {field} has an unknown modifier {', '.join(map(repr, unknown))}; known: {known}"
    elif (value is None or (isinstance(value, list) and None in value)) and set(modifiers) - _MODIFIERS_OF_NULL:
        yield f"{place}: {field} has no value: fill it in; for an absent field write `{name}: null`"


def _field_faults(field: str, value: Any, place: str) -> Iterator[str]:
    if value == []:
        yield f"{place}: {field} has an empty list of values; for an absent field write `{field.split('|')[0]}: null`"
    values = value if isinstance(value, list) else [value]
    if any(isinstance(one, list | dict) for one in values):
        yield f"{place}: {field} has a list or map among its values"
    modifiers = field.split("|")[1:]
    if "re" in modifiers and "expand" in modifiers:
        for name in (name for one in values for name in _PLACEHOLDER.findall(str(one))):
            yield f"{place}: {field}: placeholder {name} cannot stand in a regular expression; use |expand|contains"
    if "re" in modifiers:
        yield from (f"{place}: {field}: {fault}" for one in values if (fault := _regex_fault(str(one))))


def _regex_fault(pattern: str) -> str:
    """Patterns are checked by the very library that runs them, before pySigma has it print its own errors."""
    if len(pattern) > _MAX_PATTERN:
        return f"regular expression of {len(pattern)} characters; at most {_MAX_PATTERN}"
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        return f"{pattern!r} is not an RE2 regular expression: {reason} (no look-around, no back-references)"
    return ""


def refused_field(detection: Any) -> str:
    """Of a detection that pySigma refuses: `selection: field` and what is wrong with it, "" if no field is to blame."""
    for name, selection in normalised({"detection": detection})["detection"].items():
        for item in selection if isinstance(selection, list) else [selection]:
            for field, value in item.items() if isinstance(item, dict) else ():
                try:
                    SigmaDetectionItem.from_mapping(field, value)
                except SigmaTypeError:  # pySigma names its own classes
                    return f"{name}: {field} does not take the value {value!r}"
                except SigmaError as error:
                    return f"{name}: {field}: {error}"
    return ""
