"""How a resource is read: by readers, each of which asks AWS and answers in the words of the resource's template."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trailbell.ops.answers import GONE, Answer, Declared, Reading, Refusal
from trailbell.ops.deployed_stack import Clients


Reader = Callable[[Clients, Declared], Answer]
"""Some members of a resource, as its template would declare them; what is not set is left out or None."""


class GoneError(Exception):
    """What a list of AWS does not name, by its name."""


class UnansweredError(Exception):
    """What cannot be known, with the reason: AWS answered, but not this."""


def read_resource(clients: Clients, resource: Declared, readers: Sequence[Reader]) -> Reading:
    """All that the readers answer. A reader that is refused does not stop the others; one that finds nothing does."""
    live: dict[str, Any] = {}
    refusals = []
    for reader in readers:
        try:
            live |= reader(clients, resource)
        except GoneError as error:
            return Reading(resource, {}, str(error))
        except UnansweredError as error:
            refusals.append(Refusal(reader.__name__, "", str(error)))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in GONE:
                return Reading(resource, {}, resource.physical)
            refusals.append(Refusal(error.operation_name, code, str(error)))
        except BotoCoreError as error:
            refusals.append(Refusal(type(error).__name__, "", str(error)))
    return Reading(resource, live, "", tuple(refusals))


@contextmanager
def belonging_to(owner: str) -> Iterator[None]:
    """Raise GoneError with the owner's name where AWS says that it is not there: a topic's policy, a bucket's."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            raise GoneError(owner) from None
        raise


def picked(answer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The members of an answer that a template calls the same."""
    return {name: answer[name] for name in names if name in answer}


def answered_or(code: str, ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """An answer, or an empty one where AWS's error says that there is no such setting."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise
        return {}
