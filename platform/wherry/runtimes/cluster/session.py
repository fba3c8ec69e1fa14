"""Somebody talks to a program in a pod: to one of its own, or to one inside a process that runs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from threading import Event

from wherry.domain.errors import PlatformFault, WherryError
from wherry.flow.task_ports import Channel, Ended
from wherry.runtimes.cluster import channels, gates
from wherry.runtimes.cluster.channels import Stream
from wherry.runtimes.cluster.errors import HINT
from wherry.runtimes.cluster.talk import Pod, Talk

_END_OF_INPUT = b"\x04"  # as a terminal has it
STOPPED = Ended(143, "it was stopped")


class _Talked:
    """What goes to a program, whichever it is."""

    _stream: Stream
    _tty: bool

    def write(self, data: bytes) -> None:
        self._stream.write(data)

    def end_input(self) -> None:
        if self._tty:
            self._stream.write(_END_OF_INPUT)
        elif self._stream.can_end_input:
            self._stream.end_input()
        else:
            raise PlatformFault(
                "this cluster cannot end the input of a program: it needs Kubernetes 1.30 or later", hint=HINT
            )

    def resize(self, rows: int, columns: int) -> None:
        self._stream.resize(rows, columns)


class PodSession(_Talked):
    """A one-off's own pod, whose program waits for `mark`. `how`: waits for its end, None when the pod is gone.
    `take_away` stops and removes it.
    """

    def __init__(
        self,
        talk: Talk,
        pod: Pod,
        mark: str,
        tty: bool,
        how: Callable[[], Ended | None],
        take_away: Callable[[], None],
    ) -> None:
        """Raises PlatformFault."""
        self._talk, self._pod, self._tty = talk, pod, tty
        self._how, self._take_away = how, take_away
        self._gone = False
        self._stream = talk.attach(pod, tty=tty)
        self._stream.write(b"\n")
        self._output = _behind(gates.began(mark, takes=False), self._stream)

    def output(self) -> Iterator[tuple[Channel, bytes]]:
        return _named(self._output)

    def signal(self, name: str) -> None:
        with suppress(WherryError):  # what comes too late for a program that has ended is no fault
            self._talk.run(self._pod, gates.signal_all(name))

    def ended(self) -> Ended:
        how = self._how() or STOPPED
        self.close()
        return how

    def close(self) -> None:
        if not self._gone:
            self._take_away()
            self._gone = True
        self._stream.close()


class InnerSession(_Talked):
    """A program inside a pod that stays when it has ended. `runs`: whether that pod still does."""

    def __init__(
        self,
        talk: Talk,
        pod: Pod,
        argv: Sequence[str],
        env: Mapping[str, str],
        tty: bool,
        runs: Callable[[], bool],
    ) -> None:
        """Raises PlatformFault."""
        self._talk, self._pod, self._tty, self._runs = talk, pod, tty, runs
        self._mark = secrets.token_hex(16)
        self._stream = talk.execute(pod, gates.taking(self._mark, argv), tty=tty, stdin=True)
        self._stream.write(gates.environment(self._mark, {**env, gates.SESSION: self._mark}))
        self._output = _behind(gates.began(self._mark, takes=True), self._stream)
        self._over = Event()
        self._closed_by_us = False

    def output(self) -> Iterator[tuple[Channel, bytes]]:
        yield from _named(self._output)
        self._over.set()

    def signal(self, name: str) -> None:
        with suppress(WherryError):
            self._talk.run(self._pod, gates.signal(self._mark, name))

    def ended(self) -> Ended:
        if not self._over.is_set():
            for _ in self.output():
                pass  # nobody reads it any more, and the end comes behind it
        status = self._stream.status
        self._stream.close()
        code = channels.exit_code(status)
        if code is not None:
            return Ended(code)
        if status is not None:
            return Ended(126, str(status.get("message", "")))
        if self._closed_by_us or not self._runs():
            return STOPPED
        raise PlatformFault(f"the connection to {self._pod.name} was lost", hint=HINT)

    def close(self) -> None:
        try:
            if not self._over.is_set() and not self._closed_by_us:
                self._closed_by_us = True
                self.signal("HUP")
                self.signal("KILL")
        finally:
            self._stream.close()


def _behind(began: bytes, stream: Stream) -> Iterator[tuple[int, bytes]]:
    """Returns when the program has begun: from here on all that comes is its own, and all that is sent is for it."""
    output = stream.output()
    return chain(gates.pass_mark(began, output), output)


def _named(output: Iterator[tuple[int, bytes]]) -> Iterator[tuple[Channel, bytes]]:
    for which, data in output:
        yield Channel.ERR if which == channels.STDERR else Channel.OUT, data
