"""Which calls AWS's services have, and under which event source CloudTrail records them, from the SDK's models.

A misspelt call, or one beside another service's event source, never matches, and nobody notices for months. What the
models do not say stands here: event sources without a model, and events that are no operation of an API.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-non-api-events.html
"""

import gzip
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import IO, Any, cast

import msgspec
from botocore.session import get_session

from trailbell.cloudtrail.event_source import TWINS
from trailbell.errors import RuleError
from trailbell.rulebook.placeholders import known_operations
from trailbell.rulebook.product import product_root


SUFFIX = ".amazonaws.com"
_CLOSE = 0.75  # of difflib's likeness: DisabledKey and DisableKey have 0.95
_HEAD = 4096  # bytes of a model that hold its metadata
_METADATA = re.compile(r'"(endpointPrefix|signingName)"\s*:\s*"([^"]+)"')

# What CloudTrail adds to the names of some APIs: UpdateFunctionCode20150331v2, CreateDistribution2020_05_31.
_VERSION = re.compile(r"(?:20\d\d_?\d\d_?\d\d)(?:v\d+)?$")

# Second names of services, which records may hold (rules take either), but which nobody means who writes a setting.
_SECOND_NAMES = {twin.removesuffix(SUFFIX): source.removesuffix(SUFFIX) for source, twin in TWINS.items()}

# Event sources that no model of the SDK names.
_WITHOUT_MODEL = frozenset(
    "activate aws-marketplace aws-portal billing billingconsole chatbot cloudshell codecatalyst consoleapp"
    " discovery ec2messages events-scheduler freetier groundtruthlabeling honeycode iotfleethub license-manager"
    " mobileanalytics notifications-console nova phd profile qdeveloper q s3express s3-outposts serverlessrepo signin"
    " sso-directory sso-oauth ssmmessages sumerian support supportplans tagging trustedadvisor user-subscriptions"
    " vpc-lattice-svcs".split()
)

# Events of services that have a model, beside its operations.
_EVENTS: Mapping[str, frozenset[str]] = {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
    "s3": frozenset(
        f"{verb}{kind}PublicAccessBlock" for verb in ("Get", "Put", "Delete") for kind in ("Account", "Bucket")
    )
    | frozenset({"GetBucketObjectLockConfiguration", "PutBucketObjectLockConfiguration"}),
    "iam": frozenset({"PasswordUpdated", "EmailUpdated"}),
}

_RULES = product_root() / "rules"


def fault_of_source(source: str) -> str:
    """Why no record has this event source, "" if one may have; with the nearest right one where there is one."""
    prefix = source.removesuffix(SUFFIX) if source.endswith(SUFFIX) else ""
    if prefix and _is_known(prefix):
        return ""
    meant = _source_meant(prefix or source.partition(".")[0])
    return f"{source} is no event source of CloudTrail" + (f"; write {meant}{SUFFIX}" if meant else "")


def fault_of_call(prefixes: Iterable[str], call: str) -> str:
    """Why no record of these services (first parts of event sources) has this event name, "" if one may have.

    The nearest right name is said where there is one. Beyond the services of coverage.csv, whose events are all
    known, a name that is like no operation may be an event of another kind, so it passes.
    """
    services = [prefix for prefix in prefixes if _is_known(prefix)]
    known = {name for prefix in services for name in _calls(prefix)}
    spelled = {name.lower() for name in known}
    if not known or call.lower() in spelled or _VERSION.sub("", call).lower() in spelled:
        return ""
    fault = f"{' and '.join(services)} has no call {call}"
    for other, name in _elsewhere(services, call.lower()):
        return f"{fault}; {other}{SUFFIX} has {name}"
    near = _nearest(call, known)
    if near:
        return f"{fault}; the nearest is {near}"
    return fault if set(services) <= set(_catalogue()) else ""


def nearest_source(service: str) -> str:
    """The first part of the event source that a service's name in the SDK means, or the nearest one; "" if none is."""
    if service in _SECOND_NAMES:
        return _SECOND_NAMES[service]
    return service if _is_known(service) else _source_meant(service)


def spelling(source: str, call: str) -> str:
    """A call's name as records of an event source write it, by its name in small letters; "" where it is not known."""
    return _spellings(source.removesuffix(SUFFIX)).get(call, "")


@cache
def _spellings(prefix: str) -> Mapping[str, str]:
    return {name.lower(): name for name in sorted(_calls(prefix))}


def _is_known(prefix: str) -> bool:
    return prefix in _services() or prefix in _WITHOUT_MODEL or prefix in _catalogue() or prefix in _SECOND_NAMES


def _source_meant(name: str) -> str:
    """The prefix of the service that the SDK calls so, or the one whose prefix is nearest."""
    for prefix, services in _services().items():
        if name.lower() in services and "." not in prefix:
            return prefix
    return _nearest(name, _services())


def _nearest(name: str, known: Iterable[str]) -> str:
    spelled = {one.lower(): one for one in known}
    close = get_close_matches(name.lower(), sorted(spelled), n=1, cutoff=_CLOSE)
    return spelled[close[0]] if close else ""


def _elsewhere(services: list[str], call: str) -> Iterator[tuple[str, str]]:
    """The same call of a service of a like name: route53 and route53domains, cloudwatch and monitoring."""
    named = {other for name in services for other in _names() if other.startswith(name)}
    for prefix, models in _services().items():
        if prefix not in services and "." not in prefix and named & models:
            yield from ((prefix, name) for name in _calls(prefix) if name.lower() == call)


@cache
def _calls(prefix: str) -> frozenset[str]:
    """The names that records of an event source may hold, as far as models and coverage.csv know them."""
    names = {name for service in _services().get(prefix, ()) for name in _operations(service)}
    if prefix in _SECOND_NAMES:
        names.update(_calls(_SECOND_NAMES[prefix]))
    return frozenset(names | set(_catalogue().get(prefix, ())) | _EVENTS.get(prefix, frozenset()))


class _Model(msgspec.Struct):
    """Of a service's model only the names of its operations."""

    operations: dict[str, msgspec.Raw]


@cache
def _operations(service: str) -> frozenset[str]:
    with _open_model(service) as stream:
        return frozenset(msgspec.json.decode(stream.read(), type=_Model).operations)


@cache
def _catalogue() -> Mapping[str, tuple[str, ...]]:
    """Events of the watched services, those without an operation too; rules/coverage.csv."""
    return {
        name.removeprefix("operations_").replace("_", "-"): calls for name, calls in known_operations(_RULES).items()
    }


@cache
def _services() -> Mapping[str, frozenset[str]]:
    """The SDK's names of services by the first part of the event source their records have.

    The event source is made of the endpoint's prefix or of the name requests are signed with, so both count. A model
    is megabytes long, and its metadata stand at its head: only that is read.
    """
    found: dict[str, set[str]] = {}
    for service in _names():
        with _open_model(service) as stream:
            head = stream.read(_HEAD).decode("utf-8", "replace")
        for _, prefix in _METADATA.findall(head):
            if prefix not in _SECOND_NAMES:
                found.setdefault(prefix.lower(), set()).add(service)
    return {prefix: frozenset(names) for prefix, names in found.items()}


@cache
def _loader() -> Any:
    return get_session().get_component("data_loader")


@cache
def _names() -> tuple[str, ...]:
    """The SDK's names of all services."""
    return tuple(_loader().list_available_services("service-2"))


def _open_model(service: str) -> IO[bytes]:
    """The model's file. botocore would read all of it into objects, which takes seconds for the larger services."""
    loader = _loader()
    version = loader.determine_latest_version(service, "service-2")
    for root in loader.search_paths:
        plain = Path(root) / service / version / "service-2.json"
        packed = plain.with_suffix(".json.gz")
        if packed.is_file():
            return cast(IO[bytes], gzip.open(packed))
        if plain.is_file():
            return plain.open("rb")
    raise RuleError(f"the SDK holds no model of {service}: install it anew")
