"""Hits that an exception muted, judged again today; those that it mutes no more are delivered by the notifier.

The row of such a hit stays muted, as it was found: nobody but the detector writes hits. What is delivered is the act as
today's rulebook reports it, under the same identity, so the notifier's claims and delivery records keep it from being
sent twice, also beside a replay that finds the act again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from trailbell.errors import TableError
from trailbell.hits.hit import Hit, complete
from trailbell.hits.verdict import Judge, Today, Verdict
from trailbell.ops.deployed_stack import Clients
from trailbell.ops.record_reader import fetch_records
from trailbell.ops.undelivered import Delivery, UndeliveredHits
from trailbell.store.dynamo import Row, batches, decode, encode
from trailbell.store.log_places import with_log_places
from trailbell.store.rows import MUTED, hit_row, read_hit


_AT_ONCE = 200  # whose records are fetched side by side, and are in memory


@dataclass(frozen=True, slots=True)
class MutedHit:
    """A muted hit as it was found, today's verdict on it, and when its row expires (epoch seconds)."""

    hit: Hit
    verdict: Verdict
    expires_at: int

    @property
    def image(self) -> Row:
        """The row of the act as it would be found today, in DynamoDB's typed JSON: what the notifier is given."""
        assert self.verdict.hit
        return encode(hit_row(self.verdict.hit, self.expires_at))


class MutedHits:
    """The muted hits of one table and the judge of today.

    unreadable: what was met that cannot be read as a hit, with the reason.
    """

    def __init__(self, clients: Clients, hits: UndeliveredHits, judge: Judge) -> None:
        self._clients, self._hits, self._judge = clients, hits, judge
        self.unreadable: list[str] = []

    def judged(self, since: datetime, until: datetime) -> Iterator[MutedHit]:
        """Muted hits that were read at that time and that nobody was notified of, each with today's verdict.

        Reads the whole table, and from the trail bucket the log files in which they stand.
        """
        images = self._hits.undelivered(self._hits.seen_between(since, until, MUTED))
        for chunk in batches(images, _AT_ONCE):
            readable = [(image, hit) for image in chunk if (hit := self._read(image))]
            placed = with_log_places(self._clients("dynamodb"), self._hits.table, [hit for _, hit in readable])
            rows = [(image, hit) for (image, _), hit in zip(readable, placed, strict=True)]
            records = fetch_records(self._clients("s3"), (hit.place for _, hit in rows))
            for image, hit in rows:
                verdict = self._judge.judge(hit, records[hit.place])
                yield MutedHit(hit, verdict, int(image["expiresAt"]["N"]))

    def to_notify(self, judged: Iterable[MutedHit]) -> Iterator[MutedHit]:
        """Those that today's rulebook would notify of, and that were not notified of under today's rule either."""
        for chunk in batches((one for one in judged if one.verdict.today is Today.NOTIFIED), _AT_ONCE):
            by_key = {_key(one.image): one for one in chunk}
            yield from (by_key[_key(image)] for image in self._hits.undelivered(one.image for one in chunk))

    def deliver(self, hits: Iterable[MutedHit]) -> Delivery:
        """Let the notifier deliver them; what their delivery records say afterwards."""
        return self._hits.notify(one.image for one in hits)

    def _read(self, image: Row) -> Hit | None:
        try:
            return complete(read_hit(decode(image)))
        except (TableError, ValueError, TypeError, KeyError, AttributeError) as error:
            self.unreadable.append(f"{image['pk'].get('S')} {image['sk'].get('S')}: {error}")
            return None


def _key(image: Row) -> tuple[str, str]:
    return image["pk"]["S"], image["sk"]["S"]
