"""`trailalert completion`: the script that makes a shell complete commands, options, rules and services."""

import click
from click.shell_completion import get_completion_class

from trailalert.errors import SettingsError


_PROGRAM = "trailalert"
_VARIABLE = "_TRAILALERT_COMPLETE"
_INSTALL = {
    "bash": (
        '# Try it:    eval "$(trailalert completion bash)"',
        "# Keep it:   trailalert completion bash > ~/.local/share/bash-completion/completions/trailalert",
    ),
    "zsh": (
        '# Try it:    eval "$(trailalert completion zsh)"        (after compinit)',
        "# Keep it:   trailalert completion zsh > ~/.zfunc/_trailalert, with fpath+=(~/.zfunc) before compinit",
    ),
    "fish": (
        "# Try it:    trailalert completion fish | source",
        "# Keep it:   trailalert completion fish > ~/.config/fish/completions/trailalert.fish",
    ),
}


@click.command()
@click.argument("shell", type=click.Choice(list(_INSTALL)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete this command; its first lines say how to install it.

    Completed are commands, options, rule names, services, levels and states.

    \b
    Example:
      trailalert completion bash > ~/.local/share/bash-completion/completions/trailalert
    """
    found = get_completion_class(shell)
    if found is None:
        raise SettingsError(f"this version of click knows no completion for {shell}")
    script = found(ctx.find_root().command, {}, _PROGRAM, _VARIABLE).source()
    lines = script.strip().splitlines()
    # zsh takes #compdef for what it is in the first line only.
    first = lines[:1] if lines[0].startswith("#compdef") else []
    click.echo("\n".join([*first, *_INSTALL[shell], *lines[len(first) :]]))
