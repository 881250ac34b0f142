"""`completion`: what a shell needs to complete commands, options and names of files."""

import click
from click.shell_completion import get_completion_class

from dashredact.cli.grammar import command

_SHELLS = ("bash", "zsh", "fish")


@command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes commands and options in SHELL; put it where your shell looks for such.

    \b
      dashredact completion bash > ~/.local/share/bash-completion/completions/dashredact
      dashredact completion zsh > ~/.zfunc/_dashredact
      dashredact completion fish > ~/.config/fish/completions/dashredact.fish
    """
    completing = get_completion_class(shell)
    assert completing is not None, "click knows the three"
    program = context.find_root()
    click.echo(completing(program.command, {}, "dashredact", "_DASHREDACT_COMPLETE").source())
