"""The web process of an app without a Procfile, and the places where Procfiles look for programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from gomod import Module
from talk import detail


def write(app: Path, layers: Path, module: Module, names: Iterable[str]) -> None:
    names = list(names)
    _link(app, layers / "programs/bin", names)
    if os.path.lexists(app / "Procfile"):
        return
    name = web(module, names)
    if not name:
        detail(f"No web process: none of {', '.join(names)} is named web, server or {module.name}")
        return
    text = f'[[processes]]\ntype = "web"\ncommand = [{json.dumps(name)}]\ndefault = true\n'
    (layers / "launch.toml").write_text(text)
    detail(f"No Procfile: the web process is {name}")


def web(module: Module, names: list[str]) -> str:
    """ "" when it is not plain which."""
    if len(names) == 1:
        return names[0]
    return next((name for name in ("web", "server", module.name) if name and name in names), "")


def _link(app: Path, programs: Path, names: list[str]) -> None:
    """bin/NAME, as Procfiles written for Heroku say; what the app itself has there stays."""
    folder = app / "bin"
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return
    folder.mkdir(exist_ok=True)
    for name in names:
        if not os.path.lexists(folder / name):
            (folder / name).symlink_to(programs / name)
