"""Silence by account and Region: every hour the detector is asked who delivered before and does not now."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from .functions import Detector, allow
from .store import HitTable


_SCHEDULE = Duration.hours(1)


class Silence(Construct):
    """A schedule (lambdas/trailbell/flows/silence.py).

    The detector's and not the clock's: it tells by hits, which the clock must not be able to write, as it publishes.
    """

    def __init__(self, scope: Construct, id: str, *, detector: Detector, store: HitTable) -> None:
        super().__init__(scope, id)
        target = targets.LambdaFunction(
            detector.function,
            event=events.RuleTargetInput.from_object({"silence": True}),
            retry_attempts=0,  # the next run is the retry
        )
        events.Rule(
            self,
            "Schedule",
            description="trailbell: accounts and Regions that have fallen silent",
            schedule=events.Schedule.rate(_SCHEDULE),
            targets=[target],
        )
        # In which hours log files came, and the newest digest of each chain.
        condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["Y#*", "V#newest"]}}
        allow(detector.function, [store.table.table_arn], "dynamodb:Query", conditions=condition)
