"""The package managers: how each installs, prunes and runs scripts. Values only; nothing runs here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Manager:
    """`name` is npm, pnpm, yarn or bun. `install` without a lock is `install_loose`. `prune` () means: not possible."""

    name: str
    version: str
    install: tuple[str, ...]
    install_loose: tuple[str, ...]
    without_dev: tuple[str, ...]
    prune: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    fix: str = ""
    clears: bool = False
    """Whether node_modules has to go before it prunes."""

    @property
    def shown(self) -> str:
        return f"{self.name} {self.version}"


def of(name: str, version: str, workspaces: bool, locked: bool, app: Path, caches: Path) -> Manager:
    if name == "npm":
        return _npm(version, locked, caches)
    if name == "pnpm":
        return _pnpm(version, workspaces, locked, caches)
    if name == "bun":
        return _bun(version, caches)
    return _classic(version, caches) if version.startswith(("0.", "1.")) else _berry(version, app, caches)


def _npm(version: str, locked: bool, caches: Path) -> Manager:
    loose = ("npm", "install", "--no-package-lock")
    install = ("npm", "ci") if locked else loose
    old = int(version.partition(".")[0]) < 7
    with_dev, omit = ("--production=false", "--production") if old else ("--include=dev", "--omit=dev")
    return Manager(
        "npm",
        version,
        (*install, with_dev),
        (*loose, with_dev),
        (*install, omit),
        ("npm", "prune", omit, "--ignore-scripts"),
        {
            "npm_config_cache": str(caches / "npm"),
            "npm_config_audit": "false",
            "npm_config_fund": "false",
            "npm_config_progress": "false",
            "npm_config_update_notifier": "false",
        },
        "npm install",
    )


def _pnpm(version: str, workspaces: bool, locked: bool, caches: Path) -> Manager:
    install = ("pnpm", "install", "--frozen-lockfile" if locked else "--no-frozen-lockfile")
    # Its prune knows one package only.
    again = ("pnpm", "install", "--prod", "--frozen-lockfile", "--offline", "--ignore-scripts")
    again = (*again, "--config.confirmModulesPurge=false")
    return Manager(
        "pnpm",
        version,
        (*install, "--prod=false"),
        ("pnpm", "install", "--no-frozen-lockfile", "--prod=false"),
        (*install, "--prod"),
        again if workspaces else ("pnpm", "prune", "--prod", "--ignore-scripts"),
        {
            **dict.fromkeys(("npm_config_store_dir", "pnpm_config_store_dir"), str(caches / "pnpm")),
            **dict.fromkeys(("npm_config_package_import_method", "pnpm_config_package_import_method"), "copy"),
            **dict.fromkeys(("npm_config_confirm_modules_purge", "pnpm_config_confirm_modules_purge"), "false"),
            **dict.fromkeys(("npm_config_verify_deps_before_run", "pnpm_config_verify_deps_before_run"), "false"),
            **dict.fromkeys(("npm_config_update_notifier", "pnpm_config_update_notifier"), "false"),
            **dict.fromkeys(("npm_config_manage_package_manager_versions", "pnpm_config_pm_on_fail"), "false"),
            "pnpm_config_pm_on_fail": "ignore",
            "XDG_CACHE_HOME": str(caches / "xdg"),
        },
        "pnpm install",
    )


def _classic(version: str, caches: Path) -> Manager:
    install = ("yarn", "install", "--frozen-lockfile", "--non-interactive", "--no-progress")
    loose = ("yarn", "install", "--no-lockfile", "--non-interactive", "--no-progress", "--production=false")
    return Manager(
        "yarn",
        version,
        (*install, "--production=false"),
        loose,
        (*install, "--production=true"),
        (*install, "--production=true", "--ignore-scripts", "--prefer-offline"),
        {"YARN_CACHE_FOLDER": str(caches / "yarn"), "YARN_DISABLE_SELF_UPDATE_CHECK": "true"},
        "yarn install",
    )


def _berry(version: str, app: Path, caches: Path) -> Manager:
    env = {
        "YARN_NODE_LINKER": "node-modules",
        "YARN_ENABLE_TELEMETRY": "0",
        "YARN_ENABLE_PROGRESS_BARS": "false",
        "YARN_ENABLE_COLORS": "false",
        "YARN_GLOBAL_FOLDER": str(caches / "yarn-global"),
        "YARN_NM_MODE": "classic",
    }
    if not (app / ".yarn/cache").is_dir():
        env |= {"YARN_ENABLE_GLOBAL_CACHE": "false", "YARN_CACHE_FOLDER": str(caches / "berry")}
    can_focus = int(version.partition(".")[0]) >= 4
    focus = ("yarn", "workspaces", "focus", "--all", "--production")
    install = ("yarn", "install", "--immutable")
    loose = ("yarn", "install", "--no-immutable")
    without_dev = focus if can_focus else install
    return Manager("yarn", version, install, loose, without_dev, focus if can_focus else (), env, "yarn install")


def _bun(version: str, caches: Path) -> Manager:
    install = ("bun", "install", "--frozen-lockfile", "--no-progress")
    return Manager(
        "bun",
        version,
        install,
        ("bun", "install", "--no-save", "--no-progress"),
        (*install, "--production"),
        (*install, "--production"),
        {"BUN_INSTALL_CACHE_DIR": str(caches / "bun"), "DO_NOT_TRACK": "1"},
        "bun install",
        clears=True,
    )
