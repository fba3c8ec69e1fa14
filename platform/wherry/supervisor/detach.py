"""`wherry up --detach`: starts the platform, shows how far it is, and goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from wherry.domain.errors import PlatformFault
from wherry.home import Home
from wherry.settings import Settings

Say = Callable[[str], None]
UP_MARK = "\0up\n"


def detach(settings: Settings, say: Say) -> None:
    """Starts `up` in a session of its own and returns when it is up; its progress is passed on until then.

    Raises PlatformFault when it ended instead.
    """
    reader, writer = os.pipe()
    Home(settings.folder).prepare()
    log = os.open(settings.folder / "log" / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, log, 1),
        (os.POSIX_SPAWN_DUP2, log, 2),
        (os.POSIX_SPAWN_DUP2, writer, 3),
    ]
    argv = [sys.executable, "-m", "wherry.supervisor", "up", "--progress-to", "3"]
    environ = {**os.environ, **settings.environ(), "PYTHONUNBUFFERED": "1"}
    os.posix_spawn(sys.executable, argv, environ, file_actions=actions, setsid=True)
    os.close(writer)
    os.close(log)
    up = False
    with os.fdopen(reader, encoding="utf-8") as progress:
        for line in progress:
            if line == UP_MARK:
                up = True
                break
            say(line.rstrip("\n"))
    if not up:
        raise PlatformFault("the platform did not come up", hint="To see what is wrong: wherry doctor")
