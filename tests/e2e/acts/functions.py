"""Acts on the functions, what feeds them, and their roles."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from tests.e2e.acts.act import DETECTOR_FAILS, HANDOVER, NOTIFIER_FAILS, READING, Act, Do, call, undone
from tests.e2e.acts.stack import ActedOn


NONE_MATCHES = {"Filters": [{"Pattern": '{"eventName": ["REMOVE"]}'}]}
DENY_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})


def _mapping(of: str, **change: Any) -> Do:
    return call("lambda", "update_event_source_mapping", UUID=lambda stack: stack.mappings[of], **change)


def _filtered(of: str) -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        mapping = stack.mappings[of]
        found = stack.aws.client("lambda").get_event_source_mapping(UUID=mapping)
        before = found.get("FilterCriteria", {"Filters": []})
        stack.try_to("lambda", "update_event_source_mapping", UUID=mapping, FilterCriteria=NONE_MATCHES)
        yield
        stack.try_to("lambda", "update_event_source_mapping", UUID=mapping, FilterCriteria=before)

    return do


def _unmapped(of: str) -> Do:
    return call("lambda", "delete_event_source_mapping", UUID=lambda stack: stack.mappings[of])


def _to(name: str) -> Any:
    return lambda stack: stack.id(name)


def _concurrency(name: str) -> Do:
    return undone(
        call("lambda", "put_function_concurrency", FunctionName=_to(name), ReservedConcurrentExecutions=0),
        call("lambda", "delete_function_concurrency", FunctionName=_to(name)),
    )


def _code(name: str) -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        other = io.BytesIO()
        with zipfile.ZipFile(other, "w") as archive:
            archive.writestr("other.py", "handler = None")
        stack.try_to("lambda", "update_function_code", FunctionName=stack.id(name), ZipFile=other.getvalue())
        yield

    return do


def _environment(name: str) -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        client = stack.aws.client("lambda")
        before = client.get_function_configuration(FunctionName=stack.id(name))["Environment"]["Variables"]
        for variables in ({**before, "TRAILBELL_TABLE": "elsewhere"}, before):
            given = {"FunctionName": stack.id(name), "Environment": {"Variables": variables}}
            stack.try_to("lambda", "update_function_configuration", **given)
            if variables is not before:
                yield

    return do


def _role(name: str, other: str, own: str) -> Do:
    def change(role: str) -> Do:
        return call(
            "lambda", "update_function_configuration", FunctionName=_to(name), Role=lambda stack: stack.arn(role)
        )

    return undone(change(other), change(own))


def _handler(name: str, own: str) -> Do:
    change = "update_function_configuration"
    return undone(
        call("lambda", change, FunctionName=_to(name), Handler="other.handler"),
        call("lambda", change, FunctionName=_to(name), Handler=f"trailbell.handlers.{own}.handler"),
    )


def _iam(operation: str, **arguments: Any) -> Do:
    return call("iam", operation, RoleName=_to("NotifierRole"), **arguments)


def _functions(name: str, own: str, other: str, alarms: tuple[str, ...]) -> Iterator[Act]:
    logical, mine, theirs = f"{name}Function", f"{name}Role", f"{other}Role"
    throttled = (f"{name}Throttled", *(READING if name == "Detector" else HANDOVER))
    yield Act(own, "concurrency set to none", _concurrency(logical), throttled, own, flown=True)
    yield Act(own, "environment: another table", _environment(logical), alarms, own)
    yield Act(own, "handler", _handler(logical, own), alarms, own)
    yield Act(own, "role", _role(logical, theirs, mine), alarms, own)


def _mappings() -> Iterator[Act]:
    for of, part, alarms, other in (
        ("detector", "detector's mapping", READING, "NotifierFunction"),
        ("notifier", "notifier's mapping", HANDOVER, "DetectorFunction"),
    ):
        own = "DetectorFunction" if of == "detector" else "NotifierFunction"
        off = undone(_mapping(of, Enabled=False), _mapping(of, Enabled=True))
        yield Act(part, "off", off, alarms, part, flown=True)
        # Messages that a filter leaves out are deleted from the queue: none grows old.
        yield Act(part, "filtered", _filtered(of), ("Silence",) if of == "detector" else alarms, part)
        pointed = undone(_mapping(of, FunctionName=_to(other)), _mapping(of, FunctionName=_to(own)))
        failing = ("NotifierErrors", *READING) if of == "detector" else ("DetectorErrors", *alarms)
        yield Act(part, "repointed", pointed, failing, part)


def _roles() -> Iterator[Act]:
    part, alarms = "notifier's role", NOTIFIER_FAILS
    policy = {"PolicyName": "x"}
    denied = undone(_iam("put_role_policy", **policy, PolicyDocument=DENY_ALL), _iam("delete_role_policy", **policy))
    yield Act(part, "another inline policy", denied, alarms, part)
    boundary = {"PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    bounded = undone(_iam("put_role_permissions_boundary", **boundary), _iam("delete_role_permissions_boundary"))
    yield Act(part, "boundary", bounded, alarms, part)
    attached = {"PolicyArn": "arn:aws:iam::aws:policy/AWSDenyAll"}
    taken = undone(_iam("attach_role_policy", **attached), _iam("detach_role_policy", **attached))
    yield Act(part, "policy attached", taken, alarms, part)
    yield Act(part, "trust", _trust(), HANDOVER, part)


def _trust() -> Do:
    def trusting(service: str) -> str:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    change = "update_assume_role_policy"
    return undone(
        _iam(change, PolicyDocument=trusting("ec2.amazonaws.com")),
        _iam(change, PolicyDocument=trusting("lambda.amazonaws.com")),
    )


def acts() -> Iterator[Act]:
    """The acts that can be undone."""
    yield from _mappings()
    yield from _functions("Detector", "detector", "Notifier", DETECTOR_FAILS)
    yield from _functions("Notifier", "notifier", "Detector", NOTIFIER_FAILS)
    yield from _roles()


def deletions() -> Iterator[Act]:
    """The acts that cannot, which come last."""
    yield Act("detector", "code", _code("DetectorFunction"), DETECTOR_FAILS, "detector")
    yield Act("notifier", "code", _code("NotifierFunction"), NOTIFIER_FAILS, "notifier")
    yield Act("detector's mapping", "deleted", _unmapped("detector"), READING, "detector's mapping")
    yield Act("notifier's mapping", "deleted", _unmapped("notifier"), HANDOVER, "notifier's mapping")
    for name, own, alarms in (("Detector", "detector", READING), ("Notifier", "notifier", HANDOVER)):
        gone = call("lambda", "delete_function", FunctionName=_to(f"{name}Function"))
        yield Act(own, "deleted", gone, alarms, own)
