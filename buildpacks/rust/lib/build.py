"""The build: Rust, the app's programs, the web process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import launch
import times
import versions
import workspace
from cargo import Cargo
from store import Layers
from talk import Refusal, detail, error_line, step


def main(folder: Path) -> int:
    layers = Layers(folder)
    try:
        _build(layers, Path.cwd())
    except Refusal as refusal:
        for line in refusal.lines:
            error_line(line)
        return refusal.code
    finally:
        layers.close()
    return 0


def _build(layers: Layers, app: Path) -> None:
    env = dict(os.environ)
    asked = versions.wanted(app, env)
    cargo = Cargo(layers, app, env)
    version = cargo.version()
    versions.check(asked, {}, version)  # an older cargo may not even read the app's files
    cargo.begin(version)
    space = workspace.read(cargo.metadata(), str(app))
    why = versions.check(asked, space.least, version)
    step(f"Rust {version}")
    detail(why[0].upper() + why[1:])
    wanted = workspace.wanted(space, env)
    times.settle(app)
    names = cargo.build(wanted)
    cargo.keep_caches()
    launch.write(app, layers.folder, space, names)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
