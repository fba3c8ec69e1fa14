"""Installing: as the lock says, with devDependencies for the build's scripts, which are pruned from what the app runs
with. The layers `modules` (for the app) and `dev-modules` (for scripts, where it differs).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import failures
import modules
from inputs import Packages
from managers import Manager
from store import Layers
from talk import Refusal, detail, error_line, output_of, run, step

QUIET = re.compile(
    r"npm (warn|WARN) (Unknown env config|config production)|npm notice|A complete log of this run|Update available!"
    r"|baseline-browser-mapping|^Progress: resolved|^[+-]+$|YN0000: [│└] *$|^npm (error|ERR!)\s*$|^yarn install v"
    r"|npm warn allow-scripts"
)
_HELD = re.compile(r"^npm (error|ERR!)")
MOST_CACHED = 1024
"""MiB of downloads kept for the next installation."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What this app's switches and scripts make of an installation."""

    manager: Manager
    lock: str
    dev: bool
    """Whether devDependencies are installed at all."""
    prune: bool
    apart: bool
    """Whether scripts of later builds need devDependencies that the app runs without."""


def plan_of(packages: Packages, manager: Manager, lock: str, scripts: list[str], env: Mapping[str, str]) -> Plan:
    """Heroku's switches: NPM_CONFIG_PRODUCTION, YARN_PRODUCTION, PNPM_SKIP_PRUNING, YARN2_SKIP_PRUNING, NODE_ENV."""
    given = {name.upper(): value.strip().lower() for name, value in env.items()}
    switch = given.get({"npm": "NPM_CONFIG_PRODUCTION", "yarn": "YARN_PRODUCTION"}.get(manager.name, ""), "")
    dev = switch != "true" and given.get("NPM_CONFIG_OMIT", "") != "dev"
    skip = switch == "false" or env.get("NODE_ENV", "production") != "production"
    skip = skip or given.get("PNPM_SKIP_PRUNING" if manager.name == "pnpm" else "YARN2_SKIP_PRUNING", "") == "true"
    prune = dev and not skip and bool(manager.prune) and packages.has("devDependencies")
    return Plan(manager, lock, dev, prune, prune and bool(scripts or packages.lifecycle()))


def install(layers: Layers, app: Path, plan: Plan, key: str, env: Mapping[str, str]) -> bool:
    """Whether anything was installed. Raises Refusal."""
    wanted = {"modules"} | ({"dev-modules"} if plan.apart else set())
    if all(layers.known(name).get("key") == key for name in wanted):
        detail(f"{plan.lock or 'package.json'} has not changed: its packages are used again")
        fresh = False
    else:
        _install(layers, app, plan, env)
        fresh = True
    layers.keep("modules", {"launch", "cache"}, {"key": key})
    if plan.apart:
        layers.keep("dev-modules", {"cache"}, {"key": key})
    else:
        layers.drop("dev-modules")
    return fresh


def _install(layers: Layers, app: Path, plan: Plan, env: Mapping[str, str]) -> None:
    manager = plan.manager
    if (checked_in := modules.found(app)) and not (app / checked_in[0]).is_symlink():
        error_line(f"{checked_in[0]} is in the repository; its packages are installed anew")
        detail("Remove it: git rm -r --cached node_modules, and name it in .gitignore")
    for name in checked_in:
        modules.remove(app / name)
    step(f"Installing {plan.lock or 'package.json'} with {manager.shown}")
    if not plan.lock:
        error_line("There is no lock file: the next build may get other versions of the packages")
        detail(f"Run {manager.fix} on your machine, and commit the lock file")
    argv = (manager.install if plan.lock else manager.install_loose) if plan.dev else manager.without_dev
    _run(argv, app, plan, env)
    if plan.apart:
        modules.take(app, layers.fresh("dev-modules"), copy=True)
    if plan.prune:
        step("Removing devDependencies")
        if manager.clears:
            modules.remove(app / modules.NAME)
        _run(manager.prune, app, plan, env)
    modules.take(app, layers.fresh("modules"))
    _bound(layers)


def _run(argv: tuple[str, ...], app: Path, plan: Plan, env: Mapping[str, str]) -> None:
    code, lines = run(argv, env, app, QUIET, _HELD)
    if code == 0:
        return
    kind = failures.kind_of(lines)
    if kind in (failures.NATIVE, failures.SCRIPT, failures.UNKNOWN):
        for line in filter(_HELD.search, lines):
            detail(line)
    words = {"manager": plan.manager.shown, "lock": plan.lock or "package.json", "install": plan.manager.fix}
    raise Refusal(kind.code, kind.cause.format(**words), failures.evidence(lines), kind.hint.format(**words))


def _bound(layers: Layers) -> None:
    """The downloads are kept, up to a size."""
    caches = layers.folder / "cache"
    if not caches.is_dir():
        return
    code, out, _ = output_of(["du", "-sm", str(caches)], os.environ, layers.folder)
    if code != 0 or int(out.split()[0]) > MOST_CACHED:
        shutil.rmtree(caches)


def environment(layers: Layers, app: Path, manager: Manager, headers: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Of package managers and scripts: tools of this build first, headers of this Node.js, and NODE_ENV."""
    dropped = {"npm_config_production", "yarn_production", "npm_config_omit", "npm_config_only"}
    values = {name: value for name, value in env.items() if name.lower() not in dropped}
    folders = [str(layers.folder / name / "bin") for name in ("pm", "npm", "node") if (layers.folder / name).is_dir()]
    gyp = layers.folder / "npm/npm/bin/node-gyp-bin"
    values["PATH"] = ":".join([*folders, env.get("PATH", "/usr/bin:/bin"), str(app / "node_modules/.bin"), str(gyp)])
    values.setdefault("NODE_ENV", "production")
    values |= manager.env
    for name in ("npm_config_nodedir", "npm_package_config_node_gyp_nodedir"):
        values.setdefault(name, str(headers))
    registry = env.get("NPM_CONFIG_REGISTRY") or env.get("npm_config_registry")
    if registry and manager.name == "yarn":
        _yarn_registry(values, app, registry)
    return values


def _yarn_registry(values: dict[str, str], app: Path, registry: str) -> None:
    """Yarn has names of its own for the operator's registry; the app's own settings count more."""
    settings = app / ".yarnrc.yml"
    if settings.is_file() and re.search(r"^npmRegistryServer:", settings.read_text("utf-8", "replace"), re.MULTILINE):
        return
    values.setdefault("YARN_NPM_REGISTRY_SERVER", registry)
    if registry.startswith("http://"):
        values.setdefault("YARN_UNSAFE_HTTP_WHITELIST", re.sub(r"^http://(?:[^@/]*@)?([^:/]+).*", r"\1", registry))
