"""The build: Node.js, the package manager, the packages, the app's scripts, the web process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bill
import choice
import install
import kept
import launch
import managers
import manifest
import modules
import runtime
import scripts
import wanted
from inputs import Packages
from store import Layers
from talk import Refusal, detail, error_line


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
    values = manifest.read(Path("package.json"))
    lock = manifest.lock_of(app)
    asked = choice.Choice(values, lock, app)
    packages = Packages(app, values)
    names = scripts.build_scripts(packages, env)
    node = runtime.ensure(layers, wanted.node(values, app, env), env)
    version = choice.ensure(layers, asked, node, env)
    caches = layers.folder / "cache"
    manager = managers.of(asked.name, version, packages.workspaces, bool(lock), app, caches)
    env = install.environment(layers, app, manager, node.headers, env)
    plan = install.plan_of(packages, manager, lock, names, dict(os.environ))
    for left in app.glob(".pnp.*"):
        detail(f"{left.name} is not used: packages are laid out in node_modules")
        left.unlink()

    try:
        fresh = install.install(layers, app, plan, packages.key(dict(os.environ), node.version, manager.shown), env)
    finally:
        if caches.is_dir():
            layers.keep("cache", {"cache"}, {})
    if names or (packages.lifecycle() and not fresh):
        with scripts.at_hand(layers, app, packages, env, apart=plan.apart):
            if not fresh:
                scripts.run_lifecycle(packages, manager, app, env)
            with kept.folders(layers, app, kept.names_of(values) if names else [], node.version):
                scripts.run_build(names, manager, app, env)
    modules.lead(app, layers.folder / "modules")
    bill.write(layers, node.version, fresh)
    launch.write(values, app, layers.folder, "bun" if manager.name == "bun" else "node")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
