"""Somebody's terminal, or their pipe, and a one-off on the platform: bytes both ways until it ends.

One thread and one loop: the program that TLS is made of must not be used by two at once.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import ssl
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from types import FrameType
from urllib.parse import urlsplit

import click

from wherry.cli.errors import Answered, Unreachable
from wherry.domain import frames
from wherry.domain.frames import Frame, Kind
from wherry.domain.text import printable

_CONNECT_SECONDS = 15.0
_CHUNK = 32 * 1024
_FORCE = 4  # Ctrl-C so often in a row leaves a one-off that does not listen
_KEEP_ALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


def talk(url: str, fingerprint: str, with_tty: bool) -> int:
    """The exit code of what `url` attaches to. Raises Unreachable when the connection cannot be had or breaks, and
    Answered when the platform refuses.
    """
    parts = urlsplit(url)
    with _connected(parts.hostname or "", parts.port or 0, fingerprint) as connection:
        connection.sendall(f"{parts.path.lstrip('/')} {frames.DIALECT}\n".encode())
        with _signals(with_tty) as (wake, heard), _raw_terminal() if with_tty else _as_it_is():
            return _Talk(connection, wake, heard, with_tty).run()


class _Talk:
    """`heard`: the signals that came, each told by a byte in `wake`."""

    def __init__(self, connection: ssl.SSLSocket, wake: int, heard: list[int], with_tty: bool) -> None:
        self._connection, self._wake, self._heard, self._tty = connection, wake, heard, with_tty
        self._frames = frames.Frames()
        self._room = frames.WINDOW
        self._reading = True
        self._interrupts = 0

    def run(self) -> int:
        try:
            if self._tty:
                self._send(_size())
            while True:
                for kind, data in self._pieces():
                    if kind is Kind.ENDED:
                        return self._told(data)
                    self._show(kind, data)
        except (OSError, frames.BadFrame) as error:
            raise _broken(str(error) or type(error).__name__) from error

    def _pieces(self) -> list[Frame]:
        """What the door said, after a wait for it, for input, or for a signal."""
        # What TLS has taken off the wire already, select(2) does not know of.
        ready = [self._connection] if self._connection.pending() else self._wait()
        if self._wake in ready:
            self._pass_signals()
        if 0 in ready:
            self._pass_input()
        if self._connection not in ready:
            return []
        self._connection.settimeout(0)
        try:
            data = self._connection.recv(_CHUNK)
        except ssl.SSLWantReadError:
            return []  # what came was half a record, or one of TLS itself
        if not data:
            raise _broken("the platform closed it")
        return self._frames.feed(data)

    def _wait(self) -> list[ssl.SSLSocket | int]:
        waited: list[ssl.SSLSocket | int] = [self._connection, self._wake]
        if self._reading and self._room > 0:
            waited.append(0)
        return select.select(waited, [], [])[0]

    def _pass_input(self) -> None:
        data = os.read(0, min(_CHUNK, self._room))
        if not data:
            self._reading = False
            self._send(frames.frame(Kind.END))
            return
        self._room -= len(data)
        if self._tty:
            self._mind_interrupts(data)
        self._send(frames.frame(Kind.INPUT, data))

    def _pass_signals(self) -> None:
        os.read(self._wake, 1024)
        while self._heard:
            number = self._heard.pop(0)
            if number == signal.SIGWINCH:
                self._send(_size())
            else:
                self._interrupts += number == signal.SIGINT
                if self._interrupts >= _FORCE:
                    raise KeyboardInterrupt
                self._send(frames.frame(Kind.SIGNAL, signal.Signals(number).name.removeprefix("SIG").encode()))

    def _mind_interrupts(self, data: bytes) -> None:
        self._interrupts = self._interrupts + data.count(b"\x03") if data.strip(b"\x03") == b"" else 0
        if self._interrupts >= _FORCE:
            raise KeyboardInterrupt

    def _show(self, kind: Kind, data: bytes) -> None:
        match kind:
            case Kind.OUT:
                self._interrupts = self._interrupts if self._tty else 0
                _write(1, data)
            case Kind.ERR:
                _write(2, data)
            case Kind.TAKEN:
                self._room += frames.read_number(data)[0]
            case Kind.REFUSED:
                message, *more = data.decode("utf-8", "replace").split("\n")
                raise Answered("run_failed", message, more, "", "")
            case _:
                raise frames.BadFrame("no frame for a client")

    def _told(self, data: bytes) -> int:
        code, detail = frames.read_number(data)
        if detail:
            click.echo(f" !     {printable(detail, 500)}\r", err=True)
        return code & 0xFF

    def _send(self, data: bytes) -> None:
        self._connection.settimeout(None)
        self._connection.sendall(data)


@contextmanager
def _connected(host: str, port: int, fingerprint: str) -> Iterator[ssl.SSLSocket]:
    """The API, which we trust, said which certificate the door has; no authority is asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        plain = socket.create_connection((host, port), _CONNECT_SECONDS)
        connection = context.wrap_socket(plain, server_hostname=host)
    except OSError as error:
        raise Unreachable(
            f"there is no way to the one-off at {printable(host, 100)}:{port}",
            evidence=[str(error) or type(error).__name__],
            hint="This port (WHERRY_TERMINAL_PORT) must be open on the platform's machine: wherry status; in a cluster, the "
            "Service wherry-doors must lead there from outside: doors.type and doors.host of the chart",
        ) from error
    with connection:
        if sha256(connection.getpeercert(binary_form=True) or b"").hexdigest() != fingerprint:
            raise Unreachable(f"what answers at {printable(host, 100)}:{port} is not the platform: another certificate")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for name, value in _KEEP_ALIVE.items():
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        yield connection


@contextmanager
def _signals(with_tty: bool) -> Iterator[tuple[int, list[int]]]:
    """With a terminal, Ctrl-C is a byte of the input, and only its size is news; without, signals are passed on."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    heard: list[int] = []

    def hear(number: int, at: FrameType | None) -> None:
        heard.append(number)
        with suppress(BlockingIOError):
            os.write(writer, b"!")

    wanted = [signal.SIGWINCH] if with_tty else [signal.SIGINT, signal.SIGTERM]
    before = {number: signal.signal(number, hear) for number in wanted}
    try:
        yield reader, heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


@contextmanager
def _raw_terminal() -> Iterator[None]:
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


def _size() -> bytes:
    columns, rows = os.get_terminal_size(1)
    return frames.size(max(rows, 1), max(columns, 1))


def _write(descriptor: int, data: bytes) -> None:
    """Byte for byte: what a program of the user's own prints is theirs, on their terminal too."""
    (sys.stdout if descriptor == 1 else sys.stderr).flush()
    while data:
        data = data[os.write(descriptor, data) :]


def _broken(reason: str) -> Unreachable:
    return Unreachable("the connection to the one-off broke", evidence=[reason], hint="What ran there was stopped.")
