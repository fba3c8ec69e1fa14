"""A wire to the API server of a real cluster that can be cut, be slow, and show another certificate."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.cluster.cluster import Cluster

_PIECE = 65536


class Line:
    """`tries` are the times of connections while it is cut; `opened` counts all."""

    def __init__(self, host: str, port: int, trusted: str) -> None:
        """`trusted`: file of the authority of whom it leads to, for when it shows a certificate of its own."""
        self._target, self._trusted = (host, port), trusted
        self._whole, self._late = True, 0.0
        self._shown: ssl.SSLContext | None = None
        self._open: set[StreamWriter] = set()
        self.tries: list[float] = []
        self.opened = 0
        self._quick = asyncio.Event()
        self._quick.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listens = asyncio.start_server(self._come, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(listens, self._loop).result()
        self.port = int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        self._whole = False
        self._now(self._drop)

    def slow(self, seconds: float) -> None:
        """What the server says comes so much later, until `mend`, also on connections that are open."""
        self._late = seconds
        self._now(self._quick.clear)

    def mend(self) -> None:
        self._whole, self._late = True, 0.0
        self._now(self._quick.set)

    def show(self, certificate: Path, key: Path) -> None:
        """It speaks TLS itself from now on, by this certificate, to who comes anew; who is here is sent away."""
        self._shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._shown.load_cert_chain(certificate, key)
        self._now(self._drop)

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            self._drop()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for each in rest:
                each.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _now(self, act: Callable[[], None]) -> None:
        """On the loop's own thread; returns when it is done."""

        async def acting() -> None:
            act()

        asyncio.run_coroutine_threadsafe(acting(), self._loop).result()

    def _drop(self) -> None:
        for each in self._open:
            each.transport.abort()

    async def _come(self, near: StreamReader, to_near: StreamWriter) -> None:
        self.opened += 1
        if not self._whole:
            self.tries.append(time.monotonic())
            to_near.close()
            return
        self._open.add(to_near)
        with contextlib.suppress(OSError):
            await self._lead(near, to_near)
        to_near.transport.abort()
        self._open.discard(to_near)

    async def _lead(self, near: StreamReader, to_near: StreamWriter) -> None:
        trust = None
        if self._shown:
            await to_near.start_tls(self._shown)
            trust = ssl.create_default_context(cafile=self._trusted)
        far, to_far = await asyncio.open_connection(*self._target, ssl=trust)
        self._open.add(to_far)
        said: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        ways = [
            asyncio.create_task(each) for each in (_pump(near, to_far), _note(far, said), self._tell(said, to_near))
        ]
        try:
            await asyncio.wait([ways[0], ways[2]], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ways:
                each.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_far.transport.abort()
            self._open.discard(to_far)

    async def _tell(self, said: asyncio.Queue[tuple[float, bytes]], to_near: StreamWriter) -> None:
        while True:
            at, data = await said.get()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quick.wait(), max(at + self._late - time.monotonic(), 0.001))
            if not data:
                return
            to_near.write(data)
            await to_near.drain()


async def _note(far: StreamReader, said: asyncio.Queue[tuple[float, bytes]]) -> None:
    data = b"-"
    while data:
        try:
            data = await far.read(_PIECE)
        except OSError:
            data = b""
        said.put_nowait((time.monotonic(), data))


async def _pump(one: StreamReader, other: StreamWriter) -> None:
    while data := await one.read(_PIECE):
        other.write(data)
        await other.drain()


def line_to(cluster: Cluster, kubeconfig: Path, authority: str = "", **user: str) -> Line:
    """A line, and a kubeconfig that leads over it. `authority`: file beside it that has whom to trust, else the cluster's own;
    `user`: who asks, else the administrator.
    """
    found = yaml.safe_load(Path(cluster.kubeconfig).read_text())
    about = found["clusters"][0]["cluster"]
    host, _, port = about["server"].removeprefix("https://").partition(":")
    made = Line(host, int(port), about["certificate-authority"])
    about["server"], about["tls-server-name"] = f"https://127.0.0.1:{made.port}", host
    about["certificate-authority"] = authority or about["certificate-authority"]
    if user:
        found["users"][0]["user"] = user
    kubeconfig.write_text(yaml.safe_dump(found))
    return made
