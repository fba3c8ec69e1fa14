"""The process of the door, from its start to SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from datetime import datetime

from wherry.certificate import Certificate
from wherry.domain.errors import WherryError
from wherry.flow.run import AttachOneOff
from wherry.home import Home
from wherry.settings import Settings
from wherry.terminal.door import Door
from wherry.wiring.parts import SystemClock
from wherry.wiring.terminal import wire_terminal

log = logging.getLogger(__name__)
ENGINE_PAUSE = 2.0


def main(settings: Settings) -> int:
    """Returns the exit code."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    story = wire_terminal(settings, Home(settings.folder))
    asyncio.run(_serve(story, settings))
    return 0


async def _serve(story: AttachOneOff, settings: Settings) -> None:
    clock = SystemClock()
    door = Door(story, clock, Certificate.of(settings.folder))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clearing = asyncio.create_task(_clear_up(story, clock.now()))
    await door.serve(settings.bind, settings.number("terminal_port"), stop)
    clearing.cancel()


async def _clear_up(story: AttachOneOff, opened: datetime) -> None:
    """As soon as the engine answers."""
    while True:
        try:
            await asyncio.to_thread(story.abandon, opened)
        except WherryError as error:
            log.warning("%s", " | ".join(error.lines()))
            await asyncio.sleep(ENGINE_PAUSE)
        else:
            return
