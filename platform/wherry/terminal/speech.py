"""The two dialects of the door, as one: what the client says, and how it is answered."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from typing import Protocol

from wherry.domain.errors import WherryError
from wherry.domain.frames import Frame, Frames, Kind, frame, number
from wherry.domain.one_off import OneOff
from wherry.flow.task_ports import Channel, Ended

_CHUNK = 32 * 1024
_END_OF_INPUT = b"\x04"


class Speech(Protocol):
    async def greet(self) -> None: ...

    def frames(self, one_off: OneOff) -> AsyncIterator[Frame]:
        """What the client says, until it goes. Raises BadFrame."""

    async def pass_on(self, channel: Channel, data: bytes) -> None: ...

    async def taken(self, count: int) -> None:
        """So many bytes of input were written."""

    async def end(self, how: Ended) -> None: ...

    async def refuse(self, error: WherryError) -> None: ...


class Framed:
    """Ours."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def greet(self) -> None:
        """Our client needs none."""

    async def frames(self, one_off: OneOff) -> AsyncIterator[Frame]:
        frames = Frames()
        while data := await self._reader.read(_CHUNK):
            for each in frames.feed(data):
                yield each

    async def pass_on(self, channel: Channel, data: bytes) -> None:
        await self._send(frame(Kind.OUT if channel is Channel.OUT else Kind.ERR, data))

    async def taken(self, count: int) -> None:
        await self._send(number(Kind.TAKEN, count))

    async def end(self, how: Ended) -> None:
        await self._send(number(Kind.ENDED, how.code, how.detail))

    async def refuse(self, error: WherryError) -> None:
        await self._send(frame(Kind.REFUSED, "\n".join(error.lines()).encode()))

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


class Raw:
    """Heroku's: a line as greeting, which its client throws away with whatever comes in the same piece; then bytes."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def greet(self) -> None:
        await self._send(b"rendezvous\r\n")

    async def frames(self, one_off: OneOff) -> AsyncIterator[Frame]:
        """Without a terminal, its client marks the end of the input by the byte that a terminal has for it."""
        while data := await self._reader.read(_CHUNK):
            ends = not one_off.tty and data.endswith(_END_OF_INPUT)
            if data := data[:-1] if ends else data:
                yield Kind.INPUT, data
            if ends:
                yield Kind.END, b""

    async def pass_on(self, channel: Channel, data: bytes) -> None:
        await self._send(data)

    async def taken(self, count: int) -> None:
        """Its client does not ask."""

    async def end(self, how: Ended) -> None:
        if how.detail:
            await self._send(f" !     {how.detail}\r\n".encode())

    async def refuse(self, error: WherryError) -> None:
        await self._send("".join(f" !     {line}\r\n" for line in error.lines()).encode())

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
