"""The web process of an app without a Procfile, and the places where Procfiles look for programs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import workspace
from talk import detail


def write(app: Path, layers: Path, space: workspace.Workspace, names: list[str]) -> None:
    _link(app, layers / "programs/bin", names)
    if os.path.lexists(app / "Procfile"):
        return
    name = workspace.web(space, names)
    if not name:
        detail(f"No web process: none of {', '.join(names)} is named web or server, and Cargo.toml has no default-run")
        return
    words = [name]
    if space.rocket:
        words = ["bash", "-c", f"ROCKET_ADDRESS=0.0.0.0 ROCKET_PORT=$PORT exec {name}"]
    text = f'[[processes]]\ntype = "web"\ncommand = {json.dumps(words)}\ndefault = true\n'
    (layers / "launch.toml").write_text(text)
    detail(f"No Procfile: the web process is {words[-1].replace('exec ', '')}")


def _link(app: Path, programs: Path, names: list[str]) -> None:
    """target/release/NAME, as Procfiles say that were written for cargo; what the app itself has there stays."""
    folder = app / "target/release"
    if any(os.path.lexists(each) and (each.is_symlink() or not each.is_dir()) for each in (folder.parent, folder)):
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not os.path.lexists(folder / name):
            (folder / name).symlink_to(programs / name)
