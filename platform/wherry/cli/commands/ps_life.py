"""Processes are restarted, stopped, waited for."""

from __future__ import annotations

import time
from typing import Any

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import app_option, client, json_option
from wherry.cli.errors import Usage

_name_option = click.option("-d", "--dyno-name", help="The process: web.1.")
_type_option = click.option("-p", "--process-type", help="Every process of this type.")


@click.command("ps:restart")
@click.argument("process", required=False)
@_name_option
@_type_option
@app_option
def restart(app: str, process: str | None, dyno_name: str | None, process_type: str | None) -> None:
    """Restart all processes, one (web.1), or those of a type (web).

    Each is replaced: the new one starts and is checked, requests go to it, then the old one stops.
    """
    name, kind = _target(process, dyno_name, process_type)
    what = f"process {name}" if name else f"all {kind} processes" if kind else "all processes"
    path = ("dynos", name) if name else ("formations", kind) if kind else ("dynos",)
    with show.action(f"Restarting {show.safe(what)} on {app}"):
        client().delete("apps", app, *path)


@click.command("ps:stop")
@click.argument("process", required=False)
@_name_option
@_type_option
@app_option
def stop(app: str, process: str | None, dyno_name: str | None, process_type: str | None) -> None:
    """Stop one process (web.1, run.1234), or those of a type.

    What the formation asks for is started again. To have fewer: wherry ps:scale
    """
    name, kind = _target(process, dyno_name, process_type)
    if not name and not kind:
        raise Usage("say which process to stop, or which type", hint="To see them: wherry ps")
    path = ("dynos", name) if name else ("formations", kind)
    with show.action(f"Stopping {show.safe(f'process {name}' if name else f'all {kind} processes')} on {app}"):
        client().post("apps", app, *path, "actions", "stop")


@click.command("ps:wait")
@click.option("-t", "--type", "kind", help="Wait for processes of this type only.")
@click.option("-w", "--wait-interval", type=click.IntRange(1, 3600), default=2, show_default=True, help="Seconds.")
@click.option("-R", "--with-run", is_flag=True, help="Wait for one-off processes too.")
@app_option
@json_option
def wait(app: str, kind: str | None, wait_interval: int, with_run: bool, as_json: bool) -> None:
    """Wait until every process is up on the newest release. -w: seconds between two looks."""
    if kind and with_run:
        raise Usage("--type and --with-run are both given; one is enough")
    api = client()
    newest = api.get("apps", app, "releases", headers={"Range": "version ..; max=1, order=desc"})
    if not newest:
        show.warn(f"{app} has no releases yet. To make one: git push wherry main")
        return
    version = int(newest[0]["version"])
    told = ""
    while True:
        ready, wanted = _looked(api, app, version, kind, with_run)
        said = f"{len(ready)} / {len(wanted)} up on v{version}"
        if said != told:
            show.talk(said)
            told = said
        if len(ready) == len(wanted):
            break
        time.sleep(wait_interval)  # no event of this comes over HTTP
    if as_json:
        show.data(wanted)


def _looked(
    api: Client, app: str, version: int, kind: str | None, with_run: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    wanted = [
        each
        for each in api.get("apps", app, "dynos")
        if each["type"] != "release" and (with_run or each["type"] != "run") and kind in (None, each["type"])
    ]
    return [each for each in wanted if each["state"] == "up" and each["release"]["version"] >= version], wanted


def _target(process: str | None, name: str | None, kind: str | None) -> tuple[str, str]:
    """(process, type), at most one of them. A word with a dot is a process."""
    given = [each for each in (process, name, kind) if each]
    if len(given) > 1:
        raise Usage("a process and a type, or two of one, are given; one is enough")
    if process:
        return (process, "") if "." in process else ("", process)
    return name or "", kind or ""
