"""What is made in every build, and stays untouched where it comes out the same as in the last one."""

from __future__ import annotations

import shutil
from pathlib import Path


def replace(layer: Path, made: Path) -> None:
    """A small layer: by the one just made, unless it is the same."""
    if layer.is_dir() and _content(layer) == _content(made):
        shutil.rmtree(made)
        return
    shutil.rmtree(layer, ignore_errors=True)
    made.rename(layer)


def write(file: Path, text: str) -> None:
    """Only what is new: a file that is touched makes its layer another one."""
    if not file.is_file() or file.read_text() != text:
        file.write_text(text)


def _content(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = path.readlink()
        elif path.is_file():
            found[name] = (path.stat().st_mode & 0o777, path.read_bytes())
        else:
            found[name] = None
    return found
