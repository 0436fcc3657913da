"""Links into the AWS console, for the right partition and region, and to the deployer's runbook.

Console hosts per partition: cloudtrail/partition.py.
Event history keeps management events for 90 days, in their own account and region. The console opens in the
account one is signed in to; nothing in an address can say which. Its addresses are not documented: where a page of
one resource is not known for sure, the link goes to the list that holds it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from trailbell.cloudtrail.partition import PARTITIONS
from trailbell.facts.actor import Actor
from trailbell.facts.person import permission_set
from trailbell.hits.hit import Hit
from trailbell.text.lazy_pattern import lazy_pattern


EVENTS = ("event", "first event", "last event")
"""Labels of the links to events: of one hit, and of several."""

_REGION = lazy_pattern(r"[a-z]{2,}(?:-[a-z]+)+-\d{1,2}", re.ASCII)
_MAX_RESOURCES = 3
_MAX_LOOKED_AT = 50  # hits of a storm
_MAX_NAME = 512  # a longer one would make a line that mail programs break

# An ARN's service and type → label and page. {n}: the name, {a}: the whole ARN, {r}: the region.
_PAGES = {
    "kms:key": ("key", "kms/home?region={r}#/kms/keys/{n}"),
    "kms:alias": ("keys", "kms/home?region={r}#/kms/keys"),
    "cloudhsm:backup": ("backups", "cloudhsm/home?region={r}#/backups"),
    "cloudhsm:cluster": ("clusters", "cloudhsm/home?region={r}#/clusters"),
    "ssm:parameter": (
        "parameter",
        "systems-manager/parameters/?region={r}&tab=Table#list_parameter_filters=Name:Contains:{n}",
    ),
    "ssm:document": ("document", "systems-manager/documents/{n}/description?region={r}"),
    "ssm:association": ("association", "systems-manager/state-manager/{n}/description?region={r}"),
    "ssm:managed-instance": ("node", "systems-manager/fleet-manager/managed-nodes/{n}/general?region={r}"),
    "ssm:servicesetting": ("settings", "systems-manager/fleet-manager/managed-nodes?region={r}"),
    "ec2:instance": ("instance", "ec2/home?region={r}#InstanceDetails:instanceId={n}"),
    "cloudtrail:trail": ("trail", "cloudtrailv2/home?region={r}#/trails/{a}"),
    "cloudtrail:eventdatastore": ("data stores", "cloudtrailv2/home?region={r}#/lake/event-data-stores"),
    "s3:": ("bucket", "s3/buckets/{n}?region={r}"),
    "ram:resource-share": ("shares", "ram/home?region={r}#OwnedResourceShares:"),
    "ssm-incidents:": ("incidents", "systems-manager/incidents/home?region={r}#/incidents"),
    "ssm-quicksetup:": ("quick setup", "systems-manager/quick-setup?region={r}"),
    "ssm-contacts:": ("contacts", "systems-manager/incidents/home?region={r}#/contacts"),
}
# Where no ARN says more: the service's own page.
_HOMES = {
    "kms": ("keys", "kms/home?region={r}#/kms/keys"),
    "cloudhsm": ("clusters", "cloudhsm/home?region={r}#/clusters"),
    "ssm": ("console", "systems-manager/home?region={r}"),
    "ssm-incidents": _PAGES["ssm-incidents:"],
    "ssm-contacts": _PAGES["ssm-contacts:"],
    "ssm-quicksetup": _PAGES["ssm-quicksetup:"],
    "ssm-sap": ("applications", "systems-manager/appmanager/applications?region={r}"),
    "ssm-guiconnect": ("nodes", "systems-manager/fleet-manager/managed-nodes?region={r}"),
    "cloudtrail": ("trails", "cloudtrailv2/home?region={r}#/trails"),
}


def links_of(hit: Hit, runbook: str = "") -> dict[str, str]:
    """Label → address, most useful first; only the runbook where the record names no real region, or one of a
    partition whose console is not known.

    runbook: an address in which {rule}, {service} and {level} are filled in; "" for none.
    """
    links = {}
    if _REGION.fullmatch(hit.region) and _host(hit.partition):
        event = f"cloudtrailv2/home?region={hit.region}#/events/{_quoted(_event_of(hit))}"
        if not hit.is_finding:
            links["event"] = _console(hit.partition, hit.region, event)
        pages = list(_resource_pages(hit)) or list(_home(hit))
        for label, address in pages[:_MAX_RESOURCES]:
            links.setdefault(label, address)
        links.update(_actor_page(hit.actor, hit))
    if runbook:
        links["runbook"] = runbook_link(runbook, hit)
    return links


def _event_of(hit: Hit) -> str:
    """The id of the event to look at: of an episode that of its last act."""
    return hit.episode.acts[-1].event_id if hit.episode and hit.episode.acts else hit.event_id


def links_of_all(hits: Sequence[Hit], runbook: str = "") -> dict[str, str]:
    """Label → address for the hits of an alert (at least one): for one hit the same as links_of.

    Of several the first and the last event, and the pages of all, numbered where a label has more than one; of each
    label no more than _MAX_RESOURCES. The runbook where it is the same for all.
    """
    if len(hits) == 1:
        return links_of(hits[0], runbook)
    events = zip(EVENTS[1:], (links_of(hits[0]), links_of(hits[-1])), strict=True)
    runbooks = {runbook_link(runbook, hit) for hit in hits} if runbook else set()
    return {
        **{label: links[EVENTS[0]] for label, links in events if EVENTS[0] in links},
        **dict(_numbered(_pages(hits))),
        **({"runbook": runbooks.pop()} if len(runbooks) == 1 else {}),
    }


def _pages(hits: Sequence[Hit]) -> dict[str, list[str]]:
    """Label → addresses of the pages of resources and actors, each once."""
    pages: dict[str, list[str]] = {}
    for hit in hits[:_MAX_LOOKED_AT]:
        for label, address in links_of(hit).items():
            if label != EVENTS[0] and address not in pages.setdefault(label, []):
                pages[label].append(address)
    return {label: addresses for label, addresses in pages.items() if addresses}


def _numbered(pages: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for label, addresses in pages.items():
        for number, address in enumerate(addresses[:_MAX_RESOURCES], start=1):
            yield f"{label} {number}" if len(addresses) > 1 else label, address


def runbook_link(template: str, hit: Hit) -> str:
    """The runbook's address for a hit; what a rule's author wrote is quoted, and nothing else is filled in."""
    address = template
    for place, value in {"{rule}": hit.name, "{service}": hit.service, "{level}": hit.level}.items():
        address = address.replace(place, _quoted(value))
    return address


def _resource_pages(hit: Hit) -> Iterator[tuple[str, str]]:
    for arn in hit.resources:
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[0] != "arn" or not _host(parts[1]):
            continue
        service, region, rest = parts[2], parts[3] or hit.region, parts[5]
        kind, slash, name = rest.partition("/")
        page = _PAGES.get(f"{service}:{kind if slash else ''}") or _PAGES.get(f"{service}:")
        name = name if slash and service != "s3" else kind
        if page and _REGION.fullmatch(region) and 0 < len(name) <= _MAX_NAME:
            label, path = page
            yield label, _console(parts[1], region, _filled(path, region, name, arn))


def _home(hit: Hit) -> Iterator[tuple[str, str]]:
    if hit.service in _HOMES:
        label, path = _HOMES[hit.service]
        yield label, _console(hit.partition, hit.region, _filled(path, hit.region, "", ""))


def _actor_page(actor: Actor, hit: Hit) -> dict[str, str]:
    """Where the actor's rights and sessions are taken away: IAM. Not of another account, for the sign-in is to this."""
    person = actor.key.split(":", 3)[2:3] == ["sts"]  # whose rights are the role's
    parts = (actor.role if person else actor.key).split(":", 5)
    if len(parts) < 6 or parts[:3] != ["arn", hit.partition, "iam"] or parts[4] != hit.account:
        return {}
    kind, _, path = parts[5].partition("/")
    bare = path.rpartition("/")[2]
    name = _quoted(bare)
    revoke = "" if permission_set(bare) else "?section=revoke_sessions"  # IAM refuses to change those roles
    pages = {"role": f"roles/details/{name}{revoke}", "user": f"users/details/{name}"}
    if kind not in pages or not 0 < len(name) <= _MAX_NAME:
        return {}
    return {kind: _console(hit.partition, hit.region, f"iam/home#/{pages[kind]}")}


def _filled(path: str, region: str, name: str, arn: str) -> str:
    """Fill a page's places. Names come from records: quoted last and once, so that none can fill another's place."""
    values = {"r": region, "n": _quoted(name, "/:"), "a": _quoted(arn, "/:")}
    return re.sub(r"\{([rna])\}", lambda place: values[place[1]], path)


def _quoted(value: str, safe: str = "") -> str:
    return quote(value, safe=safe, errors="replace")


def _console(partition: str, region: str, path: str) -> str:
    return f"https://{region}.{_host(partition)}/{path}"


def _host(partition: str) -> str:
    """The console's host, "" where none is known: then there are no links, rather than some that lead elsewhere."""
    known = PARTITIONS.get(partition)
    return known.console if known else ""
