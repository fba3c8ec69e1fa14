"""Everybody's accounts, for an admin of the platform."""

from __future__ import annotations

import sys

import click

from wherry.cli import show
from wherry.cli.common import client, json_option
from wherry.cli.errors import Usage


@click.command("users")
@json_option
def index(as_json: bool) -> None:
    """List the accounts of the platform."""
    found = client().get("users")
    if as_json:
        show.data(found)
        return
    rows = [
        (each["email"], "admin" if each["wherry_admin"] else "user", each["invited_by"] or "the platform")
        for each in found
    ]
    show.table(rows, head=("Email", "Kind", "Vouched by"))


@click.command("users:add")
@click.argument("email")
@click.option("--admin", is_flag=True, help="Who may do everything, on every app.")
@json_option
def add(email: str, admin: bool, as_json: bool) -> None:
    """Make an account, or a new login link for one; the link is for them and opens once, within 24 hours."""
    made = client().post("users", body={"email": email, "admin": admin})
    if as_json:
        show.data(made)
        return
    show.talk(f"{show.safe(made['email'])} is {'an admin' if made['wherry_admin'] else 'a user'}. Their login link:")
    show.line(show.safe(made["login_url"]))
    show.talk("In a browser it opens the portal; for the command line: wherry login LINK")


@click.command("users:remove")
@click.argument("email")
@click.option("--confirm", metavar="EMAIL", help="The address once more, instead of being asked.")
@json_option
def remove(email: str, confirm: str | None, as_json: bool) -> None:
    """Remove an account: its tokens, sessions and roles end at once."""
    _confirm(email, confirm)
    gone = client().delete("users", email)
    if as_json:
        show.data(gone)
    else:
        show.talk(f"Removed {show.safe(gone['email'])}.")


def _confirm(email: str, confirm: str | None) -> None:
    """Raises Usage for another address; asks only where somebody can answer."""
    if confirm is None:
        if not sys.stdin.isatty():
            again = f"wherry users:remove {show.safe(email)} --confirm {show.safe(email)}"
            raise Usage("this ends the account, so it must be confirmed", hint=f"Type: {again}")
        confirm = click.prompt(f"To remove the account, type {show.safe(email)}", err=True)
    if confirm != email:
        raise Usage(f"the address typed is not {show.safe(email)}: nothing was removed")
