"""A profile's `credential_process` that fails, in words: botocore lets through whatever Python raises on its answer."""

from datetime import UTC, datetime
from typing import Any

from botocore import credentials
from botocore.compat import compat_shell_split
from botocore.exceptions import CredentialRetrievalError


def tell_failures() -> None:
    """From now on, in this process, a `credential_process` that fails raises CredentialRetrievalError and nothing else.

    botocore takes no provider of another's in place of its own, which profiles of `source_profile` use as well.
    """
    credentials.ProcessProvider = _ToldProcess


class _ToldProcess(credentials.ProcessProvider):  # type: ignore[misc]
    """botocore's, with each failure as an error of AWS's library. What the program said is in none: it holds keys."""

    def _retrieve_credentials_using(self, credential_process: str) -> dict[str, Any]:
        try:
            if not compat_shell_split(credential_process):
                raise _failure("it names no program")
            found: dict[str, Any] = super()._retrieve_credentials_using(credential_process)
            ends = found["expiry_time"]
            at = credentials.RefreshableCredentials._expiry_datetime(ends) if ends is not None else None
            has_ended = at is not None and at <= datetime.now(UTC)
        except OSError as error:
            raise _failure(f"it cannot be started: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise _failure("its answer is no UTF-8") from error
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            raise _failure(f"its answer, or its command line, cannot be read: {_without_content(error)}") from error
        if has_ended:
            raise _failure(f"the credentials it gave have ended at {ends}")
        return found


def _failure(why: str) -> CredentialRetrievalError:
    return CredentialRetrievalError(provider=_ToldProcess.METHOD, error_msg=why)


def _without_content(error: Exception) -> str:
    """What was wrong: of JSON, where; of another type or time, its kind alone."""
    return str(error) if isinstance(error, ValueError) else "it is no JSON object with text in its members"
