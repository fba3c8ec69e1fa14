"""git over SSH: what a client may ask for, and the git that answers it, which talks to the connection itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass

from wherry.domain.errors import InvalidInput, NotFound, PlatformFault, PushRefused
from wherry.domain.names import APP_NAME
from wherry.domain.text import log_line
from wherry.sources import git
from wherry.sources.exchange import WHOLE_SECONDS
from wherry.sources.repositories import Repositories
from wherry.sources.transport import LOW_WATER, HookCall, Service

_COMMAND = re.compile(rf"(git-receive-pack|git-upload-pack) '/?({APP_NAME.pattern})\.git'")
LONGEST = 512
IDLE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Asked:
    service: Service
    app: str


def asked(command: str) -> Asked:
    """What git's own client sends, and nothing else. Raises InvalidInput, in one line."""
    match = _COMMAND.fullmatch(command) if len(command) <= LONGEST else None
    if match is None:
        raise InvalidInput("this takes git push and git fetch only, of an app's repository: NAME.git")
    return Asked(Service(match[1]), match[2])


class SshTransport:
    """`most` sessions at a time; more are asked to come again. One in which nothing comes or goes for `idle` seconds is
    ended: git itself has no such limit for a push, and whoever says nothing would hold a place for hours.
    """

    def __init__(self, repositories: Repositories, most: int = 16, idle: float = IDLE_SECONDS) -> None:
        self._repositories = repositories
        self._idle = idle
        self._free = threading.BoundedSemaphore(most)

    def serve(
        self, app_id: int, service: Service, hook: HookCall | None, incoming: socket.socket, outgoing: socket.socket
    ) -> list[str]:
        """Until git has ended; what it said on its stderr when it failed. Both sockets are git's from now on.

        Raises PushRefused, NotFound and PlatformFault before anything was sent.
        """
        push = service is Service.PUSH
        if push and hook is None:
            raise PlatformFault("a push came without the ticket that its hooks need")
        if push and self._repositories.free_bytes() < LOW_WATER:
            raise PushRefused("the platform's disk is nearly full, so it takes no pushes now. Tell its operator.")
        if not self._free.acquire(blocking=False):
            raise PlatformFault("too many pushes and fetches at once", hint="Try again in a moment.")
        with ExitStack() as held:
            held.callback(self._free.release)
            if not self._repositories.mend(app_id):
                raise NotFound("there is no repository here")
            lock = [held.enter_context(self._repositories.pushing(app_id))] if push else []
            said = self._run(self._argv(app_id, service), hook if push else None, lock, incoming, outgoing)
        if push:
            self._repositories.tend(app_id)
        return said

    def _argv(self, app_id: int, service: Service) -> list[str]:
        options = [] if service is Service.PUSH else ["--strict", f"--timeout={IDLE_SECONDS}"]
        return git.guarded(["git", service.removeprefix("git-"), *options, str(self._repositories.path(app_id))])

    def _run(
        self, argv: list[str], hook: HookCall | None, lock: list[int], incoming: socket.socket, outgoing: socket.socket
    ) -> list[str]:
        with tempfile.TemporaryFile() as errors:
            try:
                child = subprocess.Popen(
                    argv,
                    env=git.environment(hook.environ() if hook else {}),
                    stdin=incoming.fileno(),
                    stdout=outgoing.fileno(),
                    stderr=errors,
                    pass_fds=lock,
                    start_new_session=True,
                )
            except OSError as error:
                raise PlatformFault(f"cannot start git: {error}") from error
            with incoming, outgoing:
                code, ended = self._watched(child, incoming, outgoing)
            errors.seek(0)
            said = errors.read(1 << 13)
        return [*ended, *(log_line(line) for line in said.split(b"\n") if line)] if code else []

    def _watched(
        self, child: subprocess.Popen[bytes], incoming: socket.socket, outgoing: socket.socket
    ) -> tuple[int, list[str]]:
        """Its exit code, and why it was ended, if it was. The kernel keeps when bytes last came and went: git speaks every
        5 seconds (keepAlive) while it works.
        """
        until = time.monotonic() + WHOLE_SECONDS
        while True:
            quiet = min(_quiet(incoming), _quiet(outgoing))
            left = min(self._idle - quiet, until - time.monotonic())
            try:
                return child.wait(max(left, 0.0)), []
            except subprocess.TimeoutExpired:
                if min(_quiet(incoming), _quiet(outgoing)) < self._idle and time.monotonic() < until:
                    continue
            os.killpg(child.pid, signal.SIGKILL)
            return child.wait(), [f"nothing came or went for {self._idle:g} seconds, or it took too long altogether"]


def _quiet(link: socket.socket) -> float:
    """Seconds since bytes last went out on this connection or came in (struct tcp_info in tcp(7): last_data_sent and
    last_data_recv, milliseconds).
    """
    info = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 60)
    sent, received = struct.unpack_from("=I4xI", info, 44)
    return float(min(sent, received)) / 1000
