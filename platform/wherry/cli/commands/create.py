"""A new app, and the git remote that leads to it."""

from __future__ import annotations

import os
from typing import Any

import click

from wherry.cli import repository, show
from wherry.cli.client import Client
from wherry.cli.commands import buildpacks
from wherry.cli.common import client, json_option
from wherry.cli.errors import Usage


@click.command("apps:create")
@click.argument("name", required=False)
@click.option("-n", "--no-remote", is_flag=True, help="Leave this repository's git remotes as they are.")
@click.option("-r", "--remote", default=repository.REMOTE, show_default=True, help="Name of the git remote.")
@click.option("-s", "--stack", help="What it is built on: container or wherry-12.")
@click.option("-b", "--buildpack", help="A buildpack that builds it: an id or a URL.")
@json_option
def create(
    name: str | None, no_remote: bool, remote: str, stack: str | None, buildpack: str | None, as_json: bool
) -> None:
    """Create an app, with a made-up name unless NAME is given, and a git remote to push to."""
    api = client()
    with show.action(f"Creating {show.safe(name or 'an app')}") as done:
        app = api.post(
            "apps", body={key: value for key, value in (("name", name), ("stack", stack)) if value is not None}
        )
        done.with_ = "" if name else app["name"]
    if as_json:
        show.data(app)
    else:
        show.line(f"{show.safe(app['web_url'])} | {show.safe(app['git_url'])}")
    if not no_remote:
        _lead_git_there(api, app, remote)
    if buildpack is not None:
        with show.action(f"Setting its buildpack to {show.safe(buildpack)}"):
            buildpacks.put(app["name"], [buildpack])


@click.command("git:remote")
@click.option("-a", "--app", required=True, help="The app.")
@click.option("-r", "--remote", default=repository.REMOTE, show_default=True, help="Name of the git remote.")
@click.option("--ssh", "over_ssh", is_flag=True, help="Over SSH, with your key (wherry keys:add) instead of the token.")
def remote(app: str, remote: str, over_ssh: bool) -> None:
    """Add or change the git remote that leads to an app, and let git use our token for it."""
    api = client()
    found = api.get("apps", app)
    if not repository.inside():
        raise Usage("this is not a git repository", hint="To make it one: git init -b main")
    if over_ssh:
        _set_ssh(found, remote)
    else:
        _set(api, found, remote)


def _set_ssh(app: dict[str, Any], remote: str) -> None:
    if not app.get("ssh_git_url"):
        raise Usage("this platform has no git over SSH", hint="Its operator can tell why: wherry status")
    repository.set_remote(remote, app["ssh_git_url"])
    show.talk(f"The git remote {remote} leads to {show.safe(app['ssh_git_url'])}")
    show.talk(f"ssh will ask about its host key once: {show.safe(app['ssh_host_key'])}")


def _lead_git_there(api: Client, app: dict[str, Any], remote: str) -> None:
    """Whatever stands in the way here, the app exists; so it is said, not raised."""
    later = f"wherry git:remote -a {app['name']}"
    if not repository.inside():
        show.talk(f"This is not a git repository, so there is no remote yet. In one: {later}")
    elif repository.url_of(remote) not in (None, app["git_url"]):
        show.warn(f"The git remote {remote} leads elsewhere and was left so. To change it: {later}")
    else:
        _set(api, app, remote)


def _set(api: Client, app: dict[str, Any], remote: str) -> None:
    repository.set_remote(remote, app["git_url"])
    repository.hand_token_to_git(os.environ, app["git_url"], api.endpoint.token)
    show.talk(f"The git remote {remote} leads to {show.safe(app['git_url'])}")
