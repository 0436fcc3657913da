"""Which AWS account and Region a command asks, and its clients there."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from trailbell.cli.options.config_file import default_of


Command = Callable[..., Any]

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_WHO_ASKS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID")
_FUNCTION_SECONDS = 900  # no function runs longer


class AccountId(click.ParamType[str]):
    """Twelve digits, or "" for none: with any other text nothing would be found, which looks like an answer."""

    name = "account"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as given; a usage error for what is no account id."""
        text = str(value)
        if text and not _ACCOUNT.fullmatch(text):
            self.fail(f"{text}: an account id has twelve digits", param, ctx)
        return text


def aws_client(service: str, **options: Any) -> Any:
    """A client of an AWS service in the account and region that the shell says.

    One of Lambda asks once and waits as long as the function may take: a request that is given up and repeated
    would have the notifier notify of the same hits twice at the same time.
    """
    import boto3  # here, as half a second is too long for a shell that only completes an option's value
    from botocore.config import Config

    from trailbell.cli.options.credential_process import tell_failures

    tell_failures()
    if service == "lambda":
        options["config"] = Config(read_timeout=_FUNCTION_SECONDS, retries={"total_max_attempts": 1})
    # boto3 knows AWS_DEFAULT_REGION alone; AWS_REGION is what every other SDK and the AWS CLI take first.
    return boto3.client(service, region_name=os.environ.get("AWS_REGION") or None, **options)


def account_options(command: Command) -> Command:
    """The options --profile and --aws-region, which stand for what the AWS CLI's --profile and --region do.

    --region is taken: it says which records or hits are asked for, which lie in other Regions than the stack.
    """
    for name, variables, otherwise, text in (
        (
            "--aws-region",
            ("AWS_REGION", "AWS_DEFAULT_REGION"),
            _nothing,
            "The AWS Region to ask (default: $AWS_REGION).",
        ),
        (
            "--profile",
            ("AWS_PROFILE",),
            _own_profile,
            "The profile to sign in with (default: $AWS_PROFILE, then the config file's).",
        ),
    ):
        command = click.option(
            name, metavar="NAME", expose_value=False, is_eager=True, callback=_setting(variables, otherwise), help=text
        )(command)
    return command


def _nothing() -> str:
    return ""


def _own_profile() -> str:
    """The config file's profile, where the shell says nothing of who asks.

    Beside credentials in the environment it would count by half: their account, and the profile's Region.
    """
    return "" if any(os.environ.get(name) for name in _WHO_ASKS) else default_of("profile")


def _setting(
    variables: Sequence[str], otherwise: Callable[[], str]
) -> Callable[[click.Context, click.Parameter, str | None], None]:
    """Sets what boto3 reads, for this command, in this process and those it starts."""

    def put(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        value = value or (None if ctx.resilient_parsing else otherwise())
        if value:
            before = {name: os.environ.get(name) for name in variables}
            os.environ.update(dict.fromkeys(variables, value))
            ctx.call_on_close(lambda: _put_back(before))

    return put


def _put_back(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
