"""A talk that is cut off: what it began has ended when it has."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from wherry.domain.errors import WherryError
from wherry.domain.frames import Kind
from wherry.domain.model import Actor
from wherry.domain.one_off import OneOff
from wherry.flow.task_ports import Channel, Ended
from wherry.terminal.talk import Talk

NOW = datetime(2026, 3, 1, tzinfo=UTC)


ACTOR = Actor(1, "ada@example.org", admin=False)
ONE_OFF = OneOff(1, 1, ACTOR, 1, "run", 4711, "basic", "true", {}, True, False, NOW, NOW + timedelta(hours=1))


class SlowToClose:
    """Of a session: says nothing until it is closed, which takes until it is `let_go`."""

    def __init__(self) -> None:
        self.closing, self.let_go, self.over = threading.Event(), threading.Event(), threading.Event()

    def output(self) -> Iterator[tuple[Channel, bytes]]:
        self.over.wait(60)
        yield from ()

    def ended(self) -> Ended:
        return Ended(137)

    def close(self) -> None:
        self.closing.set()
        self.let_go.wait(60)
        self.over.set()


class Gone:
    """Of a speech: its client went at once."""

    async def frames(self, one_off: OneOff) -> AsyncIterator[tuple[Kind, bytes]]:
        return
        yield

    async def end(self, how: Ended) -> None:
        raise AssertionError("nobody is there to be told")

    async def refuse(self, error: WherryError) -> None:
        raise AssertionError("nobody is there to be refused")


def test_a_talk_that_is_cut_off_while_it_ends_ends_all_the_same() -> None:
    session, pool = SlowToClose(), ThreadPoolExecutor(3)

    async def cut_off() -> None:
        loop = asyncio.get_running_loop()
        talk = Talk(ONE_OFF, session, Gone(), pool)  # type: ignore[arg-type]
        running = asyncio.create_task(talk.run(NOW))
        await loop.run_in_executor(None, session.closing.wait, 60)
        running.cancel()
        await asyncio.wait({running}, timeout=0.1)
        assert not running.done()
        session.let_go.set()
        await asyncio.wait({running}, timeout=60)
        assert running.cancelled()
        assert session.over.is_set()

    try:
        asyncio.run(cut_off())
    finally:
        session.let_go.set()
        session.over.set()
        pool.shutdown()
