"""The worker: takes jobs, keeps their leases while they run, stops builds that were cancelled."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock

from wherry.domain.errors import Conflict, PlatformFault
from wherry.domain.model import BuildStatus, Job, JobKind
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Cancel

log = logging.getLogger(__name__)
_STARTS = (JobKind.BUILD, JobKind.ROLLOUT, JobKind.DESTROY, JobKind.ROUTE)
"""What is made ready for the next build waits for these: somebody waits for them, and they end soon."""
_AFTER_BUILD = 2.0
"""Seconds. What a build made is released moments later, unless git or the pusher changed their mind; and an engine that
starts the next build's container meanwhile starts the app's the later.
"""
Story = Callable[[Job, Cancel], None]


@dataclass
class Worker:
    """`stories`: what each kind of job runs. `slots`: sets of kinds that share so many threads. `beat`: seconds
    between renewals. `prepare`: what can be done ahead; it is called when there is nothing else to do, at the start and
    after each job; after a build only when what it made has been rolled out, or nobody asks for that.
    """

    name: str
    ledger: Ledger
    stories: Mapping[JobKind, Story]
    slots: Mapping[tuple[JobKind, ...], int]
    beat: float
    prepare: Callable[[], None]
    _prepared: bool = False
    _quiet_until: float = 0.0
    _running: dict[int, tuple[Job, Cancel]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def run(self, stop: Event) -> None:
        """Until `stop`; then waits for nothing: what runs is taken over by the next worker."""
        with ThreadPoolExecutor(sum(self.slots.values()) + 1, "job") as pool:
            while not stop.is_set():
                while (kinds := self._free_kinds()) and (job := self.ledger.claim(self.name, kinds)):
                    self._begin(pool, job)
                self._tend()
                self.ledger.wait(self._make_ready(pool))
            self._cancel_all()

    def _free_kinds(self) -> tuple[JobKind, ...]:
        """What there is room for: asked for at once, since somebody waits for each answer of the ledger."""
        return tuple(kind for kinds, most in self.slots.items() if self._busy(kinds) < most for kind in kinds)

    def _busy(self, kinds: tuple[JobKind, ...]) -> int:
        with self._lock:
            return sum(job.kind in kinds for job, _ in self._running.values())

    def _make_ready(self, pool: ThreadPoolExecutor) -> float:
        """Seconds to wait for other work now."""
        with self._lock:
            if self._prepared or any(job.kind in _STARTS for job, _ in self._running.values()):
                return self.beat
            if (left := self._quiet_until - time.monotonic()) > 0:
                return min(left, self.beat)
            self._prepared = True
        pool.submit(self._prepare)
        return self.beat

    def _prepare(self) -> None:
        try:
            self.prepare()
        except PlatformFault as error:
            log.warning("nothing was made ready for the next build: %s", " | ".join(error.lines()))
        except Exception:
            log.exception("making ready for the next build failed in a way nobody foresaw")

    def _begin(self, pool: ThreadPoolExecutor, job: Job) -> None:
        cancel = Cancel()
        with self._lock:
            self._running[job.id] = (job, cancel)
        pool.submit(self._work, job, cancel)

    def _work(self, job: Job, cancel: Cancel) -> None:
        try:
            self.stories[job.kind](job, cancel)
        except Conflict as error:
            log.warning("%s %s: another worker has it: %s", job.kind, job.subject, error)
        except PlatformFault as error:
            log.warning("%s %s, attempt %s: %s", job.kind, job.subject, job.attempt, " | ".join(error.lines()))
        except Exception:
            log.exception("%s %s failed in a way nobody foresaw", job.kind, job.subject)
        finally:
            with self._lock:
                del self._running[job.id]
                self._prepared = False
                self._quiet_until = time.monotonic() + _AFTER_BUILD if job.kind is JobKind.BUILD else 0.0
            self.ledger.ring()

    def _tend(self) -> None:
        """Renews what runs; a job that is no longer ours, a build that was cancelled, and a converge that another job of
        its app waits for are told to stop.
        """
        with self._lock:
            running = list(self._running.values())
        for job, cancel in running:
            if not self.ledger.renew(job) or self._cancelled(job):
                cancel.cancel()

    def _cancelled(self, job: Job) -> bool:
        if job.kind not in (JobKind.BUILD, JobKind.CRON, JobKind.CONVERGE):
            return False
        with self.ledger.begin(read_only=True) as tx:
            if job.kind is JobKind.CONVERGE:
                return any(each.lane == job.lane and each.id != job.id for each in tx.jobs.waiting())
            if job.kind is JobKind.CRON:
                return tx.crons.run(job.subject).status.final
            return tx.builds.by_id(job.subject).status is BuildStatus.CANCELLED

    def _cancel_all(self) -> None:
        with self._lock:
            running = list(self._running.values())
        for _, cancel in running:
            cancel.cancel()
