"""The rulebook that a deployed stack works with, out of the code that its detector runs."""

from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from trailbell.engine.rulebook import Rulebook, load_rulebook
from trailbell.errors import RuleError, SettingsError
from trailbell.ops.deployed_stack import Clients, DeployedStack


_FILE = "trailbell/rulebook.json"  # where infra/asset.py puts it
_NO_RULEBOOK = "the detector's code holds no rulebook that this version can read: deploy again, or ask the checkout"


def deployed_rulebook(clients: Clients, stack: DeployedStack) -> Rulebook:
    """The rules and exceptions that the stack's detector runs.

    Raises SettingsError where there is no such stack or its code holds no rulebook, and what botocore raises.
    """
    # The code is behind an address that is signed for ten minutes.
    # https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html
    found = clients("lambda").get_function(FunctionName=stack.queue_function())
    try:
        with ZipFile(BytesIO(_fetched(found["Code"]["Location"]))) as code:
            return load_rulebook(code.read(_FILE).decode())
    except (BadZipFile, KeyError, ValueError, RuleError) as error:
        raise SettingsError(f"{_NO_RULEBOOK} ({error})") from error


def _fetched(address: str) -> bytes:
    """What is at an address; raises what botocore raises where nobody answers. Honours proxies as botocore does."""
    answer: Any = URLLib3Session().send(AWSRequest("GET", address).prepare())
    if answer.status_code != 200:
        raise SettingsError(f"the detector's code cannot be fetched: Lambda answers {answer.status_code}")
    return bytes(answer.content)
