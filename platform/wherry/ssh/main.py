"""The process of the door of git over SSH, from its start to SIGTERM."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from threading import Event, Thread

from wherry.api.tickets import Tickets
from wherry.domain.errors import WherryError
from wherry.fittings.stores import open_sources
from wherry.home import Home
from wherry.settings import Settings
from wherry.sources.ssh_session import SshTransport
from wherry.ssh.door import AT_ONCE, Door
from wherry.wiring.web import World, wire

log = logging.getLogger(__name__)
_AT_MOST_EVERY = 2.0
_LOOK = 30.0


def main(settings: Settings, user: str) -> int:
    """`user`: who hook/serve runs as. Returns the exit code."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    home, stop = Home(settings.folder), Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # handlers: in a container this is process 1, which has no defaults
        signal.signal(number, lambda *_: stop.set())
    world = wire(settings)
    transport, tickets = SshTransport(open_sources(settings)), Tickets(world.ticket_key)
    with socket.create_server(("127.0.0.1", 0), backlog=AT_ONCE) as listener:
        world.keys.tell()
        secret = world.ssh_folder.open_door(listener.getsockname()[1], user)
        door = Door(settings, world.access, world.keys, transport, tickets, secret)
        Thread(target=door.serve, args=(listener,), name="door", daemon=True).start()
        if settings.database_url:
            Thread(target=_hear, args=(world, stop), name="keys", daemon=True).start()
        (home.folder / "run" / "ssh-door.ready").write_text(str(os.getpid()), encoding="ascii")
        stop.wait()
    logging.shutdown()
    os._exit(0)  # pushes under way go on without us: git talks to its client by itself


def _hear(world: World, stop: Event) -> None:
    """Keys that somebody added by another machine of the platform, within seconds of the ledger's bell."""
    while not stop.wait(_AT_MOST_EVERY):
        try:
            world.ledger.wait(_LOOK)
            world.keys.tell()
        except WherryError as error:
            log.warning("%s", " | ".join(error.lines()))
