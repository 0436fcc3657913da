"""A digest's object metadata: where S3 keeps its signature, and how people store it beside a copy."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any


SIDECAR = ".metadata.json"

_PREFIX = "x-amz-meta-"
_INNER = ("Metadata", "ResponseMetadata", "HTTPHeaders")


def read_sidecar(text: bytes) -> dict[str, str]:
    """The metadata in a file beside a copy: what `aws s3api head-object` prints, or the entries alone.

    Names in lower case, without x-amz-meta-. Empty for a text that holds none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return dict(_entries(found)) if isinstance(found, dict) else {}


def signature_of(metadata: Mapping[str, str]) -> str:
    """The signature in lower-case hexadecimal; "" where it or its algorithm is not there."""
    return metadata.get("signature", "").lower() if metadata.get("signature-algorithm") else ""


def _entries(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Its texts, those further in later. Not recursive: JSON nests deeper than calls do."""
    waiting = deque([found])
    while waiting:
        entries = waiting.popleft()
        for name, value in entries.items():
            if isinstance(value, str):
                yield name.lower().removeprefix(_PREFIX), value
        waiting.extend(inner for inner in map(entries.get, _INNER) if isinstance(inner, dict))
