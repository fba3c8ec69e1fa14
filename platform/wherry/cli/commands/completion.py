"""Completion for shells, by click."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from wherry.cli import show
from wherry.cli.main import COMPLETE

_WHERE = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/wherry.fish"}


@click.command("completion")
@click.argument("shell", type=click.Choice(sorted(_WHERE)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion of SHELL. To have it always: wherry completion bash >> ~/.bashrc"""
    maker = get_completion_class(shell)
    if maker is None:
        raise click.ClickException(f"click has no completion for {shell}")
    show.line(maker(context.find_root().command, {}, "wherry", COMPLETE).source())
    show.talk(f"It belongs into {_WHERE[shell]}")
