"""What people would get as mail, printed as it comes."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from trailbell.cli.local.expectation import Said, Told
from trailbell.cli.local.inbox import Inbox
from trailbell.engine.rulebook import Level


_RULER = "=" * 80
_QUIET_SECONDS = 60


@dataclass(slots=True)
class Mailbox:
    """What has come so far.

    notified: how often each hit was, by its whole id, and said: how often each follow-up of one, as far as messages
    name them (the first 200 in each); hits, follow_ups: how many, exactly; episodes: how often each was, which are in
    no other number; last: when the last message came, of `time.monotonic`.
    """

    out: Console
    inbox: Inbox
    address: str
    notified: Counter[str] = field(default_factory=Counter)
    said: Counter[Said] = field(default_factory=Counter)
    episodes: Counter[Told] = field(default_factory=Counter)
    hits: int = 0
    follow_ups: int = 0
    mails: int = 0
    follow_up_mails: int = 0
    last: float = 0.0
    not_mailed: list[str] = field(default_factory=list)

    @property
    def acts_followed_up(self) -> int:
        """How many acts something was said of later, as far as messages name them."""
        return len({hit_id for hit_id, _ in self.said})

    def receive_until(self, is_complete: Callable[[], bool]) -> None:
        """Print alerts as they come, until it is complete or nothing has come for a minute."""
        self.last = time.monotonic()
        while not is_complete() and time.monotonic() - self.last < _QUIET_SECONDS:
            for alert in self.inbox.receive(1):
                self._take(alert)
                self.last = time.monotonic()
        self.out.print(f"\n{_RULER}")

    def _take(self, alert: dict[str, Any]) -> None:
        name = alert.get("followUp", {}).get("name", "")
        if name:
            self.follow_ups += alert["count"]
            self.said.update((hit_id, name) for hit_id in alert["hitIds"])
        elif episodes := [hit for hit in alert["hits"] if "episode" in hit]:
            self.episodes.update(_told(hit) for hit in episodes)
        else:
            self.hits += alert["count"]
            self.notified.update(alert["hitIds"])
        if Level[alert["level"].upper()] < Level.MEDIUM:
            self.not_mailed.append(alert["subject"])
            return
        if name:
            self.follow_up_mails += 1
        else:
            self.mails += 1
        subject, text = alert["subject"], alert["text"].rstrip()
        mail = f"\n{_RULER}\nTo:      {self.address}\nSubject: {subject}\n\n{text}"
        self.out.print(mail, soft_wrap=True)  # its commands are there to be copied: no line is broken into two


def _told(hit: dict[str, Any]) -> Told:
    return hit["name"], tuple(one["value"] for one in hit["episode"]["group"])
