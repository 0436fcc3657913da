"""The `trailbell` command. Errors somebody can act on become one line on stderr and exit status 2."""

import errno
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click

from trailbell.aws.errors import aws_errors
from trailbell.cli.options.aws_errors import explain
from trailbell.cli.options.exit_codes import Exit
from trailbell.cli.options.extras import missing_extra
from trailbell.cli.options.lazy_commands import LazyCommands
from trailbell.cli.options.sections import Sections
from trailbell.errors import TrailbellError


_COMMANDS = LazyCommands(
    {
        "local": "trailbell.cli.local.command:local",
        "scan": "trailbell.cli.scan.command:scan",
        "replay": "trailbell.cli.replay.command:replay",
        "report": "trailbell.cli.report.command:report",
        "serve": "trailbell.cli.serve.command:serve",
        "audit": "trailbell.cli.audit.command:audit",
        "cost": "trailbell.cli.report.cost:cost",
        "weekly": "trailbell.cli.report.weekly:weekly",
        "hits": "trailbell.cli.hits.command:hits",
        "hit": "trailbell.cli.hits.hit:hit",
        "explain": "trailbell.cli.explain.command:explain",
        "actor": "trailbell.cli.actor.command:actor",
        "ack": "trailbell.cli.hits.states:ack",
        "resolve": "trailbell.cli.hits.states:resolve",
        "reopen": "trailbell.cli.hits.states:reopen",
        "note": "trailbell.cli.hits.states:note",
        "undo": "trailbell.cli.hits.undo:undo",
        "rules": "trailbell.cli.rules.command:rules",
        "members": "trailbell.cli.members.command:members",
        "doctor": "trailbell.cli.doctor.command:doctor",
        "dlq": "trailbell.cli.dead_letters.dlq:dlq",
        "undelivered": "trailbell.cli.dead_letters.undelivered:undelivered",
        "malformed": "trailbell.cli.dead_letters.malformed:malformed",
        "completion": "trailbell.cli.completion:completion",
    }
)


_SECTIONS = {
    "On this machine": ["local", "scan", "rules"],
    "Hits": ["hits", "hit", "undo", "ack", "resolve", "reopen", "note", "actor", "explain"],
    "Look back": ["report", "serve", "replay", "audit", "weekly"],
    "Operate": ["doctor", "dlq", "undelivered", "malformed", "members", "cost"],
    "Shell": ["completion"],
}


_OBJECTS = 1_000_000


@click.group(
    cls=Sections,
    commands=_COMMANDS,
    sections=_SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="trailbell")
def cli() -> None:
    """CloudTrail alerting: try it out, scan log files, query hits, check rules.

    Defaults of your own for --profile, --stack and --tz: ~/.config/trailbell/config.toml (docs/queries.md).

    \b
    Example:
      trailbell local
    """


def main() -> None:
    """Run the command line."""
    # Nothing that a command imports or loads is garbage, and what it reads is in no cycles: looked through seldom.
    gc.set_threshold(_OBJECTS)
    try:
        _run()
    finally:
        gc.freeze()  # the process ends: what is left need not be looked through for cycles


def _run() -> None:
    try:
        try:
            cli(prog_name="trailbell")
        finally:
            sys.stdout.flush()  # here, where a full disk can still be told
    except TrailbellError as error:
        _fail(str(error))
    except aws_errors() as error:
        _fail(explain(error))
    except ModuleNotFoundError as error:
        advice = missing_extra(error)
        if not advice:
            raise
        _fail(advice)
    except OSError as error:
        _close_output()
        if error.errno == errno.EPIPE:  # whoever read it has read enough
            sys.exit(Exit.FOUND)
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error}")


def _fail(why: str) -> NoReturn:
    with suppress(OSError):  # where not even that can be written, the status still says it
        click.echo(f"trailbell: {why}", err=True)
    sys.exit(Exit.FAILED)


def _close_output() -> None:
    """What could not be written is not tried again as the process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
