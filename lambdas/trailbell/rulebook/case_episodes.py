"""The hits that a correlation's case makes, as a log file with its records would."""

from collections.abc import Iterator

from trailbell.cloudtrail.origin import Place
from trailbell.engine.correlation import Correlation
from trailbell.engine.event_time import seconds_of
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.base_match import episode_hit, hit_episode
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.rulebook.correlation_cases import CorrelationCase, episodes_in
from trailbell.text.times import iso_seconds


_SECONDS_UNTIL_SEEN = 290


def hits_of_case(
    rulebook: Rulebook, correlation: Correlation, case: CorrelationCase, bucket: str, key: str
) -> Iterator[Hit]:
    """The hit of each episode that one of a rulebook's correlations makes of a case, minutes after its last event.

    bucket, key: of the log file that the case's records are said to be in.
    """
    last_second = max(seconds_of(record["eventTime"]) or 0 for record in case.records)
    seen_at = iso_seconds(int(last_second) + _SECONDS_UNTIL_SEEN)
    detector = HitDetector(rulebook, correlating=True)
    for episode in (one for one in episodes_in(rulebook, case.records) if one.correlation == correlation):
        positions = sorted(one for one in episode.events if isinstance(one, int))
        found = (detector.base_match_in_record(case.records[at], seen_at, Place(bucket, key, at)) for at in positions)
        matches = sorted((one for one in found if one), key=lambda one: (one.time, one.record.index))
        first, last, came_true = map(iso_seconds, (episode.first, episode.last, episode.came_true))
        acts = [one.act for one in matches]
        story = hit_episode(correlation, episode.group, first, last, len(positions), acts)
        yield episode_hit(correlation, episode.group, story, came_true, matches[-1], rulebook.automation_roles)
