"""`scan --seed`: history for `first_seen`, so that a new deployment knows what is habitual."""

from collections.abc import Iterable, Iterator

import click

from trailbell.cli.options.account import aws_client
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.engine.rulebook import Rulebook
from trailbell.flows.first_seen import FirstSeenJudge, asked_for
from trailbell.hits.hit import Hit
from trailbell.store.sightings import DynamoSightings
from trailbell.text.counts import counted


def seeded(hits: Iterable[Hit], rulebook: Rulebook, table: str) -> Iterator[Hit]:
    """The hits as they come; their sightings go into a hit table. Says on stderr how many hits had some."""
    judge = FirstSeenJudge(DynamoSightings(aws_client("dynamodb"), table), asked_for(rulebook))
    count = 0
    for hit in hits:
        with explained_errors():
            count += judge.keep([hit], learned=True)
        yield hit
    click.echo(f"{counted(count, 'hit')} of rules that ask for first_seen written to {table}", err=True)
