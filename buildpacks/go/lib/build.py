"""The build: Go, the app's programs, the web process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import gomod
import launch
import programs
import toolchain
import versions
from store import Layers
from talk import Refusal, error_line


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
    module = gomod.read(app)
    choice = versions.choose(module, env, versions.known())
    patterns, source = programs.targets(module, env)
    go = programs.Go(toolchain.ensure(layers, choice, env), layers, app, env)
    try:
        mains = go.mains(patterns, source)
        go.build(mains)
    finally:
        go.keep_caches()
    launch.write(app, layers.folder, module, mains)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
