"""The terminal door of a House, in a thread of the tests."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wherry.certificate import Certificate
from wherry.flow.run import AttachOneOff
from wherry.terminal.door import Door
from wherry.wiring.web import World

from tests.api.house import eventually


@contextmanager
def open_door(world: World) -> Iterator[int]:
    """Its port."""
    port = world.settings.number("terminal_port")
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        story = AttachOneOff(world.ledger, world.runtime, world.clock)
        await Door(story, world.clock, Certificate.of(world.settings.folder)).serve("127.0.0.1", port, stop)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="door")
    thread.start()
    eventually(lambda: _answers(port))
    try:
        yield port
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        assert not thread.is_alive()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
