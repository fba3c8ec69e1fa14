"""Builds: list, and one's log."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import app_option, client, json_option
from wherry.cli.errors import Answered
from wherry.domain.errors import NotFound


@click.command("builds")
@app_option
@click.option("-n", "--num", type=click.IntRange(1, 1000), default=15, show_default=True, help="How many.")
@json_option
def index(app: str, num: int, as_json: bool) -> None:
    """List an app's builds, the newest first."""
    found = _newest(client(), app, num)
    if as_json:
        show.data(found)
    elif found:
        show.title(f"{app} Builds")
        show.table([_row(each) for each in found])
    else:
        show.talk(f"{app} has no builds yet. To make one: git push wherry main")


@click.command("builds:output")
@click.argument("build", required=False)
@app_option
def output(app: str, build: str | None) -> None:
    """Show a build's log until it ends: BUILD by its number; the newest when absent. Exit code 9 when it failed."""
    api = client()
    follow(api, app, _one(api, app, build))


@click.command("builds:info")
@click.argument("build", required=False)
@app_option
@json_option
def info(app: str, build: str | None, as_json: bool) -> None:
    """Show one build: BUILD by its number; the newest when absent."""
    found = _one(client(), app, build)
    if as_json:
        show.data(found)
        return
    show.title(f"Build {found['number']} of {app}")
    release = f"v{found['release']['version']}" if found["release"] else "none"
    facts = [
        ("By", found["user"]["email"]),
        ("Commit", found["source_blob"]["version"]),
        ("Status", f"{found['phase']} ({found['failure']})" if found.get("failure") else found["phase"]),
        ("Release", release),
        ("When", show.time(found["created_at"])),
    ]
    show.pairs([*facts, *([("Message", found["message"])] if found.get("message") else [])])


@click.command("builds:cancel")
@click.argument("build", required=False)
@app_option
def cancel(app: str, build: str | None) -> None:
    """Stop a build: BUILD by its number; the newest when absent. What serves goes on serving."""
    api = client()
    found = _one(api, app, build)
    with show.action(f"Stopping build {found['number']} of {app}"):
        api.delete("apps", app, "builds", found["id"])


def follow(api: Client, app: str, build: dict[str, Any]) -> dict[str, Any]:
    """A build's log until it ends; the build then. Raises Answered unless it succeeded."""
    try:
        for line in api.lines(build["output_stream_url"]):
            show.log(line)
    except KeyboardInterrupt:
        show.talk(f"\nThe build goes on. To see it: wherry builds:output {build['number']} -a {app}")
        raise
    ended: dict[str, Any] = api.get("apps", app, "builds", build["id"])
    if ended["phase"] in ("failed", "cancelled"):
        kind = "build_failed" if ended["phase"] == "failed" else "cancelled"
        raise Answered(kind, f"build {ended['number']} {ended['phase']}: {ended.get('message') or ''}", [], "", "")
    return ended


def _newest(api: Client, app: str, most: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("apps", app, "builds", headers={"Range": f"id ..; max={most}, order=desc"})
    return found


def _one(api: Client, app: str, build: str | None) -> dict[str, Any]:
    if build:
        found: dict[str, Any] = api.get("apps", app, "builds", build)
        return found
    if newest := _newest(api, app, 1):
        return newest[0]
    raise NotFound(f"{app} has no builds yet", hint="To make one: git push wherry main")


def _row(build: dict[str, Any]) -> tuple[object, ...]:
    commit = build["source_blob"]["version"][:8]
    status = f"{build['phase']} ({build['failure']})" if build.get("failure") else build["phase"]
    release = f"v{build['release']['version']}" if build["release"] else "-"
    return build["number"], commit, status, release, build["user"]["email"], show.time(build["created_at"])
