"""Names and labels of what we make in the engine. Pure; all state is rebuilt from these."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from wherry.domain import health
from wherry.domain.restarts import Turn
from wherry.domain.workload import Workload

PLATFORM = "wherry.platform"
BUILD = "wherry.build"
NETWORK = "wherry.network"
APP = "wherry.app"
APP_NAME = "wherry.app-name"
RELEASE = "wherry.release"
TYPE = "wherry.type"
INDEX = "wherry.index"
ADDRESS = "wherry.address"
FINGERPRINT = "wherry.fingerprint"
GRACE = "wherry.stop-grace"
COMMAND = "wherry.command"
TURN = "wherry.turn"
ONE_OFF = "wherry.one-off"
ATTACHED = "wherry.attached"
LIVENESS = "wherry.liveness"
ONCE = "wherry.once"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which process a container is; `name` is the container's name while it is the one that counts."""

    platform: str
    app_id: int
    release: int
    type: str
    index: int

    @property
    def name(self) -> str:
        """The app by its id, as its name may change while it runs."""
        return f"wherry-{self.platform}-{self.app_id}-v{self.release}-{self.type}-{self.index}"

    @property
    def process(self) -> str:
        return f"{self.type}.{self.index}"

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> Identity | None:
        """None for a container that is no process of an app."""
        try:
            return cls(labels[PLATFORM], int(labels[APP]), int(labels[RELEASE]), labels[TYPE], int(labels[INDEX]))
        except (KeyError, ValueError):
            return None


def labels(who: Identity, workload: Workload, network_name: str, address: str) -> dict[str, str]:
    return {
        PLATFORM: who.platform,
        APP: str(who.app_id),
        APP_NAME: workload.app_name,
        RELEASE: str(who.release),
        TYPE: who.type,
        INDEX: str(who.index),
        NETWORK: network_name,
        ADDRESS: address,
        FINGERPRINT: fingerprint(who.platform, workload, who.index),
        GRACE: str(workload.stop_grace),
        COMMAND: workload.image.processes.get(who.type, "")[:500],
        TURN: str(turn(workload, who.index).number),
        **({LIVENESS: alive} if (alive := liveness(workload)) else {}),
    }


def liveness(workload: Workload) -> str:
    """The checks that go on while it runs, as JSON; "" where there are none."""
    checks = [health.write(each) for each in workload.checks if each.kind is health.Kind.LIVENESS and not each.uptime]
    return json.dumps(checks) if checks else ""


def turn(workload: Workload, index: int) -> Turn:
    return workload.turns.get(index, Turn())


def fingerprint(platform: str, workload: Workload, index: int = 0) -> str:
    """What "runs as asked" means: the same image, config and size, and begun after the last wish to restart it.

    An HMAC, so that equal configs of two platforms do not show as equal; who may read a container's labels may read
    its environment too.
    """
    env = {name: value.reveal() for name, value in workload.env.items()}
    size = [workload.size.memory, workload.size.cpu, workload.size.pids]
    start = [list(workload.start.argv), workload.start.user] if workload.start else []
    number = turn(workload, index).number
    again = [number] if number else []
    asked = json.dumps([workload.image.repository, workload.image.digest, size, env, *start, *again], sort_keys=True)
    return hmac.new(platform.encode(), asked.encode(), hashlib.sha256).hexdigest()


def of_platform(platform: str, app_id: int | None = None) -> dict[str, list[str]]:
    """The filter, as the engine takes it, of all processes of an app or of all apps."""
    return {"label": [f"{PLATFORM}={platform}", APP if app_id is None else f"{APP}={app_id}"]}


def aside(name: str, container_id: str) -> str:
    """The name of a process that another one with the same name is about to replace."""
    return f"{name}-old-{container_id[:8]}"


def short(platform: str) -> str:
    """Eight characters that stand for the platform where room is scarce: an interface name has 15."""
    return hashlib.sha256(platform.encode()).hexdigest()[:8]


def bridge(platform: str, network_name: str) -> str:
    """The bridge interface of one of our networks: ``wh1a2b3c4d-b``, ``wh1a2b3c4d-12``."""
    return f"wh{short(platform)}-{'b' if network_name == 'build' else network_name.removeprefix('apps-')}"


def every_bridge(platform: str) -> str:
    """All of them, in iptables' words."""
    return f"wh{short(platform)}-+"


def network(platform: str, name: str) -> str:
    return f"wherry-{platform}-{name}"


def sandbox(platform: str, build_id: int, nonce: str) -> str:
    return f"wherry-{platform}-build-{build_id}-{nonce}"
