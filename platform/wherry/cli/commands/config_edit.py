"""Config in the user's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from wherry.cli import show
from wherry.cli.commands.config import follow, send
from wherry.cli.common import app_option, client, wait_option
from wherry.cli.errors import Usage
from wherry.domain.env_file import parse, render
from wherry.domain.errors import WherryError
from wherry.domain.secret import Secret

_HEAD = """\
# Config of {app}. Lines are KEY=value or KEY='any text'; a line that you remove unsets its key.
# Nothing changes until you save and leave the editor.
"""


@click.command("config:edit")
@app_option
@click.option("--from", "kept", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Go on with a file.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the change.")
@wait_option
def edit(app: str, kept: Path | None, yes: bool, no_wait: bool) -> None:
    """Edit all config vars in $VISUAL or $EDITOR: one release for all that you change.

    What would be changed is shown first, without values. When it is refused, what you wrote is kept in a file.
    """
    editor = _editor()
    api = client()
    before: dict[str, str] = api.get("apps", app, "config-vars")
    path = _written(kept.read_bytes() if kept else (_HEAD.format(app=app) + render(before)).encode())
    release = None
    try:
        _opened(editor, path)
        after = parse(path.read_bytes(), str(path))
        changes = _changes(before, after)
        show.changes(_shown(before, after))
        if changes:
            _agreed(yes)
            release = send(api, app, changes, f"Setting {', '.join(changes)} and restarting {app}")
    except (WherryError, click.Abort, KeyboardInterrupt):
        show.warn(f"What you wrote is kept, values and all, in {path}")
        show.warn(f"To go on with it: wherry config:edit -a {app} --from {shlex.quote(str(path))}; else remove it.")
        raise
    path.unlink()
    follow(api, app, release, no_wait)


def _agreed(yes: bool) -> None:
    """Raises Abort. Without a terminal nobody can be asked, and the editor's own end was the word."""
    if not yes and sys.stdin.isatty():
        click.confirm("Change it so?", default=True, abort=True, err=True)


def _editor() -> list[str]:
    """Its argv; no shell reads it. Raises Usage."""
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        argv = shlex.split(chosen)
    except ValueError:
        argv = []
    if not argv:
        raise Usage("the editor's command cannot be read", hint="For example: EDITOR='code --wait'")
    return argv


def _written(content: bytes) -> Path:
    """A file that only its owner reads."""
    number, name = tempfile.mkstemp(prefix="wherry-config-", suffix=".env")
    with os.fdopen(number, "wb") as file:
        file.write(content)
    return Path(name)


def _opened(editor: list[str], path: Path) -> None:
    """Raises Usage when it cannot be started or ends with an error; then nothing is changed."""
    shown = shlex.join(editor)
    try:
        code = subprocess.run([*editor, str(path)], check=False).returncode
    except OSError as error:
        raise Usage(
            f"the editor {shown} cannot be started: {error.strerror}", hint="Choose another: EDITOR=nano"
        ) from None
    if code:
        raise Usage(f"the editor {shown} ended with exit code {code}: nothing was changed")


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str | None]:
    changed: dict[str, str | None] = {key: value for key, value in after.items() if before.get(key) != value}
    return changed | dict.fromkeys(key for key in before if key not in after)


def _shown(before: Mapping[str, str], after: Mapping[str, str]) -> list[dict[str, str | None]]:
    hidden = str(Secret(""))
    return [
        {
            "area": "config",
            "name": key,
            "before": hidden if key in before else None,
            "after": hidden if key in after else None,
        }
        for key in sorted(_changes(before, after))
    ]
