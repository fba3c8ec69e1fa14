"""Completion for shells."""

from __future__ import annotations

import click

from wherry.cli import show
from wherry.cli.shells import SCRIPTS


@click.command("completion")
@click.argument("shell", type=click.Choice(sorted(SCRIPTS)))
def completion(shell: str) -> None:
    """Print the completion of SHELL. To have it always: wherry completion bash >> ~/.bashrc"""
    script = SCRIPTS[shell]
    click.echo(script.text, nl=False)
    show.talk(f"# It belongs into {script.place}: wherry completion {shell} >> {script.place}")
