"""The event log: what the flows report, as structured log lines on standard output."""

from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from trailbell.errors import LogFileError, TrailbellError


if TYPE_CHECKING:  # not every function that logs reads log files
    from trailbell.cloudtrail.live_event import Envelope, Refusal
    from trailbell.cloudtrail.notification import Item, ObjectRef


class EventLog:
    """Writes failures and malformed records with a Powertools logger; text from records is JSON-escaped."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def failed(self, what: str, error: Exception) -> None:
        """An error somebody can act on is one line; anything else comes with its traceback."""
        known = isinstance(error, TrailbellError)
        outcome = str(error.outcome) if isinstance(error, LogFileError) else ""
        self._logger.error(
            "failed, will be tried again",
            extra={"what": what, "error": str(error), "error_type": type(error).__name__, "outcome": outcome},
            exc_info=None if known else error,
        )

    def dropped(self, what: str, error: Exception) -> None:
        """Something could not be done that nothing depends on; it is not tried again."""
        self._logger.warning(
            "failed, will not be tried again",
            extra={"what": what, "error": str(error), "error_type": type(error).__name__},
        )

    def foreign(self, ref: "ObjectRef") -> None:
        """A message named an object that is not the trail's; it was ignored."""
        self._logger.warning("object is not the trail's, ignored", extra={"object": str(ref)})

    def refused(self, event: "Envelope", reason: "Refusal") -> None:
        """A live event was not believed; it is not tried again, for what is true of it stands in a log file."""
        members = {"event": str(event), "account": event.origin.account, "region": event.origin.region}
        self._logger.warning("live event refused", extra={**members, "refusal": reason.name, "reason": str(reason)})

    def malformed_record(self, item: "Item", index: int, reason: str) -> None:
        """A record of a log file, or the one of a live event, is malformed and was skipped."""
        self._logger.warning("record passed over", extra={"object": str(item), "index": index, "reason": reason})
