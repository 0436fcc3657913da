"""What a channel is: who is notified of alerts, and what a file of alerts/channels/ declares about it.

Everything else reads the declarations: infra/ its settings, permissions and what it needs built, handlers/notifier.py
its variables. So a channel is one file, and nothing outside that file knows it by name. A declaration is plain data
and functions of plain data; it knows neither the CDK nor an AWS SDK.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

from trailbell.alerts.alert import Alert
from trailbell.alerts.setting import Setting
from trailbell.engine.rulebook import Level
from trailbell.lazy_dataclass import dataclass


class Channel(Protocol):
    """Who is notified of alerts."""

    @property
    def name(self) -> str:
        """What it is called in logs and counts."""

    def wants(self, alert: Alert) -> bool:
        """Whether it is notified of an alert."""

    def notify(self, alert: Alert) -> None:
        """Deliver one alert, or raise."""


class Clients(Protocol):
    """Makes AWS clients (aws/clients.py)."""

    def client(self, service: str) -> Any:
        """A client that tries for as long as is worth it."""

    def impatient_client(self, service: str) -> Any:
        """A client that gives up after about six seconds, for what the alert topic must not wait for."""


class Variables(Protocol):
    """A function's environment; what is wrong in it is said all at once, later (handlers/environment.py)."""

    def text(self, name: str, *, required: bool = True) -> str:
        """A variable, "" where it is not set."""

    def level(self, name: str) -> Level:
        """A level's word, medium where it is not set."""


@dataclass(frozen=True, slots=True)
class Topic:
    """An SNS topic that the stack makes.

    place:        where in the stack's tree of constructs, with "/" between. It makes the logical id: another place
                  would be another topic, without the subscriptions of the old one.
    output, says: the stack's output that holds its ARN, and the output's description.
    inboxes:      the setting of mail addresses that are subscribed, address → lowest level; "" for none.
    """

    place: str
    display_name: str
    output: str
    says: str
    inboxes: str = ""


@dataclass(frozen=True, slots=True)
class Bus:
    """An event bus that the stack makes, named like the stack; the members are those of Topic."""

    place: str
    description: str
    output: str
    says: str


@dataclass(frozen=True, slots=True)
class Permission:
    """What the notifier's role may do for a channel: actions on one resource (an ARN), under conditions of IAM."""

    actions: tuple[str, ...]
    resource: str
    conditions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a channel is deployed. All but the settings may be the CDK's tokens: to be passed on, not looked into.

    settings:  name → value of every channel's settings.
    arn:       of what was built for it, "" if nothing was.
    reference: what a client calls that by: a topic's ARN, a bus's name.
    """

    settings: Mapping[str, Any]
    partition: str
    region: str
    account: str
    arn: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """One channel, as its file declares it.

    name:        what it is called in logs and counts.
    settings:    the first one switches the channel on; the others need it.
    environment: the notifier's variables for it, where it is on.
    permissions: what the notifier needs for it, where it is on, beside what all notifiers may.
    calls:       AWS service → operations that it calls; the asset holds models of these alone.
    open:        the channel by its variables, None where it is off.
    builds:      what the stack makes for it.
    promised:    this is the alert topic: always on, opened first, and retried by the stream.
    """

    name: str
    settings: tuple[Setting, ...]
    environment: Callable[[Site], Mapping[str, str]]
    permissions: Callable[[Site], Sequence[Permission]]
    calls: Mapping[str, tuple[str, ...]]
    open: Callable[[Variables, Clients], Channel | None]
    builds: Topic | Bus | None = None
    promised: bool = False

    def is_on(self, settings: Mapping[str, Any]) -> bool:
        """Whether a deployment with these settings has the channel."""
        return self.promised or bool(settings[self.settings[0].name])
