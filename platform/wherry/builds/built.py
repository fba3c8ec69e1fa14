"""Puts together what export needs of a finished build, the launcher's files among it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wherry.builds.additions import Additions, changes_for, on_disk, scripts_for
from wherry.builds.build import Outcome
from wherry.builds.detect import Group
from wherry.builds.earlier import Earlier
from wherry.builds.ground import Ground
from wherry.builds.launch import Part, Start, launcher_files
from wherry.builds.layers import LAYERS
from wherry.builds.model import Built, BuiltLayer, LaunchProcess
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput
from wherry.images.layer_cache import LayerCache

_MOST_TYPES = 100
_EXAMPLES = {
    "wherry/python": "python app.py",
    "wherry/nodejs": "node build/index.js",
    "wherry/ruby": "bundle exec puma -p $PORT",
    "wherry/java": "java -jar target/app.jar",
}


def built_of(ground: Ground, group: Group, outcome: Outcome, earlier: Earlier, records: LayerCache) -> Built:
    """Raises BuildFailed when there is nothing to run, an env file that no process could be given, or a layer to reuse
    that `earlier` does not have; PlatformFault. `records` remember what is in layers that were looked into.
    """
    processes = with_default(outcome.launch.processes, [each.buildpack.id for each in group.buildpacks])
    try:
        additions = [_additions(ground, layers, earlier, records) for layers in outcome.layers]
        launcher = launcher_files(_start(additions, processes))
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


def with_default(processes: tuple[LaunchProcess, ...], buildpacks: Sequence[str]) -> tuple[LaunchProcess, ...]:
    """Without a buildpack's choice, web is what the image runs by default."""
    if not processes:
        example = next((_EXAMPLES[each] for each in buildpacks if each in _EXAMPLES), "./server")
        raise BuildFailed(
            BuildFailure.BAD_SOURCE,
            "the build says nothing to run",
            hint=f"Add a file named Procfile with a line like this: web: {example}",
        )
    if len(processes) > _MOST_TYPES:
        raise BuildFailed(BuildFailure.BAD_SOURCE, f"{len(processes)} process types; the most is {_MOST_TYPES}")
    if any(each.default for each in processes):
        return processes
    return tuple(replace(each, default=each.type == "web") for each in processes)


def _additions(
    ground: Ground, layers: tuple[BuiltLayer, ...], earlier: Earlier, records: LayerCache
) -> list[tuple[str, Additions]]:
    """Of the launch layers of one buildpack, each with its path in the image."""
    found = []
    for layer in layers:
        if layer.launch:
            inside = f"{layer.buildpack.escaped}/{layer.name}"
            reused = layer.folder is None
            additions = earlier.additions(layer, records) if reused else on_disk(ground.layers, inside)
            found.append((f"{LAYERS}/{inside}", additions))
    return found


def _start(additions: list[list[tuple[str, Additions]]], processes: tuple[LaunchProcess, ...]) -> Start:
    return Start(processes, {kind: _part(additions, kind) for kind in ("", *(each.type for each in processes))})


def _part(additions: list[list[tuple[str, Additions]]], kind: str) -> Part:
    """Env buildpack by buildpack. Programs and profiles: first those for all processes, then those for this type."""
    changes = [change for layers in additions for change in changes_for(layers, kind)]
    programs, profiles = (
        [
            script
            for folder in (top, *([f"{top}/{kind}"] if kind else ()))
            for layers in additions
            for script in scripts_for(layers, folder)
        ]
        for top in ("exec.d", "profile.d")
    )
    return Part(tuple(changes), tuple(programs), tuple(profiles))
