"""The worker process: jobs, the half-minute reconcile, and an eye on the engine."""

from __future__ import annotations

import fcntl
import logging
import signal
import sys
from threading import Event, Thread

from wherry.domain.errors import WherryError
from wherry.home import Home
from wherry.routing.access import cap
from wherry.routing.process import place_of
from wherry.settings import Settings
from wherry.wiring import Bench, wire_worker

log = logging.getLogger(__name__)
RECONCILE_EVERY = 30.0
ENGINE_PAUSE = 2.0
CLOCK_SECONDS = 20.0  # a clock that was set is seen so soon


def main(settings: Settings) -> int:
    """Until SIGTERM. Returns the exit code."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    home = Home(settings.folder)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with (settings.folder / "run" / "worker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # an earlier worker that is still ending must be gone first
        bench = wire_worker(settings, home)
        bench.ledger.free(bench.worker.name)
        Thread(target=_watch_engine, args=(bench, stop), name="engine", daemon=True).start()
        Thread(target=_keep_time, args=(bench, stop), name="cron", daemon=True).start()
        Thread(target=_look_after, args=(bench, stop), name="health", daemon=True).start()
        Thread(target=_tidy, args=(bench, stop), name="tidy", daemon=True).start()
        Thread(target=_tidy_one_offs, args=(bench, stop), name="one-offs", daemon=True).start()
        bench.worker.run(stop)
    return 0


def _watch_engine(bench: Bench, stop: Event) -> None:
    """The engine's event stream, from start to end, again and again: after each gap all is reconciled."""
    while not stop.is_set():
        try:
            bench.reconcile.everything()
            bench.runtime.watch(bench.on_change, bench.one_off_changed.set)
        except WherryError as error:
            log.warning("%s", " | ".join(error.lines()))
        stop.wait(ENGINE_PAUSE)


def _keep_time(bench: Bench, stop: Event) -> None:
    """Cron: the ledger's bell tells when the tasks of an app have changed."""
    while not stop.is_set():
        pause: float | None = ENGINE_PAUSE
        try:
            pause = bench.cron.run()
        except WherryError as error:
            log.warning("%s", " | ".join(error.lines()))
        if pause != 0:
            bench.ledger.wait(min(pause or CLOCK_SECONDS, CLOCK_SECONDS))


def _look_after(bench: Bench, stop: Event) -> None:
    """The liveness checks of everything that runs."""
    while not stop.is_set():
        try:
            bench.runtime.look_after(stop, bench.on_unwell)
        except WherryError as error:
            log.warning("%s", " | ".join(error.lines()))
        stop.wait(ENGINE_PAUSE)


def _tidy(bench: Bench, stop: Event) -> None:
    """What nobody else is there to do: pushes that were cut off, and the router's log before it fills the disk."""
    while not stop.wait(RECONCILE_EVERY):
        try:
            bench.reconcile.pushes()
            cap(place_of(bench.settings))
        except WherryError as error:
            log.warning("%s", " | ".join(error.lines()))


def _tidy_one_offs(bench: Bench, stop: Event) -> None:
    """Whenever one begins or ends, and when the time of one is up."""
    while not stop.is_set():
        bench.one_off_changed.clear()
        try:
            next_due = bench.one_offs.run()
        except WherryError as error:
            log.warning("%s", " | ".join(error.lines()))
            next_due = RECONCILE_EVERY
        bench.one_off_changed.wait(RECONCILE_EVERY if next_due is None else min(next_due, RECONCILE_EVERY))
