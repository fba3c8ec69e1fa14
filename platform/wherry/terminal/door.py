"""The listener: TLS, the first line, and a talk for each client."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from wherry.certificate import Certificate
from wherry.domain.errors import Unauthorized, WherryError
from wherry.domain.frames import DIALECT
from wherry.domain.secret import Secret
from wherry.flow.ports import Clock
from wherry.flow.run import AttachOneOff
from wherry.terminal.speech import Framed, Raw, Speech
from wherry.terminal.talk import Talk, to_the_end

log = logging.getLogger(__name__)
MOST_CLIENTS = 200
GREETING_SECONDS = 15.0
_FIRST_LINE = re.compile(rb"([A-Za-z0-9_-]{20,100})( [a-z]+/[0-9]+)?\r?\n")
# A client whose machine has vanished is noticed after about two minutes.
_KEEP_ALIVE = {socket.TCP_KEEPIDLE: 60, socket.TCP_KEEPINTVL: 15, socket.TCP_KEEPCNT: 4}


@dataclass
class Door:
    story: AttachOneOff
    clock: Clock
    certificate: Certificate
    _talks: set[asyncio.Task[None]] = field(default_factory=set)
    # A session takes up to three threads: its output, its input, and what is asked in between.
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(3 * MOST_CLIENTS, "terminal"))

    async def serve(self, host: str, port: int, stop: asyncio.Event) -> None:
        """Until `stop`; then whoever still talks is cut off, and what they ran ends."""
        server = await asyncio.start_server(
            self._accept, host, port, ssl=self._tls(), ssl_handshake_timeout=GREETING_SECONDS
        )
        async with server:
            await stop.wait()
            server.close()
            for talk in self._talks:
                talk.cancel()
            await asyncio.gather(*self._talks, return_exceptions=True)
        self._pool.shutdown()

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate.chain, self.certificate.key)
        return context

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk
        if len(self._talks) >= MOST_CLIENTS:
            log.warning("more than %s clients at once: one more was sent away", MOST_CLIENTS)
            writer.close()
            return
        self._talks.add(talk)
        try:
            _keep_alive(writer)
            await self._welcome(reader, writer)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            log.info("a client went before it said what it wants: %s", error or type(error).__name__)
        finally:
            self._talks.discard(talk)
            writer.close()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await asyncio.wait_for(reader.readuntil(b"\n"), GREETING_SECONDS)
        match = _FIRST_LINE.fullmatch(line)
        speech: Speech = Framed(reader, writer) if match and match[2] == f" {DIALECT}".encode() else Raw(reader, writer)
        await speech.greet()
        try:
            if match is None:
                raise Unauthorized("this door takes the sessions of: wherry run COMMAND")
            await self._talk(Secret(match[1].decode()), speech)
        except WherryError as error:
            log.info("%s", " | ".join(error.lines()))
            await speech.refuse(error)
        except OSError as error:
            log.info("a client went: %s", error)

    async def _talk(self, word: Secret, speech: Speech) -> None:
        loop = asyncio.get_running_loop()
        opening = asyncio.ensure_future(loop.run_in_executor(self._pool, self.story.open, word))
        try:
            one_off, session = await asyncio.shield(opening)
        except asyncio.CancelledError:
            one_off, session = await opening  # it was begun, so it is ended too
            await loop.run_in_executor(self._pool, session.close)
            await loop.run_in_executor(self._pool, self.story.over, one_off, None)
            raise
        how = None
        try:
            how = await Talk(one_off, session, speech, self._pool).run(self.clock.now())
        finally:
            await to_the_end(loop.run_in_executor(self._pool, self.story.over, one_off, how))


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for option, value in _KEEP_ALIVE.items():
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
