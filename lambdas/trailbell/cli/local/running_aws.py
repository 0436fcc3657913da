"""The embedded AWS of one run of `trailbell local`: started, kept if that is asked for, and otherwise stopped."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import click
from rich.console import Console

from trailbell.cli.local.local_aws import LocalAws, start_local_aws
from trailbell.cli.local.local_state import NOTHING, find_local, forget_local, local_folder, save_local
from trailbell.cli.terminal.steps import step
from trailbell.errors import SettingsError


@contextmanager
def running_aws(out: Console, *, keep: bool) -> Iterator[LocalAws]:
    """An embedded AWS, stopped at the end unless it is to be kept and all went well.

    Raises SettingsError if another one is kept already.
    """
    if keep:
        _refuse_second()
    with step(out, "starting the embedded AWS"):
        aws = start_local_aws(local_folder(keep=keep))
    try:
        with _remembered(aws) if keep else nullcontext():
            yield aws
    except BaseException:
        aws.stop()
        raise
    if not keep:
        with step(out, "stopping the embedded AWS"):
            aws.stop()


def stop_kept() -> None:
    """Stop what --keep left running, and no process but that; says what was found."""
    aws, why = find_local()
    if aws:
        aws.stop()
        forget_local()
    click.echo(why or "stopped")


@contextmanager
def _remembered(aws: LocalAws) -> Iterator[None]:
    """Remembered from the beginning, so that `--stop` finds it however this ends; forgotten where this fails."""
    save_local(aws)
    try:
        yield
    except BaseException:
        forget_local()
        raise


def _refuse_second() -> None:
    kept, why = find_local()
    if kept:
        raise SettingsError(
            f"an embedded AWS is kept running already ({kept.endpoint}, process {kept.pid}): ask it with"
            " `trailbell hits --local`, or end it with `trailbell local --stop` first"
        )
    if why != NOTHING:
        click.echo(why)
