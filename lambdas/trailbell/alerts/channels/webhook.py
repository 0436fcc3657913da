"""The webhook: one https request an alert, in the form that Slack or Teams takes or as JSON, to an address that is a
secret.

Whoever knows a webhook's address can write there, so the deployer names the secret that holds it: the address stands in
no template, variable, log or error (alerts/stored_secret.py, alerts/https_post.py).
"""

import hashlib
import hmac
import time

from trailbell.alerts.alert import Alert
from trailbell.alerts.channel import Clients, Declaration, Permission, Site, Variables
from trailbell.alerts.https_post import HttpsPost
from trailbell.alerts.setting import DEFAULT_LEVEL, Setting, level, matching, one_of
from trailbell.alerts.stored_secret import SECRET_CALLS, StoredSecret, read_reference, secret_permissions
from trailbell.alerts.webhook_forms import FORMS
from trailbell.engine.rulebook import Level
from trailbell.errors import ChannelError


_SECONDS = 6.0  # for one alert, waiting and trying again included: the alerts behind it wait as long
_ATTEMPTS = 3
_WAIT = 0.5  # seconds before trying again, where the other side does not say how long; then twice that
_RETRIED = {429, 500, 502, 503, 504}
# What an address that was withdrawn is answered with; Slack says 403, 404 and 410.
# https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks
_SECRET_MAY_BE_OLD = {401, 403, 404, 410}


class Webhook:
    """Posts alerts to the address that is in a secret.

    signing: the secret whose value signs each request, None to sign none.
    form:    "slack", "teams" or "json".
    """

    name = "webhook"

    def __init__(
        self, https: HttpsPost, address: StoredSecret, signing: StoredSecret | None, form: str, lowest: Level
    ) -> None:
        self._https, self._address, self._signing = https, address, signing
        self._form, self._lowest = FORMS[form], lowest

    def wants(self, alert: Alert) -> bool:
        """Whether the alert's level is one that the webhook is to get."""
        return alert.sample.severity >= self._lowest

    def notify(self, alert: Alert) -> None:
        """Post one alert. Raises ChannelError, which says nothing of the address, and what botocore raises."""
        try:
            status = self._deliver_with_fresh_secrets(self._form(alert))
        except ChannelError as error:
            raise ChannelError(f"webhook: {error} (its address: {self._address.reference})") from None
        if not 200 <= status < 300:
            redirect = ", a redirect, which is not followed" if 300 <= status < 400 else ""
            raise ChannelError(f"webhook: it answered {status}{redirect} (its address: {self._address.reference})")

    def _deliver_with_fresh_secrets(self, body: bytes) -> int:
        deadline = time.monotonic() + _SECONDS
        status = self._deliver(body, deadline)
        if status in _SECRET_MAY_BE_OLD and self._renew():
            status = self._deliver(body, deadline)
        return status

    def _renew(self) -> bool:
        """Read the secrets again; whether one has changed."""
        changed = self._address.renew()
        return bool(self._signing and self._signing.renew()) or changed

    def _deliver(self, body: bytes, deadline: float) -> int:
        """Post, and post again where the other side asks for it and time is left; the last status.

        A request that broke off is not sent again: it may have arrived.
        """
        wait = _WAIT
        for attempt in range(1, _ATTEMPTS + 1):
            headers = {"Content-Type": "application/json", "User-Agent": "trailbell", **self._signature(body)}
            answer = self._https.post(self._address.value(), body, headers, deadline)
            pause = wait if answer.wait is None else answer.wait
            if answer.status not in _RETRIED or attempt == _ATTEMPTS or time.monotonic() + pause >= deadline:
                break
            time.sleep(pause)
            wait *= 2
        return answer.status

    def _signature(self, body: bytes) -> dict[str, str]:
        """Over the time and the body, so that an old request cannot be sent again by somebody else."""
        if not self._signing:
            return {}
        moment = str(int(time.time()))
        digest = hmac.new(self._signing.value().encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Trailbell-Timestamp": moment, "X-Trailbell-Signature": f"v1={digest}"}


def _environment(site: Site) -> dict[str, str]:
    settings = site.settings
    return {
        "TRAILBELL_WEBHOOK": settings["webhook"],
        "TRAILBELL_WEBHOOK_FORM": settings["webhook_form"],
        "TRAILBELL_WEBHOOK_LEVEL": settings["webhook_level"],
        "TRAILBELL_WEBHOOK_SIGNING_SECRET": settings["webhook_signing_secret"],
    }


def _permissions(site: Site) -> tuple[Permission, ...]:
    names = (site.settings["webhook"], site.settings["webhook_signing_secret"])
    return tuple(secret_permissions(filter(None, names), site.settings["webhook_key_arn"], site))


def _open(variables: Variables, clients: Clients) -> Webhook | None:
    address = variables.text("TRAILBELL_WEBHOOK", required=False)
    if not address:
        return None
    signing = variables.text("TRAILBELL_WEBHOOK_SIGNING_SECRET", required=False)
    return Webhook(
        HttpsPost(),
        StoredSecret(clients, address),
        StoredSecret(clients, signing) if signing else None,
        variables.text("TRAILBELL_WEBHOOK_FORM", required=False) or "slack",
        variables.level("TRAILBELL_WEBHOOK_LEVEL"),
    )


CHANNEL = Declaration(
    name=Webhook.name,
    settings=(
        Setting(
            name="webhook",
            default="",
            read=read_reference,
            secret=True,
            about="Which secret holds the address of a webhook that gets alerts: Slack's or Teams', of what is "
            "compatible with Slack, or of your own endpoint. Never the address itself. Creates the alarm "
            "`ChannelFailing`: [channels](channels.md#webhook).",
            examples=(
                "-c webhook=ssm:/trailbell/webhook",
                "-c webhook=arn:aws:secretsmanager:eu-central-1:111122223333:secret:trailbell/webhook-a1B2c3",
            ),
        ),
        Setting(
            name="webhook_form",
            default="slack",
            read=one_of("slack", "teams", "json"),
            about="What is sent: a message with blocks for Slack, a card for Microsoft Teams, or the alert as "
            "[JSON](channels.md#json). Needs `webhook`.",
            examples=("-c webhook=ssm:/trailbell/webhook -c webhook_form=json",),
        ),
        Setting(
            name="webhook_level",
            default=DEFAULT_LEVEL,
            read=level,
            about="From which level on alerts are sent. Needs `webhook`.",
            examples=("-c webhook=ssm:/trailbell/webhook -c webhook_level=high",),
        ),
        Setting(
            name="webhook_signing_secret",
            default="",
            read=read_reference,
            secret=True,
            about="Which secret signs each request, so that your endpoint knows who sent it "
            "([how to check](channels.md#the-signature)). Needs `webhook`.",
            examples=("-c webhook=ssm:/trailbell/webhook -c webhook_signing_secret=ssm:/trailbell/signing",),
        ),
        Setting(
            name="webhook_key_arn",
            default="",
            read=matching(
                r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
                'the ARN of a KMS key (not of an alias), or ""',
            ),
            about="The KMS key of your own that encrypts these secrets, where it is not AWS's (`aws/ssm`, "
            "`aws/secretsmanager`): the notifier may then decrypt with it, through these services alone. Needs "
            "`webhook`.",
            examples=(
                "-c webhook=ssm:/trailbell/webhook "
                "-c webhook_key_arn=arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555",
            ),
        ),
    ),
    environment=_environment,
    permissions=_permissions,
    calls=SECRET_CALLS,
    open=_open,
)
