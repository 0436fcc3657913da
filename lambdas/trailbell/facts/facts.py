"""Facts are what we derive from a record for rules and readers; rules address them under `facts.`"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from trailbell.cloudtrail.once import once
from trailbell.cloudtrail.record import Record, is_identifier, mapping, text, texts
from trailbell.engine.prefilter.field_index import Derived
from trailbell.facts.account_limits import account_of
from trailbell.facts.actor import KIND_PATHS, Actor, actor_of, kinds_by_json, possible_kinds
from trailbell.facts.direct import is_direct, possibly_direct
from trailbell.facts.document import DocumentFacts, document_of
from trailbell.facts.external_keys import external_keys_of, possible_external, possible_keys
from trailbell.facts.fact_fields import FactFields, all_fields
from trailbell.facts.grant import unconstrained_operations
from trailbell.facts.outcome import OUTCOME_MEMBERS, Outcome, outcome_of, outcomes_by_json, possible_outcomes
from trailbell.facts.policy import PolicyFacts, read_policy
from trailbell.facts.policy_hold import Hold, read_hold
from trailbell.facts.resources import RESOURCE_WORDS, resources_of
from trailbell.facts.selectors import SelectorFacts, selectors_of


_NO_NAMES: Mapping[str, str] = {}


class Facts:
    """Derived from one record; see the modules actor, document, outcome, policy and resources for what each means.

    Each is derived when it is first asked for: of most records that rules may match, few are ever needed. Total: odd
    records give empty facts, never an error.

    trusted: accounts of the deployer that are not external; the recipient never is.
    account_names: what the deployer calls accounts, by id.
    """

    def __init__(
        self, record: Record, trusted: frozenset[str] = frozenset(), account_names: Mapping[str, str] = _NO_NAMES
    ) -> None:
        self._record, self._trusted, self._account_names = record, trusted, account_names

    @once
    def outcome(self) -> Outcome:
        """Whether the call had an effect."""
        return outcome_of(self._record.fields)

    @once
    def direct(self) -> bool:
        """Whether a person or a workload is behind the call."""
        return is_direct(self._record.fields)

    @once
    def actor(self) -> Actor:
        """Who did it."""
        return actor_of(self._record.fields)

    @once
    def resources(self) -> tuple[str, ...]:
        """What the record is about."""
        return resources_of(self._record)

    @property
    def operation(self) -> str:
        """The event source and the call, such as kms.amazonaws.com:DisableKey."""
        return operation_of(self._record.event_source, self._record.event_name)

    @once
    def document(self) -> DocumentFacts:
        """The document of Systems Manager that the record is about."""
        return document_of(self._record, self._trusted)

    @property
    def parameters_decrypted(self) -> int:
        """Number of parameters that a call names to have them decrypted."""
        return _parameters_decrypted(self._record, self._request)

    @once
    def policy(self) -> PolicyFacts | None:
        """What the request or the response gave as resource policy, None if neither did."""
        return _policy(self._policies)

    @once
    def external_accounts(self) -> tuple[str, ...]:
        """Accounts the request lets in, or takes something from, that are neither the recipient nor trusted, sorted."""
        named = set(_accounts_named(self._request))
        if self.policy:
            named.update(self.policy.accounts)
        return tuple(sorted(named - self._trusted - {self._record.account})) if named else ()

    @property
    def request_omitted(self) -> bool:
        """CloudTrail left the request out because it was too large."""
        return _is_omitted(self._request)

    @property
    def caller_external(self) -> bool:
        """The caller's account is neither the recipient nor trusted."""
        return _is_external(text(self._record.fields, "userIdentity", "accountId"), self._record, self._trusted)

    @once
    def selectors(self) -> SelectorFacts:
        """What the event selectors of the request record."""
        return selectors_of(self._record)

    @once
    def hold(self) -> Hold:
        """What a key policy takes from the account that owns the key."""
        return _hold(self._policies, self._record)

    @once
    def external_keys(self) -> tuple[str, ...]:
        """KMS keys the record is about, of accounts that are neither the recipient nor trusted."""
        return external_keys_of(self._record, self._trusted)

    @once
    def grant_unconstrained(self) -> tuple[str, ...]:
        """Operations that a KMS grant gives and no constraint of it holds back."""
        return unconstrained_operations(self._request) if self._record.event_name == "CreateGrant" else ()

    @property
    def source_ip(self) -> str:
        """Where the call came from, as recorded."""
        return text(self._record.fields, "sourceIPAddress")

    @property
    def account_name(self) -> str:
        """What the deployer calls the record's account, "" if nothing. It is shown, and no rule sees it."""
        return self._account_names.get(self._record.account, "")

    @property
    def _request(self) -> Mapping[str, Any]:
        return mapping(self._record.fields, "requestParameters")

    @once
    def _policies(self) -> list[Any]:
        return _policies(self._request, mapping(self._record.fields, "responseElements"))

    def fields(self) -> FactFields:
        """The same as `as_fields`, each member made when a rule looks at it. Not kept here: it would be a cycle, and
        with it the record would stay in memory.
        """
        return FactFields(self)

    def as_fields(self) -> dict[str, Any]:
        """What a rule sees under `facts.` (documented in rules/README.md).

        Booleans are always there. Other lists are left out when empty, so that `|exists` tells.
        """
        return all_fields(self)


TELLING: Mapping[str, Callable[[Facts], Hashable]] = {
    "facts.outcome": lambda facts: str(facts.outcome),
    "facts.direct": lambda facts: facts.direct,
    "facts.actor.kind": lambda facts: facts.actor.kind,
}
"""Facts that have few values and are in most rules' conditions, cheapest first; what a rule sees of them."""


WRITTEN: Mapping[str, AbstractSet[str]] = {"facts.resources": RESOURCE_WORDS}
"""Facts that are made of a record's texts, and the words that may be in them beside those."""


def derived_fields(trusted: frozenset[str]) -> dict[str, Derived]:
    """Facts that follow from a few texts of a record, for the prefilter: the same as `facts_of`."""

    def outcome(code: str) -> tuple[str, ...]:
        return tuple(map(str, possible_outcomes(code)))

    def outcome_by_json(*members: Any) -> tuple[str, ...] | None:
        return None if outcomes_by_json(*members) is None else success

    def operation(source: str, name: str) -> tuple[str, ...]:
        return (operation_of(source, name),)

    def external(caller: str, recipient: str) -> tuple[bool, ...]:
        if caller in trusted or not account_of(caller):
            return (False,)
        return (caller != recipient,) if is_identifier(recipient) else (False, True)

    success = (str(Outcome.SUCCESS),)
    by_answers = Derived(OUTCOME_MEMBERS, outcome_by_json, by_json=True)
    return {
        "facts.outcome": Derived(("errorCode",), outcome, closer=by_answers),
        "facts.operation": Derived(("eventSource", "eventName"), operation),
        "facts.direct": Derived(("eventType", "userIdentity.type", "userIdentity.invokedBy"), possibly_direct),
        "facts.actor.kind": Derived(
            ("userIdentity.type",), possible_kinds, closer=Derived(KIND_PATHS, kinds_by_json, by_json=True)
        ),
        "facts.caller_external": Derived(("userIdentity.accountId", "recipientAccountId"), external, usual=False),
        "facts.external_keys": Derived(("eventSource", "requestParameters"), possible_keys, by_json=True),
        "facts.key_external": Derived(
            ("eventSource", "resources.ARN", "recipientAccountId"), possible_external(trusted), whole=True, usual=False
        ),
    }


def facts_of(
    record: Record, trusted: frozenset[str] = frozenset(), account_names: Mapping[str, str] = _NO_NAMES
) -> Facts:
    """The facts of a record, none of which is derived yet; trusted, account_names: as Facts has them."""
    return Facts(record, trusted, account_names)


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
