"""Help: what there is to begin with, one topic, or every command."""

from __future__ import annotations

import click

from wherry.cli import show
from wherry.cli.common import json_option
from wherry.cli.errors import Usage
from wherry.cli.names import COMMANDS, MACHINE, joined, known


@click.command("help")
@click.argument("topic", nargs=-1, metavar="[TOPIC]")
@click.pass_context
def index(context: click.Context, topic: tuple[str, ...]) -> None:
    """Show how a command is used, and what else its topic has; without one, where to begin."""
    root = context.find_root()
    group = root.command
    assert isinstance(group, click.Group)
    if not topic:
        click.echo(group.get_help(root))
        return
    name = joined(list(topic))[0]
    if name in MACHINE:
        show.line(f"Usage: wherry {name} [OPTIONS]\n\n  {MACHINE[name]}\n\nIts options: wherry {name} --help")
        return
    command = group.get_command(root, name) if known(name) else None
    if command:
        click.echo(command.get_help(click.Context(command, parent=root, info_name=name)))
        return
    found = [(each, about.help) for each, about in sorted(COMMANDS.items()) if each.startswith(f"{name}:")]
    if not found:
        raise Usage(f"there is no topic '{show.safe(name)}'", hint="To see every command: wherry commands")
    show.table(found)


@click.command("commands")
@json_option
def every(as_json: bool) -> None:
    """List every command, with what it does."""
    found = sorted([*((name, about.help) for name, about in COMMANDS.items()), *MACHINE.items()])
    if as_json:
        show.data([{"name": name, "help": about} for name, about in found])
    else:
        show.table(found)
