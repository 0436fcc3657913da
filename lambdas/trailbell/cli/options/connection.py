"""Where a command asks: a deployed stack and its table, or those that `trailbell local --keep` left running."""

import functools
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from trailbell.cli.options.account import Command, account_options, aws_client
from trailbell.cli.options.config_file import default_of


if TYPE_CHECKING:
    from botocore.config import Config

    from trailbell.ops.deployed_stack import DeployedStack


STACK = "trailbell"


@dataclass(frozen=True, slots=True)
class Connection:
    """Makes clients, and knows the stack and its table."""

    local: bool
    table_given: str
    stack: str

    def client(self, service: str, config: "Config | None" = None) -> Any:
        """A client of an AWS service; raises what botocore raises where there is no region.

        config: how long it waits and how often it tries, otherwise that of a command.
        """
        if self.local:
            from trailbell.cli.local.local_state import load_local

            return load_local().client(service, config)
        from botocore.config import Config

        from trailbell.store.query.pointers import WORKERS

        usual = Config(max_pool_connections=WORKERS, retries={"mode": "standard", "max_attempts": 5})
        return aws_client(service, config=config or usual)

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


def connection_options(command: Command) -> Command:
    """The options --local, --table and --stack, which the command gets as one argument, `connection`."""

    @functools.wraps(command)
    def connected(*arguments: Any, local: bool, table: str, stack: str, **named: Any) -> Any:
        return command(*arguments, connection=Connection(local, table, _stack(stack, local)), **named)

    for option in (
        _stack_option("The stack to look the table up from."),
        click.option(
            "--table",
            metavar="NAME",
            default="",
            help="The table's name (default: looked up from the stack's outputs).",
        ),
        click.option("--local", is_flag=True, help="Ask the table kept by `trailbell local --keep`."),
    ):
        connected = option(connected)
    return account_options(connected)


def stack_options(stack_help: str, local_help: str) -> Callable[[Command], Command]:
    """The options --stack and --local of a command about a whole stack: one argument, `connection`."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def connected(*arguments: Any, local: bool, stack: str, **named: Any) -> Any:
            return command(*arguments, connection=Connection(local, "", _stack(stack, local)), **named)

        with_local = click.option("--local", is_flag=True, help=local_help)(connected)
        return account_options(_stack_option(stack_help)(with_local))

    return decorate


def _stack_option(text: str) -> Any:  # as click's own are typed
    return click.option(
        "--stack",
        metavar="NAME",
        default="",
        help=f"{text.removesuffix('.')} (default: the config file's, then {STACK}).",
    )


def _stack(given: str, local: bool) -> str:
    """The stack that is given, or the config file's, or the usual one; a local one has the usual name."""
    return given or ("" if local else default_of("stack")) or STACK
