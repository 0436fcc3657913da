"""rules/coverage.csv classes every operation of the watched services, and what it says of the rules is true.

AWS adds operations all the time: each turns this red until somebody classes it. The columns:

    kind    read, write, crypto (use of a key), data (opt-in data event), event (of the service, without a call),
            unlogged (CloudTrail does not record it)
    level   the highest level at which a rule reports a success of it, `quiet` if none does
    rules   these rules, strongest first
    reason  why this level, or why quiet; `No rule yet` where one is wanted

After a change of rules `make generate` brings `level` and `rules` up to date. It keeps the reasons, so read them, and
gives operations that are new a row whose reason is to be filled in.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.session import get_session

from trailbell.cloudtrail.event_source import TWINS
from trailbell.engine.predicates import compile_value_test, is_value_test
from trailbell.engine.rulebook import Level, Rule
from trailbell.hits.audit_finding import EVENT_NAMES
from trailbell.rulebook.draft import FILL_IN
from trailbell.rulebook.load import compile_rules
from trailbell.rulebook.placeholders import NAMES


class Row(NamedTuple):
    """One operation, in the order of the file's columns."""

    service: str
    source: str
    operation: str
    kind: str
    level: str
    rules: str
    reason: str


COLUMNS = ["service", "eventSource", "operation", "kind", "level", "rules", "reason"]
KINDS = {"read", "write", "crypto", "data", "event", "unlogged"}
QUIET = "quiet"
WANTED = "No rule yet"

FAMILIES = ("cloudhsm", "cloudtrail", "ec2messages", "iotfleethub", "kms", "ssm")
"""How botocore's names of the watched services begin, so that a new one is noticed, too. Fleet Hub ended in October
2025 and left the SDKs; the two channels of the SSM agent, ssmmessages and ec2messages, were never in them."""

ELSEWHERE = {"cloudtrail-data"}
"""Takes events of other software into CloudTrail Lake, under an event source that no rule watches."""

IN_NO_SDK = {
    "cloudtrail": "GetServiceLinkedChannel ListServiceLinkedChannels",
    "ssm": "CreateControlChannel DescribeDocumentParameters ExecuteAPI GetCalendar GetManifest ListInstanceAssociations"
    " OpenControlChannel PutCalendar PutConfigurePackageResult RegisterManagedInstance RequestManagedInstanceRoleToken"
    " UpdateInstanceAssociationStatus UpdateInstanceInformation UpdateManagedInstancePublicKey",
    "ssm-guiconnect": "CancelConnection GetConnection ListConnections StartConnection",
    "ssm-sap": "BackupDatabase RestoreDatabase UpdateHANABackupSettings",
}
"""Operations that AWS has without a place in an SDK: agents and consoles call them, records and IAM show them."""

ACTOR_RULES = "identity-"
"""Rules whose name begins like this ask who acted, whatever the operation, so the file leaves them out."""

NO_OPERATION = "OperationThatAwsDoesNotHave"

ABSENT: dict[str, dict[str, list[str]]] = {"cloudhsm": {"requestParameters.clusterId": []}}
"""Fields that no request of a service has. CloudHSM Classic shares its event source and some names with CloudHSM."""

ROOT = Path(__file__).resolve().parents[2]
COVERAGE = ROOT / "rules" / "coverage.csv"
ROWS = [Row(*line) for line in csv.reader(COVERAGE.read_text(encoding="utf-8").splitlines())][1:]
# Each setting has a value, or the parts of rules that ask for one could never match.
# Rules that only correlations count report nothing.
RULES = [
    rule for rule in compile_rules(ROOT / "rules", dict.fromkeys(NAMES, ("111122223333",))) if not rule.counts_only
]


def rewrite() -> None:
    """Derive `level` and `rules` of every row from the rules as they are, add rows for new operations, and sort."""
    with COVERAGE.open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream, lineterminator="\n")
        lines.writerow(COLUMNS)
        lines.writerows(sorted(row._replace(**derived(row)) for row in (*ROWS, *new_rows())))


def new_rows() -> Iterator[Row]:
    """A row for each operation that AWS has and the file has not; a person writes the reason."""
    sources = {row.service: row.source for row in ROWS}
    for service, name in unclassed():
        source = sources.get(service, f"{service}.amazonaws.com")
        kind = "read" if name.startswith(("Describe", "Get", "List")) else "write"
        yield Row(service, source, name, kind, QUIET, "", FILL_IN)


def unclassed() -> list[tuple[str, str]]:
    """Operations that AWS has and the file has not, by service."""
    classed = {(row.service, row.operation) for row in ROWS}
    return sorted({(service, name) for service, names in models().items() for name in names} - classed)


def derived(row: Row) -> dict[str, str]:
    """What the columns `level` and `rules` must say."""
    rules = reporting(row)
    return {"level": rules[0].level.word if rules else QUIET, "rules": " ".join(rule.name for rule in rules)}


def reporting(row: Row) -> list[Rule]:
    """The rules that name an operation and can report a success of it, strongest first.

    Left out are rules that hold for all operations: those about the actor, and those that would also report an
    operation that does not exist, such as trail-request-omitted.
    """
    nothing = row._replace(operation=NO_OPERATION)
    found = [rule for rule in RULES if can_report(rule, row) and not can_report(rule, nothing)]
    return sorted((rule for rule in found if not rule.name.startswith(ACTOR_RULES)), key=_strength)


def can_report(rule: Rule, row: Row) -> bool:
    """Whether some record of a success of this operation matches the rule."""
    known = {"eventSource": [row.source], "eventName": [row.operation], "facts.outcome": ["success"]}
    return can_be(True, rule.detection, {**known, **ABSENT.get(row.service, {})})


def can_be(result: bool, node: Sequence[Any], known: dict[str, list[str]]) -> bool:
    """Whether a detection can come to this result when all that is known are the values of some fields."""
    match node:
        case ["not", part]:
            return can_be(not result, part, known)
        case ["and" | "or" as kind, parts]:
            needed = all if (kind == "and") is result else any
            return needed(can_be(result, part, known) for part in parts)
        case ["field", path, test] if path in known and is_value_test(test):
            return compile_value_test(test)(list(known[path])) is result
    return True


def named(node: Sequence[Any], sources: frozenset[str]) -> Iterator[tuple[frozenset[str], str]]:
    """The operations that a detection names, under `not` as well, each with the event sources it stands beside."""
    match node:
        case ["not", part]:
            yield from named(part, sources)
        case ["and" | "or" as kind, parts]:
            for part in parts:
                match part:
                    case ["field", "eventSource", test] if kind == "and":
                        sources = texts(test)
            for part in parts:
                yield from named(part, sources)
        case ["field", "eventName", test]:
            for text in sorted(texts(test)):
                yield sources, text


def texts(test: Sequence[Any]) -> frozenset[str]:
    """What a test for equality compares with, in lower case; nothing for other tests."""
    match test:
        case ["eq", text, *_]:
            return frozenset({text.lower()})
        case ["in", values]:
            return frozenset(values)
    return frozenset()


def fault_of(row: Row) -> str:
    """What is not true of the rules in a row, "" if all is."""
    place = f"{row.service} {row.operation}"
    if FILL_IN in row.reason:
        return f"{place}: write into the column `reason` of coverage.csv why it is {_claim(row)}, and check its kind"
    truth = row._replace(**derived(row))
    if row != truth:
        return f"{place}: coverage.csv says {_claim(row)}, rules say {_claim(truth)}; run `make generate`"
    if row.kind == "unlogged" and row.rules:
        return f"{place}: CloudTrail does not record it, so {row.rules} cannot report it"
    if row.reason.startswith(WANTED) and row.rules:
        return f"{place}: has a rule now ({row.rules}); say in the reason why it has this level"
    return ""


@cache
def models() -> dict[str, frozenset[str]]:
    """The operations of the watched services in the installed SDK, by service."""
    session = get_session()
    services = [name for name in session.get_available_services() if name.startswith(FAMILIES)]
    return {name: frozenset(session.get_service_model(name).operation_names) for name in set(services) - ELSEWHERE}


def _strength(rule: Rule) -> tuple[int, str]:
    return -rule.level, rule.name


def _claim(row: Row) -> str:
    return f"{row.level} ({row.rules})" if row.rules else row.level


def test_every_operation_that_aws_has_is_classed() -> None:
    """A new operation would otherwise be reported as unknown, at level low, whatever it destroys."""
    missing = unclassed()

    assert not missing, "\n".join(
        f"{service} {name}: AWS has it, coverage.csv does not; `make generate` adds a row, write its reason and, if a"
        " success of it can do harm, a rule"
        for service, name in missing
    )


def test_every_classed_operation_exists() -> None:
    """A misspelt or removed operation would count as known, and one that is called so one day would stay silent."""
    unlisted = {
        (row.service, row.operation)
        for row in ROWS
        if row.operation not in models().get(row.service, {row.operation}) and row.kind not in ("event", "unlogged")
    }
    listed = {(service, name) for service, names in IN_NO_SDK.items() for name in names.split()}

    assert unlisted == listed


def test_rows_are_well_formed() -> None:
    """The detector's list of known operations is made from this file."""
    with COVERAGE.open(encoding="utf-8", newline="") as stream:
        assert next(csv.reader(stream)) == COLUMNS
    levels = {level.word for level in Level} | {QUIET}
    sources = Counter(service for service, _ in {(row.service, row.source) for row in ROWS})

    assert [row for row in ROWS if row.kind not in KINDS or row.level not in levels or not row.reason] == []
    assert [row for row in ROWS if not row.source.endswith(".amazonaws.com")] == []
    assert [service for service, count in sources.items() if count > 1] == []


def test_rows_are_sorted_and_each_operation_has_one() -> None:
    """Two rows of one operation could say different things."""
    keys = [(row.service, row.operation) for row in ROWS]

    assert keys == sorted(set(keys))


def test_every_rule_in_the_file_exists() -> None:
    """A rule that was renamed reports nothing under its old name."""
    names = {rule.name for rule in RULES}

    assert [(row.operation, name) for row in ROWS for name in row.rules.split() if name not in names] == []


def test_rows_say_what_the_rules_do() -> None:
    """People read this file to learn what they are alerted on."""
    faults = [fault for row in ROWS if (fault := fault_of(row))]

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_names_only_operations_that_aws_has(rule: Rule) -> None:
    """A rule with a misspelt event name never matches, and its cases, misspelt alike, do not show it."""
    if rule.name.startswith("audit-"):
        assert set(rule.gate["eventName"]) <= {name.lower() for name in EVENT_NAMES.values()}
        return
    known: defaultdict[str, set[str]] = defaultdict(set)
    for row in ROWS:
        known[row.source].add(row.operation.lower())
        known[TWINS.get(row.source, row.source)].add(row.operation.lower())
    sources = frozenset(rule.gate["eventSource"])

    assert [
        f"{rule.name}: {' and '.join(sorted(beside))} has no operation {name}"
        for beside, name in named(rule.detection, sources)
        if beside <= set(known) and not any(name in known[source] for source in beside)
    ] == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.source in TWINS], ids=lambda row: row.operation)
def test_an_operation_is_reported_under_both_event_sources(row: Row) -> None:
    """The file names one of them; under the other the same rules must speak."""
    assert derived(row._replace(source=TWINS[row.source])) == derived(row)


def test_a_row_that_is_not_true_is_told() -> None:
    """What the derivation finds must reach the reader, or this file is green for ever."""
    row = next(row for row in ROWS if row.operation == "DeleteTrail")

    assert fault_of(row) == ""
    assert fault_of(row._replace(level=QUIET, rules="")) == (
        "cloudtrail DeleteTrail: coverage.csv says quiet, rules say critical (trail-deleted); run `make generate`"
    )
    assert fault_of(row._replace(reason=FILL_IN)) == (
        "cloudtrail DeleteTrail: write into the column `reason` of coverage.csv why it is critical (trail-deleted), and"
        " check its kind"
    )
    assert fault_of(row._replace(kind="unlogged")).endswith("so trail-deleted cannot report it")
    assert fault_of(row._replace(reason=f"{WANTED}: it goes unseen.")).startswith("cloudtrail DeleteTrail: has a rule")
