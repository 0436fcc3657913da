"""A record as people may see it: all its members, with secrets replaced (text/secrets.py). Its objects are dicts."""

from collections.abc import Mapping
from typing import Any

from trailbell.text.safe_text import one_line
from trailbell.text.secret_names import kind_of_name
from trailbell.text.secrets import GONE, SECRET_MEMBERS, redacted


_MAX_TEXT = 4096
_MAX_DEPTH = 50  # no request of AWS is half as deep
_PLAIN = str.maketrans("", "", "-_")

# Members that hold what somebody gave to a program: a command, a value, a script; their lists and texts are hidden.
# Below those that are mappings the names stay. In lower case, without "-" and "_".
_GIVEN_MEMBERS = frozenset(
    (
        "command commands commandline cmd args arguments entrypoint script scripts payload inlinepayload input inputs "
        "inputpayload inputtemplate value parametervalue resolvedvalue defaultvalue env envvars secrets userdata "
        "documentcontent templatebody body customdata clientcontext buildspec buildspecoverride sqlstatement sql "
        "querystring statementtext configurationvalues"
    ).split()
)
_GIVEN_MAPPINGS = frozenset(
    "parameters parameterslist parameteroverrides taskparameters environment variables environmentvariables "
    "environmentvariablesoverride".split()
)
_KEPT_BELOW = frozenset("documentname documentversion".split())  # which tell what was run
_LABELS = ("key", "name", "parameterKey", "parameterName", "tagKey")
_VALUES = frozenset("value values parametervalue tagvalue stringvalue".split())
_TAGS = ({"key", "value"}, {"tagkey", "tagvalue"}, {"name", "values"}, {"key", "values"}, {"value"})
_HIDING = ("password", "secret", "code")
_MAX_LABEL = 256


def redacted_record(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a record in which secrets are `[redacted]` and all text is harmless to show.

    A member that holds secrets loses its whole content, but an encryption context keeps its names: they tell which
    data a key protected. So do parameters, commands, values and environments. Access key ids keep their last four
    characters.
    """
    return {one_line(name): _member(name, value) for name, value in fields.items()}


def redacted_member(name: str, value: Any) -> Any:
    """One member of a record as redacted_record has it, judged by its own name."""
    return _member(name, value)


def shown_record(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with nothing left out, made harmless to show."""
    return {one_line(name): _harmless(value) for name, value in fields.items()}


def _member(name: str, value: Any, depth: int = 0) -> Any:
    plain = name.translate(_PLAIN).lower()
    if isinstance(value, bool) or value in (None, "", {}, []):
        return value
    if plain in SECRET_MEMBERS:
        if isinstance(value, dict) and plain in ("encryptioncontext", "credentials"):
            return {
                one_line(inner): _member(inner, each) if inner == "accessKeyId" else GONE
                for inner, each in value.items()
            }
        return GONE
    if isinstance(value, dict) and plain not in _GIVEN_MAPPINGS:
        return _value(value, depth)  # its own members tell
    if plain in _GIVEN_MEMBERS or plain in _GIVEN_MAPPINGS:
        return _without_texts(value, depth)
    return GONE if _says_secret(name, value) else _value(value, depth)


def _value(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, dict):
        return _mapping(value, depth)
    if isinstance(value, list):
        return [_value(inner, depth + 1) for inner in value]
    return one_line(redacted(value), _MAX_TEXT) if isinstance(value, str) else value


def _mapping(members: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """A label may say that the value beside it is secret; beside any other label a value is a tag's or a filter's."""
    label = next((members[name] for name in _LABELS if isinstance(members.get(name), str)), "")
    shown = {}
    for name, inner in members.items():
        if name.lower() in _VALUES and (label or len(members) == 1):
            secret = _says_secret(label, inner)
            shown[one_line(name)] = GONE if secret or not _is_tag(members) else _value(inner, depth + 1)
        else:
            shown[one_line(name)] = _member(name, inner, depth + 1)
    return shown


def _says_secret(name: str, value: Any) -> bool:
    """Whether the name says that the value is secret; after the name of a code a word says how it was: Success."""
    kind = kind_of_name(name[-_MAX_LABEL:], name[-_MAX_LABEL:])
    return kind in _HIDING and not (kind == "code" and isinstance(value, str) and value.isalpha())


def _is_tag(members: Mapping[str, Any]) -> bool:
    """Tags have a key and a value, filters a name and values; a parameter has a name and a value, or more."""
    names = frozenset(name.lower() for name in members)
    return names - {"option", "operator", "type"} in _TAGS


def _without_texts(value: Any, depth: int) -> Any:
    """The same without its texts and numbers: names, and how many of what, stay."""
    if depth > _MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, dict):
        return {
            one_line(name): _value(inner, depth + 1)
            if name in _LABELS or name.translate(_PLAIN).lower() in _KEPT_BELOW
            else _without_texts(inner, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_texts(inner, depth + 1) for inner in value]
    return value if isinstance(value, bool) or value in (None, "") else GONE


def _harmless(value: Any, depth: int = 0) -> Any:
    if depth > _MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, dict):
        return {one_line(name): _harmless(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_harmless(inner, depth + 1) for inner in value]
    return one_line(value, _MAX_TEXT * 16) if isinstance(value, str) else value
