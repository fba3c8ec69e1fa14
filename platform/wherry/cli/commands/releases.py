"""Releases: list, one, how two differ, the log of one, and the ways back and again."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import app_option, client, follow_rollout, json_option, wait_option
from wherry.cli.errors import Answered
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
@click.option("-s", "--shell", is_flag=True, help="Its config as KEY=value, quoted for a shell.")
@json_option
def info(app: str, release: str | None, shell: bool, as_json: bool) -> None:
    """Show one release and its config vars: RELEASE as v12 or 12; the newest when absent."""
    api = client()
    found = one(api, app, release)
    if as_json:
        show.data(found)
        return
    name = f"v{found['version']}"
    if shell:
        show.shell(dict(sorted(api.get("apps", app, "releases", name, "config-vars").items())))
        return
    show.title(f"Release {name}")
    show.pairs(_facts(found))
    config = _config(api, app, name)
    show.line("")
    show.title(f"{name} Config vars")
    show.pairs(sorted(config.items()) if config is not None else [("Hidden", "your role does not show config")])
    if config == {}:
        show.talk("none")


@click.command("releases:diff")
@click.argument("before", metavar="RELEASE")
@click.argument("after", metavar="[OTHER]", required=False)
@app_option
@json_option
def diff(app: str, before: str, after: str | None, as_json: bool) -> None:
    """Show what changes from RELEASE to OTHER (the newest when absent). Values of config stay hidden."""
    api = client()
    other = _named(after) if after else f"v{one(api, app, None)['version']}"
    found = api.get("apps", app, "releases", _named(before), "diff", other)
    if as_json:
        show.data(found)
        return
    show.title(f"{app} v{found['from']['version']}..v{found['to']['version']}")
    show.changes(found["changes"])


@click.command("releases:output")
@click.argument("release", required=False)
@app_option
def output(app: str, release: str | None) -> None:
    """Show the output of a release's phase and rollout, until it ends: RELEASE as v12 or 12; the newest when absent."""
    api = client()
    for line in api.lines(one(api, app, release)["output_stream_url"]):
        show.log(line)


@click.command("releases:rollback")
@click.argument("release", required=False)
@app_option
@click.option("-f", "--force", is_flag=True, help="Although a release phase has run other code since.")
@wait_option
@json_option
def rollback(app: str, release: str | None, force: bool, no_wait: bool, as_json: bool) -> None:
    """Go back to RELEASE (v12 or 12; the one before when absent): its image and its config, as a new release.

    Quantities of processes stay as they are. Exit code 10 when it does not come to serve, 14 when a release phase ran
    other code since and --force is not given.
    """
    api = client()
    wanted = _named(release) if release else None
    made = _rolled_back(api, app, wanted, force)
    _followed(api, app, made, no_wait, as_json)
    if not as_json:
        show.talk(f"To undo, type: wherry releases:rollback -a {app}")


@click.command("releases:retry")
@click.argument("release", required=False)
@app_option
@wait_option
@json_option
def retry(app: str, release: str | None, no_wait: bool, as_json: bool) -> None:
    """Release RELEASE's image once more, with the config of now: v12 or 12; the newest when absent. Nothing is built.

    Its release phase runs again. Exit code 10 when it does not come to serve.
    """
    api = client()
    found = one(api, app, release)
    name = f"v{found['version']}"
    body = {"slug": found["slug"]["id"], "description": f"Retry of {name}: {found['description']}"}
    with show.action(f"Retrying {name} on {app}") as done:
        made = api.post("apps", app, "releases", body=body)
        done.with_ = f"v{made['version']}"
    _followed(api, app, made, no_wait, as_json)


def _rolled_back(api: Client, app: str, wanted: str | None, force: bool) -> dict[str, Any]:
    """Asks on a terminal when there is a risk. Raises Answered (rollback_risk) where nobody can be asked."""
    try:
        return _roll_back(api, app, wanted, force)
    except Answered as error:
        if error.error_id != "rollback_risk" or not sys.stdin.isatty():
            raise
        for line in (error.message, *error.evidence):
            show.warn(line)
        click.confirm("Go back all the same?", abort=True, err=True)
        return _roll_back(api, app, wanted, True)


def _roll_back(api: Client, app: str, wanted: str | None, force: bool) -> dict[str, Any]:
    body = {**({"release": wanted} if wanted else {}), **({"force": True} if force else {})}
    with show.action(f"Rolling back {app} to {show.safe(wanted or 'the release before')}") as done:
        made: dict[str, Any] = api.post("apps", app, "releases", body=body)
        done.with_ = f"v{made['version']}"
    return made


def _followed(api: Client, app: str, made: dict[str, Any], no_wait: bool, as_json: bool) -> None:
    if not no_wait:
        follow_rollout(api, app, made)
    if as_json:
        show.data(one(api, app, f"v{made['version']}"))


def _config(api: Client, app: str, name: str) -> dict[str, str] | None:
    """None where the role does not show it."""
    try:
        found: dict[str, str] = api.get("apps", app, "releases", name, "config-vars")
    except Answered as error:
        if error.error_id == "forbidden":
            return None
        raise
    return found


def _facts(found: Mapping[str, Any]) -> list[tuple[str, object]]:
    ran = found["formation"] or {}
    processes = [
        (f"Process {name}", f"{_scale(ran.get(name))}{command}") for name, command in sorted(found["processes"].items())
    ]
    return [
        ("By", found["user"]["email"]),
        ("Change", found["description"]),
        ("Commit", found.get("commit") or "-"),
        ("Current", "yes" if found["current"] else "no"),
        ("Eligible for Rollback?", "Yes" if found["eligible_for_rollback"] else "No"),
        ("Image", found["image"]["digest"]),
        ("Stack", found["stack"]),
        *([("Buildpacks", ", ".join(found["buildpacks"]))] if found["buildpacks"] else []),
        *processes,
        ("Status", _status(found)),
        *([("Reason", found["message"])] if found.get("message") else []),
        ("When", show.time(found["created_at"])),
    ]


def _scale(scale: Mapping[str, Any] | None) -> str:
    return f"{scale['quantity']}:{scale['size']}  " if scale else ""


def _newest(api: Client, app: str, most: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(
        "apps", app, "releases", headers={"Range": f"version ..; max={most}, order=desc"}
    )
    return found


def one(api: Client, app: str, release: str | None) -> dict[str, Any]:
    """By v12 or 12; the newest when absent. Raises NotFound."""
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


def _status(release: Mapping[str, Any]) -> str:
    failure = release.get("failure")
    return f"{release['status']} ({failure})" if failure else str(release["status"])
