"""What has become of an episode since its hit was written."""

from typing import Any

from trailbell.hits.episode import HitEpisode
from trailbell.store.dynamo import get_row
from trailbell.store.episode_rows import KeptEpisode, kept_from


_JOINS_MAX = 50


def episode_now(client: Any, table: str, episode: HitEpisode) -> KeptEpisode | None:
    """The episode as it is now, or the one that it was joined into; None where its row has expired, or never was.

    Raises what botocore raises.
    """
    found, key = None, episode.key
    for _ in range(_JOINS_MAX):
        row = get_row(client, table, {"pk": episode.partition, "sk": key}) if key else None
        if row is None:
            return found
        found = kept_from(row)
        key = found.joined
    return found
