"""Service models for the functions' cold start: botocore's own, cut down to the calls the functions make.

botocore parses a service's whole model before the first call, for S3 and DynamoDB four megabytes of JSON with
documentation, of which we need a few operations.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from trailbell.alerts.channels import declared_channels
from trailbell.aws.clients import CALLS


Model = dict[str, Any]


def function_calls() -> dict[str, tuple[str, ...]]:
    """AWS service → operations: what the functions call themselves, and what channels declare.

    Of all channels, on or off, so that one asset serves every deployment. A service costs a cold start its lines in
    endpoints.json; its model is read by whoever makes a client of it.
    """
    calls = {service: set(operations) for service, operations in CALLS.items()}
    for channel in declared_channels():
        for service, operations in channel.calls.items():
            calls.setdefault(service, set()).update(operations)
    return {service: tuple(sorted(calls[service])) for service in sorted(calls)}


def write_models(folder: Path) -> None:
    """Write the models of `function_calls` where botocore's loader looks for them; the same bytes every time."""
    loader = Loader()
    calls = function_calls()
    for service, operations in calls.items():
        version = loader.determine_latest_version(service, "service-2")
        place = folder / service / version
        place.mkdir(parents=True)
        model = cut_down(loader.load_service_model(service, "service-2"), operations)
        rules = _undocumented(loader.load_service_model(service, "endpoint-rule-set-1"))
        _write(place / "service-2.json", model)
        _write(place / "endpoint-rule-set-1.json", rules)
    endpoints = loader.load_data("endpoints")
    for partition in endpoints["partitions"]:
        partition["services"] = {name: one for name, one in partition["services"].items() if name in calls}
    _write(folder / "endpoints.json", endpoints)


def cut_down(model: Mapping[str, Any], operations: tuple[str, ...]) -> Model:
    """A service's model with some operations only, the shapes they reach, and no documentation."""
    kept = {name: _undocumented(model["operations"][name]) for name in operations}
    shapes: dict[str, Any] = {}
    waiting = list(_named_shapes(kept))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = _undocumented(model["shapes"][name])
            waiting += _named_shapes(shapes[name])
    rest = {name: part for name, part in model.items() if name not in ("operations", "shapes", "documentation")}
    return {**rest, "operations": kept, "shapes": {name: shapes[name] for name in sorted(shapes)}}


def _write(path: Path, content: Model) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="ascii")


def _named_shapes(part: object) -> Iterator[str]:
    """The shapes that a part of a model refers to."""
    if isinstance(part, Mapping):
        for name, member in part.items():
            if name == "shape" and isinstance(member, str):
                yield member
            else:
                yield from _named_shapes(member)
    elif isinstance(part, list):
        for member in part:
            yield from _named_shapes(member)


def _undocumented(part: Any) -> Any:
    """A part without its documentation, which is text; a member of that name is an object and stays."""
    if isinstance(part, Mapping):
        return {
            name: _undocumented(member)
            for name, member in part.items()
            if not (name == "documentation" and isinstance(member, str))
        }
    return [_undocumented(member) for member in part] if isinstance(part, list) else part
