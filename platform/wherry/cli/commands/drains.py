"""Drains: where an app's log is sent on to."""

from __future__ import annotations

import click

from wherry.cli import show
from wherry.cli.common import app_option, client, json_option


@click.command("drains")
@app_option
@json_option
def index(app: str, as_json: bool) -> None:
    """List where the app's log is sent on to."""
    found = client().pages("apps", app, "log-drains")
    if as_json:
        show.data(found)
    elif not found:
        show.talk(f"{app} has no drains. To add one: wherry drains:add URL -a {app}")
    else:
        show.title(f"{app} Drains")
        for each in found:
            show.line(f"{show.safe(each['url'])} ({show.safe(each['token'])})")


@click.command("drains:add")
@click.argument("url")
@app_option
@json_option
def add(app: str, url: str, as_json: bool) -> None:
    """Send the app's log to URL: syslog://HOST:PORT, syslog+tls://HOST:PORT or https://HOST/PATH."""
    found = client().post("apps", app, "log-drains", body={"url": url})
    if as_json:
        show.data(found)
        return
    show.line(f"Successfully added drain {show.safe(found['url'])} ({show.safe(found['token'])})")


@click.command("drains:remove")
@click.argument("drain")
@app_option
def remove(app: str, drain: str) -> None:
    """Send it there no more. DRAIN: its URL or token."""
    found = client().delete("apps", app, "log-drains", drain)
    show.line(f"Successfully removed drain {show.safe(found['url'])}")
