"""The app's own scripts: its build, and what an installation would have run where nothing was installed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import manifest
import modules
from inputs import COMPILE, Packages
from install import QUIET
from managers import Manager
from store import Layers
from talk import OTHER, Refusal, detail, run, step

BUILD = ("heroku-prebuild", "build", "heroku-postbuild")
_NOISE = re.compile(
    r"npm (error|ERR!|notice|warn)|ELIFECYCLE|Command failed with exit code|^info Visit|^\$ |^> |^error: script|^yarn run v"
    r"|WARN.*node_modules missing"
)
_CAUSE = re.compile(r"\b[A-Z]\w*Error\b|\berror\b|ERR_|not found|Cannot find", re.ASCII)
_OLD_WEBPACK = re.compile(r"ERR_OSSL_EVP_UNSUPPORTED|digital envelope routines::unsupported")
_BERRY = ("install", "postinstall")
_MOST_SHOWN = 12


def build_scripts(packages: Packages, env: Mapping[str, str]) -> list[str]:
    """Those of the build, in their order. heroku-postbuild takes the place of build, as there; BP_NODE_RUN_SCRIPTS names
    others.
    """
    have = manifest.scripts(packages.own)
    if named := [name.strip() for name in env.get("BP_NODE_RUN_SCRIPTS", "").split(",") if name.strip()]:
        if missing := [name for name in named if name not in have]:
            raise Refusal(OTHER, f"package.json has no script {missing[0]!r}, which BP_NODE_RUN_SCRIPTS names")
        return named
    return [name for name in BUILD if name in have and not (name == "build" and "heroku-postbuild" in have)]


@contextmanager
def at_hand(layers: Layers, app: Path, packages: Packages, env: Mapping[str, str], *, apart: bool) -> Iterator[None]:
    """Scripts find all packages in the app, devDependencies too; what they generate in them the app will find."""
    own = layers.folder / "modules"
    source = layers.folder / "dev-modules" if apart else own
    copy = _copied(packages, env)
    modules.open_up(app, source, copy=copy)
    mark = layers.work / "mark"
    mark.touch()
    yield
    if not copy:
        modules.close(app, source, caches=apart)
    if copy or apart:
        for name in modules.carry(app if copy else source, own, mark)[:_MOST_SHOWN]:
            detail(f"Kept for the app: {name}")


def _copied(packages: Packages, env: Mapping[str, str]) -> bool:
    """Turbopack, which Next.js builds with, reads nothing outside of the app's folder."""
    if wanted := env.get("BP_NODE_MODULES", ""):
        return wanted == "copy"
    kinds = ("dependencies", "devDependencies")
    found = any("next" in manifest.table(values, kind) for values in packages.all.values() for kind in kinds)
    if found:
        detail("Next.js follows no links out of the app: node_modules are copied for it")
    return found


def run_build(names: list[str], manager: Manager, app: Path, env: Mapping[str, str]) -> None:
    for name in names:
        step(f"Running the script {name}")
        _run(name, manager, app, env)


def run_lifecycle(packages: Packages, manager: Manager, app: Path, env: Mapping[str, str]) -> None:
    """What the app's own package.json does at an installation may make files of the app: it is done at every build."""
    berry = manager.name == "yarn" and "YARN_NODE_LINKER" in manager.env
    for folder, name in packages.lifecycle():
        if name == "preinstall" or (berry and name not in (*_BERRY, COMPILE)):
            continue
        step(f"Running {'' if name == COMPILE else 'the script '}{name}{f' of {folder}' if folder else ''}")
        _run(name, manager, app / folder, env)


def _run(name: str, manager: Manager, folder: Path, env: Mapping[str, str]) -> None:
    argv = name.split() if name == COMPILE else [manager.name, "run", name]
    code, lines = run(argv, env, folder, QUIET)
    if code != 0:
        said = [line for line in lines if not _NOISE.search(line)]
        raise Refusal(
            OTHER,
            f'the script "{name}" of package.json failed with exit code {code}',
            [line[:300] for line in _cause(said)],
            _hint(said, " ".join(argv)),
        )


def _hint(lines: list[str], command: str) -> str:
    if any(_OLD_WEBPACK.search(line) for line in lines):
        return (
            "webpack 4 asks OpenSSL for what Node.js 17 and later have no more. Bring a newer webpack (react-scripts 5), "
            "or try: wherry config:set NODE_OPTIONS=--openssl-legacy-provider"
        )
    return f"Does it run on your machine, from a fresh clone? Try: {command}"


def _cause(lines: list[str]) -> list[str]:
    """From the first line that names an error, else the last lines."""
    last = max(len(lines) - _MOST_SHOWN, 0)
    first = next((number for number, line in enumerate(lines) if _CAUSE.search(line)), last)
    return lines[first : first + _MOST_SHOWN]
