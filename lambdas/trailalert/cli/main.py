"""The `trailalert` command. Errors somebody can act on become one line on stderr and exit status 2."""

import sys

import click
from botocore.exceptions import BotoCoreError, ClientError

from trailalert.cli.aws_errors import explain
from trailalert.cli.bad import bad
from trailalert.cli.completion import completion
from trailalert.cli.dlq import dlq
from trailalert.cli.doctor import doctor
from trailalert.cli.hit import hit
from trailalert.cli.hits import hits
from trailalert.cli.local import local
from trailalert.cli.replay import replay
from trailalert.cli.report import report
from trailalert.cli.rules import rules
from trailalert.cli.scan import scan
from trailalert.cli.states import ack, note, reopen, resolve
from trailalert.errors import TrailAlertError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="trailalert")
def cli() -> None:
    """CloudTrail alerting: try it out, scan log files, ask for hits, check rules.

    \b
    Example:
      trailalert local
    """


for command in (
    *(local, scan, replay, report),
    *(hits, hit, ack, resolve, reopen, note),
    *(rules, doctor, dlq, bad, completion),
):
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    try:
        cli(prog_name="trailalert")
    except TrailAlertError as error:
        click.echo(f"trailalert: {error}", err=True)
        sys.exit(2)
    except (BotoCoreError, ClientError) as error:
        click.echo(f"trailalert: {explain(error)}", err=True)
        sys.exit(2)
