"""A record as people may see it: all its members, with secrets replaced (text/secrets.py)."""

from collections.abc import Mapping
from typing import Any

from trailbell.text.safe_text import one_line
from trailbell.text.secret_names import kind_of_name
from trailbell.text.secret_tokens import GONE
from trailbell.text.secrets import SECRET_MEMBERS, redacted


_MAX_TEXT = 4096
_MAX_DEPTH = 50  # no request of AWS is half as deep
_PLAIN = str.maketrans("", "", "-_")

# Members that hold what somebody gave to a program: a command, its parameters, a value, an environment. What is below
# them keeps its names and loses its texts. In lower case, without "-" and "_".
_GIVEN_MEMBERS = frozenset(
    (
        "parameters parameterslist parameteroverrides taskparameters taskinvocationparameters command commands "
        "commandline cmd args arguments entrypoint script scripts payload inlinepayload input inputs inputpayload "
        "inputtemplate inputtransformer value parametervalue resolvedvalue defaultvalue environment variables "
        "environmentvariables environmentvariablesoverride env envvars secrets userdata documentcontent "
        "templatebody body customdata metadata clientcontext overrides containeroverrides launchtemplatedata "
        "buildspec buildspecoverride sqlstatement sql querystring statementtext"
    ).split()
)
# Below them these tell what was run, and hold nothing that was given to it.
_KEPT_BELOW = frozenset("documentname documentversion commandid status requesteddatetime expiresafter".split())
_LABELS = ("key", "name", "parameterKey", "parameterName", "tagKey")
_VALUES = frozenset("value values parametervalue tagvalue stringvalue".split())
_MAX_LABEL = 256


def redacted_record(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a record in which secrets are `[redacted]` and all text is harmless to show.

    A member that holds secrets loses its whole content, but an encryption context keeps its names: they tell which
    data a key protected. So do parameters, commands, values and environments. Access key ids keep their last four
    characters.
    """
    return {one_line(name): _member(name, value) for name, value in fields.items()}


def shown_record(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with nothing left out, made harmless to show."""
    return {one_line(name): _harmless(value) for name, value in fields.items()}


def _member(name: str, value: Any, depth: int = 0) -> Any:
    plain = name.translate(_PLAIN).lower()
    if isinstance(value, bool) or value in (None, "", {}, []):
        return value
    if plain in SECRET_MEMBERS or kind_of_name(name, name) in ("password", "secret"):
        if isinstance(value, Mapping) and plain in ("encryptioncontext", "credentials"):
            return {
                one_line(inner): _member(inner, each) if inner == "accessKeyId" else GONE
                for inner, each in value.items()
            }
        return _without_texts(value, depth) if isinstance(value, Mapping) and plain == "tokens" else GONE
    if plain in _GIVEN_MEMBERS:
        return _without_texts(value, depth)
    return _value(value, depth)


def _value(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if isinstance(value, list):
        return [_value(inner, depth + 1) for inner in value]
    return one_line(redacted(value), _MAX_TEXT) if isinstance(value, str) else value


def _mapping(members: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """A label may say that the value beside it is secret; beside any other label a value is a tag's or a filter's."""
    label = next((members[name] for name in _LABELS if isinstance(members.get(name), str)), None)
    shown = {}
    for name, inner in members.items():
        if label is not None and name.lower() in _VALUES:
            secret = kind_of_name(label[-_MAX_LABEL:], label[-_MAX_LABEL:]) in ("password", "secret", "code")
            shown[one_line(name)] = GONE if secret or not _is_tag(members) else _value(inner, depth + 1)
        else:
            shown[one_line(name)] = _member(name, inner, depth + 1)
    return shown


def _is_tag(members: Mapping[str, Any]) -> bool:
    """Tags have a key and a value, filters a name and values; a parameter has a name and a value, or more."""
    names = frozenset(name.lower() for name in members)
    return names in ({"key", "value"}, {"tagkey", "tagvalue"}, {"name", "values"}, {"key", "values"})


def _without_texts(value: Any, depth: int) -> Any:
    """The same without its texts and numbers: names, and how many of what, stay."""
    if depth > _MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, Mapping):
        return {
            one_line(name): _value(inner, depth + 1)
            if name.translate(_PLAIN).lower() in _KEPT_BELOW
            else _without_texts(inner, depth + 1)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_texts(inner, depth + 1) for inner in value]
    return value if isinstance(value, bool) or value in (None, "") else GONE


def _harmless(value: Any, depth: int = 0) -> Any:
    if depth > _MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, Mapping):
        return {one_line(name): _harmless(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_harmless(inner, depth + 1) for inner in value]
    return one_line(value, _MAX_TEXT * 16) if isinstance(value, str) else value
