"""What the embedded AWS of `trailbell local` does not keep of what is deployed into it: unknown, and no difference."""

from trailbell.ops.answers import Reading, Refusal


_BUS_POLICY = "the embedded AWS does not keep the policy that CloudFormation gives to an event bus"


def as_embedded(reading: Reading) -> Reading:
    """A reading of the embedded AWS, without what says nothing there. Of AWS no policy means that there is none."""
    if reading.resource.kind != "AWS::Events::EventBus" or reading.live.get("Policy"):
        return reading
    live = {name: value for name, value in reading.live.items() if name != "Policy"}
    refusal = Refusal("DescribeEventBus", "", _BUS_POLICY)
    return Reading(reading.resource, live, reading.gone, (*reading.refusals, refusal))
