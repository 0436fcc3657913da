"""The functions' AWS clients: botocore without boto3, with models of our calls alone and with short time-outs.

boto3 adds file transfers and resource classes, which cost a cold start more than all of our own code. In the asset
`models/` holds botocore's service models cut down to the calls we make (infra/models.py); what is not there, as in a
checkout, comes from botocore's own data.
"""

from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session


MODELS = Path(__file__).parent / "models"

CALLS = {
    "cloudtrail": ("ListPublicKeys",),
    "dynamodb": ("BatchGetItem", "BatchWriteItem", "DeleteItem", "PutItem", "Query", "TransactWriteItems"),
    "s3": ("GetObject",),
    "sns": ("Publish",),
    "sqs": ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage", "SendMessage"),
    "ssm": ("DeleteParameter",),
}
"""What the functions call beside what channels declare. A test reads the adapters and finds what is missing here."""

# By default botocore waits for a minute, five times over, which is longer than the functions run. Connections: ten
# objects read at once (flows/detector.py), the table's writers, and threads that write a single row themselves.
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=20,
)


# For what an alert does not depend on: it must neither stop nor delay one.
_IMPATIENT = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2})


class Clients:
    """Makes clients that share what is expensive; one is enough for a cold start.

    Who asks for the same gets the same: botocore's clients are safe to share, each takes a cold start one to seven
    milliseconds, and what one has connected to the others need not.
    """

    def __init__(self) -> None:
        self._session = Session()
        self._made: dict[tuple[str, str | None, Config], Any] = {}
        if MODELS.is_dir():
            self._session.register_component("data_loader", _Models([str(MODELS)]))

    def client(self, service: str, region: str | None = None) -> Any:
        """A client that tries for as long as is worth it; of the function's own Region if none is given."""
        return self._client(service, region, _CONFIG)

    def impatient_client(self, service: str) -> Any:
        """The same for what an alert does not depend on: it gives up after about six seconds."""
        return self._client(service, None, _IMPATIENT)

    def _client(self, service: str, region: str | None, config: Config) -> Any:
        wanted = (service, region, config)
        if wanted not in self._made:
            self._made[wanted] = self._session.create_client(service, region_name=region, config=config)
        return self._made[wanted]


class _Models(Loader):  # type: ignore[misc] # botocore ships no types
    """Looks at our folder first, at botocore's for the rest; the services are known without reading 400 folders."""

    def list_available_services(self, type_name: str) -> list[str]:
        return sorted(path.name for path in MODELS.iterdir() if path.is_dir())

    def is_builtin_path(self, path: str) -> bool:
        """Ours are botocore's own, not a deployer's; those would switch its endpoint rules off."""
        return True
