"""What can go wrong, and who has to do something about it.

    TrailbellError
    ├── RuleError            the rule's author: the rule cannot be compiled (raised at synth, never in Lambda)
    ├── SettingsError        the deployer: a setting is missing or not allowed
    ├── NotificationError    the operator: a message on the queue names no object that we understand
    ├── LogFileError         the operator: an object cannot be read as a log file
    ├── OutOfTimeError       the operator: the function would have been stopped before a log file was done
    ├── ChannelError         the operator: a channel beside the alert topic did not take an alert
    ├── TableError           the operator: the hit table refused or kept throttling a request
    │   └── NewerFormatError the deployer: a newer version wrote a row, which this one could misread
    ├── StateError           who works on a hit: there is nothing to change, or somebody else just did
    └── LocalError           who runs `trailbell local`: the embedded AWS did not do its part

The first two end a build; the next four send the message back to its queue, which retries it and
dead-letters it at last. Anything else that is raised is our own defect.
"""

from enum import StrEnum


class Unreadable(StrEnum):
    """Why an object could not be read; the value is the end of the metric that counts it (ObjectsFailed...)."""

    CORRUPT = "Corrupt"
    TOO_LARGE = "TooLarge"
    GONE = "Gone"
    DENIED = "Denied"
    KEY_UNUSABLE = "KeyUnusable"
    ARCHIVED = "Archived"
    INTERRUPTED = "Interrupted"


class TrailbellError(Exception):
    """Base of every error that has somebody who can act on it."""


class RuleError(TrailbellError):
    """A rule (or its cases) is wrong. The message starts with the file's path."""


class SettingsError(TrailbellError):
    """A setting is missing or not allowed. The message names the setting and what is allowed."""


class NotificationError(TrailbellError):
    """A message is none of the notifications we know: it is not clear which object it means."""


class LogFileError(TrailbellError):
    """An object is not a readable log file, or is larger than the limit; `outcome` says which in one word.

    foreign: it is whole JSON of something else, so no log file was broken.
    """

    def __init__(self, message: str, outcome: Unreadable = Unreadable.CORRUPT, *, foreign: bool = False) -> None:
        super().__init__(message)
        self.outcome, self.foreign = outcome, foreign


class OutOfTimeError(TrailbellError):
    """Something was not done before the function's time was nearly over."""


class TableError(TrailbellError):
    """DynamoDB did not take or give all rows after every retry."""


class NewerFormatError(TableError):
    """A newer version wrote a hit, which this one could misread. The message says which formats."""


class ChannelError(TrailbellError):
    """A channel beside the alert topic did not take an alert."""


class StateError(TrailbellError):
    """A hit's state cannot be changed like that. The message says who changed it, and what to do instead."""


class LocalError(TrailbellError):
    """The embedded AWS, or the deployment into it, failed."""
