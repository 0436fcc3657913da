"""ListPublicKeys, asked as seldom as can be: keys do not change, and each call is a record in the trail itself."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from trailbell.audit.public_keys import PublicKey, Window


_FIRST = datetime(2013, 11, 1, tzinfo=UTC)
"""CloudTrail began in that month."""

_AHEAD = timedelta(days=4)
"""How far ahead the key of a digest that is just there may be looked for."""


class AwsKeys:
    """The public keys of each region. client: makes CloudTrail's client of a region. Raises what botocore raises.

    A key that is there stays; that one is not there is believed only of times that were over when it was asked, as
    keys change, and a digest that follows must not be taken for forged.
    """

    def __init__(self, client: Callable[[str], Any], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._client, self._now = client, now
        self._keys: dict[tuple[str, str], PublicKey] = {}
        self._asked: dict[str, list[Window]] = {}

    def find(self, region: str, fingerprint: str, window: Window) -> Sequence[PublicKey]:
        """The key of that fingerprint, if it was in force in that time, or is known from another."""
        wanted = (region, fingerprint.lower())
        if wanted not in self._keys:
            self._ask(region, window)
        return [self._keys[wanted]] if wanted in self._keys else []

    def _ask(self, region: str, window: Window) -> None:
        asked = self._asked.setdefault(region, [])
        if not _is_of_cloudtrail(window, self._now()):
            return
        if any(one.since <= window.since and window.until <= one.until for one in asked):
            return
        window, now = _whole_days(window), self._now()
        client = self._client(region)
        more: dict[str, str] = {}
        while True:
            answer = client.list_public_keys(StartTime=window.since, EndTime=window.until, **more)
            for entry in answer["PublicKeyList"]:
                key = PublicKey(entry["Fingerprint"].lower(), bytes(entry["Value"]))
                self._keys[region, key.fingerprint] = key
            if not answer.get("NextToken"):
                break
            more = {"NextToken": answer["NextToken"]}
        asked.append(Window(window.since, min(window.until, now)))


def _whole_days(window: Window) -> Window:
    """The days around, so that the digests of all accounts and hours of a day ask once."""
    first, last = (moment.astimezone(UTC).date() for moment in (window.since, window.until))
    until = datetime.combine(last + timedelta(days=1), time(), UTC)
    return Window(datetime.combine(first, time(), UTC), until)


def _is_of_cloudtrail(window: Window, now: datetime) -> bool:
    """Whether there may be keys of that time. Of others, which a digest's name may tell, CloudTrail is not asked."""
    return window.since >= _FIRST and window.until <= now + _AHEAD
