"""A function's counts: one line of log for each run, and of those worth its price a metric.

CloudWatch bills each metric for every hour in which a value of it is sent, zero or not. So one is sent where it is not
zero, and never of what counts only how much there was to do: that is in the line, under "counts", where the dashboard
and Logs Insights read it. The setting `metrics` set to "all" sends every one, as zero too.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
https://aws.amazon.com/cloudwatch/pricing/
"""

import json
import os
import sys

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from trailbell.handlers.metric_names import NAMESPACE, VARIABLE, is_sent


class FunctionMetrics:
    """What one function counts in a run, until it is flushed."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._metrics = Metrics(namespace=NAMESPACE, service=service)
        self._counts: dict[str, float] = {}
        self._is_any_sent = False

    def add_metric(self, name: str, unit: MetricUnit, value: float) -> None:
        """A count, or a measure of which the largest of the run is kept in the log."""
        self._counts[name] = max(value, self._counts.get(name, value))
        if is_sent(name, value, every=os.environ.get(VARIABLE) == "all"):
            self._metrics.add_metric(name=name, unit=unit, value=value)
            self._is_any_sent = True

    def add_metadata(self, key: str, value: float) -> None:
        """A count for the log alone."""
        self._counts[key] = value

    def flush_metrics(self) -> None:
        """Write the run's line, and begin anew."""
        if self._is_any_sent:
            self._metrics.add_metadata(key="counts", value=self._counts)
            self._metrics.flush_metrics()
        else:  # Powertools writes nothing where there is no metric
            line = {"service": self._service, "counts": self._counts}
            sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._counts, self._is_any_sent = {}, False
