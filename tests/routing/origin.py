"""An app to stand behind the router: one small HTTP server a process of an app, told by the path what to do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wherry.domain.workload import Endpoint

CHUNK = b"x" * 65536


class Origin:
    """Runs in a thread of its own. `gate`: what /hold and /drip wait for; `requests` counts what arrived."""

    def __init__(self, name: str, *, closes_idle: bool = False, idle: float | None = None) -> None:
        self.name = name
        self.requests = 0
        self._closes_idle = closes_idle
        self._idle = idle
        self.holding = threading.Semaphore(0)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.endpoint = Endpoint("127.0.0.1", self._socket.getsockname()[1])
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._started.wait(60)

    def open_gate(self, times: int = 1) -> None:
        for _ in range(times):
            self._loop.call_soon_threadsafe(self._gate.release)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)

    async def _run(self) -> None:
        self._loop, self._stop, self._gate = asyncio.get_running_loop(), asyncio.Event(), asyncio.Semaphore(0)
        server = await asyncio.start_server(self._serve, sock=self._socket)
        self._started.set()
        await self._stop.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError, ValueError, asyncio.CancelledError):
            pass  # the visitor, or the test, has gone
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), self._idle)
        self.requests += 1
        path = head.split(b" ", 2)[1].decode("latin-1")
        action = getattr(
            self, "_do_" + path.partition("?")[0].lstrip("/").split("/")[0].replace(".", ""), self._do_hello
        )
        return bool(await action(head, path, reader, writer)) and not self._closes_idle

    async def _do_hello(
        self, head: bytes, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        await self._body(head, reader)
        return _reply(writer, self.name.encode())

    async def _do_echo(
        self, head: bytes, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        return _reply(writer, head)

    async def _do_status(
        self, head: bytes, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        return _reply(writer, self.name.encode(), int(path.partition("?")[2]))

    async def _do_upload(
        self, head: bytes, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        return _reply(writer, (await self._body(head, reader)).encode())

    async def _do_download(
        self, head: bytes, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        size = int(path.partition("?")[2])
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        for _ in range(size // len(CHUNK)):
            writer.write(CHUNK)
            await writer.drain()
        return True

    async def _do_hold(
        self, head: bytes, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        self.holding.release()
        await self._gate.acquire()
        return _reply(writer, self.name.encode())

    async def _do_drip(
        self, head: bytes, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for number in range(3):
            writer.write(b"5\r\nline%d\r\n" % number)
            await self._gate.acquire()
        writer.write(b"0\r\n\r\n")
        return True

    async def _do_die(self, head: bytes, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        return False

    async def _do_garbage(
        self, head: bytes, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        writer.write(b"this is no HTTP\r\n\r\n")
        return False

    async def _do_ws(self, head: bytes, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        key = next(
            line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n")
        writer.write(b"sec-websocket-accept: %s\r\n\r\n" % accept)
        while data := await reader.read(4096):
            writer.write(data.upper())
        return False

    async def _body(self, head: bytes, reader: asyncio.StreamReader) -> str:
        """Reads it all, keeping only its length and digest."""
        length = _length(head)
        digest, seen = hashlib.sha256(), 0
        async for part in _parts(reader, length, b"chunked" in head.lower()):
            digest.update(part)
            seen += len(part)
        return f"{seen} {digest.hexdigest()}"


def _length(head: bytes) -> int:
    lines = (line.lower() for line in head.split(b"\r\n"))
    return next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)


async def _parts(reader: asyncio.StreamReader, length: int, chunked: bool):  # type: ignore[no-untyped-def]
    if not chunked:
        while length:
            part = await reader.readexactly(min(length, 65536))
            length -= len(part)
            yield part
        return
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)


def _reply(writer: asyncio.StreamWriter, body: bytes, status: int = 200) -> bool:
    head = b"HTTP/1.1 %d OK\r\nserver: tiny\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
    writer.write(head + body)
    return True


@contextmanager
def origins(*names: str, **options: object) -> Iterator[list[Origin]]:
    made = [Origin(name, **options) for name in names]  # type: ignore[arg-type]
    try:
        yield made
    finally:
        for each in made:
            each.close()
