"""What an app's processes print."""

from __future__ import annotations

import re

import click

from wherry.cli import show
from wherry.cli.common import app_option, client

_PREFIX = re.compile(r"^\S+ [\w-]+\[([\w.-]+)\]:")
_COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")


@click.command("logs")
@app_option
@click.option("-t", "--tail", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("-n", "--num", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many lines.")
@click.option("-p", "--ps", "-d", "--dyno", "process", help="Only of one process (web.1) or one type (web).")
@click.option("-s", "--source", help="Only of one source: app.")
def logs(app: str, tail: bool, num: int, process: str | None, source: str | None) -> None:
    """Show what an app's processes print."""
    api = client()
    wanted = {"lines": num, "tail": tail, "dyno": process, "source": source}
    session = api.post("apps", app, "log-sessions", body={key: value for key, value in wanted.items() if value})
    for line in api.lines(session["logplex_url"]):
        show.log(_coloured(line))


def _coloured(line: str) -> str:
    """Each process type has its colour, the same in every session."""
    match = _PREFIX.match(line)
    if not match:
        return line
    colour = _COLOURS[sum(match[1].partition(".")[0].encode()) % len(_COLOURS)]
    return click.style(match[0], fg=colour) + line[match.end() :]
