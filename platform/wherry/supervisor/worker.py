"""The worker process: jobs, and what the one of them that keeps the platform does besides (keeper.py)."""

from __future__ import annotations

import logging
import signal
import sys
from dataclasses import replace
from threading import Event

from wherry.domain.model import JobKind
from wherry.home import Home
from wherry.settings import Settings
from wherry.supervisor.keeper import Keeper
from wherry.supervisor.turn import turn
from wherry.wiring.worker import wire_worker


def main(settings: Settings) -> int:
    """Until SIGTERM. Returns the exit code."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    home = Home(settings.folder)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with turn(settings.folder / "run" / "worker.lock"):  # an earlier worker that is still ending must be gone first
        bench = wire_worker(settings, home)
        keeper = Keeper(bench)
        worker = replace(
            bench.worker,
            stories={**bench.worker.stories, JobKind.KEEP: keeper.run},
            slots={**bench.worker.slots, (JobKind.KEEP,): 1},
        )
        bench.ledger.free(worker.name)
        keeper.ask()
        worker.run(stop)
        bench.ledger.free(worker.name)  # another worker need not wait for the leases to end
    return 0
