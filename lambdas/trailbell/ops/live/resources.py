"""All of a stack's resources, read: which readers are for which type, and which types are not read."""

from collections.abc import Sequence

from trailbell.ops.answers import Declared, Reading
from trailbell.ops.deployed_stack import Clients
from trailbell.ops.live import functions, messages, roles, storage, watch
from trailbell.ops.live.reader import Reader, read_resource
from trailbell.ops.live.roles import with_inline_policies


READERS: dict[str, tuple[Reader, ...]] = {
    **functions.READERS,
    **messages.READERS,
    **roles.READERS,
    **storage.READERS,
    **watch.READERS,
}

NOT_READ = frozenset({"AWS::CloudWatch::Dashboard", "AWS::CDK::Metadata"})
"""Types of which nothing depends on: nobody is notified less when they change."""


def read_resources(clients: Clients, resources: Sequence[Declared]) -> list[Reading]:
    """What each resource is like now, those of types without readers left out (unread_types names them)."""
    known = [resource for resource in with_inline_policies(resources) if resource.kind in READERS]
    return [read_resource(clients, resource, READERS[resource.kind]) for resource in known]


def unread_types(resources: Sequence[Declared]) -> list[str]:
    """The types of a template that nobody here can read."""
    return sorted({resource.kind for resource in resources} - set(READERS) - NOT_READ)
