"""Tokens of one's own: what they are for, until when, and making and revoking them."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import show
from wherry.cli.common import client, json_option

_PATH = ("oauth", "authorizations")
short_option = click.option("-S", "--short", is_flag=True, help="Print the token only.")


@click.command("authorizations")
@json_option
def index(as_json: bool) -> None:
    """List your tokens."""
    found = client().get(*_PATH)
    if as_json:
        show.data(found)
    elif found:
        rows = [(each["description"], each["id"], ", ".join(each["scope"]), _ends(each)) for each in found]
        show.table(rows, head=("Description", "ID", "Scope", "Ends"))
    else:
        show.talk("You have no tokens.")


@click.command("authorizations:create")
@click.option("-d", "--description", default="", help="What it is for.")
@click.option(
    "-s",
    "--scope",
    help="With commas between: global, identity, read, write, read-protected, write-protected. Default: global.",
)
@click.option("-e", "--expires-in", type=click.IntRange(min=1), help="Seconds until it ends. Default: never.")
@short_option
@json_option
def create(description: str, scope: str | None, expires_in: int | None, short: bool, as_json: bool) -> None:
    """Make a token. It is shown once."""
    body: dict[str, object] = {"description": description, "expires_in": expires_in}
    if scope is not None:
        body["scope"] = [each.strip() for each in scope.split(",")]
    _told(client().post(*_PATH, body=body), short, as_json)


@click.command("authorizations:info")
@click.argument("ident", metavar="ID")
@json_option
def info(ident: str, as_json: bool) -> None:
    """Show one token; not itself."""
    _told(client().get(*_PATH, ident), False, as_json)


@click.command("authorizations:update")
@click.argument("ident", metavar="ID")
@click.option("-d", "--description", required=True, help="What it is for.")
@json_option
def update(ident: str, description: str, as_json: bool) -> None:
    """Say anew what a token is for."""
    _told(client().patch(*_PATH, ident, body={"description": description}), False, as_json)


@click.command("authorizations:revoke")
@click.argument("ident", metavar="ID")
@json_option
def revoke(ident: str, as_json: bool) -> None:
    """End a token. Whoever has it is out at once."""
    gone = client().delete(*_PATH, ident)
    if as_json:
        show.data(gone)
    else:
        show.talk(f"Revoked {_name(gone)}.")


@click.command("authorizations:rotate")
@click.argument("ident", metavar="ID")
@short_option
@json_option
def rotate(ident: str, short: bool, as_json: bool) -> None:
    """Give a token another secret, shown once; the old one is worth nothing from now on."""
    _told(client().post(*_PATH, ident, "actions", "regenerate-tokens"), short, as_json)


def _told(found: dict[str, Any], short: bool, as_json: bool) -> None:
    token = found["access_token"]["token"]
    if as_json:
        show.data(found)
    elif short:
        show.line(show.safe(token))
    else:
        pairs = [
            ("Description", found["description"]),
            ("ID", found["id"]),
            ("Scope", ", ".join(found["scope"])),
            ("Created", show.time(found["created_at"])),
            ("Ends", _ends(found)),
        ]
        show.pairs([*pairs, ("Token", token)] if token else pairs)


def _ends(found: dict[str, Any]) -> str:
    left = found["access_token"]["expires_in"]
    return "never" if left is None else f"in {left} s" if left else "ended"


def _name(found: dict[str, Any]) -> str:
    return show.safe(found["description"] or found["id"])
