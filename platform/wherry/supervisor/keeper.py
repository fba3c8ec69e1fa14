"""What one worker of the platform does besides its jobs, however many workers there are: it watches the runtime, keeps the
time of cron, tries the health checks, and tidies up.

Who does it is a job like any other, which never ends: its lease says whose it is, and when that worker dies or stops, the
next one claims it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

from wherry.domain.errors import WherryError
from wherry.domain.model import Job, JobKind
from wherry.flow.ports import Cancel
from wherry.routing.access import cap
from wherry.routing.process import place_of
from wherry.wiring.worker import Bench

log = logging.getLogger(__name__)
LANE = "keep"
RECONCILE_EVERY = 30.0
RUNTIME_PAUSE = 2.0
DOMAINS_EVERY = 600.0
CLOCK_SECONDS = 20.0  # a clock that was set is seen so soon


@dataclass(frozen=True)
class Keeper:
    bench: Bench

    def ask(self) -> None:
        """Makes the job be there. Two that ask at once make two, which is as good: their lane lets one run."""
        with self.bench.ledger.begin() as tx:
            if all(job.kind is not JobKind.KEEP for job in tx.jobs.waiting()):
                tx.jobs.add(JobKind.KEEP, 0, LANE)

    def run(self, job: Job, cancel: Cancel) -> None:
        """Until it is cancelled. A thread that waits for the runtime just then ends with the process, or after one more
        round, which does no harm: all that it does may be done twice.
        """
        stop = Event()
        cancel.on_cancel(stop.set)
        for work in (
            self._watch,
            self._keep_time,
            self._look_after,
            self._tidy,
            self._tidy_one_offs,
            self._look_at_domains,
        ):
            Thread(target=_again, args=(work, stop), name=work.__name__.strip("_"), daemon=True).start()
        stop.wait()

    def _watch(self, stop: Event) -> float:
        """The runtime's own events, from start to end, again and again: after each gap all is reconciled."""
        self.bench.reconcile.everything()
        self.bench.runtime.watch(self.bench.on_change, self.bench.one_off_changed.set)
        return RUNTIME_PAUSE

    def _keep_time(self, stop: Event) -> float:
        """Cron: the ledger's bell tells when the tasks of an app have changed."""
        pause = self.bench.cron.run()
        if pause != 0:
            self.bench.ledger.wait(min(pause or CLOCK_SECONDS, CLOCK_SECONDS))
        return 0.0

    def _look_after(self, stop: Event) -> float:
        """The liveness checks of everything that runs."""
        self.bench.runtime.look_after(stop, self.bench.on_unwell)
        return RUNTIME_PAUSE

    def _tidy(self, stop: Event) -> float:
        """What nobody else is there to do: pushes that were cut off, and the router's log before it fills the disk."""
        if not stop.wait(RECONCILE_EVERY):
            self.bench.reconcile.pushes()
            cap(place_of(self.bench.settings))
        return 0.0

    def _tidy_one_offs(self, stop: Event) -> float:
        """Whenever one begins or ends, and when the time of one is up."""
        changed = self.bench.one_off_changed
        changed.clear()
        next_due = self.bench.one_offs.run()
        changed.wait(RECONCILE_EVERY if next_due is None else min(next_due, RECONCILE_EVERY))
        return 0.0

    def _look_at_domains(self, stop: Event) -> float:
        """Whether their proofs are still there: each a day after the last look."""
        self.bench.domains.run()
        return DOMAINS_EVERY


def _again(work: Callable[[Event], float], stop: Event) -> None:
    """`work` returns the seconds until it is to begin again."""
    while not stop.is_set():
        try:
            pause = work(stop)
        except WherryError as error:
            log.warning("%s", " | ".join(error.lines()))
            pause = RUNTIME_PAUSE
        except Exception:
            log.exception("%s failed in a way nobody foresaw", work)
            pause = RUNTIME_PAUSE
        stop.wait(pause)
