"""`completion`: what a shell needs to complete commands, options and names."""

import click
from click.shell_completion import get_completion_class

from dashredact.cli.grammar import command
from dashredact.errors import UsageError


@command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the code that makes SHELL complete dashredact's commands and options.

    \b
      dashredact completion bash > ~/.local/share/bash-completion/completions/dashredact
      dashredact completion zsh > ~/.zfunc/_dashredact
      dashredact completion fish > ~/.config/fish/completions/dashredact.fish
    """
    make = get_completion_class(shell)
    if make is None:
        raise UsageError(f"This version of click cannot complete for {shell}.")
    complete = make(context.find_root().command, {}, "dashredact", "_DASHREDACT_COMPLETE")
    click.echo(complete.source())
