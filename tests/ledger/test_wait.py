"""Waiting for news of the ledger: told by an event, from any process, and none is missed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from wherry.domain.model import App, BuildStatus, JobKind, Source
from wherry.ledger.ledger import SqlLedger

from tests.ledger.conftest import KEY, NOW, NewLedger
from tests.ledger.databases import new_database, the_server

LONG = 30.0
ADDER = """
import sys
from pathlib import Path
from wherry.domain.model import JobKind
from wherry.ledger.ledger import SqlLedger
ledger = SqlLedger(sys.argv[1], bytes.fromhex(sys.argv[2]), Path(sys.argv[3]), 60)
sys.stdin.readline()
with ledger.begin() as tx:
    tx.jobs.add(JobKind.BUILD, 1, "lane")
"""


@pytest.fixture
def soon() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Does something in another thread, a moment after the test has begun to wait."""
    timers: list[threading.Timer] = []

    def start(work: Callable[[], object]) -> None:
        timers.append(threading.Timer(0.1, work))
        timers[-1].start()

    yield start
    for timer in timers:
        timer.join()


def add_job(ledger: SqlLedger, subject: int = 1) -> None:
    with ledger.begin() as tx:
        tx.jobs.add(JobKind.BUILD, subject, "lane")


def waited(ledger: SqlLedger, seconds: float = LONG) -> float:
    started = time.monotonic()
    ledger.wait(seconds)
    return time.monotonic() - started


def settle(ledger: SqlLedger) -> None:
    """Until all that was told so far is heard."""
    while waited(ledger, 0.3) < 0.25:
        pass


def test_without_news_it_lasts_as_long_as_asked(ledger: SqlLedger) -> None:
    settle(ledger)
    assert 0.2 <= waited(ledger, 0.2) < 5


def test_a_job_that_was_added_or_finished_ends_it(ledger: SqlLedger, soon: Callable[..., None]) -> None:
    settle(ledger)
    soon(lambda: add_job(ledger))
    assert waited(ledger) < LONG / 2
    job = ledger.claim("w1", [JobKind.BUILD])
    assert job is not None
    settle(ledger)

    def finish() -> None:
        with ledger.begin() as tx:
            tx.jobs.finish(job)

    soon(finish)
    assert waited(ledger) < LONG / 2


def test_a_build_that_was_cancelled_ends_it(ledger: SqlLedger, app: App, soon: Callable[..., None]) -> None:
    with ledger.begin() as tx:
        build = tx.builds.add(app.id, app.owner, "main", "0" * 40, Source("c", "t", "a"), NOW)
    settle(ledger)

    def cancel() -> None:
        with ledger.begin() as tx:
            tx.builds.finish(replace(build, status=BuildStatus.CANCELLED, finished_at=NOW))

    soon(cancel)
    assert waited(ledger) < LONG / 2


def test_a_ring_ends_it(ledger: SqlLedger, soon: Callable[..., None]) -> None:
    settle(ledger)
    soon(ledger.ring)
    assert waited(ledger) < LONG / 2


def test_another_process_ends_it(ledger: SqlLedger, url: str, tmp_path: Path) -> None:
    settle(ledger)
    argv = [sys.executable, "-c", ADDER, url, KEY.hex(), str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        other.stdin.write("go\n")
        other.stdin.close()
        assert waited(ledger) < LONG / 2
    assert other.returncode == 0


def test_news_between_a_claim_and_a_wait_is_not_missed(ledger: SqlLedger) -> None:
    assert ledger.claim("w1", [JobKind.BUILD]) is None
    add_job(ledger)
    assert ledger.claim("w1", [JobKind.ROLLOUT]) is None
    assert waited(ledger) < LONG / 2


def test_what_was_rolled_back_is_no_news(ledger: SqlLedger) -> None:
    def fail() -> None:
        with ledger.begin() as tx:
            tx.jobs.add(JobKind.BUILD, 1, "lane")
            raise ZeroDivisionError

    settle(ledger)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert waited(ledger, 0.2) >= 0.2


def test_every_thread_that_waits_is_told(ledger: SqlLedger) -> None:
    settle(ledger)
    ready = threading.Barrier(5)
    times: list[float] = []

    def wait() -> None:
        ledger.claim("w1", [JobKind.ROLLOUT])
        ready.wait()
        times.append(waited(ledger))

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    ready.wait()
    add_job(ledger)
    for thread in threads:
        thread.join()
    assert max(times) < LONG / 2


def test_a_bell_that_was_removed_is_hung_up_again(ledger: SqlLedger, tmp_path: Path, soon: Callable[..., None]) -> None:
    settle(ledger)
    (tmp_path / "ledger.bell").unlink()
    settle(ledger)
    soon(ledger.ring)
    assert waited(ledger) < LONG / 2


def test_a_bell_that_cannot_ring_fails_no_commit(
    sqlite_url: str, new_ledger: NewLedger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = new_ledger(sqlite_url, bell_folder=tmp_path / "nowhere")
    add_job(ledger)
    assert "does not ring" in caplog.text
    assert ledger.claim("w1", [JobKind.BUILD]) is not None


def test_closing_ends_the_thread(sqlite_url: str, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    ledger = SqlLedger(sqlite_url, KEY, tmp_path, 60)
    ledger.wait(0)
    assert len(set(threading.enumerate()) - before) == 1
    ledger.close()
    assert set(threading.enumerate()) - before == set()


@pytest.mark.postgres
def test_another_machine_ends_it(new_ledger: NewLedger, tmp_path: Path, soon: Callable[..., None]) -> None:
    url = new_database("postgresql", tmp_path)
    here, there = (new_ledger(url, bell_folder=tmp_path / name) for name in ("here", "there"))
    settle(here)
    soon(lambda: add_job(there))
    assert waited(here) < LONG / 2


@pytest.mark.postgres
def test_a22_after_the_server_has_gone_and_come_back_it_goes_on(
    new_ledger: NewLedger, tmp_path: Path, soon: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wherry.ledger.bell._REDIAL_SECONDS", 0.2)
    url = new_database("postgresql", tmp_path)
    here, there = (new_ledger(url, bell_folder=tmp_path / name) for name in ("here", "there"))
    settle(here)
    add_job(there, 1)
    the_server().halt()
    the_server().start()
    settle(here)
    add_job(there, 2)
    assert waited(here) < LONG / 2
    with here.begin() as tx:
        assert [job.subject for job in tx.jobs.waiting()] == [1, 2]
