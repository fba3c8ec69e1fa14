"""The ledger: begins transactions, leases jobs, wakes those who wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wherry.domain.chain import Head
from wherry.domain.errors import PlatformFault
from wherry.domain.model import Job, JobKind
from wherry.ledger import engine as engines
from wherry.ledger import schema
from wherry.ledger.bell import Bell
from wherry.ledger.errors import translated
from wherry.ledger.heads import Heads
from wherry.ledger.line import dial, notify
from wherry.ledger.sealing import Sealing
from wherry.ledger.statements import Statements
from wherry.ledger.transaction import SqlTransaction


class SqlLedger:
    """The adapter of flow.ports.Ledger. Any number of threads may use one, and of processes: each opens its own.

    `bell_folder`: the same for all processes of a machine. `lease_seconds`: how long a silent worker keeps a job.
    `heads`: the file for heads of the chain of events, None to keep none.
    """

    def __init__(
        self, url: str, master_key: bytes, bell_folder: Path, lease_seconds: float, heads: Path | None = None
    ) -> None:
        self._url = url
        self._sealing = Sealing(master_key)
        self._bell_folder = bell_folder
        self._lease_seconds = lease_seconds
        self._heads = Heads(heads) if heads else None
        self._opened = [_Opened(url, bell_folder)]

    def migrate(self) -> None:
        """Brings the tables to what this version needs. Raises PlatformFault for a database that is newer, or
        damaged.
        """
        schema.migrate(self._here.engine)

    @contextmanager
    def begin(self, *, read_only: bool = False) -> Iterator[SqlTransaction]:
        here = self._here
        with here.alone(read_only):
            with translated():
                connection = here.engine.connect()
            try:
                with translated():
                    engines.begin(connection, read_only)
                tx = SqlTransaction(Statements(connection), self._sealing)
                yield tx
                with translated():
                    if tx.has_news and here.is_postgres:
                        connection.execute(notify())
                    connection.commit()
            finally:
                connection.close()  # what is not committed is rolled back
        if tx.has_news:
            here.bell.ring()
        if self._heads and tx.events.head:
            self._heads.keep(tx.events.head)

    def claim(self, worker: str, kinds: Sequence[JobKind]) -> Job | None:
        self._here.last_seen()
        with self.begin() as tx:
            return tx.jobs.claim(worker, kinds, self._lease_seconds)

    def free(self, worker: str) -> None:
        with self.begin() as tx:
            tx.jobs.free(worker)

    def renew(self, job: Job) -> bool:
        with self.begin() as tx:
            return tx.jobs.renew(job, self._lease_seconds)

    def wait(self, seconds: float) -> None:
        """News since this thread's last wait ended (the first time: since its first claim) counts, so none is missed
        between.
        """
        here = self._here
        here.thread.seen = here.bell.wait(here.last_seen(), seconds)

    def ring(self) -> None:
        self._here.bell.ring()

    def heads(self) -> Iterator[Head]:
        return self._heads.read() if self._heads else iter(())

    def close(self) -> None:
        """Frees threads, files and connections. Nobody may be inside a transaction."""
        self._here.bell.close()
        self._here.engine.dispose()

    @property
    def _here(self) -> _Opened:
        if self._opened[-1].process != os.getpid():
            # We are in a fork, which must not touch its parent's connections, not even to close them: they stay
            # referenced.
            self._opened.append(_Opened(self._url, self._bell_folder))
        return self._opened[-1]


class _Opened:
    """What one process has of a ledger."""

    def __init__(self, url: str, bell_folder: Path) -> None:
        self.process = os.getpid()
        self.engine = engine = engines.open_engine(url)
        self.is_postgres = engine.dialect.name == "postgresql"
        self.bell = Bell(bell_folder, (lambda: dial(engine)) if self.is_postgres else None)
        self.thread = threading.local()
        self._turn = threading.Lock()

    def last_seen(self) -> int:
        """The bell's count when this thread last looked."""
        if not hasattr(self.thread, "seen"):
            self.thread.seen = self.bell.count()
        return int(self.thread.seen)

    @contextmanager
    def alone(self, read_only: bool) -> Iterator[None]:
        """Of one process's threads, one writes: handing over a lock is quicker and fairer than the database's
        retries.
        """
        if getattr(self.thread, "inside", False):
            raise RuntimeError("a transaction inside a transaction would wait for itself")
        if not read_only and not self._turn.acquire(timeout=engines.BUSY_SECONDS):
            raise PlatformFault("the database is busy: another thread has held it for 5 seconds")
        self.thread.inside = True
        try:
            yield
        finally:
            self.thread.inside = False
            if not read_only:
                self._turn.release()
