"""Facts are what we derive from a record for rules and readers; rules address them under `facts.`"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trailbell.cloudtrail.record import Record, is_identifier, mapping, text, texts
from trailbell.engine.prefilter.field_index import Derived
from trailbell.facts.account_limits import account_of
from trailbell.facts.actor import Actor, actor_of, possible_kinds
from trailbell.facts.address_block import address_block
from trailbell.facts.direct import is_direct, possibly_direct
from trailbell.facts.document import NOTHING, DocumentFacts, document_of
from trailbell.facts.external_keys import external_keys_of, possible_external
from trailbell.facts.grant import unconstrained_operations
from trailbell.facts.outcome import Outcome, outcome_of, possible_outcomes
from trailbell.facts.policy import PolicyFacts, read_policy
from trailbell.facts.policy_hold import Hold, read_hold
from trailbell.facts.resources import resources_of
from trailbell.facts.selectors import NO_SELECTORS, SelectorFacts, selectors_of


_NOTHING_LOST = Hold()
_NO_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Facts:
    """Derived from one record; see the modules actor, document, outcome, policy and resources for what each means.

    operation:         the event source and the call, such as kms.amazonaws.com:DisableKey.
    parameters_decrypted: number of parameters that a call names to have them decrypted.
    policy:            what the request or the response gave as resource policy, None if neither did.
    external_accounts: accounts the request lets in, or takes something from, that are neither the recipient
                       nor trusted, sorted.
    request_omitted:   CloudTrail left the request out because it was too large.
    caller_external:   the caller's account is neither the recipient nor trusted.
    selectors:         what the event selectors of the request record.
    hold:              what a key policy takes from the account that owns the key.
    external_keys:     KMS keys the record is about, of accounts that are neither the recipient nor trusted.
    grant_unconstrained: operations that a KMS grant gives and no constraint of it holds back.
    source_ip:         where the call came from, as recorded.
    account_name:      what the deployer calls the record's account, "" if nothing. It is shown, and no rule sees it.
    """

    outcome: Outcome
    direct: bool
    actor: Actor
    resources: tuple[str, ...]
    operation: str = ""
    document: DocumentFacts = NOTHING
    parameters_decrypted: int = 0
    policy: PolicyFacts | None = None
    external_accounts: tuple[str, ...] = ()
    request_omitted: bool = False
    caller_external: bool = False
    selectors: SelectorFacts = NO_SELECTORS
    hold: Hold = _NOTHING_LOST
    external_keys: tuple[str, ...] = ()
    grant_unconstrained: tuple[str, ...] = ()
    source_ip: str = ""
    account_name: str = ""

    def as_fields(self) -> dict[str, Any]:
        """What a rule sees under `facts.` (documented in rules/README.md).

        Booleans are always there. Other lists are left out when empty, so that `|exists` tells.
        """
        fields: dict[str, Any] = {
            "outcome": str(self.outcome),
            "direct": self.direct,
            "resources": list(self.resources),
            "operation": self.operation,
            "document": self.document.as_fields(),
            "parameters_decrypted": self.parameters_decrypted,
            "actor": {
                "kind": self.actor.kind,
                "key": self.actor.key,
                "role": self.actor.role,
                "via": self.actor.via,
                "arn": self.actor.arn,
                "account": self.actor.account,
                "console": self.actor.console,
            },
            "policy": _policy_fields(self.policy, self.hold) if self.policy else _NO_POLICY,
            "request_omitted": self.request_omitted,
            "caller_external": self.caller_external,
            "selectors": self.selectors.as_fields(),
            "key_external": bool(self.external_keys),
        }
        if self.external_keys:
            fields["external_keys"] = list(self.external_keys)
        if self.grant_unconstrained:
            fields["grant"] = {"unconstrained": list(self.grant_unconstrained)}
        if self.source_ip:
            fields["address_block"] = address_block(self.source_ip)
        if self.external_accounts:
            fields["external_accounts"] = list(self.external_accounts)
        return fields


def derived_fields(trusted: frozenset[str]) -> dict[str, Derived]:
    """Facts that follow from a few texts of a record, for the prefilter: the same as `facts_of`."""

    def outcome(code: str) -> tuple[str, ...]:
        return tuple(map(str, possible_outcomes(code)))

    def operation(source: str, name: str) -> tuple[str, ...]:
        return (operation_of(source, name),)

    def external(caller: str, recipient: str) -> tuple[bool, ...]:
        if caller in trusted or not account_of(caller):
            return (False,)
        return (caller != recipient,) if is_identifier(recipient) else (False, True)

    return {
        "facts.outcome": Derived(("errorCode",), outcome),
        "facts.operation": Derived(("eventSource", "eventName"), operation),
        "facts.direct": Derived(("eventType", "userIdentity.type", "userIdentity.invokedBy"), possibly_direct),
        "facts.actor.kind": Derived(("userIdentity.type",), possible_kinds),
        "facts.caller_external": Derived(("userIdentity.accountId", "recipientAccountId"), external),
        "facts.key_external": Derived(
            ("eventSource", "resources.ARN", "recipientAccountId"), possible_external(trusted), whole=True
        ),
    }


_NO_POLICY: Mapping[str, Any] = {"given": False, "parsed": False, "public": False, "account_lost": False}


def _policy_fields(policy: PolicyFacts, hold: Hold) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "given": True,
        "parsed": policy.parsed,
        "public": policy.public,
        "account_lost": hold.account_lost,
    }
    if hold.denies:
        fields["denies"] = list(hold.denies)
    if policy.accounts:
        fields["accounts"] = list(policy.accounts)
    return fields


def facts_of(
    record: Record, trusted: frozenset[str] = frozenset(), account_names: Mapping[str, str] = _NO_NAMES
) -> Facts:
    """Derive all facts of a record. Total: odd records give empty facts, never an error.

    trusted: accounts of the deployer that are not external; the recipient never is.
    account_names: what the deployer calls accounts, by id.
    """
    request = mapping(record.fields, "requestParameters")
    given = _policies(request, mapping(record.fields, "responseElements"))
    policy = _policy(given)
    named = set(_accounts_named(request))
    if policy:
        named.update(policy.accounts)
    return Facts(
        outcome=outcome_of(record.fields),
        direct=is_direct(record.fields),
        actor=actor_of(record.fields),
        resources=resources_of(record),
        operation=operation_of(record.event_source, record.event_name),
        document=document_of(record, trusted),
        parameters_decrypted=_parameters_decrypted(record, request),
        policy=policy,
        external_accounts=tuple(sorted(named - trusted - {record.account})) if named else (),
        request_omitted=_is_omitted(request),
        caller_external=_is_external(text(record.fields, "userIdentity", "accountId"), record, trusted),
        selectors=selectors_of(record),
        hold=_hold(given, record),
        external_keys=external_keys_of(record, trusted),
        grant_unconstrained=unconstrained_operations(request) if record.event_name == "CreateGrant" else (),
        source_ip=text(record.fields, "sourceIPAddress"),
        account_name=account_names.get(record.account, ""),
    )


def operation_of(source: str, name: str) -> str:
    """A call as one text, so that a list of calls is a list of pairs; placeholders are written like this."""
    return f"{source}:{name}"


def _parameters_decrypted(record: Record, request: Mapping[str, Any]) -> int:
    """How many names GetParameters was given, if it was to decrypt them; the answer is not in the record."""
    if record.event_name != "GetParameters" or str(request.get("withDecryption")).lower() != "true":
        return 0
    return len(set(texts(request, "names")))


def _policies(request: Mapping[str, Any], response: Mapping[str, Any]) -> list[Any]:
    """The policies put on a resource; ReplicateKey answers with the one the replica got."""
    # CloudTrail Lake calls it resourcePolicy.
    places = (request.get("policy"), request.get("resourcePolicy"), response.get("replicaPolicy"))
    return [policy for policy in places if policy]


def _hold(given: list[Any], record: Record) -> Hold:
    """Of key policies only: an account does not lose other resources by their policy. The last one given counts."""
    return read_hold(given[-1], record.account) if given and record.service == "kms" else Hold()


def _policy(given: list[Any]) -> PolicyFacts | None:
    if not given:
        return None
    read = [read_policy(policy) for policy in given]
    return PolicyFacts(
        parsed=all(policy.parsed for policy in read),
        public=any(policy.public for policy in read),
        accounts=tuple(sorted({account for policy in read for account in policy.accounts})),
    )


# Members whose values are account ids, principals or ARNs of what the request is about.
_NAMING = (
    "granteePrincipal",  # KMS CreateGrant
    "retiringPrincipal",
    "accountIdsToAdd",  # SSM ModifyDocumentPermission
    "sourceBackupId",  # CloudHSM CreateCluster: an ARN if the backup is shared
    "backupId",  # CopyBackupToRegion, the same
    "principals",  # RAM CreateResourceShare and AssociateResourceShare
    "endpoint",  # SNS Subscribe: the ARN of a queue, function or stream
)
# Members that may name a document, alone or in each entry of a list.
_DOCUMENTS = ("documentName", "name", "taskArn")
_LISTS = ("entries", "runbooks")
_INTERESTING = frozenset({*_NAMING, *_DOCUMENTS, *_LISTS, "constraints"})

# The documents of AWS have no account in their ARN.
_DOCUMENT = re.compile(r"arn:[^:]*:ssm:[^:]*:([0-9]{12}):(?:document|automation-definition)/")


def _accounts_named(request: Mapping[str, Any]) -> Iterator[str]:
    """Accounts that a request names outside a policy; nearly all requests name none."""
    if _INTERESTING.isdisjoint(request):
        return
    for member in _NAMING:
        # An organization's ARN names its management account, which gets nothing by it.
        named = (value for value in texts(request, member) if ":organizations:" not in value)
        yield from filter(None, map(account_of, named))
    # A service acts for whoever owns this (grants to service principals).
    yield from filter(None, map(account_of, texts(request, "constraints", "sourceArn")))
    yield from _document_owners(request)
    for member in _LISTS:
        entries = request.get(member)
        for entry in entries if isinstance(entries, list) else ():
            yield from _document_owners(entry)


def _document_owners(fields: object) -> Iterator[str]:
    for member in _DOCUMENTS:
        for name in texts(fields, member):
            found = _DOCUMENT.match(name)
            if found:
                yield found[1]


def _is_omitted(request: Mapping[str, Any]) -> bool:
    """Past 100 KB: {"reason": "requestParameters too large", "omitted": "true", "originalSize": "110211"}.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    flagged = request.get("omitted") is True or text(request, "omitted").lower() == "true"
    return flagged or text(request, "reason") == "requestParameters too large"


def _is_external(account: str, record: Record, trusted: frozenset[str]) -> bool:
    return account != record.account and account not in trusted and bool(account_of(account))
