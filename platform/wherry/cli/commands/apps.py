"""Apps: list, show, rename, destroy, open."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from wherry.cli import repository, show
from wherry.cli.common import amount, app_option, client, json_option, scalable
from wherry.cli.errors import Usage


@click.command("apps")
@click.option("-A", "--all", "everybodys", is_flag=True, help="Everybody's, for an admin; as without it.")
@click.option("-p", "--personal", is_flag=True, help="Your own and those shared with you only, also for an admin.")
@json_option
def index(everybodys: bool, personal: bool, as_json: bool) -> None:
    """List your apps; for an admin of the platform everybody's."""
    if everybodys and personal:
        raise Usage("--all and --personal are opposites", hint="Give one of them, or none.")
    api = client()
    found = api.pages("users", "~", "apps") if personal else api.pages("apps")
    if as_json:
        show.data(found)
    elif found:
        show.title(f"{api.get('account')['email']} Apps")
        show.table([(app["name"], app["web_url"], app["owner"]["email"]) for app in found])
    else:
        show.talk("There are no apps yet. To create one: wherry create NAME")


@click.command("apps:info")
@app_option
@click.option("-s", "--shell", is_flag=True, help="As KEY=value.")
@json_option
def info(app: str, shell: bool, as_json: bool) -> None:
    """Show an app: its URLs, its owner, its current release."""
    api = client()
    found = api.get("apps", app)
    if as_json:
        show.data(found)
        return
    newest = api.get("apps", app, "releases", headers={"Range": "version ..; max=1, order=desc"})
    facts = _facts(found, newest, scalable(api, app))
    if shell:
        for key, value in facts:
            show.line(f"{key.lower().replace(' ', '_')}={show.safe(value)}")
        return
    show.title(found["name"])
    show.pairs(facts)


@click.command("apps:rename")
@click.argument("name")
@app_option
def rename(app: str, name: str) -> None:
    """Give the app the new name NAME. Its URL changes; git remotes of this repository are changed with it."""
    api = client()
    before = api.get("apps", app)
    with show.action(f"Renaming {app} to {show.safe(name)}"):
        after = api.patch("apps", app, body={"name": name})
    for url in ("git_url", "ssh_git_url"):
        for remote in repository.remotes_to(before[url]) if before.get(url) and after.get(url) else []:
            repository.set_remote(remote, after[url])
            show.talk(f"The git remote {remote} points at it now.")
    show.line(f"{show.safe(after['web_url'])} | {show.safe(after['git_url'])}")


@click.command("apps:destroy")
@app_option
@click.option("-c", "--confirm", metavar="APP", help="The app's name again, instead of typing it when asked.")
def destroy(app: str, confirm: str | None) -> None:
    """Remove an app with its releases, config and repository. Its name is not given to anybody for 90 days."""
    api = client()
    found = api.get("apps", app)
    _confirm(app, confirm)
    with show.action(f"Destroying {app}"):
        api.delete("apps", app)
    for url in filter(None, (found["git_url"], found.get("ssh_git_url"))):
        for remote in repository.remotes_to(url):
            repository.remove_remote(remote)
            show.talk(f"The git remote {remote} is removed.")


@click.command("url")
@app_option
def url(app: str) -> None:
    """Print an app's URL."""
    show.line(show.safe(client().get("apps", app)["web_url"]))


@click.command("open")
@click.argument("path", required=False, default="")
@app_option
def browse(app: str, path: str) -> None:
    """Open an app in the browser, at PATH. Without a browser its URL is printed."""
    where = client().get("apps", app)["web_url"] + path.lstrip("/")
    show.line(show.safe(where))
    if sys.stdout.isatty() and (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"
    ):
        click.launch(where)


def _facts(
    app: dict[str, Any], newest: list[dict[str, Any]], formation: list[dict[str, Any]]
) -> list[tuple[str, object]]:
    processes = ", ".join(f"{each['type']}: {amount(each)}" for each in formation)
    release = f"v{newest[0]['version']} ({newest[0]['status']})" if newest else "none yet: git push wherry main"
    return [
        ("Created At", show.time(app["created_at"])),
        ("Deploy Branch", app.get("deploy_branch") or "the first of main and master that is pushed"),
        ("Git URL", app["git_url"]),
        ("Newest Release", release),
        ("Owner", app["owner"]["email"]),
        ("Processes", processes or "none yet"),
        ("Region", app["region"]["name"]),
        *([("SSH URL", app["ssh_git_url"])] if app.get("ssh_git_url") else []),
        ("Stack", app["stack"]["name"]),
        ("Web URL", app["web_url"]),
    ]


def _confirm(app: str, confirm: str | None) -> None:
    """Raises Usage for another name; asks only where somebody can answer."""
    if confirm is None:
        again = f"wherry apps:destroy -a {app} --confirm {app}"
        if not sys.stdin.isatty():
            raise Usage("this removes the app for good, so it must be confirmed", hint=f"Type: {again}")
        show.warn(f"This removes {app} with its releases, config and repository.")
        confirm = click.prompt(f"To go on, type {app}", err=True)
    if confirm != app:
        raise Usage(f"the name typed is not {app}: nothing was destroyed")
