"""A secret of the deployer's, by its name: in SSM Parameter Store (a SecureString) or in Secrets Manager.

A channel's setting holds the name and never the secret, so that it stands in no template, variable or log.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from trailbell.alerts.channel import Clients, Permission, Site
from trailbell.errors import ChannelError
from trailbell.text.lazy_pattern import lazy_pattern


SECRET_CALLS = {"ssm": ("GetParameter",), "secretsmanager": ("GetSecretValue",)}
"""What reading a secret calls; a channel that reads one declares it (alerts/channel.py)."""

_FRESH_SECONDS = 300.0  # a secret that was replaced is used no longer than that

_NAMES = {
    "ssm": r"(?:[\w.-]+|(?:/[\w.-]+)+)",  # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    "secretsmanager": r"[\w/+=.@-]+",  # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
}
_KINDS = {"ssm": "parameter/", "secretsmanager": "secret:"}
_REFERENCE = lazy_pattern(
    "|".join(
        rf"{service}:{name}|arn:[a-z-]+:{service}:[a-z0-9-]+:[0-9]{{12}}:{_KINDS[service]}[\w/+=.@-]+"
        for service, name in _NAMES.items()
    ),
    re.ASCII,
)
# An address, with its scheme or without; the path of one of Slack's.
_ADDRESS = lazy_pattern(r"://|^(?:\w+:)?[\w-]+(?:\.[\w-]+)+(?::[0-9]+)?/|T[A-Z0-9]{6,}/B[A-Z0-9]{6,}")

_ALLOWED = 'the name of a secret, ssm:/NAME (a SecureString) or secretsmanager:NAME, its ARN, or ""'
_LEAKED = (
    ". This looks like the secret itself: whoever deploys stores it with `aws ssm put-parameter --type SecureString` "
    "and gives its name here; whoever owns it replaces it, for it has stood in a command line or a file"
)


def read_reference(raw: Any) -> str:
    """Read the name of a secret. What looks like an address is refused with what to do about it."""
    leaked = isinstance(raw, str) and _ADDRESS.search(raw.strip())
    if not isinstance(raw, str) or leaked or (raw and not _REFERENCE.fullmatch(raw)):
        raise ValueError(_ALLOWED + (_LEAKED if leaked else ""))
    return raw


class StoredSecret:
    """A secret that is read when it is needed, and again after a while."""

    def __init__(self, clients: Clients, reference: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._service, self._name = _service_and_name(reference)
        self._client, self.reference, self._clock = clients.impatient_client(self._service), reference, clock
        self._value, self._until = "", float("-inf")

    def value(self) -> str:
        """The secret. Raises ChannelError where it is none, and what botocore raises."""
        if self._clock() >= self._until:
            self.renew()
        return self._value

    def renew(self) -> bool:
        """Read it now, and say whether it has changed."""
        before, value = self._value, self._read().strip()
        if not value:
            raise ChannelError(f"{self.reference} is empty; whoever deploys stores the secret there")
        self._value, self._until = value, self._clock() + _FRESH_SECONDS
        return value != before

    def _read(self) -> str:
        if self._service == "secretsmanager":
            return str(self._client.get_secret_value(SecretId=self._name).get("SecretString", ""))
        parameter = self._client.get_parameter(Name=self._name, WithDecryption=True)["Parameter"]
        if parameter["Type"] != "SecureString":
            raise ChannelError(f"{self.reference} is no SecureString; whoever deploys stores it anew as one")
        return str(parameter["Value"])


def secret_permissions(references: Iterable[str], key_arn: str, site: Site) -> Iterator[Permission]:
    """What reading these secrets takes; key_arn: of the customer's key that encrypts them, "" for AWS's own.

    AWS's own keys (aws/ssm, aws/secretsmanager) let every principal of the account decrypt through their service, so
    they need no permission here. A customer's key does not.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html
    """
    services = set()
    for reference in references:
        service, _ = _service_and_name(reference)
        services.add(service)
        yield Permission(tuple(f"{service}:{call}" for call in SECRET_CALLS[service]), _arn(reference, site))
    if key_arn:
        for service in sorted(services):
            via = {"StringLike": {"kms:ViaService": f"{service}.{site.region}.amazonaws.com*"}}
            yield Permission(("kms:Decrypt",), key_arn, via)


def _service_and_name(reference: str) -> tuple[str, str]:
    """ssm:/trailbell/webhook → ("ssm", "/trailbell/webhook"); an ARN is the name itself."""
    if reference.startswith("arn:"):
        return reference.split(":")[2], reference
    service, _, name = reference.partition(":")
    return service, name


def _arn(reference: str, site: Site) -> str:
    """Of a secret; Secrets Manager ends ARNs with six characters of its own, which a name does not say.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
    """
    service, name = _service_and_name(reference)
    arn = name
    if not name.startswith("arn:"):
        arn = f"arn:{site.partition}:{service}:{site.region}:{site.account}:{_KINDS[service]}{name.removeprefix('/')}"
    open_end = service == "secretsmanager" and not re.search("-[A-Za-z0-9]{6}$", name)
    return f"{arn}-??????" if open_end else arn
