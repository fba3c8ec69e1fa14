"""What an app is built on: show it, or choose it for the next push."""

from __future__ import annotations

import click

from wherry.cli import show
from wherry.cli.common import app_option, client, json_option


@click.command("stack")
@app_option
@json_option
def index(app: str, as_json: bool) -> None:
    """List the stacks; the one that the app is built on next has a star."""
    api = client()
    found, chosen = api.get("stacks"), api.get("apps", app)["build_stack"]["name"]
    if as_json:
        show.data(found)
        return
    show.title(f"{app} Available Stacks")
    for each in found:
        show.line(f"{'*' if each['name'] == chosen else ' '} {show.safe(each['name'])}")


@click.command("stack:set")
@click.argument("stack")
@app_option
@json_option
def assign(app: str, stack: str, as_json: bool) -> None:
    """Build an app's next push on another STACK: container (its Dockerfile), or wherry-12 (buildpacks)."""
    with show.action(f"Setting stack to {show.safe(stack)}"):
        found = client().patch("apps", app, body={"build_stack": stack})
    if as_json:
        show.data(found)
        return
    show.talk(f"{app} is built on it from the next push on. To make one: git push wherry main")
