"""git over SSH: what a client may ask for, and the git that answers it, which talks to the connection itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
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
_IDLE_SECONDS = 120


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
    """`most` sessions at a time; more are asked to come again."""

    def __init__(self, repositories: Repositories, most: int = 16) -> None:
        self._repositories = repositories
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
        options = [] if service is Service.PUSH else ["--strict", f"--timeout={_IDLE_SECONDS}"]
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
            incoming.close()
            outgoing.close()
            try:
                code = child.wait(WHOLE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                code = child.wait()
            errors.seek(0)
            said = errors.read(1 << 13)
        return [log_line(line) for line in said.split(b"\n") if line] if code else []
