"""Maintenance mode: visitors get a page that says so; the processes go on."""

from __future__ import annotations

import click

from wherry.cli import show
from wherry.cli.common import app_option, client, json_option


@click.command("maintenance")
@app_option
@json_option
def index(app: str, as_json: bool) -> None:
    """Show whether an app is in maintenance: on or off."""
    found = client().get("apps", app)
    if as_json:
        show.data({"maintenance": found["maintenance"]})
    else:
        show.line("on" if found["maintenance"] else "off")


@click.command("maintenance:on")
@app_option
def on(app: str) -> None:
    """Answer every visitor with 503 and a page. Processes go on; there is no release."""
    with show.action(f"Enabling maintenance mode for {app}"):
        client().patch("apps", app, body={"maintenance": True})


@click.command("maintenance:off")
@app_option
def off(app: str) -> None:
    """Let visitors in again."""
    with show.action(f"Disabling maintenance mode for {app}"):
        client().patch("apps", app, body={"maintenance": False})
