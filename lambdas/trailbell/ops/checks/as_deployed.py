"""Whether the stack's resources are as they were deployed: each is compared with what the template declares."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from trailbell.ops.answers import Reading, as_list
from trailbell.ops.checks.equality import is_same, statement
from trailbell.ops.checks.finding import PROBLEM, UNKNOWN, WARNING, Finding, fine, found
from trailbell.ops.checks.parts import KINDS, Part
from trailbell.ops.checks.refusal import refusal_finding
from trailbell.ops.references import ANY
from trailbell.text.safe_text import one_line


CHECK = "as deployed"
_MAX_VALUE = 300
_POLICY_CONDITIONS = {"Deny": (PROBLEM, "policy.denies"), "Allow": (WARNING, "policy.allows")}


def deployment_findings(readings: Sequence[Reading], unread: Sequence[str]) -> Iterator[Finding]:
    """What is gone or differs, then what could not be seen, each once; `unread` are types that nobody can read."""
    differing = list(_unique(finding for reading in readings for finding in _reading_findings(reading)))
    yield from differing
    refusals = list(_refusal_findings(readings))
    yield from refusals
    if unread:
        yield found(UNKNOWN, CHECK, "stack.unread", types=list(unread))
    if not differing:
        unseen = ", as far as can be seen" if refusals or unread else ""
        yield fine(CHECK, f"The stack's resources are as they were deployed ({len(readings)} compared{unseen}).")


def _reading_findings(reading: Reading) -> Iterator[Finding]:
    kind, resource = KINDS[reading.resource.kind], reading.resource
    if reading.gone:
        own = reading.gone == resource.physical
        if condition := kind.gone if own else kind.owner_gone:
            yield found(PROBLEM, resource.name if own else CHECK, condition, resource=reading.gone)
        return
    for part in kind.parts:
        if set(part.defaults) & set(reading.live):
            yield from _part_findings(reading, part)
    if kind.policy and kind.policy[0] in reading.live:
        declared, live = resource.properties, reading.live
        yield from _policy_findings(reading, _statements(declared, kind.policy), _statements(live, kind.policy))
    if resource.kind == "AWS::Lambda::Permission":
        yield from _permission_findings(reading)


def _part_findings(reading: Reading, part: Part) -> Iterator[Finding]:
    declared, live = reading.resource.properties, reading.live
    differing = {
        name: (declared.get(name), live.get(name)) for name in part.defaults if _differs(declared, live, part, name)
    }
    if differing:
        names = {
            "resource": reading.resource.physical,
            "deployed": _shown({name: values[0] for name, values in differing.items()}, part),
            "live": _shown({name: values[1] for name, values in differing.items()}, part),
        }
        if part.secret:
            names["names"] = ", ".join(_differing_names(differing))
        yield found(part.state, reading.resource.name, part.condition, **names)


def _differs(declared: Mapping[str, Any], live: Mapping[str, Any], part: Part, name: str) -> bool:
    """Whether a member differs; one without a default that AWS does not answer at all was not asked of this AWS."""
    default = part.defaults[name]
    if default == ANY and name not in live:
        return False
    before, now = declared.get(name), live.get(name)
    if now is None and default != ANY:
        now = default
    return not is_same(default if before is None else before, now)


def _differing_names(differing: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    """The names within an environment's variables that differ; their values may be secrets."""
    for declared, live in differing.values():
        before, now = ((value or {}).get("Variables") or {} for value in (declared, live))
        yield from sorted(name for name in {*before, *now} if not is_same(before.get(name), now.get(name)))


def _shown(values: Mapping[str, Any], part: Part) -> str:
    if part.secret:
        return ""
    if len(values) == 1:
        ((_, value),) = values.items()
        return _text(value)
    return ", ".join(f"{name} {_text(value)}" for name, value in values.items())


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return one_line(text.replace(ANY, "(unknown)").replace(json.dumps(ANY)[1:-1], "(unknown)"), _MAX_VALUE)


def _statements(properties: Mapping[str, Any], path: Sequence[str]) -> list[dict[str, Any]]:
    document: Any = properties
    for name in path:
        document = (document or {}).get(name)
    return list(as_list((document or {}).get("Statement")))


def _policy_findings(
    reading: Reading, declared: Sequence[Mapping[str, Any]], live: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """Statements that are gone, and those that came: a Deny silences; an Allow lets somebody in."""
    check, resource = reading.resource.name, _policy_owner(reading)
    for one in declared:
        if not any(is_same(statement(one), statement(other)) for other in live):
            yield found(PROBLEM, check, "policy.lacks", policy=resource, statement=_text(one))
    for one in live:
        if not any(is_same(statement(other), statement(one)) for other in declared):
            state, condition = _POLICY_CONDITIONS["Deny" if one.get("Effect") == "Deny" else "Allow"]
            yield found(state, check, condition, policy=resource, statement=_text(one))


def _policy_owner(reading: Reading) -> str:
    """What the policy is of, and which: of a role there can be many."""
    declared = reading.resource.properties
    if reading.resource.kind == "AWS::IAM::Policy":
        return f"policy {declared['PolicyName']} of role {', '.join(declared['Roles'])}"
    if reading.resource.kind == "AWS::IAM::Role":
        return f"trust policy of role {reading.resource.physical}"
    owner = declared.get("Topics") or declared.get("Queues") or declared.get("Bucket") or reading.resource.physical
    return f"policy of {', '.join(as_list(owner)) if isinstance(owner, list) else owner}"


def _permission_findings(reading: Reading) -> Iterator[Finding]:
    """Whether somebody may still call the function: by action and source, as Lambda writes the statement."""
    declared = reading.resource.properties
    wanted = {"aws:sourcearn": declared.get("SourceArn"), "aws:sourceaccount": declared.get("SourceAccount")}
    for one in reading.live.get("Statement", ()):
        conditions = {
            name.lower(): value
            for operator in (one.get("Condition") or {}).values()
            for name, value in operator.items()
        }
        same = is_same(declared["Action"], one.get("Action")) and declared["Principal"] in json.dumps(one["Principal"])
        if same and all(is_same(value, conditions.get(name)) for name, value in wanted.items() if value):
            return
    names = {"resource": declared["FunctionName"], "principal": declared["Principal"]}
    yield found(PROBLEM, reading.resource.name, "function.permission", **names)


def _refusal_findings(readings: Iterable[Reading]) -> Iterator[Finding]:
    """One for each kind of question that was not answered, with how many resources it was asked about."""
    asked: dict[tuple[str, str], list[str]] = {}
    for reading in readings:
        for refusal in reading.refusals:
            asked.setdefault((refusal.operation, refusal.code), []).append(refusal.reason)
    for (operation, code), reasons in asked.items():
        more = f" (and of {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        yield refusal_finding(f"{CHECK}: {operation}", one_line(reasons[0], 260) + more, code)


def _unique(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each once: a topic that is gone is also found gone by its policy and its subscriptions."""
    seen = set()
    for finding in findings:
        if (finding.condition, finding.meaning) not in seen:
            seen.add((finding.condition, finding.meaning))
            yield finding
