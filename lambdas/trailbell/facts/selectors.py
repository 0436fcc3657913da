"""Event selectors are a union: an event is recorded if any of them takes it, so only the set says what a trail misses.

The set is asked about events that the rules live on, one for each source, reads and writes, instead of being searched
for suspicious words: two selectors, one for reads and one for writes, miss nothing together.
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from trailbell.cloudtrail.record import Record, mapping
from trailbell.lazy_dataclass import dataclass
from trailbell.text.lazy_pattern import lazy_pattern


KMS = "kms.amazonaws.com"
SOURCES = (
    *("cloudhsm.amazonaws.com", "cloudhsmv2.amazonaws.com", "cloudtrail.amazonaws.com", "iotfleethub.amazonaws.com"),
    *("ram.amazonaws.com", "ssm.amazonaws.com", "ssm-contacts.amazonaws.com", "ssm-guiconnect.amazonaws.com"),
    *("ssm-incidents.amazonaws.com", "ssm-quicksetup.amazonaws.com", "ssm-sap.amazonaws.com"),
    # What the alerter itself is made of.
    *("cloudformation.amazonaws.com", "dynamodb.amazonaws.com", "events.amazonaws.com", "iam.amazonaws.com"),
    *("lambda.amazonaws.com", "logs.amazonaws.com", "monitoring.amazonaws.com", "organizations.amazonaws.com"),
    *("s3.amazonaws.com", "sns.amazonaws.com", "sqs.amazonaws.com"),
)
"""The event sources beside KMS whose management events the rules look at."""

_MAX_QUESTIONS = 20_000
"""More combinations of source, name, principal and selector are not worked through; AWS's own limits allow fewer."""

# One value that no selector names stands for all of those.
_OTHER = "\x00"
_READ = lazy_pattern(
    r"(?:BatchGet|Decrypt|DeriveSharedSecret|Describe|Encrypt|Generate|Get|List|Lookup|ReEncrypt|Search|Sign|Verify)"
)

_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "equals": str.__eq__,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "notEquals": str.__eq__,
    "notStartsWith": str.startswith,
    "notEndsWith": str.endswith,
}
_CONSOLE = "sessionCredentialFromConsole"
_VARIED = ("eventName", "userIdentity.arn", "eventType")


class _UnreadableError(Exception):
    """The selectors are not of the documented form."""


@dataclass(frozen=True, slots=True)
class SelectorFacts:
    """What the event selectors of a request record together.

    given:   the request holds event selectors.
    parsed:  they could be read; the rest says nothing if not.
    writes:  every management write of the SOURCES and of services that no selector names.
    reads:   every management read of these, KMS included.
    kms:     every management write of KMS.
    data:    data events or network activity of something.
    management: management events of anything at all.
    missing: the SOURCES, and KMS, of which writes go unrecorded, sorted.
    """

    given: bool = False
    parsed: bool = False
    writes: bool = False
    reads: bool = False
    kms: bool = False
    data: bool = False
    management: bool = False
    missing: tuple[str, ...] = ()

    def as_fields(self) -> dict[str, Any]:
        """What a rule sees under `facts.selectors.` (rules/README.md)."""
        names = ("given", "parsed", "writes", "reads", "kms", "data", "management")
        fields: dict[str, Any] = {name: getattr(self, name) for name in names}
        if self.missing:
            fields["missing"] = list(self.missing)
        return fields


NO_SELECTORS = SelectorFacts()


def selectors_of(record: Record) -> SelectorFacts:
    """The selectors that a request to CloudTrail sets. Total: what cannot be read says so."""
    request = mapping(record.fields, "requestParameters")
    classic, advanced = request.get("eventSelectors"), request.get("advancedEventSelectors")
    if record.service != "cloudtrail" or (classic is None and advanced is None):
        return NO_SELECTORS
    try:
        takers = [_classic(one) for one in _entries(classic)] + [_advanced(one) for one in _entries(advanced)]
        return _asked(takers)
    except _UnreadableError:
        return SelectorFacts(given=True)


@dataclass(frozen=True, slots=True)
class _Selector:
    """One selector: `tests` an event's fields must all pass (field → test), and whether it takes other categories."""

    management: bool
    data: bool
    tests: tuple[tuple[str, Callable[[str], bool]], ...] = ()
    named: tuple[tuple[str, str], ...] = ()

    def takes(self, event: Mapping[str, str]) -> bool:
        return all(test(event[field]) for field, test in self.tests)


def _asked(selectors: Sequence[_Selector]) -> SelectorFacts:
    takers = [selector for selector in selectors if selector.management]
    values = {field: _values(takers, field) for field in _VARIED}
    sources = (*SOURCES, KMS, _OTHER)
    size = len(sources) * 4 * max(len(takers), 1)
    for field in _VARIED:
        size *= len(values[field])
    if size > _MAX_QUESTIONS:
        raise _UnreadableError
    tested = {field for selector in takers for field, _ in selector.tests}
    asked = sources if "eventSource" in tested else (_OTHER,)  # where no test looks, one answer is everybody's
    missing: dict[str, set[str]] = {"true": set(), "false": set()}
    for event in _events(asked, values, consoles=("true", "false") if _CONSOLE in tested else ("true",)):
        if not any(selector.takes(event) for selector in takers):
            missing[event["readOnly"]].update((event["eventSource"],) if asked is sources else sources)
    unrecorded = missing["false"]
    return SelectorFacts(
        given=True,
        parsed=True,
        writes=not unrecorded - {KMS},
        reads=not missing["true"],
        kms=KMS not in unrecorded,
        data=any(selector.data for selector in selectors),
        management=bool(takers),
        missing=tuple(sorted(unrecorded - {_OTHER})),
    )


def _values(selectors: Iterable[_Selector], field: str) -> tuple[str, ...]:
    named = (value for selector in selectors for name, value in selector.named if name == field)
    return (_OTHER, *dict.fromkeys(named))


def _events(
    sources: Sequence[str], values: Mapping[str, tuple[str, ...]], consoles: Sequence[str]
) -> Iterator[dict[str, str]]:
    """One event for each thing that selectors can tell apart. Names that are reads of AWS's are asked for as reads."""
    asked = product(sources, ("true", "false"), consoles, *(values[field] for field in _VARIED))
    for source, read, console, *varied in asked:
        event = {"eventSource": source, "readOnly": read, _CONSOLE: console}
        event.update(zip(_VARIED, varied, strict=True))
        if read == "true" or not _READ.match(event["eventName"]):
            yield event


def _entries(given: object) -> list[Mapping[str, Any]]:
    entries = [] if given is None else given
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise _UnreadableError
    return entries


def _classic(entry: Mapping[str, Any]) -> _Selector:
    """`readWriteType` defaults to All, `includeManagementEvents` to true; exclusions are of whole sources."""
    kinds = {"all": None, "readonly": "true", "writeonly": "false"}
    kind = str(entry.get("readWriteType") or "All").lower()
    included = str(_or(entry.get("includeManagementEvents"), True)).lower()
    if kind not in kinds or included not in ("true", "false"):
        raise _UnreadableError
    excluded = frozenset(_listed(entry.get("excludeManagementEventSources")))
    read = kinds[kind]
    tests: list[tuple[str, Callable[[str], bool]]] = []
    if excluded:
        tests.append(("eventSource", lambda source: source not in excluded))
    if read:
        tests.append(("readOnly", lambda value: value == read))
    resources = any(_listed(one.get("values")) for one in _entries(entry.get("dataResources")))
    return _Selector(included == "true", resources, tuple(tests))


def _advanced(entry: Mapping[str, Any]) -> _Selector:
    """All field selectors of one must hold; without a category it takes nothing that AWS would accept."""
    tests: list[tuple[str, Callable[[str], bool]]] = []
    named: list[tuple[str, str]] = []
    categories: list[str] = []
    for field_selector in _entries(entry.get("fieldSelectors")):
        field = field_selector.get("field")
        conditions = {name: _listed(field_selector.get(name)) for name in _OPERATORS if field_selector.get(name)}
        if not isinstance(field, str) or not conditions:
            raise _UnreadableError
        if field == "eventCategory":
            categories += conditions.get("equals", ())
            continue
        tests.append((field, _test(conditions)))
        named += [(field, value) for values in conditions.values() for value in values]
    if not categories:
        raise _UnreadableError
    management = "Management" in categories
    known = {"eventSource", "readOnly", _CONSOLE, *_VARIED}
    if management and not known >= {field for field, _ in tests}:
        raise _UnreadableError
    return _Selector(management, bool({"Data", "NetworkActivity"} & set(categories)), tuple(tests), tuple(named))


def _test(conditions: Mapping[str, list[str]]) -> Callable[[str], bool]:
    """Of a positive operator any value must hold, of a negative one none may."""

    def holds(value: str) -> bool:
        for name, wanted in conditions.items():
            found = any(_OPERATORS[name](value, one) for one in wanted)
            if found is name.startswith("not"):
                return False
        return True

    return holds


def _listed(given: object) -> list[str]:
    """The texts of a list, or the single one; true and false as texts."""
    values = given if isinstance(given, list) else [] if given is None else [given]
    found = [str(one).lower() if isinstance(one, bool) else one for one in values]
    if not all(isinstance(one, str) for one in found):
        raise _UnreadableError
    return [str(one) for one in found]


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value
