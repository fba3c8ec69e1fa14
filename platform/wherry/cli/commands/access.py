"""Who else may do what with an app."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import show
from wherry.cli.common import app_option, client, json_option

_PATH = "collaborators"
permissions_option = click.option(
    "-p", "--permissions", help="Roles with commas between: view, operate, deploy, admin. Default: all but admin."
)


@click.command("access")
@app_option
@json_option
def index(app: str, as_json: bool) -> None:
    """List who has access to an app."""
    found = client().get("apps", app, _PATH)
    if as_json:
        show.data(found)
        return
    show.title(f"{app} Access")
    show.table([(each["user"]["email"], each["role"], _names(each)) for each in found])


@click.command("access:add")
@click.argument("email")
@permissions_option
@click.option("--force", is_flag=True, help="Although only somebody else vouches that the address is theirs.")
@app_option
@json_option
def add(app: str, email: str, permissions: str | None, force: bool, as_json: bool) -> None:
    """Give somebody access to an app. Who is new here gets a login link, which you hand on."""
    body: dict[str, object] = {"user": email, "force": force}
    if permissions is not None:
        body["permissions"] = _given(permissions)
    with show.action(f"Adding {show.safe(email)} access to the app {app}") as done:
        made = client().post("apps", app, _PATH, body=body)
        done.with_ = _names(made)
    if as_json:
        show.data(made)
    elif made.get("login_url"):
        invitation(email, str(made["login_url"]))


@click.command("access:update")
@click.argument("email")
@permissions_option
@app_option
@json_option
def update(app: str, email: str, permissions: str | None, as_json: bool) -> None:
    """Give somebody other roles instead of those that they have."""
    if permissions is None:
        raise click.UsageError("say which roles: -p view,deploy")
    with show.action(f"Updating {show.safe(email)} in the app {app}") as done:
        made = client().patch("apps", app, _PATH, email, body={"permissions": _given(permissions)})
        done.with_ = _names(made)
    if as_json:
        show.data(made)


@click.command("access:remove")
@click.argument("email")
@app_option
@json_option
def remove(app: str, email: str, as_json: bool) -> None:
    """Take all access to an app from somebody."""
    with show.action(f"Removing {show.safe(email)} access from the app {app}"):
        gone = client().delete("apps", app, _PATH, email)
    if as_json:
        show.data(gone)


@click.command("apps:transfer")
@click.argument("email")
@app_option
@json_option
def transfer(app: str, email: str, as_json: bool) -> None:
    """Make a collaborator the owner of an app; you stay, with the role admin."""
    with show.action(f"Transferring {app} to {show.safe(email)}"):
        after = client().patch("apps", app, body={"owner": email})
    if as_json:
        show.data(after)


def invitation(email: str, url: str) -> None:
    """The one time that the link is shown."""
    show.talk(f"{show.safe(email)} has no account yet. Hand this link on; it opens once, within 24 hours:")
    show.line(show.safe(url))
    show.talk("In a browser it opens the portal; for the command line: wherry login LINK")


def _given(permissions: str) -> list[str]:
    return [each.strip() for each in permissions.split(",") if each.strip()]


def _names(collaborator: dict[str, Any]) -> str:
    return ", ".join(show.safe(each["name"]) for each in collaborator["permissions"])
