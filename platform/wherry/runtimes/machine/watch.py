"""Tells when a process starts or ends by itself: the engine's event stream, less what this program does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from wherry.domain.errors import PlatformFault
from wherry.runtimes.machine import naming
from wherry.runtimes.machine.engine import Engine, ended
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.ours import Ours


def watch(
    engine: Engine, platform: str, ours: Ours, on_change: Callable[[int], None], on_one_off: Callable[[], None]
) -> None:
    """Calls `on_change(app id)`, or `on_one_off` for what is none of its processes, until the stream ends, as it does
    when the engine goes away.

    Raises PlatformFault when the engine does not answer at all, and what `on_change` raises.
    """
    with engine.doing("watch the processes"):
        filters = {**naming.of_platform(platform), "type": ["container"], "event": ["start", "die", "oom"]}
        events = engine.api.events(filters=filters, decode=True)
    with ended(events):
        while True:
            event = None
            with suppress(PlatformFault), engine.doing("watch the processes"):
                event = next(events, None)
            if event is None:
                return
            about = event["Actor"]["Attributes"]
            who = Identity.of(about)
            if naming.ONE_OFF in about:
                on_one_off()
            elif who and event["id"] not in ours:
                on_change(who.app_id)
