"""Puts together what export needs of a finished build, the launcher's files among it."""

from __future__ import annotations

from dataclasses import replace

from wherry.builds.build import Outcome
from wherry.builds.detect import Group
from wherry.builds.ground import Ground
from wherry.builds.launch import Part, Start, launcher_files
from wherry.builds.layers import launch_changes, scripts
from wherry.builds.model import Built, BuiltLayer, LaunchProcess
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput

_MOST_TYPES = 100


def built_of(ground: Ground, group: Group, outcome: Outcome) -> Built:
    """Raises BuildFailed when there is nothing to run, or an env file that no process could be given."""
    processes = _with_default(outcome.launch.processes)
    try:
        launcher = launcher_files(_start(ground, outcome, processes))
    except InvalidInput as error:
        message = f"the environment of a layer cannot be used: {error.message}"
        raise BuildFailed(BuildFailure.BUILDPACK_FAILED, message) from error
    return Built(
        ground.app,
        ground.layers,
        tuple(each.buildpack for each in group.buildpacks),
        tuple(layer for layers in outcome.layers for layer in layers),
        processes,
        dict(outcome.launch.labels),
        outcome.launch.slices,
        outcome.store,
        launcher,
    )


def _with_default(processes: tuple[LaunchProcess, ...]) -> tuple[LaunchProcess, ...]:
    """Without a buildpack's choice, web is what the image runs by default."""
    if not processes:
        raise BuildFailed(
            BuildFailure.BAD_SOURCE,
            "the build says nothing to run",
            hint="Add a file named Procfile with a line like this: web: python app.py",
        )
    if len(processes) > _MOST_TYPES:
        raise BuildFailed(BuildFailure.BAD_SOURCE, f"{len(processes)} process types; the most is {_MOST_TYPES}")
    if any(each.default for each in processes):
        return processes
    return tuple(replace(each, default=each.type == "web") for each in processes)


def _start(ground: Ground, outcome: Outcome, processes: tuple[LaunchProcess, ...]) -> Start:
    types = ["", *(each.type for each in processes)]
    profiles = [path for folder in ("profile.d",) for path in _scripts(ground, outcome, folder)]
    parts = {kind: [_part(ground, layers, kind) for layers in outcome.layers] for kind in types}
    return Start(processes, parts, profiles)


def _part(ground: Ground, layers: tuple[BuiltLayer, ...], kind: str) -> Part:
    changes = launch_changes(ground.layers, layers, kind)
    folders = ("exec.d", *([f"exec.d/{kind}"] if kind else ()))
    present = [layer for layer in layers if layer.launch and layer.folder is not None]
    programs = [path for folder in folders for layer in present for path in scripts(ground.layers, layer, folder)]
    return Part(tuple(changes), tuple(programs))


def _scripts(ground: Ground, outcome: Outcome, folder: str) -> list[str]:
    present = [layer for layers in outcome.layers for layer in layers if layer.launch and layer.folder is not None]
    return [path for layer in present for path in scripts(ground.layers, layer, folder)]
