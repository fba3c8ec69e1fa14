"""An app's log: what its processes print, what the router answered, what the platform did."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import app_option, client
from wherry.cli.errors import Answered, Unreachable, Usage

_LINE = re.compile(r"(\S+) ([\w-]+)\[([\w.-]+)\]: ?(.*)", re.DOTALL)
_COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
_PAUSES = (0.2, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
_OURS = "platform_fault"  # what may pass by itself


@click.command("logs")
@app_option
@click.option("-t", "--tail", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("-n", "--num", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many lines.")
@click.option("-d", "--dyno", "--dyno-name", "dyno", help="Only of one process: web.1, run.1234, router, api.")
@click.option("-p", "--process-type", "--ps", "process", help="Only of one type of process: web.")
@click.option("-s", "--source", help="Only of one source: app, or heroku (the router and the platform).")
@click.option("-j", "--json", "as_json", is_flag=True, help="One JSON object a line.")
def logs(
    app: str, tail: bool, num: int, dyno: str | None, process: str | None, source: str | None, as_json: bool
) -> None:
    """Show what an app's processes print, what the router answered, and what the platform did."""
    if dyno and process:
        raise Usage("--dyno and --process-type are both given; one is enough")
    wanted = {"lines": num, "tail": tail, "dyno": dyno or process, "source": source}
    line = None
    for line in _followed(client(), app, {key: value for key, value in wanted.items() if value}, tail):
        if as_json:
            show.line(_record(line))
        else:
            show.log(_coloured(line))
    if line is None:
        show.talk(f"{app} has no {'such ' if dyno or process or source else ''}lines in its log.")


def _followed(api: Client, app: str, wanted: dict[str, object], tail: bool) -> Iterator[str]:
    """Every line once: a tail that breaks is taken up after its last line, with growing pauses, for a minute."""
    url, seen, pauses = str(api.post("apps", app, "log-sessions", body=wanted)["logplex_url"]), "", list(_PAUSES)
    while True:
        try:
            for number, line in api.events(url, seen):
                seen, pauses = number or seen, list(_PAUSES)
                yield line
        except (Unreachable, Answered) as error:
            if not tail or not pauses or getattr(error, "error_id", _OURS) != _OURS:
                raise
        if not tail:
            return
        if len(pauses) == len(_PAUSES):
            show.warn("The log's connection broke. Going on...")
        time.sleep(pauses.pop(0) if pauses else _PAUSES[-1])


def _record(line: str) -> str:
    match = _LINE.fullmatch(line)
    parts = match.groups() if match else ("", "", "", line)
    return json.dumps(dict(zip(("at", "source", "process", "message"), parts, strict=True)), ensure_ascii=False)


def _coloured(line: str) -> str:
    """Each process type has its colour, the same in every session."""
    match = _LINE.match(line)
    if not match:
        return line
    colour = _COLOURS[sum(match[3].partition(".")[0].encode()) % len(_COLOURS)]
    head = line[: match.start(4)]
    return click.style(head.rstrip(" "), fg=colour) + line[len(head.rstrip(" ")) :]
