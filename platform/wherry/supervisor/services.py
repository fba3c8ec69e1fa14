"""Which processes make the platform on one machine, from its settings. Pure, but for the files that the registry
reads.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import bcrypt

import wherry.routing.process as router_process
from wherry.certificate import Certificate
from wherry.domain.errors import PlatformFault
from wherry.home import Home
from wherry.settings import Settings, root_folder
from wherry.supervisor.service import Service

SERVICES = ("registry", "router", "logs", "terminal", "web", "worker")
"""In the order of their start."""


def services(settings: Settings, home: Home) -> list[Service]:
    """In the order of their start. The registry is ours only when no other is named in the settings, the router only where
    no cluster has one.
    """
    without = {"registry": bool(settings.registry_url), "router": settings.on_cluster}
    return [service(settings, home, name) for name in SERVICES if not without.get(name)]


def service(settings: Settings, home: Home, name: str) -> Service:
    """One of SERVICES. Raises PlatformFault when this machine lacks what it needs."""
    env = {**os.environ, **settings.environ(), "PYTHONUNBUFFERED": "1"}
    match name:
        case "registry":
            return _registry(settings, home, env)
        case "router":
            return _router(settings, env)
        case "logs":
            return _logs(settings, env)
        case "terminal":
            return _terminal(settings, env)
        case "web":
            return _web(settings, env)
        case _:
            return _worker(settings, env)


def _registry(settings: Settings, home: Home, env: dict[str, str]) -> Service:
    program = shutil.which("docker-registry") or shutil.which("registry")
    if program is None:
        raise PlatformFault(
            "there is no registry program on this machine",
            hint="Install one: apt-get install docker-registry; or name yours: WHERRY_REGISTRY_URL=https://HOST",
        )
    config = _write_registry_config(settings, home)
    port = int(settings.registry_port)
    return Service(
        "registry", (program, "serve", str(config)), env, settings.folder, lambda: listens(settings.registry_bind, port)
    )


def _write_registry_config(settings: Settings, home: Home) -> Path:
    """One login, random, known to us and to the engine's pulls only. Its cost factor is the lowest: the password
    has 256 bits.
    """
    folder = settings.folder / "registry"
    password = home.secret("registry-password").reveal().encode()
    users = folder / "htpasswd"
    if not users.exists() or not bcrypt.checkpw(password, users.read_bytes().strip().partition(b":")[2]):
        users.touch(mode=0o600)
        users.write_bytes(b"wherry:" + bcrypt.hashpw(password, bcrypt.gensalt(4)) + b"\n")
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\n"
        "log: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder}/data'}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '{settings.registry_bind}:{settings.registry_port}', secret: '{home.secret('registry-http').reveal()}'}}\n"
        f"auth: {{htpasswd: {{realm: wherry, path: '{users}'}}}}\n"
    )
    config.chmod(0o600)
    return config


def _router(settings: Settings, env: dict[str, str]) -> Service:
    command = tuple(router_process.command(settings))
    return Service("router", command, env, settings.folder, lambda: router_process.ready(settings), grace=5.0)


def _web(settings: Settings, env: dict[str, str]) -> Service:
    """Two workers, so that one may die; threads, since every push and every reader of a log holds one."""
    argv = [sys.executable, "-m", "gunicorn", "app:app", "--chdir", str(root_folder())]
    argv += ["--bind", f"{settings.bind}:{settings.web_port}", "--worker-class", "gthread", "--workers", "2"]
    argv += ["--threads", "128", "--no-control-socket", "--graceful-timeout", "10", "--keep-alive", "30"]
    argv += ["--worker-tmp-dir", "/dev/shm", "--log-level", "warning"]  # noqa: S108 - gunicorn's heartbeat file
    port = int(settings.web_port)
    return Service("web", tuple(argv), env, settings.folder, lambda: serves(settings.bind, port), grace=15.0)


def _terminal(settings: Settings, env: dict[str, str]) -> Service:
    """Whoever talks to a one-off is cut off when it stops, so it gets the time that ending what they ran may take."""
    Certificate.of(settings.folder).ensure(*({settings.bind} - {"0.0.0.0", "::", ""}))  # noqa: S104
    argv = (sys.executable, "-m", "wherry.supervisor", "terminal")
    port = int(settings.terminal_port)
    return Service("terminal", argv, env, settings.folder, lambda: listens(settings.bind, port), grace=20.0)


def _worker(settings: Settings, env: dict[str, str]) -> Service:
    argv = (sys.executable, "-m", "wherry.supervisor", "worker")
    return Service("worker", argv, env, settings.folder, lambda: True, stop=signal.SIGTERM, grace=10.0)


def _logs(settings: Settings, env: dict[str, str]) -> Service:
    argv = (sys.executable, "-m", "wherry.supervisor", "logs")
    return Service("logs", argv, env, settings.folder, lambda: True, grace=10.0)


def listens(host: str, port: int) -> bool:
    """Whether something accepts connections there now."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((_reached(host), port)) == 0


def serves(host: str, port: int) -> bool:
    """Whether the API says that it can do its work. gunicorn accepts connections long before its workers answer any."""
    connection = http.client.HTTPConnection(_reached(host), port, timeout=5.0)
    try:
        connection.request("GET", "/health/ready", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reached(host: str) -> str:
    return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
