"""One session: bytes both ways between a client and a one-off, until one of them ends, or its time is up.

The network is asyncio's; what a runtime does may block, so it has threads.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from datetime import datetime
from typing import TypeVar

from wherry.domain.frames import WINDOW, BadFrame, Kind, read_size
from wherry.domain.one_off import OneOff
from wherry.flow.task_ports import Ended, Session
from wherry.terminal.speech import Speech

log = logging.getLogger(__name__)
T = TypeVar("T")
SIGNALS = frozenset({"INT", "TERM", "HUP", "QUIT", "USR1", "USR2"})
_LATE = Ended(137, "its time was up")
_COUNT = re.compile(r"[1-9][0-9]{0,3}")


class Talk:
    def __init__(self, one_off: OneOff, session: Session, speech: Speech, pool: Executor) -> None:
        self._one_off, self._session, self._speech, self._pool = one_off, session, speech, pool
        self._loop = asyncio.get_running_loop()
        self._input: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._waiting = 0
        self._room = asyncio.Condition()

    async def run(self, now: datetime) -> Ended | None:
        """How it ended; None when its client went first. Nothing of it runs afterwards."""
        output: asyncio.Future[Ended | None] | None = None
        others: list[asyncio.Task[None]] = []
        try:
            await self._first_size()
            output = asyncio.ensure_future(self._in_thread(self._pass_on))
            others = [asyncio.create_task(self._listen()), asyncio.create_task(self._feed())]
            left = max(0.0, (self._one_off.until - now).total_seconds())
            await asyncio.wait({output, *others}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if output.done():
                how = output.result()
                if how is not None:
                    await self._speech.end(how)
                return how
            late = not any(task.done() for task in others)
            if late:
                await self._speech.end(_LATE)
            return _LATE if late else None
        finally:
            await to_the_end(self._close(output, others))

    async def _close(self, output: asyncio.Future[Ended | None] | None, others: list[asyncio.Task[None]]) -> None:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._in_thread(self._session.close)
        if output:
            await asyncio.gather(output, return_exceptions=True)

    def _pass_on(self) -> Ended | None:
        """In a thread. A client that reads slowly slows the one-off down; None: it is gone."""
        try:
            for channel, data in self._session.output():
                asyncio.run_coroutine_threadsafe(self._speech.pass_on(channel, data), self._loop).result()
        except OSError:
            return None
        return self._session.ended()

    async def _listen(self) -> None:
        """Until the client goes. Ends quietly too when it speaks something else."""
        try:
            async for kind, data in self._speech.frames(self._one_off):
                await self._hear(kind, data)
        except (OSError, BadFrame) as error:
            log.info("the client of %s went: %s", self._one_off.name, error)

    async def _hear(self, kind: Kind, data: bytes) -> None:
        match kind:
            case Kind.INPUT:
                async with self._room:
                    await self._room.wait_for(lambda: self._waiting < WINDOW)
                    self._waiting += len(data)
                self._input.put_nowait(data)
            case Kind.END:
                self._input.put_nowait(None)
            case Kind.SIZE if self._one_off.tty:
                await self._in_thread(self._session.resize, *read_size(data))
            case Kind.SIGNAL if (name := data.decode("ascii", "replace")) in SIGNALS:
                await self._in_thread(self._session.signal, name)

    async def _feed(self) -> None:
        while True:
            data = await self._input.get()
            if data is None:
                await self._in_thread(self._session.end_input)
                continue
            await self._in_thread(self._session.write, data)
            async with self._room:
                self._waiting -= len(data)
                self._room.notify()
            await self._speech.taken(len(data))

    async def _first_size(self) -> None:
        """Heroku's client tells the size of its terminal once, as variables."""
        texts = [self._one_off.env[name].reveal() for name in ("LINES", "COLUMNS") if name in self._one_off.env]
        if self._one_off.tty and len(texts) == 2 and all(map(_COUNT.fullmatch, texts)):
            await self._in_thread(self._session.resize, int(texts[0]), int(texts[1]))

    async def _in_thread(self, function: Callable[..., T], *args: object) -> T:
        return await self._loop.run_in_executor(self._pool, function, *args)


async def to_the_end(work: Awaitable[T]) -> T:
    """What tidies up is not cut short: cancelled meanwhile, the caller is so when the work is done."""
    task, cancelled = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        task.exception()  # seen; the cancellation is what its caller waits for
        raise asyncio.CancelledError
    return task.result()
