"""What AWS's library raises, named without importing it: a scan of local files runs without boto3."""

import sys


def aws_errors() -> tuple[type[Exception], ...]:
    """botocore's BotoCoreError and ClientError, for `except`.

    None where botocore was never imported: then nobody can have raised one.
    """
    exceptions = sys.modules.get("botocore.exceptions")
    return (exceptions.BotoCoreError, exceptions.ClientError) if exceptions else ()
