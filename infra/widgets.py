"""What the dashboard draws: metrics as graphs, and what the functions count, from metrics or from their logs."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from trailbell.handlers.metric_names import THROUGHPUT

from .watch import own_metric


WIDTH = 4
"""Of every widget: a sixth of a screen, which has 24 columns."""

_HEIGHT = 5


def graph(
    title: str, left: Sequence[cloudwatch.IMetric], right: Sequence[cloudwatch.IMetric] = ()
) -> cloudwatch.IWidget:
    """A graph of metrics, from zero."""
    from_zero = cloudwatch.YAxisProps(min=0, show_units=False)
    return cloudwatch.GraphWidget(
        title=title,
        left=list(left),
        right=list(right),
        left_y_axis=from_zero,
        right_y_axis=from_zero,
        width=WIDTH,
        height=_HEIGHT,
    )


def text(markdown: str, height: int) -> cloudwatch.IWidget:
    """A text without a frame."""
    background = cloudwatch.TextWidgetBackground.TRANSPARENT
    return cloudwatch.TextWidget(markdown=markdown, background=background, width=WIDTH, height=height)


class OwnCounts:
    """Draws what the functions count: as metrics where all of a graph are, else from the lines that they log.

    Logs cost nothing until somebody looks; a metric costs the same whether anybody does (docs/cost.md).
    """

    def __init__(self, functions: Mapping[str, lambda_.Function], *, every_metric: bool) -> None:
        """functions: by service; every_metric: all counts are metrics."""
        self._functions, self._every_metric = functions, every_metric

    def graph(self, title: str, counts: Mapping[str, str], statistic: str = "Sum") -> cloudwatch.IWidget:
        """A graph of label → service.Name, each summed over five minutes, or with "Maximum" its largest."""
        names = {label: tuple(count.split(".")) for label, count in counts.items()}
        if self._every_metric or not THROUGHPUT & {name for _, name in names.values()}:
            metrics = [own_metric(service, name, statistic, label) for label, (service, name) in names.items()]
            return graph(title, metrics)
        function = {"Sum": "sum", "Maximum": "max"}[statistic]
        columns = ", ".join(f"{function}(counts.{name}) as `{label}`" for label, (_, name) in names.items())
        groups = {self._functions[service].log_group.log_group_name for service, _ in names.values()}
        return cloudwatch.LogQueryWidget(
            title=title,
            log_group_names=sorted(groups),
            query_lines=["filter ispresent(service)", f"stats {columns} by bin(5m)"],
            view=cloudwatch.LogQueryVisualizationType.LINE,
            width=WIDTH,
            height=_HEIGHT,
        )
