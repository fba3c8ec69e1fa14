"""What the build phases hand to export: the group that ran, its layers and its processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Buildpack:
    """One buildpack of the group. `api` is its Buildpack API version, as in "0.10"; `folder` where it lies on this
    machine.
    """

    id: str
    version: str
    api: str
    folder: Path
    homepage: str = ""
    optional: bool = False

    @property
    def escaped(self) -> str:
        """The id as a folder name (cnb.md 1)."""
        return self.id.replace("/", "_")


@dataclass(frozen=True, slots=True)
class BuiltLayer:
    """``<layers>/<buildpack>/<name>`` and its flags. `folder` is None for a launch layer that is reused from the
    previous image.
    """

    buildpack: Buildpack
    name: str
    folder: Path | None
    launch: bool
    build: bool
    cache: bool
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LaunchProcess:
    """A ``[[processes]]`` entry. `direct` False means that a shell runs the command (Procfile lines, API below 0.9).
    `exec_env`: the execution environments that it is for; none means all.
    """

    type: str
    command: tuple[str, ...]
    args: tuple[str, ...] = ()
    default: bool = False
    direct: bool = True
    working_dir: str = ""
    buildpack: str = ""
    exec_env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """All that export needs. `app` is the workspace after the build; `launcher` the files of the launcher layer."""

    app: Path
    layers_dir: Path
    group: tuple[Buildpack, ...]
    layers: tuple[BuiltLayer, ...]
    processes: tuple[LaunchProcess, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    slices: tuple[tuple[str, ...], ...] = ()
    store: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    launcher: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)
    """Files of the launcher layer: absolute path in the image to (content, mode); a mode of 0o120000 makes a
    symlink.
    """
    said: Mapping[str, str] = field(default_factory=dict)
    """What the app's author says of it (origin.py)."""
