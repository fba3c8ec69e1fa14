"""The listener on the loopback, for hook/serve: one question, then the two connections are git's.

up:    SECRET up KEY LENGTH ADDRESS\\n and LENGTH bytes of what the client asked for; answered by "ok TOKEN\\n", or by
       "no\\n" and lines for the client
down:  SECRET down TOKEN\\n
"""

from __future__ import annotations

import errno
import hmac
import logging
import re
import secrets
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock

from wherry.api.git import hook_url
from wherry.api.tickets import PushTicket, Tickets
from wherry.domain.errors import WherryError
from wherry.domain.model import Actor, App
from wherry.domain.roles import Permission
from wherry.domain.secret import Secret
from wherry.flow.access import Access
from wherry.flow.keys import Keys
from wherry.settings import Settings
from wherry.sources.ssh_session import LONGEST, SshTransport, asked
from wherry.sources.transport import HookCall, Service

log = logging.getLogger(__name__)
AT_ONCE = 64
SECONDS = 10.0
_UP = re.compile(rb"([0-9a-f]{64}) up ([0-9]{1,18}) ([0-9]{1,3}) ([0-9A-Fa-f:.]{0,45})(?:%[a-z0-9]+)?")
_DOWN = re.compile(rb"([0-9a-f]{64}) down ([0-9a-f]{32})")
_LONGEST_LINE = 128
_PASSES = {errno.ECONNABORTED, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EPROTO}
"""Of accept(2): what one client, or the machine for a while, is to blame for."""
_PAUSE = 0.5


@dataclass
class Door:
    """`secret`: what proves that a connection is from hook/serve."""

    settings: Settings
    access: Access
    keys: Keys
    transport: SshTransport
    tickets: Tickets
    secret: str
    _expected: dict[bytes, SimpleQueue[socket.socket]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def serve(self, listener: socket.socket) -> None:
        """Until the listener is closed."""
        with ThreadPoolExecutor(AT_ONCE, "ssh") as pool:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError as error:
                    if error.errno not in _PASSES:
                        return
                    log.warning("a session of git over SSH could not be taken: %s", error)
                    time.sleep(_PAUSE)  # its client waits in the queue; asked at once, the answer would be the same
                else:
                    pool.submit(self._met, connection)

    def _met(self, connection: socket.socket) -> None:
        """The door's one catch."""
        try:
            connection.settimeout(SECONDS)
            self._heard(connection)
        except (OSError, TimeoutError) as error:
            log.info("a session ended before it began: %s", error or type(error).__name__)
        except Exception:
            log.exception("a session of git over SSH failed in a way nobody foresaw")
        finally:
            connection.close()

    def _heard(self, connection: socket.socket) -> None:
        line = _line(connection)
        if match := _DOWN.fullmatch(line):
            self._prove(match[1])
            with self._lock:
                waiting = self._expected.get(match[2])
            if waiting is not None:
                waiting.put(connection.dup())
        elif match := _UP.fullmatch(line):
            self._prove(match[1])
            question = _exactly(connection, min(int(match[3]), LONGEST))
            origin = f"git over ssh from {match[4].decode() or 'nowhere'}"
            self._answered(connection, int(match[2]), question.decode("utf-8", "backslashreplace"), origin)

    def _prove(self, secret: bytes) -> None:
        if not hmac.compare_digest(secret, self.secret.encode()):
            raise ConnectionRefusedError("it is not from the forced command")

    def _answered(self, connection: socket.socket, key: int, question: str, origin: str) -> None:
        try:
            wanted = asked(question)
            actor = self.keys.actor(key)
            needed = Permission.CODE if wanted.service is Service.FETCH else Permission.DEPLOY
            app = self.access.app(actor, wanted.app, needed)
        except WherryError as error:
            self._refuse(connection, error)
            return
        hook = self._hook(actor, app, origin) if wanted.service is Service.PUSH else None
        said = self._with_down(connection, lambda down: self._git(app, wanted.service, hook, connection, down))
        for line in said:
            log.warning("git for %s of %s: %s", actor.email, app.name, line)

    def _with_down(self, up: socket.socket, then: Callable[[socket.socket], list[str]]) -> list[str]:
        token, arrived = secrets.token_hex(16).encode(), SimpleQueue[socket.socket]()
        with self._lock:
            self._expected[token] = arrived
        try:
            up.sendall(b"ok " + token + b"\n")
            down = arrived.get(timeout=SECONDS)
        except Empty:
            raise TimeoutError("the second connection did not come") from None
        finally:
            with self._lock:
                del self._expected[token]
        with down:
            return then(down)

    def _git(
        self, app: App, service: Service, hook: HookCall | None, up: socket.socket, down: socket.socket
    ) -> list[str]:
        for each in (up, down):
            each.settimeout(None)  # which also makes them block, as git expects
        try:
            return self.transport.serve(app.id, service, hook, up, down)
        except WherryError as error:
            down.sendall(_packet("ERR " + " ".join(error.lines())))
            return error.lines()

    def _hook(self, actor: Actor, app: App, origin: str) -> HookCall:
        marker = secrets.token_hex(16)
        ticket = PushTicket(app.id, actor.email, marker, origin)
        return HookCall(hook_url(self.settings), Secret(self.tickets.for_push(ticket)), marker)

    def _refuse(self, connection: socket.socket, error: WherryError) -> None:
        log.info("%s", " | ".join(error.lines()))
        connection.sendall("".join(f"{line}\n" for line in ("no", *error.lines())).encode())


def _line(connection: socket.socket) -> bytes:
    """Byte by byte: what follows is not ours to read."""
    read = b""
    while not read.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte or len(read) > _LONGEST_LINE:
            raise ConnectionError("no question")
        read += byte
    return read[:-1]


def _exactly(connection: socket.socket, count: int) -> bytes:
    read = b""
    while len(read) < count:
        chunk = connection.recv(count - len(read))
        if not chunk:
            raise ConnectionError("no question")
        read += chunk
    return read


def _packet(text: str) -> bytes:
    """A line of git's protocol (gitprotocol-pack(5), "pkt-line Format"); its client shows what follows ERR."""
    content = text.encode()[:60_000] + b"\n"
    return f"{len(content) + 4:04x}".encode() + content
