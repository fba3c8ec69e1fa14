"""The logs process: keeps what the apps, the router and the platform say, in one log an app, and sends it on: to drains,
and to webhooks what happened.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from threading import Event, Thread

from wherry.api.announce import Announcements
from wherry.domain.errors import WherryError
from wherry.home import Home
from wherry.settings import Settings
from wherry.supervisor.turn import turn
from wherry.wiring.scribe import Scribe, wire_scribe

log = logging.getLogger(__name__)
PAUSE = 2.0
LOOK = 15.0  # the ledger's bell wakes us long before
_NICE = 5  # a flood of one app must not slow the pages and the builds


def main(settings: Settings) -> int:
    """Until SIGTERM. Returns the exit code."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    home = Home(settings.folder)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    os.nice(_NICE)
    with turn(settings.folder / "app-logs.lock"):  # one writes, of however many; another machine's may be it
        scribe = wire_scribe(settings, home, Announcements(settings, home.secret("tickets.key")))
        works = {"engine": scribe.collector.run, "events": lambda: _events(scribe, stop)}
        if scribe.router:
            works["router"] = scribe.router.run
        threads = [Thread(target=_again, args=(work, stop), name=name, daemon=True) for name, work in works.items()]
        for thread in threads:
            thread.start()
        stop.wait()
        scribe.collector.close()
        scribe.drains.close()
        scribe.states.close()
        scribe.couriers.close()
        if scribe.router:
            scribe.router.close()
        scribe.ledger.ring()
        for thread in threads:
            thread.join(5)
    return 0


def _again(work: Callable[[], None], stop: Event) -> None:
    """Each work ends by itself only when what it follows is gone."""
    while not stop.is_set():
        try:
            work()
        except WherryError as error:
            log.warning("%s", " | ".join(error.lines()))
        except Exception:
            log.exception("%s failed in a way nobody foresaw", work)
        stop.wait(PAUSE)


def _events(scribe: Scribe, stop: Event) -> None:
    scribe.ledger.wait(0)  # from here on no news is missed
    while not stop.is_set():
        scribe.tell.run()
        scribe.drains.refresh()
        scribe.states.refresh()
        scribe.news.run()
        pause = scribe.couriers.refresh()
        scribe.ledger.wait(LOOK if pause is None else min(pause, LOOK))
