"""Who else may do what with an app."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import show
from wherry.cli.common import app_option, client, json_option

_TRANSFERS = ("account", "app-transfers")
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
    """Offer an app to a collaborator, who becomes its owner by taking it; you stay, with the role admin."""
    with show.action(f"Transferring {app} to {show.safe(email)}") as done:
        made = client().post(*_TRANSFERS, body={"app": app, "recipient": email})
        done.with_ = "waiting for them to take it" if made["state"] == "pending" else ""
    if as_json:
        show.data(made)
    elif made["state"] == "pending":
        show.talk(f"They type: wherry apps:transfers:accept -a {app}")


@click.command("apps:transfers")
@json_option
def transfers(as_json: bool) -> None:
    """List apps that you offered to others, or were offered."""
    found = client().pages(*_TRANSFERS)
    if as_json:
        show.data(found)
    elif not found:
        show.talk("No app was offered to you, nor by you. To offer one: wherry apps:transfer EMAIL -a APP")
    else:
        rows = [
            [each["app"]["name"], each["owner"]["email"], each["recipient"]["email"], each["state"]] for each in found
        ]
        show.table(rows, ["App", "Owner", "Recipient", "State"])


@click.command("apps:transfers:accept")
@app_option
@json_option
def accept(app: str, as_json: bool) -> None:
    """Take an app that you were offered: it is yours."""
    _answer(app, "accepted", f"Taking {app}", as_json)


@click.command("apps:transfers:decline")
@app_option
@json_option
def decline(app: str, as_json: bool) -> None:
    """Do not take an app that you were offered."""
    _answer(app, "declined", f"Declining {app}", as_json)


@click.command("apps:transfers:cancel")
@app_option
@json_option
def cancel(app: str, as_json: bool) -> None:
    """Take back an offer of yours that waits."""
    with show.action(f"Taking back the offer of {app}"):
        gone = client().delete(*_TRANSFERS, app)
    if as_json:
        show.data(gone)


def _answer(app: str, state: str, doing: str, as_json: bool) -> None:
    with show.action(doing):
        after = client().patch(*_TRANSFERS, app, body={"state": state})
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
