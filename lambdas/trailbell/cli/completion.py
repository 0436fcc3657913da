"""`trailbell completion`: the script that makes a shell complete commands, options, rules and services."""

import click
from click.shell_completion import get_completion_class

from trailbell.errors import SettingsError


_PROGRAM = "trailbell"
_VARIABLE = "_TRAILBELL_COMPLETE"
_INSTALL = {
    "bash": (
        '# Try it:    eval "$(trailbell completion bash)"',
        "# Keep it:   trailbell completion bash > ~/.local/share/bash-completion/completions/trailbell",
    ),
    "zsh": (
        '# Try it:    eval "$(trailbell completion zsh)"        (after compinit)',
        "# Keep it:   trailbell completion zsh > ~/.zfunc/_trailbell, with fpath+=(~/.zfunc) before compinit",
    ),
    "fish": (
        "# Try it:    trailbell completion fish | source",
        "# Keep it:   trailbell completion fish > ~/.config/fish/completions/trailbell.fish",
    ),
}


@click.command()
@click.argument("shell", type=click.Choice(list(_INSTALL)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes this command in a shell.

    Its first lines say how to install it.

    Completed are commands, options, rule names, services, levels and states.

    \b
    Example:
      trailbell completion bash
    """
    found = get_completion_class(shell)
    if found is None:
        raise SettingsError(f"this version of click knows no completion for {shell}")
    script = found(ctx.find_root().command, {}, _PROGRAM, _VARIABLE).source()
    lines = script.strip().splitlines()
    # zsh takes #compdef for what it is in the first line only.
    first = lines[:1] if lines[0].startswith("#compdef") else []
    click.echo("\n".join([*first, *_INSTALL[shell], *lines[len(first) :]]))
