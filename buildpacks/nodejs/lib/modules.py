"""The folders of installed packages: made in the app, kept in layers, and led to from the app by links.

A package's real path is in the layer; what it requires it finds there too. The packages of a workspace stay in the app:
links to them are made absolute.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from talk import OTHER, Refusal

NAME = "node_modules"
# What tools keep for themselves there: of no use to the app.
_CACHES = {".cache", ".vite", ".vite-temp", ".tmp"}
# What pnpm notes about one run, and wants to be no link at the next.
_PASSING = ".pnpm-task-run"
# Other files that a package manager wants to find again.
_STATE = (".yarn/install-state.gz",)


def found(app: Path) -> list[str]:
    """The node_modules of the app and of its workspaces, as paths below it. None inside another."""
    names = []
    for folder, folders, _ in os.walk(app):
        if NAME in folders:  # a link to a folder is among them
            names.append(str(Path(folder, NAME).relative_to(app)))
        folders[:] = [each for each in folders if each not in (NAME, ".git")]
    return sorted(names)


def take(app: Path, layer: Path, *, copy: bool = False) -> None:
    """Moves (or copies) what was installed in the app into the layer, which is new."""
    layer.mkdir()
    for name in found(app):
        target = layer / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _cp(app / name, target)
        if not copy:
            remove(app / name)
    for name in _STATE:
        if (app / name).is_file():
            (layer / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(app / name, layer / name)
    for name in found(layer):
        _lead_out(layer / name, layer, app)


def lead(app: Path, layer: Path) -> None:
    """The app's node_modules are links into the layer."""
    for name in found(app):
        remove(app / name)
    for name in found(layer):
        if (app / name).parent.is_dir():
            (app / name).symlink_to(layer / name)
    _bring_state(app, layer)


def open_up(app: Path, layer: Path, *, copy: bool) -> None:
    """For scripts: folders of the app's own, with a link a package, since tools write into node_modules and some want
    it to be no link. `copy`: with the packages themselves, for tools that follow no links out of the app.
    """
    for name in found(app):
        remove(app / name)
    for name in found(layer):
        if not (app / name).parent.is_dir():
            continue
        if copy:
            _cp(layer / name, app / name)
        else:
            _link_each(layer / name, app / name)
    _bring_state(app, layer)


def close(app: Path, layer: Path, *, caches: bool) -> None:
    """After scripts, to `open_up` without `copy`: what they made in node_modules itself goes to the layer."""
    for name in found(layer):
        for path in _own_of(app / name):
            if caches or path.name not in _CACHES:
                target = layer / name / path.relative_to(app / name)
                remove(target)
                target.parent.mkdir(exist_ok=True)
                _cp(path, target)


def remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def carry(source: Path, target: Path, mark: Path) -> list[str]:
    """Files that were written into `source` since `mark` was, brought to the layer `target` too: what a build script
    generates in a package (as Prisma does). Only for packages that `target` has, and new folders with a leading dot.
    """
    carried = []
    for name in found(source):
        for inside in _written(source / name, mark):
            path = Path(name, inside)
            if not _belongs(target / name, inside) or _same(source / path, target / path):
                continue
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / path, target / path, follow_symlinks=False)
            carried.append(str(path))
    return carried


def _link_each(source: Path, target: Path) -> None:
    target.mkdir()
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name.startswith("@") and not entry.is_symlink():
                _link_each(source / entry.name, target / entry.name)
            else:
                (target / entry.name).symlink_to(source / entry.name)


def _own_of(folder: Path) -> list[Path]:
    """What is no link of ours, there and in scopes."""
    own = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.startswith("@") and path.is_dir() and not path.is_symlink():
            own += [each for each in path.iterdir() if not each.is_symlink()]
        elif not path.is_symlink() and not path.name.startswith(_PASSING):
            own.append(path)
    return own


def _bring_state(app: Path, layer: Path) -> None:
    for name in _STATE:
        if (layer / name).is_file():
            (app / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(layer / name, app / name)


def _written(folder: Path, mark: Path) -> Iterator[Path]:
    argv = ["find", ".", "-type", "f", "-cnewer", str(mark), "-print0"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, check=True)
    for raw in done.stdout.split(b"\0"):
        path = Path(os.fsdecode(raw))
        if raw and not _CACHES.intersection(path.parts) and not path.parts[0].startswith(_PASSING):
            yield path


def _belongs(modules: Path, inside: Path) -> bool:
    parts = inside.parts
    deep = 2 if parts[0].startswith("@") or parts[0] == ".pnpm" else 1
    own = Path(*parts[:deep])
    return (modules / own).is_dir() or (deep == 1 and parts[0].startswith(".") and len(parts) > 1)


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(one, other, shallow=False)


def _cp(source: Path, target: Path) -> None:
    done = subprocess.run(["cp", "-a", "--reflink=auto", "--", source, target], capture_output=True, check=False)
    if done.returncode != 0:
        raise Refusal(OTHER, f"{source} cannot be kept", done.stderr.decode("utf-8", "replace").split("\n")[:3])


def _lead_out(modules: Path, layer: Path, app: Path) -> None:
    """Links from node_modules to folders of the app (workspaces, file: packages) lead there from the layer too."""
    for link in _links(modules):
        target = Path(os.path.normpath(link.parent / link.readlink()))
        if target.is_relative_to(layer) and NAME not in target.relative_to(layer).parts:
            link.unlink()
            link.symlink_to(app / target.relative_to(layer))


def _links(modules: Path) -> Iterator[Path]:
    """Links that stand where packages do: right in it, in a scope, and in pnpm's store."""
    stores = [modules, modules / ".pnpm/node_modules", *modules.glob(".pnpm/*/node_modules")]
    for folder in [each for store in stores if store.is_dir() for each in (store, *store.glob("@*"))]:
        with os.scandir(folder) as entries:
            yield from [Path(entry.path) for entry in entries if entry.is_symlink()]
