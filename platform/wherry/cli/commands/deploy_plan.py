"""What the next deploy would change."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import repository, show
from wherry.cli.common import app_option, client, json_option

_BUILD_FILE = "heroku.yml"


@click.command("deploy:plan")
@app_option
@json_option
def plan(app: str, as_json: bool) -> None:
    """Show what a push of HEAD would change: commit, process types, formation, stack, buildpacks, base, config that waits.

    Nothing is built or changed, and no value of config is shown.
    """
    found = client().post("apps", app, "deploy-plan", body=_head())
    if as_json:
        show.data(found)
        return
    running = f"v{found['running']['version']}" if found["running"] else "nothing yet"
    show.title(f"{app}: {running} -> {(found['commit'] or 'the next push')[:12]}")
    show.changes(found["changes"])
    if not found["deploys"]:
        show.talk("This commit is what runs: a push of it builds nothing.")
    for note in found["notes"]:
        show.talk(show.safe(note))
    if repository.uncommitted():
        show.warn("What is not committed is not part of it.")


def _head() -> dict[str, Any]:
    """Of the repository that we stand in, if it has a commit."""
    commit = repository.head()
    if commit is None:
        return {}
    build_file = _BUILD_FILE if repository.committed(_BUILD_FILE) is not None else None
    return {"commit": commit, "procfile": repository.committed("Procfile"), "build_file": build_file}
