"""One-offs: a command beside an app's processes, or inside one of them."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import app_option, client, json_option
from wherry.cli.errors import Usage
from wherry.cli.words import Carrying, command_of
from wherry.domain.one_off import env_of

_SHELL = "exec $(command -v bash || command -v sh)"

env_option = click.option("-e", "--env", help="Variables for it alone: 'A=1;B=2'.")
exit_option = click.option(
    "-x", "--exit-code", is_flag=True, help="As on Heroku. Its exit code is passed on in any case."
)
no_tty_option = click.option("--no-tty", is_flag=True, help="No terminal, even on one: bytes in and out as they are.")
command_argument = click.argument("command", nargs=-1, metavar="COMMAND...", type=click.UNPROCESSED)


@click.command("run", cls=Carrying)
@command_argument
@app_option
@env_option
@click.option("-s", "--size", help="basic, standard, large or huge.")
@click.option("--type", "kind", help="Its type, when that is not 'run': whose image it has, and its name.")
@click.option("--no-launcher", is_flag=True, hidden=True)
@no_tty_option
@exit_option
def run(
    app: str, command: tuple[str, ...], env: str | None, size: str | None, kind: str | None, no_tty: bool, **_: bool
) -> None:
    """Run a command with the app's current code and config, and talk to it. A shell reads the command.

    Options of ours count wherever they stand; those of the command that we have too come after --.
    """
    line = _line(command)
    wanted = {"command": line, "size": size, "type": kind, **_surroundings(env, no_tty)}
    _talk(client(), ("apps", app, "dynos"), wanted, f"Running {show.safe(line)} on {app}")


@click.command("run:detached", cls=Carrying)
@command_argument
@app_option
@env_option
@click.option("-s", "--size", help="basic, standard, large or huge.")
@click.option("--type", "kind", help="Its type, when that is not 'run'.")
@click.option("-t", "--tail", is_flag=True, help="Show what it prints.")
@click.option("--seconds", type=click.IntRange(1), help="The longest it may take.")
@click.option("--no-launcher", is_flag=True, hidden=True)
@json_option
def detached(
    app: str,
    command: tuple[str, ...],
    env: str | None,
    size: str | None,
    kind: str | None,
    tail: bool,
    seconds: int | None,
    as_json: bool,
    **_: bool,
) -> None:
    """Run a command without waiting for it; what it prints goes to the logs."""
    line = _line(command)
    wanted = {
        "command": line,
        "attach": False,
        "env": {name: value.reveal() for name, value in env_of(env or "").items()},
        "size": size,
        "type": kind,
        "time_to_live": seconds,
    }
    api = client()
    with show.action(f"Running {show.safe(line)} on {app}") as done:
        made = api.post("apps", app, "dynos", body=_given(wanted))
        done.with_ = made["name"]
    if as_json:
        show.data(made)
    logs = f"wherry logs --tail -p {made['name']} -a {app}"
    if not tail:
        show.talk(f"To see what it prints: {logs}")
        return
    session = api.post("apps", app, "log-sessions", body={"lines": 1000, "tail": True, "dyno": made["name"]})
    for shown in api.lines(session["logplex_url"]):
        show.log(shown)


@click.command("run:inside", cls=Carrying)
@click.argument("process")
@command_argument
@app_option
@env_option
@no_tty_option
@exit_option
def inside(app: str, process: str, command: tuple[str, ...], env: str | None, no_tty: bool, **_: bool) -> None:
    """Run a command inside a process that runs: web.1."""
    _enter(app, process, _line(command), env, no_tty)


@click.command("ps:exec", cls=Carrying)
@command_argument
@app_option
@click.option("-d", "--dyno", "--dyno-name", "process", default="web.1", show_default=True, help="Which process.")
@env_option
@no_tty_option
@exit_option
def enter(app: str, process: str, command: tuple[str, ...], env: str | None, no_tty: bool, **_: bool) -> None:
    """Open a shell inside a process that runs, or run a command there."""
    _enter(app, process, command_of(command) if command else _SHELL, env, no_tty)


def _enter(app: str, process: str, line: str, env: str | None, no_tty: bool) -> None:
    wanted = {"command": line, **_surroundings(env, no_tty)}
    _talk(client(), ("apps", app, "dynos", process), wanted, f"Running {show.safe(line)} inside {show.safe(process)}")


def _line(command: tuple[str, ...]) -> str:
    if not command:
        raise Usage("say what to run", hint="For example: wherry run bash")
    return command_of(command)


def _surroundings(env: str | None, no_tty: bool) -> dict[str, Any]:
    """A terminal only where both ends of ours are one: a pipe takes and gives bytes as they are."""
    with_tty = not no_tty and sys.stdin.isatty() and sys.stdout.isatty()
    given = {name: value.reveal() for name, value in env_of(env or "").items()}
    terminal = {"TERM": os.environ["TERM"]} if with_tty and os.environ.get("TERM") else {}
    return {"attach": True, "force_no_tty": not with_tty, "env": {**terminal, **given}}


def _talk(api: Client, path: tuple[str, ...], wanted: dict[str, Any], doing: str) -> None:
    from wherry.cli.terminal import talk  # TLS is for these commands alone

    with show.action(doing) as done:
        made = api.post(*path, body=_given(wanted))
        done.with_ = made["name"]
    code = talk(made["attach_url"], made["attach_fingerprint"], not wanted["force_no_tty"])
    if code:
        click.get_current_context().exit(code)


def _given(wanted: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in wanted.items() if value is not None}
