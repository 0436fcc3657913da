"""What AWS refuses, as the next step for the person at the keyboard."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trailbell.aws.errors import aws_errors
from trailbell.errors import SettingsError
from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.safe_text import one_line


if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_SIGN_IN = "sign in again (aws sso login, aws login, or new keys in the environment)"
_CREDENTIALS = "set AWS_PROFILE, or sign in (aws configure, aws sso login); check with: aws sts get-caller-identity"

_PROFILES = "aws configure list-profiles shows them; set AWS_PROFILE, or profile in your config file, to one"

# Names of botocore.exceptions, which is imported when there is an error to explain.
_BY_KIND = (
    ("NoCredentialsError", f"no AWS credentials found: {_CREDENTIALS}"),
    ("PartialCredentialsError", f"AWS credentials are incomplete: {_CREDENTIALS}"),
    ("CredentialRetrievalError", f"AWS credentials could not be fetched: {_CREDENTIALS}"),
    ("ProfileNotFound", f"there is no such AWS profile: {_PROFILES}"),
    (
        "NoRegionError",
        "no AWS Region given: set AWS_REGION, or give --aws-region: the one of the stack",
    ),
    ("InvalidRegionError", "AWS_REGION names no region: set it to the one the stack is deployed in"),
    ("SSOError", f"the sign-on session has ended: {_SIGN_IN}"),
    ("TokenRetrievalError", f"the sign-on session has ended: {_SIGN_IN}"),
    ("EndpointConnectionError", "AWS cannot be reached: is AWS_REGION a region, is there a network, a proxy?"),
)
_BY_CODE = {
    "ExpiredToken": f"the AWS credentials have expired: {_SIGN_IN}",
    "ExpiredTokenException": f"the AWS credentials have expired: {_SIGN_IN}",
    "RequestExpired": "AWS refuses the request as too old: is this machine's clock right?",
    "InvalidSignatureException": "AWS refuses the signature: is the secret key right, and this machine's clock?",
    "InvalidClientTokenId": f"AWS does not know these credentials: {_CREDENTIALS}",
    "UnrecognizedClientException": f"AWS does not know these credentials: {_CREDENTIALS}",
    "ResourceNotFoundException": "no such table in this account and region: check AWS_PROFILE, AWS_REGION and --table",
    "ProvisionedThroughputExceededException": "the table is throttled: wait a little, or ask for a shorter time",
    "ThrottlingException": "AWS is throttling: wait a little, then repeat",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_PERMISSION = lazy_pattern(r"not authorized to perform: (?P<action>[\w-]+:\w+)(?: on resource: (?P<resource>\S+))?")


@contextmanager
def explained_errors() -> Iterator[None]:
    """Raise SettingsError, with the next step, where AWS refuses something."""
    try:
        yield
    except aws_errors() as error:
        raise SettingsError(explain(error)) from error


def explain(error: Exception) -> str:
    """What an error of AWS means, and what to do next; its own words where we know no better."""
    from botocore import exceptions

    said = one_line(str(error), 400)
    if isinstance(error, exceptions.ClientError):
        code = error.response["Error"]["Code"]
        if code in _DENIED:
            return _denied(error, said)
        if code == "ValidationException" and "key" in said.lower():
            return f"this is no hit table of trailbell, or one of another version: check --table ({said})"
        return f"{_BY_CODE[code]} ({code})" if code in _BY_CODE else f"AWS: {said}"
    if isinstance(error, exceptions.CredentialRetrievalError) and error.kwargs["provider"] == "custom-process":
        why = one_line(error.kwargs["error_msg"], 300) or "it ended with an error and said nothing"
        return f"the credential_process of your profile failed: {why} (run it in a shell; its help says how to sign in)"
    for kind, advice in _BY_KIND:
        if isinstance(error, getattr(exceptions, kind)):
            return f"{advice} ({said})"
    return f"AWS: {said}"


def _denied(error: "ClientError", said: str) -> str:
    found = _PERMISSION.search(error.response["Error"].get("Message", ""))
    if not found:
        return f"not allowed: {error.operation_name} was refused; ask for that permission ({said})"
    where = f" on {one_line(found['resource'], 300)}" if found["resource"] else ""
    return f"not allowed: your credentials lack {found['action']}{where}; docs/queries.md lists what is needed"
