"""The Docker Engine: is there one, and where there is none, one started by hand. Speaks to it just enough to know
that it lives.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from wherry.domain.errors import PlatformFault
from wherry.settings import Settings
from wherry.supervisor.service import Service

OURS = "unix:///var/run/docker.sock"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=5.0)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def answers(url: str) -> bool:
    """Whether an engine answers at `url` (unix:///PATH or tcp://HOST:PORT) to its API's /_ping."""
    parts = urlsplit(url)
    local = parts.scheme == "unix"
    connection = _UnixConnection(parts.path) if local else http.client.HTTPConnection(parts.netloc, timeout=5.0)
    try:
        connection.request("GET", "/_ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def service(settings: Settings) -> Service | None:
    """The engine as a process of ours, where it must be one; None where one answers or systemd has it.

    Raises PlatformFault where none answers and none can be started.
    """
    if answers(settings.engine):
        return None
    if settings.engine != OURS:
        raise PlatformFault(
            f"no Docker Engine answers at {settings.engine}", hint="Check DOCKER_HOST or WHERRY_ENGINE."
        )
    if Path("/run/systemd/system").is_dir():
        _start_by_systemd()
        return None
    program = shutil.which("dockerd")
    if program is None or os.geteuid() != 0:
        why = "dockerd is not installed" if program is None else "only root may start dockerd"
        raise PlatformFault(
            f"there is no Docker Engine: {why}", hint="On Debian, as root: apt-get install docker.io iptables"
        )
    return by_hand(settings, program)


def by_hand(settings: Settings, program: str) -> Service:
    """dockerd without an init system. Containers go on when it is killed and come back when it starts again."""
    argv = (program, "--host", OURS, "--log-level", "warn")
    return Service("engine", argv, dict(os.environ), settings.folder, lambda: answers(OURS), grace=20.0)


def tidy(say: Callable[[str], None]) -> None:
    """Removes the pid file of a dockerd that was killed, which would stop the next one."""
    path = Path("/var/run/docker.pid")
    try:
        pid = int(path.read_text())
    except (OSError, ValueError):
        return
    if not Path(f"/proc/{pid}").exists():
        say(f"engine: removing {path}, left by process {pid} that is gone")
        path.unlink(missing_ok=True)


def _start_by_systemd() -> None:
    done = subprocess.run(["systemctl", "start", "docker"], capture_output=True, text=True, check=False)
    if done.returncode or not answers(OURS):
        raise PlatformFault(
            "systemd could not start docker", evidence=done.stderr.split("\n")[-3:], hint="Look: journalctl -u docker"
        )
