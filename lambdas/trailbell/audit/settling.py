"""How long a digest waits for its log files to be read."""

SETTLE_SECONDS = 900
"""After which a digest is taken up, and again: the longest that SQS delays a message."""
