"""One git process between two streams: the request's body into it, its answer out of it, in constant memory.

Both ways at once, in the thread of the request: while git takes a chunk, what it says is passed on.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

from wherry.domain.errors import PlatformFault
from wherry.domain.text import log_line
from wherry.sources.body import CHUNK, BadBody, Body

log = logging.getLogger(__name__)

IDLE_SECONDS = 120.0  # git says something every 5 seconds (keepAlive), so a silent one is stuck
WHOLE_SECONDS = 6 * 3600.0  # a push waits for its build, and that one for others
STOP_SECONDS = 5.0

_MOST_HEAD = 1 << 14
_MOST_ERRORS = 1 << 13
_HEAD_END = b"\r\n\r\n"


class Stuck(Exception):
    """git said nothing for too long, or took too long altogether."""


class Cut(Exception):
    """The answer is not whole. A server that lets this pass closes the connection without its proper end, and must:
    clients of git wait for ever behind an answer to a push that ends well between two packets, but too early.
    """


class Exchange:
    """Iterate over the answer (it raises Cut), and `close` in any case. With `outlives`, a client that goes away after its whole
    request was read does not stop git: a push is stored and released whether someone watches or not.

    `on_end` runs once, after git's end.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        body: Body,
        *,
        descriptors: Sequence[int] = (),
        outlives: bool = False,
        on_end: Callable[[], None],
    ) -> None:
        self._body = body
        self._outlives = outlives
        self._on_end = on_end
        self._until = time.monotonic() + WHOLE_SECONDS
        self._errors = b""
        self._fed = self.ended = False
        self._child = _start(argv, environ, descriptors)
        pipes = (self._child.stdin, self._child.stdout, self._child.stderr)
        self._in, self._out, self._err = (pipe.fileno() for pipe in pipes if pipe)
        self._open = {self._out, self._err}
        self._poll = select.poll()
        for descriptor in (self._in, self._out, self._err):
            os.set_blocking(descriptor, False)
        for descriptor in self._open:
            self._poll.register(descriptor, select.POLLIN)
        self._answer = self._both_ways(b"")

    def head(self) -> dict[str, str]:
        """The CGI header, names in lower case; git writes it before it reads. Raises PlatformFault."""
        read = b""
        while _HEAD_END not in read:
            if self._out not in self._open or len(read) > _MOST_HEAD:
                self._end(kill=True)
                raise PlatformFault("git gave no answer", evidence=self._said())
            read += self._wait(IDLE_SECONDS)[0]
        head, _, first = read.partition(_HEAD_END)
        self._answer = self._both_ways(first)
        fields = (line.partition(":") for line in head.decode("latin-1").split("\r\n"))
        return {name.lower(): value.strip() for name, _, value in fields}

    def __iter__(self) -> Iterator[bytes]:
        return self._answer

    def close(self) -> None:
        """May be called again."""
        self._answer.close()
        if self.ended:
            return
        if self._fed and self._outlives:
            log.info("the client of a push went away; the push goes on")
            threading.Thread(target=self._finish_alone, name="push", daemon=True).start()
        else:
            self._end(kill=True)

    def _both_ways(self, first: bytes) -> Generator[bytes]:
        try:
            if first:
                yield first
            if not self._fed:
                yield from self._feed()
            yield from self._rest()
        except (BadBody, Stuck) as error:
            self._end(kill=True)
            raise Cut(str(error)) from error
        if code := self._end():
            raise Cut(" / ".join([f"git's HTTP transport ended with {code}", *self._said()]))

    def _feed(self) -> Iterator[bytes]:
        """A git that ends early must not leave its client in the middle of a sentence: the rest is read past it."""
        listening = True
        for chunk in self._body.chunks():
            view = memoryview(chunk)
            while view and listening:
                said, takes = self._wait(IDLE_SECONDS, writing=True)
                if said:
                    yield said
                if takes:
                    try:
                        view = view[os.write(self._in, view) :]
                    except BrokenPipeError:
                        listening = False
        self._hang_up()
        self._fed = True

    def _rest(self) -> Iterator[bytes]:
        while self._out in self._open:
            said, _ = self._wait(IDLE_SECONDS)
            if said:
                yield said

    def _wait(self, seconds: float, *, writing: bool = False) -> tuple[bytes, bool]:
        """(what git said, whether it takes more). Raises Stuck."""
        if writing:
            self._poll.register(self._in, select.POLLOUT)
        events = dict(self._poll.poll(max(0.0, min(seconds, self._until - time.monotonic())) * 1000))
        if writing:
            self._poll.unregister(self._in)
        if not events:
            raise Stuck("no word from git in time")
        said = b""
        for descriptor in self._open & events.keys():
            read = os.read(descriptor, CHUNK)
            if not read:
                self._poll.unregister(descriptor)
                self._open.discard(descriptor)
            elif descriptor == self._out:
                said = read
            else:
                self._errors = (self._errors + read)[-_MOST_ERRORS:]
        return said, self._in in events

    def _hang_up(self) -> None:
        if self._child.stdin:
            self._child.stdin.close()

    def _finish_alone(self) -> None:
        try:
            for _ in self._both_ways(b""):
                pass
        except Cut as error:
            log.warning("a push without a client: %s", error)

    def _end(self, kill: bool = False) -> int:
        self.ended = True
        self._hang_up()
        try:
            code = self._child.wait(0 if kill else STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._stop()
            code = self._child.wait()
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe:
                pipe.close()
        self._on_end()
        return code

    def _stop(self) -> None:
        """SIGTERM first: git then takes its locks off the refs. All that store something hold the output pipe."""
        for strike in (signal.SIGTERM, signal.SIGKILL):
            os.killpg(self._child.pid, strike)
            try:
                while self._out in self._open:
                    self._wait(STOP_SECONDS)
            except Stuck:
                continue
            return

    def _said(self) -> list[str]:
        return [log_line(line) for line in self._errors.split(b"\n") if line]


def _start(argv: Sequence[str], environ: Mapping[str, str], descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    """In a session of its own, so that all of it can be stopped at once."""
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environ,
            pass_fds=descriptors,
            start_new_session=True,
        )
    except OSError as error:
        raise PlatformFault(f"cannot start git's HTTP transport: {error}") from error
