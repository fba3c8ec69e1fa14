"""Releases: list, one, its log, and the way back."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import app_option, client, follow_rollout, json_option, wait_option
from wherry.domain.errors import NotFound


@click.command("releases")
@app_option
@click.option("-n", "--num", type=click.IntRange(1, 1000), default=15, show_default=True, help="How many.")
@json_option
def index(app: str, num: int, as_json: bool) -> None:
    """List an app's releases, the newest first."""
    found = _newest(client(), app, num)
    if as_json:
        show.data(found)
        return
    if not found:
        show.talk(f"{app} has no releases yet. To make one: git push wherry main")
        return
    current = next((f" - Current: v{each['version']}" for each in found if each["current"]), "")
    show.title(f"{app} Releases{current}")
    show.table([_row(each) for each in found])


@click.command("releases:info")
@click.argument("release", required=False)
@app_option
@click.option("-s", "--shell", is_flag=True, help="As KEY=value.")
@json_option
def info(app: str, release: str | None, shell: bool, as_json: bool) -> None:
    """Show one release: RELEASE as v12 or 12; the newest when absent."""
    found = _one(client(), app, release)
    if as_json:
        show.data(found)
        return
    facts = [
        ("By", found["user"]["email"]),
        ("Change", found["description"]),
        ("Commit", found.get("commit") or "-"),
        ("Current", "yes" if found["current"] else "no"),
        ("Eligible for Rollback?", "Yes" if found["eligible_for_rollback"] else "No"),
        ("Image", found.get("image", {}).get("digest") or "-"),
        ("Status", _status(found)),
        ("When", show.time(found["created_at"])),
    ]
    if shell:
        for key, value in facts:
            show.line(f"{key.lower().rstrip('?').replace(' ', '_')}={show.safe(value)}")
        return
    show.title(f"Release v{found['version']}")
    show.pairs(facts)


@click.command("releases:output")
@click.argument("release", required=False)
@app_option
def output(app: str, release: str | None) -> None:
    """Show the log of a release's rollout, until it ends: RELEASE as v12 or 12; the newest when absent."""
    api = client()
    for line in api.lines(_one(api, app, release)["output_stream_url"]):
        show.log(line)


@click.command("releases:rollback")
@click.argument("release", required=False)
@app_option
@wait_option
@json_option
def rollback(app: str, release: str | None, no_wait: bool, as_json: bool) -> None:
    """Go back to RELEASE (v12 or 12; the one before when absent): its image and its config, as a new release.

    Quantities of processes stay as they are. Exit code 10 when it does not come to serve.
    """
    api = client()
    wanted = _named(release) if release else None
    with show.action(f"Rolling back {app} to {show.safe(wanted or 'the release before')}") as done:
        made = api.post("apps", app, "releases", body={"release": wanted} if wanted else {})
        done.with_ = f"v{made['version']}"
    if not no_wait:
        follow_rollout(api, app, made)
    if as_json:
        show.data(_one(api, app, f"v{made['version']}"))
    else:
        show.talk(f"To undo, type: wherry releases:rollback -a {app}")


def _newest(api: Client, app: str, most: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(
        "apps", app, "releases", headers={"Range": f"version ..; max={most}, order=desc"}
    )
    return found


def _one(api: Client, app: str, release: str | None) -> dict[str, Any]:
    if release:
        found: dict[str, Any] = api.get("apps", app, "releases", _named(release))
        return found
    if newest := _newest(api, app, 1):
        return newest[0]
    raise NotFound(f"{app} has no releases yet", hint="To make one: git push wherry main")


def _named(release: str) -> str:
    """12 and v12 are the same."""
    return f"v{release}" if release.isascii() and release.isdecimal() else release


def _row(release: dict[str, Any]) -> tuple[object, ...]:
    who, when = release["user"]["email"], show.time(release["created_at"])
    return f"v{release['version']}", release["description"], _status(release), who, when


def _status(release: dict[str, Any]) -> str:
    failure = release.get("failure")
    return f"{release['status']} ({failure})" if failure else str(release["status"])
