"""AWS as the person who started `trailbell serve` reaches it: clients made once, and anew after trouble.

A page stays open for days, so credentials end under it. New ones are read where they are kept (the AWS CLI's files, a
sign-on session); those of the environment are this process's for good.
"""

import os
import threading
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config

from trailbell.cli.options.connection import Connection
from trailbell.hits.hit import Hit
from trailbell.hits.hit_id import HitName
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.store.query.hit_lookup import find_hit
from trailbell.store.query.pointers import WORKERS


# Somebody waits before the page: an answer that takes longer than this is told as one that did not come, and the page
# may not look alive meanwhile. It is the silence between two parts of an answer: a big one may take longer.
_PATIENCE: dict[str, Any] = {
    "connect_timeout": 3,
    "read_timeout": 5,
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "max_pool_connections": WORKERS,
}


class CallersAws:
    """Clients, the stack and its table; safe to be asked by many threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._clients = dict[str, Any]()
        self._table = ""
        self._answered_at = datetime.now(UTC)
        self._lock = threading.RLock()  # boto3's own session is no place for two threads

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self._connection.stack

    @property
    def is_local(self) -> bool:
        """Whether it is the embedded AWS of `trailbell local --keep`."""
        return self._connection.local

    @property
    def options(self) -> str:
        """The options that lead to the same table, for commands to be pasted."""
        return self._connection.options

    @property
    def has_fixed_credentials(self) -> bool:
        """Whether its credentials cannot be renewed while it runs."""
        return not self.is_local and "AWS_ACCESS_KEY_ID" in os.environ

    @property
    def answered_at(self) -> datetime:
        """When AWS last answered anything, also with an error; at first when this began."""
        return self._answered_at

    def client(self, service: str) -> Any:
        """A client of an AWS service. Raises what botocore raises where there is no Region."""
        with self._lock:
            if service not in self._clients:
                client = self._connection.client(service, Config(**_PATIENCE))
                client.meta.events.register("after-call", self._answered)
                self._clients[service] = client
            return self._clients[service]

    def table(self) -> str:
        """The hit table's name. Raises SettingsError when there is no such stack."""
        with self._lock:
            if not self._table:
                given = self._connection.table_given
                self._table = given or DeployedStack(self.client, self.stack).output("HitTable")
            return self._table

    def caller(self) -> str:
        """The ARN of whoever acts: asked anew each time, as somebody else may have signed in meanwhile."""
        return str(self.client("sts").get_caller_identity()["Arn"])

    def find(self, identity: tuple[str, str, str]) -> tuple[Hit, int]:
        """A hit as the table has it now, and when its row expires. Raises SettingsError where it is gone."""
        return find_hit(self.client("dynamodb"), self.table(), HitName(*identity), datetime.now(UTC))

    def renew(self) -> None:
        """Forget clients, credentials and the table's name: what is asked next is looked up anew."""
        with self._lock:
            self._clients.clear()
            self._table = ""
            boto3.setup_default_session()

    def _answered(self, **_: Any) -> None:
        self._answered_at = datetime.now(UTC)
