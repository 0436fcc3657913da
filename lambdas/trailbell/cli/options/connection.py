"""Where a command asks: a deployed stack and its table, or those that `trailbell local --keep` left running."""

import functools
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click


if TYPE_CHECKING:
    from trailbell.ops.deployed_stack import DeployedStack


Command = Callable[..., Any]

STACK = "trailbell"
_FUNCTION_SECONDS = 900  # no function runs longer


@dataclass(frozen=True, slots=True)
class Connection:
    """Makes clients, and knows the stack and its table."""

    local: bool
    table_given: str
    stack: str

    def client(self, service: str) -> Any:
        """A client of an AWS service; raises what botocore raises where there is no region."""
        if self.local:
            from trailbell.cli.local.local_state import load_local

            return load_local().client(service)
        from botocore.config import Config

        from trailbell.store.query.pointers import WORKERS

        config = Config(max_pool_connections=WORKERS, retries={"mode": "standard", "max_attempts": 5})
        return aws_client(service, config=config)

    def table(self) -> str:
        """The table's name. Raises SettingsError when there is no such stack."""
        return self.table_given or self.deployed.output("HitTable")

    @property
    def deployed(self) -> "DeployedStack":
        """The stack, by its name; nothing is asked yet."""
        from trailbell.ops.deployed_stack import DeployedStack

        return DeployedStack(self.client, self.stack)

    @property
    def options(self) -> str:
        """The options that lead to the same table, for commands to be pasted; "" where none are needed."""
        if self.local:
            return "--local"
        stack = f"--stack {shlex.quote(self.stack)}" if self.stack != STACK else ""
        return f"--table {shlex.quote(self.table_given)}" if self.table_given else stack

    def caller(self) -> str:
        """The ARN of whoever runs the command."""
        return str(self.client("sts").get_caller_identity()["Arn"])


def aws_client(service: str, **options: Any) -> Any:
    """A client of an AWS service in the account and region that the shell says.

    One of Lambda asks once and waits as long as the function may take: a request that is given up and repeated
    would have the notifier notify of the same hits twice at the same time.
    """
    import boto3  # here, as half a second is too long for a shell that only completes an option's value
    from botocore.config import Config

    if service == "lambda":
        options["config"] = Config(read_timeout=_FUNCTION_SECONDS, retries={"total_max_attempts": 1})
    # boto3 knows AWS_DEFAULT_REGION alone; AWS_REGION is what every other SDK and the AWS CLI take first.
    return boto3.client(service, region_name=os.environ.get("AWS_REGION") or None, **options)


def account_options(command: Command) -> Command:
    """The options --profile and --aws-region, which stand for what the AWS CLI's --profile and --region do.

    --region is taken: it says which records or hits are asked for, which lie in other Regions than the stack.
    """
    for name, variables, text in (
        ("--aws-region", ("AWS_REGION", "AWS_DEFAULT_REGION"), "The AWS Region to ask (default: $AWS_REGION)."),
        ("--profile", ("AWS_PROFILE",), "The profile of the AWS CLI's files to sign in with (default: $AWS_PROFILE)."),
    ):
        command = click.option(
            name, metavar="NAME", expose_value=False, is_eager=True, callback=_setting(variables), help=text
        )(command)
    return command


def _setting(variables: Sequence[str]) -> Callable[[click.Context, click.Parameter, str | None], None]:
    """Sets what boto3 reads, for this command, in this process and those it starts."""

    def put(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
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


def connection_options(command: Command) -> Command:
    """The options --local, --table and --stack, which the command gets as one argument, `connection`."""

    @functools.wraps(command)
    def connected(*arguments: Any, local: bool, table: str, stack: str, **named: Any) -> Any:
        return command(*arguments, connection=Connection(local, table, stack), **named)

    for option in (
        click.option("--stack", default=STACK, show_default=True, help="The stack to look the table up from."),
        click.option("--table", default="", help="The table's name (default: looked up from the stack's outputs)."),
        click.option("--local", is_flag=True, help="Ask the table kept by `trailbell local --keep`."),
    ):
        connected = option(connected)
    return account_options(connected)


def stack_options(stack_help: str, local_help: str) -> Callable[[Command], Command]:
    """The options --stack and --local of a command about a whole stack: one argument, `connection`."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def connected(*arguments: Any, local: bool, stack: str, **named: Any) -> Any:
            return command(*arguments, connection=Connection(local, "", stack), **named)

        with_local = click.option("--local", is_flag=True, help=local_help)(connected)
        return account_options(click.option("--stack", default=STACK, show_default=True, help=stack_help)(with_local))

    return decorate
