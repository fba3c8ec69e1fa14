"""Jobs: one claimer at a time, one job of a lane at a time, and a late worker is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock

import pytest
from wherry.domain.errors import Conflict
from wherry.domain.model import App, BuildStatus, Job, JobKind, Source
from wherry.ledger.ledger import SqlLedger

from tests.ledger.conftest import KEY, NOW

ALL = list(JobKind)
EXPIRE = "UPDATE jobs SET lease_until = lease_until - 3600"
CLAIMER = """
import sys
from pathlib import Path
from wherry.domain.model import JobKind
from wherry.ledger.ledger import SqlLedger
url, key, bell, worker = sys.argv[1:]
ledger = SqlLedger(url, bytes.fromhex(key), Path(bell), 60)
print("ready", flush=True)
sys.stdin.readline()
taken = 0
while taken < 150 and (job := ledger.claim(worker, list(JobKind))):  # so many, that the slower one has its part
    taken += 1
    with ledger.begin() as tx:
        tx.jobs.finish(job)
    print(job.id, flush=True)
"""


def add(ledger: SqlLedger, subject: int, lane: str = "", kind: JobKind = JobKind.BUILD) -> Job:
    with ledger.begin() as tx:
        return tx.jobs.add(kind, subject, lane or f"lane-{subject}")


def claimed(ledger: SqlLedger, worker: str = "w1", kinds: list[JobKind] = ALL) -> Job:
    job = ledger.claim(worker, kinds)
    assert job is not None
    return job


def finish(ledger: SqlLedger, job: Job) -> None:
    with ledger.begin() as tx:
        tx.jobs.finish(job)


def waiting(ledger: SqlLedger) -> list[int]:
    with ledger.begin() as tx:
        return [job.id for job in tx.jobs.waiting()]


def test_the_oldest_job_is_claimed_first(ledger: SqlLedger) -> None:
    jobs = [add(ledger, subject) for subject in (3, 1, 2)]
    assert [claimed(ledger) for _ in jobs] == [replace(job, attempt=1, fence=1) for job in jobs]
    assert ledger.claim("w1", ALL) is None


def test_only_the_kinds_that_were_asked_for_are_claimed(ledger: SqlLedger) -> None:
    add(ledger, 1, kind=JobKind.BUILD)
    rollout = add(ledger, 2, kind=JobKind.ROLLOUT)
    assert claimed(ledger, kinds=[JobKind.ROLLOUT, JobKind.CONVERGE]).id == rollout.id
    assert ledger.claim("w1", [JobKind.ROLLOUT]) is None
    assert ledger.claim("w1", []) is None


def test_one_job_of_a_lane_runs_at_a_time(ledger: SqlLedger) -> None:
    first, second = add(ledger, 1, "lane"), add(ledger, 2, "lane")
    other = add(ledger, 3, "other")
    running = claimed(ledger)
    assert running.id == first.id
    assert claimed(ledger).id == other.id
    assert ledger.claim("w1", ALL) is None
    finish(ledger, running)
    assert claimed(ledger).id == second.id


def test_the_same_job_waits_once(ledger: SqlLedger) -> None:
    job = add(ledger, 1)
    assert add(ledger, 1) == job
    assert add(ledger, 1, "another lane") != job
    assert add(ledger, 1, kind=JobKind.CONVERGE) != job


def test_a_job_that_runs_already_does_not_stand_for_a_new_one(ledger: SqlLedger) -> None:
    running = add(ledger, 1)
    claimed(ledger)
    again = add(ledger, 1)
    assert again.id != running.id
    assert add(ledger, 1) == again


def test_a_job_whose_worker_fell_silent_does_not_stand_for_a_new_one(
    ledger: SqlLedger, sql: Callable[[str], None]
) -> None:
    silent = claimed(ledger, add(ledger, 1).lane)
    sql(EXPIRE)
    assert add(ledger, 1).id != silent.id


def test_a_finished_job_is_gone(ledger: SqlLedger) -> None:
    add(ledger, 1)
    finish(ledger, claimed(ledger))
    assert waiting(ledger) == []


def test_a_fault_is_counted_apart_from_the_ends_of_workers_and_only_by_who_holds_the_job(ledger: SqlLedger) -> None:
    add(ledger, 1)
    first = claimed(ledger, "w1")
    ledger.free("w1")
    with pytest.raises(Conflict, match="refused"), ledger.begin() as tx:
        tx.jobs.fault(first)
    second = claimed(ledger, "w1")
    with ledger.begin() as tx:
        tx.jobs.fault(second)
    ledger.free("w1")
    third = claimed(ledger, "w1")
    assert [(each.attempt, each.faults) for each in (first, second, third)] == [(1, 0), (2, 0), (3, 1)]


def test_drop_removes_only_what_nobody_has_claimed(ledger: SqlLedger) -> None:
    running = add(ledger, 1, "lane")
    claimed(ledger)
    add(ledger, 1, "lane")
    other = add(ledger, 2)
    with ledger.begin() as tx:
        tx.jobs.drop(JobKind.BUILD, 1)
    assert waiting(ledger) == [running.id, other.id]


def test_a09_a_lease_that_ended_is_taken_over_with_a_higher_fence(
    ledger: SqlLedger, sql: Callable[[str], None]
) -> None:
    add(ledger, 1)
    silent = claimed(ledger, "w1")
    assert ledger.claim("w2", ALL) is None
    sql(EXPIRE)
    assert claimed(ledger, "w2") == replace(silent, attempt=2, fence=2)


def test_a09_a_late_workers_result_is_refused_as_a_whole(
    ledger: SqlLedger, app: App, sql: Callable[[str], None]
) -> None:
    with ledger.begin() as tx:
        build = tx.builds.add(app.id, app.owner, "main", "0" * 40, Source("c", "t", "a"), NOW)
        tx.jobs.add(JobKind.BUILD, build.id, "lane")
    late = claimed(ledger, "w1")
    sql(EXPIRE)
    newer = claimed(ledger, "w2")

    def conclude(job: Job, status: BuildStatus) -> None:
        with ledger.begin() as tx:
            tx.builds.finish(replace(build, status=status, finished_at=NOW))
            tx.jobs.finish(job)

    with pytest.raises(Conflict, match="another worker"):
        conclude(late, BuildStatus.SUCCEEDED)
    conclude(newer, BuildStatus.FAILED)
    with pytest.raises(Conflict, match="another worker"):
        conclude(late, BuildStatus.SUCCEEDED)
    with ledger.begin() as tx:
        assert tx.builds.by_id(build.id).status is BuildStatus.FAILED


def test_renew_keeps_a_job_and_tells_when_it_is_lost(ledger: SqlLedger, sql: Callable[[str], None]) -> None:
    add(ledger, 1)
    job = claimed(ledger, "w1")
    sql("UPDATE jobs SET lease_until = lease_until - 50")
    assert ledger.renew(job) is True
    sql("UPDATE jobs SET lease_until = lease_until - 50")
    assert ledger.claim("w2", ALL) is None
    sql(EXPIRE)
    assert claimed(ledger, "w2").fence == 2
    assert ledger.renew(job) is False


def test_a_lease_that_ended_unnoticed_can_be_renewed(ledger: SqlLedger, sql: Callable[[str], None]) -> None:
    add(ledger, 1)
    job = claimed(ledger)
    sql(EXPIRE)
    assert ledger.renew(job) is True
    assert ledger.claim("w2", ALL) is None
    finish(ledger, job)


def test_a_lease_that_ended_is_lost_once_another_job_has_the_lane(
    ledger: SqlLedger, sql: Callable[[str], None]
) -> None:
    add(ledger, 1, "lane", JobKind.BUILD)
    late = claimed(ledger)
    add(ledger, 1, "lane", JobKind.DESTROY)
    sql(EXPIRE)
    claimed(ledger, "w2", [JobKind.DESTROY])
    assert ledger.renew(late) is False
    with pytest.raises(Conflict):
        finish(ledger, late)


def test_a_job_that_is_gone_can_be_neither_renewed_nor_finished(ledger: SqlLedger) -> None:
    add(ledger, 1)
    job = claimed(ledger)
    finish(ledger, job)
    assert ledger.renew(job) is False
    with pytest.raises(Conflict):
        finish(ledger, job)


def test_a35_a_lease_of_an_earlier_boot_has_ended(ledger: SqlLedger, sql: Callable[[str], None]) -> None:
    add(ledger, 1)
    claimed(ledger)
    sql("UPDATE jobs SET lease_clock = 'another boot'")
    assert claimed(ledger, "w2").fence == 2


def test_a35_a_lease_from_the_future_has_ended(ledger: SqlLedger, sql: Callable[[str], None]) -> None:
    add(ledger, 1)
    claimed(ledger)
    sql("UPDATE jobs SET lease_until = lease_until + 3600")  # the server's clock was set back by an hour
    assert claimed(ledger, "w2").fence == 2


def test_a_restarted_worker_frees_what_it_had(ledger: SqlLedger) -> None:
    for subject in (1, 2):
        add(ledger, subject)
    mine, theirs = claimed(ledger, "w1"), claimed(ledger, "w2")
    ledger.free("w1")
    assert ledger.renew(mine) is False
    with pytest.raises(Conflict):
        finish(ledger, mine)
    again = claimed(ledger, "w1")
    assert (again.id, again.attempt, again.fence > mine.fence) == (mine.id, 2, True)
    assert ledger.renew(theirs) is True


def test_two_processes_never_share_one_of_200_jobs(ledger: SqlLedger, url: str, tmp_path: Path) -> None:
    with ledger.begin() as tx:
        jobs = [tx.jobs.add(JobKind.CONVERGE, number, f"lane-{number % 50}") for number in range(1, 201)]
    argv = [sys.executable, "-c", CLAIMER, url, KEY.hex(), str(tmp_path)]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen([*argv, name], stdin=pipe, stdout=pipe, text=True) for name in ("w1", "w2")]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    taken = [worker.communicate(timeout=60)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert all(taken)
    assert sorted(int(number) for each in taken for number in each) == sorted(job.id for job in jobs)
    assert waiting(ledger) == []


def test_threads_never_run_two_jobs_of_a_lane(ledger: SqlLedger) -> None:
    with ledger.begin() as tx:
        for number in range(1, 61):
            tx.jobs.add(JobKind.CONVERGE, number, f"lane-{number % 3}")
    busy: dict[str, int] = {}
    most: list[int] = []
    lock = Lock()

    def work(name: str) -> None:
        while waiting(ledger):
            if (job := ledger.claim(name, ALL)) is None:
                ledger.wait(0.5)
                continue
            with lock:
                busy[job.lane] = busy.get(job.lane, 0) + 1
                most.append(busy[job.lane])
            ledger.renew(job)
            with lock:
                busy[job.lane] -= 1
            finish(ledger, job)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, ("w1", "w2", "w3", "w4")))
    assert (len(most), max(most)) == (60, 1)
