"""Which platform, and as whom."""

from __future__ import annotations

import os
import sys

import click

from wherry.cli import places, repository, show, suggestions
from wherry.cli.client import Client
from wherry.cli.common import client, json_option
from wherry.cli.errors import Usage
from wherry.cli.netrc_file import token_for
from wherry.domain.errors import WherryError
from wherry.domain.secret import Secret


@click.command("login")
@click.argument("api", required=False)
@click.option("--token", help="The token; better not on a command line that others can see: without it you are asked.")
def login(api: str | None, token: str | None) -> None:
    """Keep the URL (API, as http://localhost:8301) and token of a platform, for you only, after trying them.

    The token comes from --token or a pipe, else you are asked; Enter takes that of ~/.netrc. A login link
    (http://.../login?token=...) is used up, for a token of your own.
    """
    if api and token is None and (link := places.login_link(api)):
        api, token = link[0], _of_link(*link)
    if api and token is None and "/login?" in api:
        raise Usage("this login link is not whole", hint="Copy all of it, in quotes: wherry login 'http://...'")
    url = places.checked(api or os.environ.get("WHERRY_API_URL") or _this_machine())
    secret = Secret(token.strip()) if token is not None else _given(url)
    account = Client(places.Endpoint(url, secret, "login")).get("account")
    path = places.store(os.environ, url, secret)
    show.talk(f"Logged in to {url} as {show.safe(account['email'])} ({path})")


@click.command("logout")
def logout() -> None:
    """Forget the stored URL and token, also what git was handed. The token itself stays good: to end it, wherry
    authorizations:revoke.
    """
    suggestions.forget(os.environ)
    repository.take_token_from_git(os.environ)
    show.talk("Logged out." if places.forget(os.environ) else "There was no login.")


@click.command("whoami")
@json_option
def whoami(as_json: bool) -> None:
    """Show whose token is in use, and on which platform."""
    api = client()
    account = api.get("account")
    if as_json:
        show.data({**account, "api": api.endpoint.url, "found": api.endpoint.found})
    else:
        show.line(show.safe(account["email"]))
        show.talk(f"on {api.endpoint.url} (from {api.endpoint.found})")


def _of_link(url: str, link: str) -> str:
    body = {"grant": {"type": "authorization_code", "code": link}}
    made = Client(places.Endpoint(url, Secret(""), "login")).post("oauth", "tokens", body=body)
    return str(made["access_token"]["token"])


def _this_machine() -> str:
    try:
        return places.endpoint(os.environ).url
    except WherryError:
        raise Usage("which platform?", hint="For example: wherry login http://localhost:8301") from None


def _given(url: str) -> Secret:
    """From a pipe; else typed, where Enter takes that of netrc; else from netrc."""
    if not sys.stdin.isatty() and (piped := sys.stdin.readline().strip()):
        return Secret(piped)
    known = token_for(os.environ, url)
    if sys.stdin.isatty():
        way = f"Enter: that of {known[1]}" if known else "wherry auth:token prints one on the platform's machine"
        default = "" if known else None
        typed = str(click.prompt(f"Token ({way})", default, hide_input=True, show_default=False, err=True)).strip()
        if typed or known is None:
            return Secret(typed)
    if known is None:
        raise Usage("no token was given", hint=f"For example: wherry auth:token | wherry login {url}")
    show.talk(f"Taking the token of {url} from {known[1]}")
    return known[0]
