"""Which of a record's resources the call acted upon, told from those that merely occur: parents, documents, sessions.

An operation says so by its name: DeleteBackup acts on the backup, not on its cluster; UpdateAlias on the alias, not on
the key behind it. Where no resource's type stands in the name, all count but what a call only uses or makes on its way.
"""

import re

from trailbell.cloudtrail.record import Record


_USED = frozenset({"automationdefinition", "document", "session"})
"""Types that a call runs, or that come of it; where there is anything else, that is what it acts upon."""

_CONTAINERS = {"ram": frozenset({"resourceshare"})}
"""Types that hold what a call is about: sharing a key acts upon the key."""

_BARE_ID = re.compile(r"([a-z]+)-[0-9a-z]+")
_BARE_TYPES = {"cks": "customkeystore", "hsm": "hsm"}


def acted_on(record: Record, resources: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the resources that the call acted upon, in their order; all of them if they cannot be told apart."""
    if len(resources) < 2:
        return resources
    outer = _CONTAINERS.get(record.service, frozenset[str]())
    inner = [(resource, kind) for resource in resources if (kind := _type(resource)) not in outer]
    operation = record.event_name.lower()
    made = _USED if operation.startswith("start") else frozenset[str]()  # a session that is started is new
    named = [kind for _, kind in inner if kind and kind in operation and kind not in made]
    if named:
        kind = min(named, key=lambda one: (operation.index(one), -len(one)))  # a contact channel rather than a contact
        return tuple(resource for resource, its in inner if its == kind)
    return tuple(resource for resource, kind in inner if kind not in _USED) or resources


def _type(resource: str) -> str:
    """The type in an ARN or in a bare id, in the spelling of operations: customkeystore, contactchannel."""
    parts = resource.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn":
        kind, slash, _ = parts[5].partition("/")
        return kind.replace("-", "").lower() if slash else ""
    bare = _BARE_ID.fullmatch(resource)
    return _BARE_TYPES.get(bare[1], "") if bare else ""
