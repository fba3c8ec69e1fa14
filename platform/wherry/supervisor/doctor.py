"""`wherry doctor`: one question a line, with the answer and, where it is bad, the command that mends it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wherry.domain.errors import WherryError
from wherry.domain.model import Release
from wherry.fittings.images import open_registry
from wherry.fittings.runtimes import open_cluster, open_runtime
from wherry.fittings.stores import open_ledger
from wherry.home import Home
from wherry.images.registry import Registry
from wherry.settings import Settings
from wherry.sources.ssh_folder import SshAddress
from wherry.supervisor import engine, ssh
from wherry.supervisor.service import Records
from wherry.supervisor.services import listens
from wherry.supervisor.status import NAMES

LOW_DISK = 0.10
_APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
"""Where the kernel has it, the engine starts no container without the program that loads its profiles."""


@dataclass(frozen=True)
class Finding:
    question: str
    good: bool
    answer: str
    mend: str = ""

    def as_json(self) -> dict[str, object]:
        return {"question": self.question, "good": self.good, "answer": self.answer, "mend": self.mend}

    def text(self) -> str:
        first = f"{'ok   ' if self.good else 'WRONG'} {self.question}: {self.answer}"
        return first if self.good or not self.mend else f"{first}\n      {self.mend}"


def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which they should be mended."""
    questions: list[Callable[[Settings], list[Finding]]] = [
        _programs,
        _home,
        _disk,
        _engine,
        _isolation,
        _cluster,
        _builds,
        _database,
        _processes,
        _ports,
        _registry,
        _releases,
    ]
    return [finding for question in questions for finding in question(settings)]


def _programs(settings: Settings) -> list[Finding]:
    needed = {"git": "git", "bash": "bash", "iptables": "iptables"}
    if not settings.registry_url:
        needed["docker-registry"] = "docker-registry"
    if _APPARMOR.is_file() and _APPARMOR.read_text().strip() == "Y":
        needed["apparmor_parser"] = "apparmor"
    missing = [package for program, package in needed.items() if shutil.which(program) is None]
    answer = f"missing: {', '.join(missing)}" if missing else ", ".join(needed)
    return [Finding("programs", not missing, answer, f"apt-get install {' '.join(missing)}")]


def _home(settings: Settings) -> list[Finding]:
    folder = settings.folder
    good = folder.is_dir() and os.access(folder, os.W_OK)
    return [
        Finding("data folder", good, str(folder), "To make it: wherry up; to use another: WHERRY_HOME=/some/folder")
    ]


def _disk(settings: Settings) -> list[Finding]:
    if not settings.folder.exists():
        return []
    usage = shutil.disk_usage(settings.folder)
    good = usage.free / usage.total > LOW_DISK
    answer = f"{usage.free / 2**30:.1f} of {usage.total / 2**30:.1f} GiB free"
    return [Finding("disk", good, answer, f"Free some space on the disk of {settings.folder}.")]


def _engine(settings: Settings) -> list[Finding]:
    if settings.on_cluster and settings.builds_on_cluster:
        return []
    good = engine.answers(settings.engine)
    mend = "On Debian, as root: apt-get install docker.io iptables && wherry up --detach"
    return [Finding("Docker Engine", good, settings.engine if good else f"does not answer at {settings.engine}", mend)]


def _isolation(settings: Settings) -> list[Finding]:
    if settings.on_cluster or not engine.answers(settings.engine) or not settings.folder.is_dir():
        return []
    try:
        problems = open_runtime(settings, Home(settings.folder)).problems()
    except WherryError as error:
        problems = [error.message]
    return [
        Finding(
            "isolation of apps", not problems, "; ".join(problems) or "on", "As root: wherry down && wherry up --detach"
        )
    ]


def _cluster(settings: Settings) -> list[Finding]:
    if not settings.on_cluster:
        return []
    from wherry.runtimes.cluster import checkup  # only where it is needed: see fittings/runtimes.py

    try:
        found = checkup.examine(open_cluster(settings), settings.gateway, settings.ingress_class)
    except WherryError as error:
        return [Finding("cluster", False, error.message, error.hint)]
    nodes = settings.registry_pull_url or settings.registry_url
    pulls = Finding(
        "images for the nodes", True, f"they pull from {nodes}; a node that cannot is told by the next deploy"
    )
    return [*(Finding(each.question, each.good, each.answer, each.mend) for each in found), pulls]


def _builds(settings: Settings) -> list[Finding]:
    """A pod shares its network, so all that keeps a build from the registry is that it has no login (T13)."""
    if not settings.builds_on_cluster:
        return []
    try:
        Registry(settings.registry_url).ping()
    except WherryError:
        return [Finding("builds", True, f"on the cluster, by {settings.platform_image}")]
    answer = "the registry asks for no login: any build can write over what is in it"
    return [
        Finding("builds", False, answer, "Give it a login, then: WHERRY_REGISTRY_USERNAME, WHERRY_REGISTRY_PASSWORD")
    ]


def _database(settings: Settings) -> list[Finding]:
    try:
        with open_ledger(settings).begin() as tx:
            count = len(tx.apps.all())
    except (WherryError, OSError) as error:
        return [Finding("database", False, str(error), "wherry up --detach makes or migrates it")]
    return [Finding("database", True, f"{count} app{'' if count == 1 else 's'}")]


def _processes(settings: Settings) -> list[Finding]:
    records = Records(settings.folder)
    without = {"engine"} | ({"registry"} if settings.registry_url else set())
    without |= {"router"} if settings.on_cluster else set()
    without |= set() if SshAddress.read(settings.folder) else set(ssh.NAMES)
    wanted = [name for name in NAMES if name not in without]
    dead = [name for name in wanted if records.find(name) is None]
    answer = f"not running: {', '.join(dead)}" if dead else ", ".join(wanted)
    return [Finding("processes", not dead, answer, f"wherry up --detach; their logs: {settings.folder}/log")]


def _ports(settings: Settings) -> list[Finding]:
    """A port that another program holds is the usual reason why a process of ours does not come up."""
    records = Records(settings.folder)
    pairs = {"web": settings.web_port, "router": settings.router_port, "registry": settings.registry_port}
    pairs["terminal"] = settings.terminal_port
    if settings.on_cluster:
        del pairs["router"]
    taken = [
        f"{port} ({name})"
        for name, port in pairs.items()
        if records.find(name) is None and listens("127.0.0.1", int(port))
    ]
    mend = "Choose others: WHERRY_WEB_PORT, WHERRY_ROUTER_PORT, WHERRY_REGISTRY_PORT, WHERRY_TERMINAL_PORT"
    return [Finding("ports", not taken, f"held by another program: {', '.join(taken)}" if taken else "ours", mend)]


def _registry(settings: Settings) -> list[Finding]:
    try:
        open_registry(settings, Home(settings.folder)).ping()
    except (WherryError, OSError) as error:
        return [Finding("registry", False, str(error), "wherry up --detach; its log: registry.log")]
    return [Finding("registry", True, "answers")]


def _has_image(registry: Registry, release: Release) -> bool:
    return registry.has_manifest(release.image.repository, release.image.digest)


def _releases(settings: Settings) -> list[Finding]:
    """Every current release must have an image that the registry serves (I1, A17)."""
    home = Home(settings.folder)
    try:
        registry = open_registry(settings, home)
        with open_ledger(settings).begin(read_only=True) as tx:
            names = {app.id: app.name for app in tx.apps.all()}
            current = tx.releases.currents([*names])
        missing = [
            f"{name} {current[app_id].name}"
            for app_id, name in names.items()
            if app_id in current and not _has_image(registry, current[app_id])
        ]
    except (WherryError, OSError):
        return []  # said above
    answer = f"no image for {', '.join(missing)}" if missing else "every current release has its image"
    return [Finding("images", not missing, answer, "Push again: git push wherry main")]
