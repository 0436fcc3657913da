"""Long output on a terminal goes through the pager, as with git, gh and aws; elsewhere it is just written."""

import os
import shutil
import sys

import click


def show(text: str, *, paged: bool) -> None:
    """Write a text, through $PAGER (default: less) if it is longer than the terminal and `paged`.

    PAGER set to nothing or `cat` writes it at once.
    """
    long = text.count("\n") >= shutil.get_terminal_size().lines
    if paged and long and sys.stdout.isatty() and os.environ.get("PAGER", "less") not in ("", "cat"):
        os.environ.setdefault("LESS", "FRX")
        click.echo_via_pager(text, color=True)
    else:
        sys.stdout.write(text)
        sys.stdout.flush()
