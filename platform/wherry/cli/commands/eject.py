"""An app as plain files that run without the platform, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from wherry.cli import show
from wherry.cli.common import client, json_option
from wherry.cli.errors import Answered, Usage
from wherry.cli.places import write_private

KINDS = ("kubernetes", "compose")


@click.command("eject")
@click.argument("app")
@click.option("--to", "kind", type=click.Choice(KINDS), required=True, help="What the files are for.")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), help="Their folder; default APP-KIND.")
@json_option
def eject(app: str, kind: str, into: Path | None, as_json: bool) -> None:
    """Write APP as plain files that run without the platform; they hold its config in clear. APP itself goes on.

    history.json beside them is for: wherry adopt
    """
    files: dict[str, str] = client().get("apps", app, "ejection", kind)["files"]
    if as_json:
        show.data({"to": kind, "files": files})
        return
    folder = into or Path(f"{app}-{kind}")
    try:
        for name, text in files.items():
            write_private(folder / Path(name).name, text)
    except OSError as error:
        raise Usage(f"the files cannot be written: {error}") from error
    for name in files:
        show.talk(str(folder / name))
    compose = f"docker compose -p {app} -f {folder / 'compose.yaml'} up -d"
    apply = f"kubectl apply -n NAMESPACE -f {folder / 'app.yaml'}"
    show.talk(f"To run it: {compose if kind == 'compose' else apply}")


@click.command("adopt")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("name", required=False)
@json_option
def adopt(file: Path, name: str | None, as_json: bool) -> None:
    """Take an app in with its release history: FILE is the history.json of wherry eject. NAME: a new app's, or that of
    one without a release; default its old name.
    """
    history = _history(file)
    api = client()
    wanted = name or str(history.get("app") or "")
    try:
        api.get("apps", wanted)
    except Answered as error:
        if error.error_id != "not_found":
            raise
        api.post("apps", body={"name": wanted})
        show.talk(f"Created {wanted}")
    done = api.post("apps", wanted, "adoption", body={"history": history})
    if as_json:
        show.data(done)
        return
    if lost := done["without_image"]:
        show.warn(f"Without their images, so only as history: {', '.join(f'v{each}' for each in lost)}")
    show.talk(f"Adopted {wanted} as v{done['release']['version']}. To see it: wherry releases -a {wanted}")
    if domains := history.get("domains"):
        show.talk(f"Its domains are to be claimed again: wherry domains:add {show.safe(str(domains[0]))} -a {wanted}")


def _history(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Usage(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise Usage(f"{file} is no history of an app", hint="wherry eject writes one: history.json")
    return found
