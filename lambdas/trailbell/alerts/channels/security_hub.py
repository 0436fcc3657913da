"""AWS Security Hub: each hit of an alert as a finding (alerts/asff.py), in batches, archived when it was undone.

The findings go to the default product of the stack's own account and Region, for which nothing has to be set up but
Security Hub itself (its CSPM: findings in AWS's own format).
https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-custom-providers.html
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from trailbell.alerts.alert import Alert
from trailbell.alerts.asff import asff_finding
from trailbell.alerts.batches import Item, send_all
from trailbell.alerts.channel import Clients, Declaration, Permission, Site, Variables
from trailbell.alerts.finding import findings_of
from trailbell.alerts.setting import Setting, level_or_none
from trailbell.engine.rulebook import Level
from trailbell.errors import ChannelError


# A request takes a hundred findings of 240 KB each; ours are far below that, and so many are a request that is quick.
_MAX_FINDINGS = 100
_MAX_BYTES = 2_000_000

_PRODUCT = "TRAILBELL_SECURITY_HUB_PRODUCT"
_LEVEL = "TRAILBELL_SECURITY_HUB_LEVEL"

# What Security Hub answers where it is off: the whole request, or each finding, is refused with this.
_OFF = "InvalidAccess"


class SecurityHub:
    """Imports findings with a Security Hub client. product: ARN of the default product of the client's account."""

    name = "security hub"

    def __init__(self, client: Any, product: str, lowest: Level, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._product, self._lowest, self._clock = client, product, lowest, clock
        *_, self._region, self._account, _ = product.split(":", 5)

    def wants(self, alert: Alert) -> bool:
        """Whether the alert's level is worth a finding."""
        return alert.sample.severity >= self._lowest

    def notify(self, alert: Alert) -> None:
        """Import an alert's findings. Raises ChannelError that counts and names those which were refused, or says who
        must act where Security Hub is off; and what botocore raises.
        """
        names = [f"trailbell/{finding.uid}" for finding in findings_of(alert)]
        try:
            send_all(names, self._items(alert), self._import, _MAX_FINDINGS, _MAX_BYTES, self._clock)
        except self._client.exceptions.InvalidAccessException as error:
            raise ChannelError(f"security hub: {error}. {self._who_must_act()}") from error
        except ChannelError as error:
            advice = f". {self._who_must_act()}" if _OFF in str(error) else ""
            raise ChannelError(f"security hub: {error}{advice}") from error

    def _items(self, alert: Alert) -> Iterator[Item]:
        for finding in findings_of(alert):
            content = asff_finding(finding, self._product, self._account, alert.runbook)
            yield Item(content["Id"], content, len(json.dumps(content)))

    def _import(self, batch: Sequence[Item]) -> list[str]:
        answer = self._client.batch_import_findings(Findings=[item.content for item in batch])
        failed = answer.get("FailedFindings", []) if answer["FailedCount"] else []
        return [f"{one['Id']}: {one['ErrorCode']}: {one['ErrorMessage']}" for one in failed]

    def _who_must_act(self) -> str:
        return (
            f"Whoever administers Security Hub enables it in account {self._account}, Region {self._region}; "
            "until then whoever deploys may set security_hub to false"
        )


def _product(site: Site) -> str:
    where = f"arn:{site.partition}:securityhub:{site.region}:{site.account}"
    return f"{where}:product/{site.account}/default"


def _open(variables: Variables, clients: Clients) -> SecurityHub | None:
    product, lowest = variables.text(_PRODUCT, required=False), variables.level(_LEVEL)
    return SecurityHub(clients.impatient_client("securityhub"), product, lowest) if product else None


# The condition: findings for this account alone, whatever a finding says whose it is.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecurityhub.html
CHANNEL = Declaration(
    name=SecurityHub.name,
    settings=(
        Setting(
            name="security_hub",
            default=False,
            read=level_or_none,
            about="Imports each hit as a finding into AWS Security Hub, which must be enabled in the stack's account "
            "and Region, and creates the alarm `ChannelFailing`: [channels](channels.md#security-hub).",
            examples=("-c security_hub=high",),
        ),
    ),
    environment=lambda site: {_PRODUCT: _product(site), _LEVEL: site.settings["security_hub"]},
    permissions=lambda site: [
        Permission(
            ("securityhub:BatchImportFindings",),
            _product(site),
            {"StringEquals": {"securityhub:TargetAccount": site.account}},
        )
    ],
    calls={"securityhub": ("BatchImportFindings",)},
    open=_open,
)
