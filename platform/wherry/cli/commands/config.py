"""Config vars: show, get, set, import, unset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

import click

from wherry.cli import show
from wherry.cli.client import Client
from wherry.cli.common import app_option, client, follow_rollout, json_option, wait_option
from wherry.cli.errors import Usage
from wherry.domain.env_file import MOST_BYTES, parse
from wherry.domain.errors import NotFound
from wherry.domain.text import printable

RELEASE_HEADER = "Wherry-Release"
shell_option = click.option("-s", "--shell", is_flag=True, help="As KEY=value, quoted for a shell.")


@click.command("config")
@app_option
@shell_option
@json_option
def index(app: str, shell: bool, as_json: bool) -> None:
    """Show an app's config vars."""
    found: dict[str, str] = client().get("apps", app, "config-vars")
    if as_json:
        show.data(found)
    elif shell:
        show.shell(found)
    elif found:
        show.title(f"{app} Config Vars")
        show.pairs(sorted(found.items()))
    else:
        show.talk(f"{app} has no config vars.")


@click.command("config:get")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@app_option
@shell_option
@json_option
def get(app: str, keys: tuple[str, ...], shell: bool, as_json: bool) -> None:
    """Print the values of config vars, byte for byte. Exit code 4 when one is not set."""
    found: dict[str, str] = client().get("apps", app, "config-vars")
    if missing := [key for key in keys if key not in found]:
        raise NotFound(f"{app} has no config var {', '.join(printable(key, 60) for key in missing)}")
    wanted = {key: found[key] for key in keys}
    if as_json:
        show.data(wanted)
    elif shell:
        show.shell(wanted)
    else:
        for value in wanted.values():
            show.exact(value)


@click.command("config:set")
@click.argument("pairs", nargs=-1, metavar="KEY=VALUE...")
@app_option
@click.option("--from-file", "file", type=click.File("rb"), help="Also those of a .env file; - for standard input.")
@wait_option
def assign(app: str, pairs: tuple[str, ...], file: IO[bytes] | None, no_wait: bool) -> None:
    """Set config vars: all of them or none, in one release.

    A file is read strictly, and refused with every line that could be taken in two ways. KEY=VALUE beside it wins.
    """
    changes = {**(_imported(file) if file else {}), **_parsed(pairs)}
    if not changes:
        raise Usage("there is nothing to set", hint="For example: wherry config:set GREETING=hello")
    api = client()
    change(api, app, changes, f"Setting {', '.join(changes)} and restarting {app}", no_wait)
    show.pairs(list(_parsed(pairs).items()))


@click.command("config:import")
@click.argument("file", type=click.File("rb"))
@app_option
@wait_option
def take_in(app: str, file: IO[bytes], no_wait: bool) -> None:
    """Set all config vars of FILE (.env; - for standard input) in one release. Those that are not in it stay.

    The file is read strictly, and refused with every line that could be taken in two ways.
    """
    changes = _imported(file)
    if not changes:
        show.talk("There is nothing in it to set.")
        return
    change(client(), app, changes, f"Setting {', '.join(changes)} and restarting {app}", no_wait)


@click.command("config:unset")
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@app_option
@wait_option
def unset(app: str, keys: tuple[str, ...], no_wait: bool) -> None:
    """Remove config vars, in one release."""
    shown = ", ".join(printable(key, 60) for key in keys)
    change(client(), app, dict.fromkeys(keys), f"Unsetting {shown} and restarting {app}", no_wait)


def change(api: Client, app: str, changes: Mapping[str, str | None], doing: str, no_wait: bool) -> None:
    """In one release, whose rollout is followed."""
    follow(api, app, send(api, app, changes, doing), no_wait)


def send(api: Client, app: str, changes: Mapping[str, str | None], doing: str) -> str | None:
    """The name of the release that it made, if it made one."""
    with show.action(doing) as done:
        answer = api.call("PATCH", "apps", app, "config-vars", body=changes)
        release = answer.headers.get(RELEASE_HEADER)
        done.with_ = release or _without_release(api, app)
    return release


def follow(api: Client, app: str, release: str | None, no_wait: bool) -> None:
    if release and not no_wait:
        follow_rollout(api, app, api.get("apps", app, "releases", release))


def _without_release(api: Client, app: str) -> str:
    released = api.get("apps", app, "releases", headers={"Range": "version ..; max=1"})
    return "nothing changed" if released else "for its first release"


def _imported(file: IO[bytes]) -> dict[str, str]:
    """One byte more than is taken tells that there is more."""
    return parse(file.read(MOST_BYTES + 1), file.name)


def _parsed(pairs: tuple[str, ...]) -> dict[str, str]:
    changes: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise Usage(
                f"'{printable(pair, 60)}' is not KEY=VALUE", hint="For example: wherry config:set GREETING=hello"
            )
        if not _is_text(value):
            raise Usage(f"the value of {printable(key, 60)} is not UTF-8 text")
        if key in changes:
            raise Usage(f"{printable(key, 60)} stands twice")
        changes[key] = value
    return changes


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
