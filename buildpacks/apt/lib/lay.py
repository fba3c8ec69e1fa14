"""Packages as a layer: unpacked without their scripts, made to work where they lie, and found by PATH and its like."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

PATHS = {
    "PATH": ("usr/local/bin", "usr/local/sbin", "usr/bin", "usr/sbin", "bin", "sbin", "usr/games"),
    "LD_LIBRARY_PATH": ("usr/local/lib", "usr/lib/{triplet}", "lib/{triplet}", "usr/lib", "lib"),
    "LIBRARY_PATH": ("usr/local/lib", "usr/lib/{triplet}", "lib/{triplet}", "usr/lib", "lib"),
    "CPATH": ("usr/local/include", "usr/include/{triplet}", "usr/include"),
    "PKG_CONFIG_PATH": ("usr/lib/{triplet}/pkgconfig", "usr/lib/pkgconfig", "usr/share/pkgconfig"),
}
PLACES = {"GIT_EXEC_PATH": "usr/lib/git-core", "GIT_TEMPLATE_DIR": "usr/share/git-core/templates"}
"""Of programs that look where they were made for, and not beside themselves."""
AT_LAUNCH = ("PATH", "LD_LIBRARY_PATH")
_DROPPED = ("usr/share/man", "usr/share/info", "usr/share/lintian", "usr/share/locale")


def unpack(debs: Path, layer: Path) -> list[str]:
    """The names of the packages, each with its version."""
    names = []
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", deb, layer], check=True)
        shown = subprocess.run(["dpkg-deb", "-W", deb], check=True, capture_output=True, text=True).stdout
        names.append(" ".join(shown.split()))
    for name in _DROPPED:
        subprocess.run(["rm", "-rf", layer / name], check=True)
    return names


def settle(layer: Path) -> None:
    """Links lead into the layer when they can, else to the image that it stands on (a -dev package's link to a library
    that the image has). pkg-config's files say where they lie now. Set-id bits go: no process may gain rights by them.
    """
    for folder, folders, files in os.walk(layer):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink():
                _relink(path, layer)
            elif path.stat().st_mode & 0o6000:
                path.chmod(path.stat().st_mode & 0o777)
        for name in files:
            if name.endswith(".pc"):
                _relocate(Path(folder, name), layer)


def _relink(link: Path, layer: Path) -> None:
    target = link.readlink()
    if target.is_absolute():
        if os.path.lexists(layer / target.relative_to("/")):
            _replace(link, os.path.relpath(layer / target.relative_to("/"), link.parent))
    elif not link.exists():
        aim = Path(os.path.normpath(link.parent / target))
        if aim.is_relative_to(layer) and (below := Path("/", aim.relative_to(layer))).exists():
            _replace(link, below)


def _replace(link: Path, target: str | Path) -> None:
    link.unlink()
    link.symlink_to(target)


def _relocate(file: Path, layer: Path) -> None:
    lines = file.read_text("utf-8", "surrogateescape").split("\n")
    moved = [f"prefix={layer}{line.removeprefix('prefix=')}" if line.startswith("prefix=/") else line for line in lines]
    file.write_text("\n".join(moved), "utf-8", "surrogateescape")


def write_env(layer: Path, triplet: str, launch: bool) -> None:
    """Environment files (buildpack.md "Environment Variable Modification Rules")."""
    for variable, places in PATHS.items():
        found = [layer / place.format(triplet=triplet) for place in places]
        found = [each for each in found if each.is_dir()]
        if variable == "LD_LIBRARY_PATH":
            found += _beside(found)
        if not found:
            continue
        folder = layer / ("env" if launch and variable in AT_LAUNCH else "env.build")
        folder.mkdir(exist_ok=True)
        (folder / f"{variable}.prepend").write_text(":".join(map(str, found)))
        (folder / f"{variable}.delim").write_text(":")

    for variable, place in PLACES.items():
        if (layer / place).is_dir():
            folder = layer / ("env" if launch else "env.build")
            folder.mkdir(exist_ok=True)
            (folder / f"{variable}.default").write_text(str(layer / place))


def _beside(libraries: list[Path]) -> list[Path]:
    """Folders that alternatives would link from (blas, lapack, pulseaudio …)."""
    below = (
        each for folder in libraries for each in sorted(folder.iterdir()) if each.is_dir() and not each.is_symlink()
    )
    return [each for each in below if any(each.glob("lib*.so.*"))]
