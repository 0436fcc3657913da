"""The metric that both functions write: 1 where the detector kept hits, 0 where the notifier received some.

Its minimum over a period is 1 where hits were kept and none received; the alarm HitsNotReceived watches that. One
metric of both rather than arithmetic with two, which costs more and which the embedded AWS does not know.
"""

from aws_lambda_powertools.metrics import MetricUnit, single_metric


def kept(hits: int) -> None:
    """Hits were kept that the notifier must receive."""
    if hits:
        _write(1)


def received(hits: int) -> None:
    """The notifier received hits."""
    if hits:
        _write(0)


def _write(value: int) -> None:
    with single_metric(name="HitsNotReceived", unit=MetricUnit.Count, value=value, namespace="trailbell") as metric:
        metric.add_dimension(name="service", value="handover")
