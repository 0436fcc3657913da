"""What runs by a call to Systems Manager: whose documents, on what, with which role.

A document is the code: a script for nodes (Run Command, State Manager), or the steps of an automation. A record
names it by its name or its ARN; the owner stands in the ARN, and AWS's own documents have no account there.
https://docs.aws.amazon.com/systems-manager/latest/userguide/documents.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from trailbell.cloudtrail.record import Record, mapping, text, texts
from trailbell.lazy_dataclass import dataclass
from trailbell.text.lazy_pattern import lazy_pattern


AWS, OWN, FOREIGN = "aws", "own", "foreign"

HARMLESS = {
    "AWS-FindWindowsUpdates": "lists the updates that are missing on Windows, and installs none",
    "AWS-GatherSoftwareInventory": "lists what is installed on a node",
    "AWS-ListWindowsInventory": "lists what a Windows node is made of",
    "AWS-UpdateSSMAgent": "brings the agent to another release of AWS's own",
    "AWSFleetManager-GetDiskInformation": "reads the sizes of disks",
    "AWSFleetManager-GetPerformanceCounters": "reads load and memory",
    "AWSSupport-TroubleshootManagedInstance": "reads why a node does not report to Systems Manager",
}
"""AWS's documents that change nothing but their own agent and read no content, each with the reason.

Not here: whatever installs, restarts, resets, reads files or the registry, or takes code from the caller.
"""

_PATCHING = frozenset({"AWS-RunPatchBaseline", "AWS-RunPatchBaselineAssociation"})
_OVERRIDES = ("BaselineOverride", "InstallOverrideList")

# "You can't use the following strings as document name prefixes. These are reserved": aws, amazon, amzn.
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html
# Compared with case, as AWS's own names are written: another spelling is taken for the account's own, never for AWS's.
_RESERVED = ("AWS", "Amazon", "Amzn")
_ARN = lazy_pattern(r"arn:[^:]*:ssm:[^:]*:([0-9]{12}|):(?:document|automation-definition)/([^:/]+)")
_ROLE = lazy_pattern(r"arn:[^:]*:iam::[0-9]{12}:role/")
_EVERYTHING = "*"

# Which operation names documents in which members of the request; the last two take them from lists.
_MEMBERS = {
    "CreateAssociation": "name",
    "CreateAssociationBatch": "entries.name",
    "RegisterTaskWithMaintenanceWindow": "taskArn",
    "SendCommand": "documentName",
    "StartAutomationExecution": "documentName",
    "StartChangeRequestExecution": "runbooks.documentName",
    "StartSession": "documentName",
    "UpdateAssociation": "name",
    "UpdateMaintenanceWindowTask": "taskArn",
}


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What a call runs.

    names:       of the documents, without ARN and version, in the order of the request.
    owner:       whose they are: "aws", "own" (the recipient's or a trusted account's) or "foreign"; of several the
                 least known; "" if the record names none.
    harmless:    all of them are AWS's and on the list of those that change nothing.
    role:        the call hands over a role to run with, by its ARN.
    all_targets: it is aimed at whatever there is, by `*`.
    """

    names: tuple[str, ...] = ()
    owner: str = ""
    harmless: bool = False
    role: bool = False
    all_targets: bool = False

    def as_fields(self) -> dict[str, Any]:
        """What a rule sees under `facts.document.`; names and owner are left out when no document is named."""
        fields: dict[str, Any] = {"harmless": self.harmless, "role": self.role, "all_targets": self.all_targets}
        if self.names:
            fields |= {"names": list(self.names), "owner": self.owner}
        return fields


NOTHING = DocumentFacts()
"""For records that run no document."""


def document_of(record: Record, trusted: frozenset[str]) -> DocumentFacts:
    """What a record of Systems Manager runs; NOTHING for all other records. Total.

    trusted: accounts of the deployer, whose documents count as own.
    """
    member = _MEMBERS.get(record.event_name)
    if member is None or record.service != "ssm":
        return NOTHING
    request = mapping(record.fields, "requestParameters")
    found = [_identified(name, record.account, trusted) for name in _named(record, request, member)]
    known = [document for document in found if document]
    names = tuple(name for name, _ in known)
    owners = {owner for _, owner in known}
    return DocumentFacts(
        names=names,
        owner=next((owner for owner in (FOREIGN, OWN, AWS) if owner in owners), ""),
        harmless=owners == {AWS} and all(name in HARMLESS or _is_scan(name, request) for name in names),
        role=record.event_name not in ("SendCommand", "StartSession") and any(_roles(request)),
        all_targets=any(_targets_all(request)),
    )


def _named(record: Record, request: Mapping[str, Any], member: str) -> list[str]:
    """The documents as the request names them; the answer where an update leaves the name out."""
    outer, _, inner = member.rpartition(".")
    if outer:
        entries = request.get(outer)
        names = [name for entry in (entries if isinstance(entries, list) else ()) for name in texts(entry, inner)]
        return names or texts(request, inner)
    return (
        texts(request, member)
        or texts(record.fields, "responseElements", "associationDescription", "name")
        or texts(record.fields, "responseElements", "command", "documentName")
    )


def _identified(given: str, account: str, trusted: frozenset[str]) -> tuple[str, str] | None:
    """A document's name and owner; None for what is no document (a task may run a function or a state machine)."""
    if given.startswith("arn:"):
        found = _ARN.match(given)
        if not found:
            return None
        owner, name = found.groups()
        if owner:
            return name, OWN if owner == account or owner in trusted else FOREIGN
        return name, AWS
    name = given.partition(":")[0]
    return name, AWS if name.startswith(_RESERVED) else OWN


def _is_scan(name: str, request: Mapping[str, Any]) -> bool:
    """Whether a patch document only looks for missing patches, by AWS's or the account's own baseline.

    Run Command's parameters are hidden in records, so of a command this cannot be said.
    """
    parameters = request.get("parameters")
    if name not in _PATCHING or not isinstance(parameters, dict):
        return False
    overridden = any(text for member in _OVERRIDES for text in texts(parameters, member))
    return texts(parameters, "Operation") == ["Scan"] and not overridden


def _roles(request: Mapping[str, Any]) -> Iterator[bool]:
    """The places where a role is handed over: members of their own, and parameters, which runbooks name as they like.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-setup.html
    """
    yield bool(text(request, "serviceRoleArn") or text(request, "associationDispatchAssumeRole"))
    for place in (request, *_entries(request)):
        yield any(_ROLE.match(value) for value in _all_texts(place.get("parameters")))
    yield any(text(location, "executionRoleName") for location in _locations(request))


def _targets_all(request: Mapping[str, Any]) -> Iterator[bool]:
    """A star as the value of a target is every node, or every value of a tag; not so as the value of a parameter."""
    for place in (request, *_entries(request), *_locations(request)):
        for target in _objects(place.get("targets")):
            yield text(target, "key") != "ParameterValues" and _EVERYTHING in texts(target, "values")


def _entries(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of a batch of associations, and the runbooks of a change request."""
    return [one for member in ("entries", "runbooks") for one in _objects(request.get(member))]


def _locations(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for place in (request, *_entries(request)) for one in _objects(place.get("targetLocations"))]


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _all_texts(value: object) -> list[str]:
    """Every text in the parameters of a document: each has a list of values, in some records a single one."""
    if not isinstance(value, dict):
        return []
    return [one for name in value for one in texts(value, name)]
