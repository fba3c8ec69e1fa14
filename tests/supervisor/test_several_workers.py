"""Several workers on one database, as on several machines: each job has one worker, and what a worker leaves, another
takes over.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from wherry.domain.model import JobKind
from wherry.ledger.ledger import SqlLedger

from tests.ledger.conftest import KEY, NewLedger, kind, new_ledger, url
from tests.runtimes.machine_world import eventually

__all__ = ["kind", "new_ledger", "url"]

PROGRAM = """
import signal, sys
from pathlib import Path
from threading import Event
from wherry.domain.model import JobKind
from wherry.flow.work import Worker
from wherry.ledger.ledger import SqlLedger

url, key, folder, name, lease = sys.argv[1:]
ledger = SqlLedger(url, bytes.fromhex(key), Path(folder), float(lease))
stop = Event()
signal.signal(signal.SIGTERM, lambda *_: (stop.set(), ledger.ring()))

def until_told(job, cancel):
    print(f"{job.kind} {job.subject}", flush=True)
    told = Event()
    cancel.on_cancel(told.set)
    told.wait()

stories = {JobKind.KEEP: until_told, JobKind.ROLLOUT: until_told}
worker = Worker(name, ledger, stories, {(JobKind.KEEP,): 1, (JobKind.ROLLOUT,): 4}, float(lease) / 3, lambda: None)
print("ready", flush=True)
worker.run(stop)
ledger.free(name)
"""


class Node:
    """A worker in a process of its own, with a bell of its own."""

    def __init__(self, url: str, folder: Path, name: str, lease: float) -> None:
        argv = [sys.executable, "-c", PROGRAM, url, KEY.hex(), str(folder), name, str(lease)]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert self.line() == "ready"

    def line(self) -> str:
        """The next that it says. Waits for it."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    started: list[Node] = []
    yield started
    for each in started:
        each.end()


def bells(kind: str, tmp_path: Path) -> tuple[Path, Path]:
    """Machines have no file in common; SQLite's users are on one."""
    return (tmp_path, tmp_path) if kind == "sqlite" else (tmp_path / "a", tmp_path / "b")


def test_a_dead_workers_jobs_are_taken_over_when_its_lease_has_ended(
    kind: str, url: str, tmp_path: Path, new_ledger: NewLedger, nodes: list[Node]
) -> None:
    ledger, (here, there) = new_ledger(url), bells(kind, tmp_path)
    with ledger.begin() as tx:
        tx.jobs.add(JobKind.KEEP, 0, "keep")
        tx.jobs.add(JobKind.ROLLOUT, 7, "app-1")
    nodes.append(Node(url, here, "a", lease=1.0))
    assert {nodes[0].line(), nodes[0].line()} == {"keep 0", "rollout 7"}
    nodes.append(Node(url, there, "b", lease=1.0))
    nodes[0].process.kill()
    assert {nodes[1].line(), nodes[1].line()} == {"keep 0", "rollout 7"}


def test_a_worker_that_is_stopped_hands_over_at_once(
    kind: str, url: str, tmp_path: Path, new_ledger: NewLedger, nodes: list[Node]
) -> None:
    """Long before its lease would end."""
    ledger, (here, there) = new_ledger(url), bells(kind, tmp_path)
    with ledger.begin() as tx:
        tx.jobs.add(JobKind.KEEP, 0, "keep")
    nodes.append(Node(url, here, "a", lease=3600.0))
    assert nodes[0].line() == "keep 0"
    nodes.append(Node(url, there, "b", lease=3600.0))
    nodes[0].process.terminate()
    assert nodes[0].process.wait(30) == 0
    assert nodes[1].line() == "keep 0"


def test_one_app_has_one_rollout_at_a_time_on_however_many_workers(
    kind: str, url: str, tmp_path: Path, new_ledger: NewLedger, nodes: list[Node]
) -> None:
    ledger, (here, there) = new_ledger(url), bells(kind, tmp_path)
    nodes += [Node(url, here, "a", lease=3600.0), Node(url, there, "b", lease=3600.0)]
    with ledger.begin() as tx:
        tx.jobs.add(JobKind.ROLLOUT, 1, "app-1")
        tx.jobs.add(JobKind.ROLLOUT, 2, "app-1")
        tx.jobs.add(JobKind.ROLLOUT, 3, "app-2")
    eventually(lambda: attempts(ledger)[1] == attempts(ledger)[3] == 1)
    assert attempts(ledger)[2] == 0


def attempts(ledger: SqlLedger) -> dict[int, int]:
    """How often each job was claimed, by subject."""
    with ledger.begin(read_only=True) as tx:
        return {job.subject: job.attempt for job in tx.jobs.waiting()}
