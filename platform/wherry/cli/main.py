"""The entrance of ``wherry``: finds the command, catches what goes wrong once, and ends with its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from wherry import __version__
from wherry.cli import exits
from wherry.cli.errors import Usage, code_of
from wherry.cli.names import ALIASES, COMMANDS, MACHINE, START, canonical, joined, known, members, topics
from wherry.cli.shells import VARIABLE
from wherry.domain.errors import WherryError
from wherry.domain.text import printable


class Commands(click.Group):
    """Loads the one command that is called. ``topic command`` is ``topic:command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*COMMANDS, *MACHINE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = canonical(cmd_name)
        if name in MACHINE:
            return _machine_command(name)
        if name not in COMMANDS:
            return None
        found: click.Command = getattr(
            import_module(f"wherry.cli.commands.{COMMANDS[name].module}"), COMMANDS[name].function
        )
        if others := members(name):
            width = max(map(len, others))
            lines = "\n".join(f"  {other:<{width}}  {about}" for other, about in others.items())
            found.epilog = f"\b\nMore of {name}:\n{lines}"
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        words = joined(args)
        if not known(words[0]) and not ctx.resilient_parsing:
            raise Usage(*_no_such(words[0]))
        name, command, rest = super().resolve_command(ctx, words)
        return canonical(name) if name else name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, so that help loads no command."""
        with formatter.section("To begin with"):
            formatter.write_dl(list(START.items()))
        with formatter.section("Topics (what each has: wherry help TOPIC; every command: wherry commands)"):
            formatter.write_dl(list(topics().items()))
        with formatter.section("The platform on this machine"):
            formatter.write_dl(list(MACHINE.items()))


@click.group(
    cls=Commands,
    name="wherry",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, message=f"wherry/%(version)s python/{'.'.join(map(str, sys.version_info[:3]))}")
@click.pass_context
def wherry(context: click.Context) -> None:
    """git push, and the app runs.

    Each command takes -h. The app is the one of -a, of WHERRY_APP, or of the git remote "wherry".
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(argv: Sequence[str] | None = None) -> None:
    """Never a traceback: every end has its exit code (exits.py)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if shell := os.environ.get(VARIABLE):
        from wherry.cli.completing import complete

        complete(wherry, shell, words, os.environ)
        sys.exit(exits.OK)
    sys.exit(_run(words))


def _run(argv: list[str]) -> int:
    try:
        with wherry.make_context("wherry", argv, color=_colours()) as context:
            wherry.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        _tell(Usage(error.format_message().rstrip("."), hint=_how(error)))
        return error.exit_code
    except WherryError as error:
        _tell(error)
        return code_of(error)
    except (KeyboardInterrupt, click.Abort):
        click.echo(err=True)
        return exits.INTERRUPTED
    except BrokenPipeError:
        _quiet_the_exit()
        return exits.BROKEN_PIPE
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        click.echo(f" !     {printable(said, 500)}", err=True)
        return exits.FAILURE
    except Exception as error:
        if os.environ.get("WHERRY_DEBUG"):
            raise
        click.echo(f" !     {type(error).__name__}: {error}", err=True)
        click.echo(" !     This is a fault of wherry itself. For the whole story: WHERRY_DEBUG=1 wherry ...", err=True)
        return exits.FAILURE
    return exits.OK


def _no_such(name: str) -> tuple[str, str]:
    from difflib import get_close_matches

    from wherry.cli.absent import why

    if found := why(name):
        return found
    near = get_close_matches(name, [*COMMANDS, *ALIASES, *MACHINE], n=3)
    meant = " or ".join(f"wherry {each}" for each in near)
    return (
        f"there is no command '{printable(name, 60)}'",
        f"Did you mean {meant}?" if near else "To see all: wherry help",
    )


def _how(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"How it is used: {context.command_path if context else 'wherry'} -h"


def _colours() -> bool | None:
    """False: none (no-color.org). True: even into a pipe. None: as each stream is a terminal or not."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return True if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0" else None


def _tell(error: WherryError) -> None:
    for line in error.lines():
        click.echo(click.style(" !     ", fg="red") + line, err=True, color=_colours())


def _quiet_the_exit() -> None:
    """The reader of our output has gone; Python's own flush at the end would complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _machine_command(name: str) -> click.Command:
    """Handed over to the platform's own program, which is there where the platform is installed."""

    @click.command(
        name,
        help=MACHINE[name],
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    )
    @click.argument("args", nargs=-1, type=click.UNPROCESSED)
    def run(args: tuple[str, ...]) -> None:
        _must_have_the_platform()
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "wherry.supervisor", name, *args])  # noqa: S606

    return run


def _must_have_the_platform() -> None:
    from importlib.util import find_spec

    if any(find_spec(module) is None for module in ("flask", "sqlalchemy", "docker")):
        raise Usage("only the command line is installed here", hint="The platform too: pip install 'wherry[server]'")
