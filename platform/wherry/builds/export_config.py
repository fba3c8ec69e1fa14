"""What an image says of itself: how it starts, and its buildpack labels. Pure (platform.md "exporter"; cnb.md 21, 22)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tomli_w

from wherry import __version__
from wherry.builds import origin
from wherry.builds.model import Built, LaunchProcess
from wherry.builds.stacks import Stack
from wherry.builds.surroundings import EXEC_ENV
from wherry.flow.ports import BuildRequest
from wherry.images.layers import Layer

LIFECYCLE_LABEL = "io.buildpacks.lifecycle.metadata"
BUILD_LABEL = "io.buildpacks.build.metadata"
PROJECT_LABEL = "io.buildpacks.project.metadata"
REBASE_LABEL = "io.buildpacks.rebasable"
OURS = ("io.buildpacks.", "wherry.")
"""Labels that begin so are the platform's: a buildpack's own are left out. So are those that say where the image comes
from, which `notes` sets; a description or a licence is a buildpack's to tell.
"""

PLATFORM_API = "0.15"
_SHELLS = ("bash", "/bin/bash", "sh", "/bin/sh")
APP, LAYERS, PROCESSES, LAUNCHER = "/workspace", "/layers", "/cnb/process", "/cnb/lifecycle/launcher"


@dataclass(frozen=True, slots=True)
class ExportedLayers:
    """The layers above the run image, by what they are for. `launch` is by buildpack id and layer name."""

    launch: Mapping[tuple[str, str], Layer]
    launcher: Layer
    config: Layer
    app: Sequence[Layer]
    sbom: Layer | None = None

    def in_order(self) -> list[Layer]:
        """The stable ones first, so that a change of the app moves as few bytes as can be."""
        sbom = [self.sbom] if self.sbom else []
        return [*self.launch.values(), *sbom, self.launcher, self.config, *self.app]


def settings(built: Built, stack: Stack, request: BuildRequest, layers: ExportedLayers) -> dict[str, object]:
    """The ``config`` object: the run image's, with what the app adds."""
    base = {
        key: value for key, value in stack.run.settings.items() if key not in ("Cmd", "Entrypoint", "Env", "Labels")
    }
    env = dict(stack.run.env)
    env |= {
        "CNB_LAYERS_DIR": LAYERS,
        "CNB_APP_DIR": APP,
        "CNB_PLATFORM_API": PLATFORM_API,
        "CNB_DEPRECATION_MODE": "quiet",
        "PATH": f"{PROCESSES}:{env.get('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')}",
    }
    default = next((f"{PROCESSES}/{each.type}" for each in built.processes if each.default), LAUNCHER)
    own = {key: value for key, value in built.labels.items() if not key.startswith(OURS)}
    return {
        **base,
        "User": stack.run_user,
        "Env": [f"{name}={value}" for name, value in env.items()],
        "WorkingDir": APP,
        "Entrypoint": [default],
        "Labels": {
            **stack.run.labels,
            **own,
            **notes(built, stack, request),
            LIFECYCLE_LABEL: _json(_lifecycle(built, stack, layers)),
            BUILD_LABEL: _json(_build(built)),
            PROJECT_LABEL: _json(_project(request)),
            REBASE_LABEL: "true",
        },
    }


def notes(built: Built, stack: Stack, request: BuildRequest) -> dict[str, str]:
    """Of the manifest, and labels too."""
    return {
        **origin.of_source(request, built.said),
        **origin.of_creation(request),
        **origin.of_base(stack.run.repository, stack.run.digest),
    }


def metadata_toml(built: Built) -> bytes:
    """``<layers>/config/metadata.toml``."""
    default = next((each.type for each in built.processes if each.default), "")
    content = {
        **({"buildpack-default-process-type": default} if default else {}),
        "buildpacks": _buildpacks(built),
        "processes": [_process(each) for each in built.processes],
        "labels": [{"key": key, "value": value} for key, value in built.labels.items()],
        "slices": [{"paths": list(paths)} for paths in built.slices],
    }
    return tomli_w.dumps(content).encode("utf-8", "backslashreplace")


def shown(process: LaunchProcess) -> str:
    """Its command as people read it."""
    words = (*process.command, *process.args)
    if len(words) == 3 and words[0] in _SHELLS and words[1] == "-c":
        return words[2]
    return shlex.join(words) if process.direct else " ".join(words)


def _lifecycle(built: Built, stack: Stack, layers: ExportedLayers) -> dict[str, object]:
    """`buildpacks` says what the next build may reuse, and gives each buildpack back what it wrote."""
    return {
        "app": [{"sha": each.diff_id} for each in layers.app],
        "buildpacks": [
            {
                "key": buildpack.id,
                "version": buildpack.version,
                "layers": {
                    each.name: {
                        "sha": layers.launch[buildpack.id, each.name].diff_id,
                        "data": dict(each.metadata),
                        "build": each.build,
                        "launch": True,
                        "cache": each.cache,
                    }
                    for each in built.layers
                    if each.launch and each.buildpack.id == buildpack.id
                },
                **({"store": {"metadata": dict(store)}} if (store := built.store.get(buildpack.id)) else {}),
            }
            for buildpack in built.group
        ],
        "config": {"sha": layers.config.diff_id},
        "launcher": {"sha": layers.launcher.diff_id},
        **({"sbom": {"sha": layers.sbom.diff_id}} if layers.sbom else {}),
        "runImage": {
            "topLayer": stack.run.layers[-1].diff_id if stack.run.layers else "",
            "reference": stack.run.digest,
            "image": stack.run.repository,
        },
        "exec-env": EXEC_ENV,
    }


def _build(built: Built) -> dict[str, object]:
    return {
        "processes": [_process(each, "buildpackID") for each in built.processes],
        "buildpacks": _buildpacks(built),
        "launcher": {"version": __version__, "source": {"git": {"repository": "", "commit": ""}}},
    }


def _project(request: BuildRequest) -> dict[str, object]:
    version_of = {"commit": request.source.commit}
    return {"source": {"type": "git", "version": version_of, "metadata": {"tree": request.source.tree}}}


def _buildpacks(built: Built) -> list[dict[str, object]]:
    return [
        {
            "id": each.id,
            "version": each.version,
            "api": each.api,
            **({"homepage": each.homepage} if each.homepage else {}),
        }
        for each in built.group
    ]


def _process(process: LaunchProcess, buildpack_key: str = "buildpack-id") -> dict[str, object]:
    return {
        "type": process.type,
        "command": list(process.command),
        "args": list(process.args),
        "direct": process.direct,
        **({"default": True} if process.default else {}),
        **({"working-dir": process.working_dir} if process.working_dir else {}),
        "exec-env": list(process.exec_env or ("*",)),
        buildpack_key: process.buildpack,
    }


def _json(value: object) -> str:
    """TOML's dates have no other form in JSON than their text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
