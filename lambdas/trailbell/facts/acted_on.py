"""Which of a record's resources the call acted upon, told from those that merely occur: parents, documents, sessions.

An operation says so by its name: DeleteBackup acts on the backup, not on its cluster; UpdateAlias on the alias, not on
the key behind it. Where no resource's type stands in the name, all count but what a call only uses or makes on its way.
"""

import functools
import re

from trailbell.cloudtrail.record import Record


_USED = frozenset({"automationdefinition", "document", "session"})
"""Types that a call runs, or that come of it; where there is anything else, that is what it acts upon."""

_CONTAINERS = {"ram": frozenset({"resourceshare"})}
"""Types that hold what a call is about: sharing a key acts upon the key."""

_BARE_ID = re.compile(r"([a-z]+)-[0-9a-z]+")
_BARE_TYPES = {"cks": "customkeystore", "hsm": "hsm"}


_COLONS_OF_ARN = 5
_REMEMBERED = 256


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
        kinds = dict.fromkeys(named)
        kind = min(kinds, key=lambda one: (operation.index(one), -len(one)))  # a contact channel rather than a contact
        return tuple(resource for resource, its in inner if its == kind)
    return tuple(resource for resource, kind in inner if kind not in _USED) or resources


@functools.lru_cache(_REMEMBERED)  # a call that names many names many of a type
def _type_of_arn(head: str) -> str:
    """The type in what stands before the first slash of an ARN."""
    return head.split(":", _COLONS_OF_ARN)[-1].replace("-", "").lower()


def _type(resource: str) -> str:
    """The type in an ARN or in a bare id, in the spelling of operations: customkeystore, contactchannel."""
    head, slash, _ = resource.partition("/")
    if slash and head.startswith("arn:") and head.count(":") >= _COLONS_OF_ARN:
        return _type_of_arn(head)
    parts = resource.split(":", _COLONS_OF_ARN)
    if len(parts) > _COLONS_OF_ARN and parts[0] == "arn":
        kind, slash, _ = parts[-1].partition("/")
        return kind.replace("-", "").lower() if slash else ""
    bare = _BARE_ID.fullmatch(resource)
    return _BARE_TYPES.get(bare[1], "") if bare else ""
