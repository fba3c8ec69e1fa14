"""Public keys for git over SSH."""

from __future__ import annotations

from pathlib import Path

import click

from wherry.cli import show
from wherry.cli.common import client, json_option
from wherry.cli.errors import Usage
from wherry.domain.ssh_keys import LONGEST, parse

_USUAL = ("id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub")


@click.command("keys")
@json_option
@click.option("-l", "--long", "whole", is_flag=True, help="The whole keys.")
def index(as_json: bool, whole: bool) -> None:
    """List your public keys."""
    found = client().get("account", "keys")
    if as_json:
        show.data(found)
        return
    if not found:
        show.talk("You have no keys. To add one: wherry keys:add")
        return
    show.title(f"{found[0]['email']} keys")
    show.table([(each["public_key"] if whole else each["fingerprint"], each["comment"]) for each in found])


@click.command("keys:add")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("-y", "--yes", is_flag=True, hidden=True)
def add(file: Path | None, yes: bool) -> None:
    """Add the public key in FILE; without one, that of ~/.ssh."""
    chosen = file or _usual()
    if chosen.suffix != ".pub" and chosen.with_name(chosen.name + ".pub").exists():
        chosen = chosen.with_name(chosen.name + ".pub")  # the private key was named
    with chosen.open("rb") as opened:
        text = opened.read(LONGEST + 1).decode("utf-8", "replace")
    key = parse(text)  # before anything leaves this machine: it may be a private one
    with show.action(f"Uploading {show.safe(chosen)}") as done:
        client().post("account", "keys", body={"public_key": f"{key.line} {key.comment}".strip()})
        done.with_ = key.fingerprint


@click.command("keys:remove")
@click.argument("key")
def remove(key: str) -> None:
    """Remove a key, by its comment or fingerprint."""
    with show.action(f"Removing {show.safe(key)}"):
        client().delete("account", "keys", key)


@click.command("keys:clear")
def clear() -> None:
    """Remove all your keys."""
    api = client()
    with show.action("Removing all keys"):
        for each in api.get("account", "keys"):
            api.delete("account", "keys", each["id"])


def _usual() -> Path:
    folder = Path.home() / ".ssh"
    for name in _USUAL:
        if (folder / name).exists():
            return folder / name
    raise Usage(
        f"there is no key in {folder}",
        hint="To make one: ssh-keygen -t ed25519; or name its file: wherry keys:add FILE",
    )
