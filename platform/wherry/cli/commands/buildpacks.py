"""Buildpacks that an app asks for: show, set, add, remove, clear. The next push is built with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from wherry.cli import show
from wherry.cli.common import app_option, client, json_option
from wherry.domain import buildpack_list

_PATH = "buildpack-installations"
place_option = click.option("-i", "--index", "place", type=click.IntRange(min=1), help="The place, from 1.")


@click.command("buildpacks")
@app_option
@json_option
def index(app: str, as_json: bool) -> None:
    """List the buildpacks that an app asks for, in the order in which they build."""
    found = client().get("apps", app, _PATH)
    if as_json:
        show.data(found)
    elif found:
        show.title(f"{app} Buildpack{'s' if len(found) > 1 else ''}")
        _list(found)
    else:
        show.talk(f"{app} asks for no buildpacks: what its files look like decides.")


@click.command("buildpacks:set")
@click.argument("buildpack", metavar="ID|URL")
@place_option
@app_option
@json_option
def assign(app: str, buildpack: str, place: int | None, as_json: bool) -> None:
    """Set a buildpack, instead of the first or of that at a place."""
    _change(app, buildpack_list.put(_names(app), buildpack, place or 1), "Buildpack set", as_json)


@click.command("buildpacks:add")
@click.argument("buildpack", metavar="ID|URL")
@place_option
@app_option
@json_option
def add(app: str, buildpack: str, place: int | None, as_json: bool) -> None:
    """Add a buildpack, at the end or at a place."""
    _change(app, buildpack_list.add(_names(app), buildpack, place), "Buildpack added", as_json)


@click.command("buildpacks:remove")
@click.argument("buildpack", metavar="[ID|URL]", required=False)
@place_option
@app_option
@json_option
def remove(app: str, buildpack: str | None, place: int | None, as_json: bool) -> None:
    """Remove a buildpack, by name or place."""
    _change(app, buildpack_list.remove(_names(app), buildpack, place), "Buildpack removed", as_json)


@click.command("buildpacks:clear")
@app_option
@json_option
def clear(app: str, as_json: bool) -> None:
    """Remove all: what the app's files look like decides again."""
    _change(app, [], "Buildpacks cleared", as_json)


def _names(app: str) -> list[str]:
    return [str(each["buildpack"]["name"]) for each in client().get("apps", app, _PATH)]


def put(app: str, buildpacks: Sequence[str]) -> Any:
    """Those that the app asks for from now on, as the platform tells them."""
    return client().put("apps", app, _PATH, body={"updates": [{"buildpack": each} for each in buildpacks]})


def _change(app: str, buildpacks: Sequence[str], done: str, as_json: bool) -> None:
    found = put(app, buildpacks)
    if as_json:
        show.data(found)
        return
    if not found:
        show.talk(f"{done}. The next release of {app} will be built as its files look.")
    else:
        show.talk(f"{done}. The next release of {app} will use:")
        _list(found)
    show.talk("To make it: git push wherry main")


def _list(found: Sequence[dict[str, Any]]) -> None:
    for each in found:
        number = f"{each['ordinal'] + 1}. " if len(found) > 1 else ""
        show.line(f"{number}{show.safe(each['buildpack']['name'])}")
