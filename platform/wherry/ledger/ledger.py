"""The ledger: begins transactions, leases jobs, wakes those who wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from wherry.domain.errors import PlatformFault
from wherry.domain.model import Job, JobKind
from wherry.ledger import engine as engines
from wherry.ledger import schema
from wherry.ledger.bell import Bell
from wherry.ledger.errors import translated
from wherry.ledger.line import dial, notify
from wherry.ledger.sealing import Sealing
from wherry.ledger.statements import Statements
from wherry.ledger.transaction import SqlTransaction


class SqlLedger:
    """The adapter of flow.ports.Ledger. Any number of threads may use one, and of processes: each opens its own.

    `bell_folder`: the same for all processes of a machine. `lease_seconds`: how long a silent worker keeps a job.
    """

    def __init__(self, url: str, master_key: bytes, bell_folder: Path, lease_seconds: float) -> None:
        self._url = url
        self._sealing = Sealing(master_key)
        self._bell_folder = bell_folder
        self._lease_seconds = lease_seconds
        self._inherited: list[object] = []
        self._open()

    def migrate(self) -> None:
        """Brings the tables to what this version needs. Raises PlatformFault for a database that is newer, or
        damaged.
        """
        schema.migrate(self._engine)

    @contextmanager
    def begin(self, *, read_only: bool = False) -> Iterator[SqlTransaction]:
        with self._alone(read_only):
            with translated():
                connection = self._engine.connect()
            try:
                with translated():
                    engines.begin(connection, read_only)
                tx = SqlTransaction(Statements(connection), self._sealing)
                yield tx
                with translated():
                    if tx.has_news and connection.dialect.name == "postgresql":
                        connection.execute(notify())
                    connection.commit()
            finally:
                connection.close()  # what is not committed is rolled back
        if tx.has_news:
            self._bell.ring()

    def claim(self, worker: str, kinds: Sequence[JobKind]) -> Job | None:
        self._last_seen()
        with self.begin() as tx:
            return tx.jobs.claim(worker, kinds, self._lease_seconds)

    def free(self, worker: str) -> None:
        with self.begin() as tx:
            tx.jobs.free(worker)

    def renew(self, job: Job) -> bool:
        with self.begin() as tx:
            return tx.jobs.renew(job, self._lease_seconds)

    def wait(self, seconds: float) -> None:
        """News since this thread's last wait ends (or, the first time, since its first claim) count, so none is
        missed between.
        """
        seen = self._last_seen()
        self._thread.seen = self._bell.wait(seen, seconds)

    def ring(self) -> None:
        self._bell.ring()

    def close(self) -> None:
        """Frees threads, files and connections. Nobody may be inside a transaction."""
        self._bell.close()
        self._engine.dispose()

    def _last_seen(self) -> int:
        if not hasattr(self._thread, "seen"):
            self._thread.seen = self._bell.count()
        return int(self._thread.seen)

    @property
    def _engine(self) -> Engine:
        if self._process != os.getpid():
            # A fork must not touch its parent's connections, not even to close them.
            self._inherited += [self._engine_here, self._bell]
            self._open()
        return self._engine_here

    def _open(self) -> None:
        self._process = os.getpid()
        self._engine_here = engine = engines.open_engine(self._url)
        is_postgres = engine.dialect.name == "postgresql"
        self._bell = Bell(self._bell_folder, (lambda: dial(engine)) if is_postgres else None)
        self._turn = threading.Lock()
        self._thread = threading.local()

    @contextmanager
    def _alone(self, read_only: bool) -> Iterator[None]:
        """Of one process's threads, one writes: handing over a lock is quicker and fairer than the database's
        retries.
        """
        if getattr(self._thread, "inside", False):
            raise RuntimeError("a transaction inside a transaction would wait for itself")
        if not read_only and not self._turn.acquire(timeout=engines.BUSY_SECONDS):
            raise PlatformFault("the database is busy: another thread has held it for 5 seconds")
        self._thread.inside = True
        try:
            yield
        finally:
            self._thread.inside = False
            if not read_only:
                self._turn.release()
