"""Security Hub's own model, as botocore ships it, read as a check of findings.

Beside types, required members and enumerations, which botocore checks, it knows what AWS says of lengths and numbers of
items: most of them stand only in the model's documentation.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from botocore.session import Session
from botocore.validate import ParamValidator


MAX_BYTES = 240_000
"""Of a finding: "The maximum allowed size for a finding is 240 Kb" (BatchImportFindings)."""

_MAX_LENGTH = re.compile(r"Maximum (?:length )?of (\d+)(?: length)?|Length Constraints: (\d+)\b")
_EXACT = {"AwsAccountId"}  # "Length Constraints: 12."
_MAX_ITEMS = re.compile(r"Maximum number of (\d+) items")
_MAP = re.compile(
    r"up to (\d+) key-value pairs.*key can contain up to (\d+) characters.* value can contain up to (\d+)"
)


@functools.cache
def _model() -> Any:
    return Session().get_service_model("securityhub")


def faults(finding: dict[str, Any]) -> list[str]:
    """What Security Hub would refuse of a finding."""
    shape = _model().shape_for("AwsSecurityFinding")
    report = ParamValidator().validate(finding, shape)
    return [*([report.generate_report()] if report.has_errors() else []), *_faults(finding, shape, "")]


def _faults(value: Any, shape: Any, path: str) -> Iterator[str]:
    said = re.sub(r"<[^>]+>|\s+", " ", shape.documentation or "").replace("  ", " ")
    match shape.type_name:
        case "structure":
            for name, member in value.items():
                if name in shape.members:
                    yield from _faults(member, shape.members[name], f"{path}.{name}")
        case "list":
            if (limit := _MAX_ITEMS.search(said)) and len(value) > int(limit[1]):
                yield f"{path} has {len(value)} items of {limit[1]}"
            for one in value:
                yield from _faults(one, shape.member, path)
        case "map":
            pairs, key, most = map(int, found.groups()) if (found := _MAP.search(said)) else (10**6, 10**6, 10**6)
            if len(value) > pairs:
                yield f"{path} has {len(value)} pairs of {pairs}"
            yield from (f"{path}.{name} is too long" for name in value if len(name) > key)
            yield from (f"{path}.{name}'s value is too long" for name, one in value.items() if len(one) > most)
        case "string":
            yield from _faults_of_text(value, shape, said, path)


def _faults_of_text(value: str, shape: Any, said: str, path: str) -> Iterator[str]:
    if (pattern := shape.metadata.get("pattern")) and not re.search(pattern, value):
        yield f"{path} is {value!r}, not {pattern}"
    if shape.enum and value not in shape.enum:
        yield f"{path} is {value!r}, not one of {shape.enum}"
    if limit := _MAX_LENGTH.search(said):
        most = int(limit[1] or limit[2])
        if len(value) > most or (path.rpartition(".")[2] in _EXACT and len(value) != most):
            yield f"{path} has {len(value)} characters of {most}"


def known_types() -> frozenset[str]:
    """Types of resources that have details of their own."""
    return frozenset(_model().shape_for("ResourceDetails").members)
