"""The app's own scripts: its build, and what an installation would have run where nothing was installed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import manifest
from inputs import Packages
from install import QUIET
from managers import Manager
from talk import OTHER, Refusal, run, step

BUILD = ("heroku-prebuild", "build", "heroku-postbuild")
_NOISE = re.compile(
    r"npm (error|ERR!|notice|warn)|ELIFECYCLE|Command failed with exit code|^info Visit|^\$ |^> |^error: script|^yarn run v"
    r"|WARN.*node_modules missing"
)
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


def run_build(names: list[str], manager: Manager, app: Path, env: Mapping[str, str]) -> None:
    for name in names:
        step(f"Running the script {name}")
        _run(name, manager, app, env)


def run_lifecycle(packages: Packages, manager: Manager, app: Path, env: Mapping[str, str]) -> None:
    """What the app's own package.json does at an installation may make files of the app: it is done at every build."""
    berry = manager.name == "yarn" and "YARN_NODE_LINKER" in manager.env
    for folder, name in packages.lifecycle():
        if name == "preinstall" or (berry and name not in _BERRY):
            continue
        step(f"Running the script {name}{f' of {folder}' if folder else ''}")
        _run(name, manager, app / folder, env)


def _run(name: str, manager: Manager, folder: Path, env: Mapping[str, str]) -> None:
    code, lines = run((manager.name, "run", name), env, folder, QUIET)
    if code != 0:
        said = [line for line in lines if not _NOISE.search(line)]
        raise Refusal(
            OTHER,
            f'the script "{name}" of package.json failed with exit code {code}',
            [line[:300] for line in said[-_MOST_SHOWN:]],
            f"Does it run on your machine, from a fresh clone? Try: {manager.name} run {name}",
        )
