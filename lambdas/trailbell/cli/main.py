"""The `trailbell` command. Errors somebody can act on become one line on stderr and exit status 2."""

import sys
from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

from trailbell.aws.errors import aws_errors
from trailbell.cli.options.aws_errors import explain
from trailbell.cli.options.extras import missing_extra
from trailbell.errors import TrailbellError


# Each command and the module of this package that has it under its own name. Modules are imported when their command
# is asked for: pySigma, boto3 and the rest take a second, which a shell that completes does not have.
_MODULES = {
    "local": "local.command",
    "scan": "scan.command",
    "replay": "replay.command",
    "report": "report.command",
    "hits": "hits.command",
    "hit": "hits.hit",
    "ack": "hits.states",
    "resolve": "hits.states",
    "reopen": "hits.states",
    "note": "hits.states",
    "rules": "rules.command",
    "doctor": "doctor.command",
    "dlq": "dead_letters.dlq",
    "undelivered": "dead_letters.undelivered",
    "malformed": "dead_letters.malformed",
    "completion": "completion",
}


class _Commands(MutableMapping[str, click.Command]):
    """The commands by name, each imported when it is taken."""

    def __init__(self) -> None:
        self._taken = dict[str, click.Command]()

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._taken:
            self._taken[name] = getattr(import_module(f"trailbell.cli.{_MODULES[name]}"), name)
        return self._taken[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._taken[name] = command

    def __delitem__(self, name: str) -> None:
        del self._taken[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*_MODULES, *self._taken)))

    def __len__(self) -> int:
        return len(list(iter(self)))


@click.group(commands=_Commands(), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="trailbell")
def cli() -> None:
    """CloudTrail alerting: try it out, scan log files, query hits, check rules.

    \b
    Example:
      trailbell local
    """


def main() -> None:
    """Run the command line."""
    try:
        cli(prog_name="trailbell")
    except TrailbellError as error:
        click.echo(f"trailbell: {error}", err=True)
        sys.exit(2)
    except aws_errors() as error:
        click.echo(f"trailbell: {explain(error)}", err=True)
        sys.exit(2)
    except ModuleNotFoundError as error:
        advice = missing_extra(error)
        if not advice:
            raise
        click.echo(f"trailbell: {advice}", err=True)
        sys.exit(2)
