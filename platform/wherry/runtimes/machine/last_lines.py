"""What a container wrote last goes to its app's log before the container, and the engine's copy, are removed."""

from __future__ import annotations

import logging
from itertools import islice

from docker.errors import NotFound

from wherry.domain.errors import PlatformFault
from wherry.flow.log_ports import AppLogs
from wherry.runtimes.flood import Flood
from wherry.runtimes.machine import lines
from wherry.runtimes.machine.engine import Engine, ended
from wherry.runtimes.machine.naming import Identity

log = logging.getLogger(__name__)
_AT_ONCE = 500


def keep(engine: Engine, container: str, logs: AppLogs) -> None:
    """Of one that has ended. The collector may bring the same lines: each is kept once. Raises docker's errors; a log
    that cannot be written stops no deploy.
    """
    try:
        found = engine.api.inspect_container(container)
    except NotFound:
        return
    who = Identity.of(found["Config"]["Labels"])
    if who is None or not lines.kept_by_the_engine(found) or found["State"]["Status"] == "created":
        return
    key = lines.key(container)
    try:
        mark = logs.mark(who.app_id, key)
        with ended(lines.open_after(engine, container, mark, follow=False)) as stream:
            rest = lines.entries(stream, key, who.process, mark, Flood(who.process, key))
            while batch := list(islice(rest, _AT_ONCE)):
                logs.append(who.app_id, batch)
    except PlatformFault as error:
        log.warning("the last lines of %s are lost: %s", who.name, " | ".join(error.lines()))
