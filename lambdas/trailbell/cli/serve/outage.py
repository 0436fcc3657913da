"""An AWS that does not answer: what is wrong, since when, who must act, and when it is asked again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from trailbell.cli.options.aws_errors import explain
from trailbell.errors import TrailbellError
from trailbell.store.dynamo import THROTTLED
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_time


LONGEST_PAUSE = 60.0
"""Seconds between two tries at most."""

_SIGN_IN = "you: sign in (aws sso login, aws login ...); this page goes on by itself"
_ANEW = (
    "you: the keys are of the environment that trailbell was started in. End it (Ctrl-C), set new ones, start it anew"
)
_PERMIT = "whoever manages your permissions"
_DEPLOY = "you, or whoever deploys: is it the right account, Region and stack, and is the table still there?"
_NOBODY = "nobody: AWS has a moment's trouble, and this page tries again"
_NETWORK = "you: is there a network, a VPN, a proxy?"
_UPDATE = "you: install the version of trailbell that is deployed"

_WHO: Mapping[str, str] = {
    **dict.fromkeys(
        "ExpiredToken ExpiredTokenException InvalidClientTokenId UnrecognizedClientException InvalidSignatureException "
        "NoCredentialsError PartialCredentialsError CredentialRetrievalError SSOError TokenRetrievalError "
        "RequestExpired ProfileNotFound".split(),
        _SIGN_IN,
    ),
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), _PERMIT),
    **dict.fromkeys(("ResourceNotFoundException", "ValidationException", "SettingsError"), _DEPLOY),
    **dict.fromkeys(
        ("ConnectionError", "HTTPClientError"),  # botocore's, which all others of the network are made of
        _NETWORK,
    ),
    **dict.fromkeys((*THROTTLED, "InternalServerError", "ServiceUnavailable", "TableError"), _NOBODY),
    "NewerFormatError": _UPDATE,
}
"""Who must act, by AWS's code of an error, or by the name of botocore's or our own."""


@dataclass(frozen=True, slots=True)
class Outage:
    """What is wrong (a sentence), who must act, since when, how often it was tried, and when it is tried next."""

    problem: str
    who: str
    since: datetime
    tries: int
    next_try: datetime

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "problem": self.problem,
            "who": self.who,
            "since": iso_time(self.since),
            "tries": self.tries,
            "nextTry": iso_time(self.next_try),
        }


def met(error: Exception, before: Outage | None, now: datetime, every: float, *, fixed_credentials: bool) -> Outage:
    """The outage that an error is, or goes on with. every: seconds between looks, doubled with each try."""
    tries = before.tries + 1 if before else 1
    pause = min(every * 2 ** min(tries - 1, 10), LONGEST_PAUSE)
    return Outage(
        problem_of(error),
        who_acts(error, fixed_credentials=fixed_credentials),
        before.since if before else now,
        tries,
        now + timedelta(seconds=pause),
    )


def silence(since: datetime) -> dict[str, Any]:
    """The outage, as JSON, that a question without any answer is: when it is asked again nobody knows."""
    problem = "AWS does not answer, or the program that signs you in does not: a question to it is under way"
    return {"problem": problem, "who": _NETWORK, "since": iso_time(since), "tries": 1, "nextTry": ""}


def problem_of(error: Exception) -> str:
    """What an error means, in one line."""
    return one_line(str(error), 600) if isinstance(error, TrailbellError) else explain(error)


def who_acts(error: Exception, *, fixed_credentials: bool) -> str:
    """Who must do something about an error of AWS, and what."""
    cause = error.__cause__ if isinstance(error, TrailbellError) and isinstance(error.__cause__, Exception) else error
    who = next((_WHO[name] for name in _names(cause) if name in _WHO), "you: read what AWS says")
    return _ANEW if who == _SIGN_IN and fixed_credentials else who


def _names(error: Exception) -> list[str]:
    """What an error is called: by AWS, then by its class and those that it is made of."""
    code = [str(error.response["Error"]["Code"])] if isinstance(error, ClientError) else []
    return [*code, *(kind.__name__ for kind in type(error).__mro__)]
