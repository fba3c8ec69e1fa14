"""Processes that are killed, pushes that meet, and sizes that must not cost memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wherry.sources.repositories import Repositories

from tests.sources.door import Door, Question
from tests.sources.looks import assert_soon, every_ref, leftovers, noise
from tests.sources.workshop import Workshop, clean_environment


def git_at_work(repository: Path, command: str) -> list[int]:
    """The processes of git that stand in this repository (a test may end these, and no other)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").readlink() == repository:
                words = process.joinpath("cmdline").read_bytes().split(b"\0")
                found += [int(process.name)] if command.encode() in words else []
        except OSError:
            continue
    return found


class Waiting:
    """An answer to pre-receive that waits for the test, and post-receive that does not."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.finished = 0

    def __call__(self, question: Question) -> Iterator[str | int]:
        if question.hook == "pre-receive":
            self.reached.set()
            yield "-----> Building"
            assert self.go_on.wait(60)
            self.finished += 1
        yield 0


@pytest.mark.parametrize("strike", [signal.SIGKILL, signal.SIGTERM])
def test_a01_git_killed_while_it_unpacks_moves_nothing_and_a_new_push_works(
    door: Door, workshop: Workshop, tmp_path: Path, strike: signal.Signals
) -> None:
    repository = door.repositories.path(1)
    commit = workshop.files({f"{n}": noise(1_000_000) for n in range(60)})
    with (tmp_path / "said").open("wb") as said:
        push = subprocess.Popen(workshop.argv("push", door.repository(), "main"), stderr=said, env=clean_environment())
        assert_soon(lambda: git_at_work(repository, "index-pack") != [])
        for process in git_at_work(repository, "receive-pack"):
            os.kill(process, strike)
        assert push.wait(60) != 0
    assert every_ref(door.repositories) == []
    assert door.asked == []
    assert workshop.push(door.repository())[0] == 0
    assert door.repositories.head(1, "main") == commit
    assert_soon(lambda: door.repositories.mend(1) and leftovers(door.repositories) == [])


def test_a02_git_killed_in_its_hook_moves_nothing(door: Door, workshop: Workshop) -> None:
    door.answer = waiting = Waiting()
    repository = door.repositories.path(1)
    workshop.files({"a": b"a"})
    argv = workshop.argv("push", "-q", door.repository(), "main")
    push = subprocess.Popen(argv, stderr=subprocess.PIPE, env=clean_environment())
    assert push.stderr
    assert b"-----> Building" in push.stderr.readline()
    for process in git_at_work(repository, "receive-pack"):
        os.kill(process, signal.SIGKILL)
    door.repositories.mend(1)
    assert [name for name in leftovers(door.repositories) if name.startswith("tmp_objdir")], "the orphan may still read"
    waiting.go_on.set()
    push.communicate(timeout=60)
    assert push.returncode != 0
    assert_soon(lambda: waiting.finished == 1)
    assert every_ref(door.repositories) == []
    assert_soon(lambda: door.repositories.mend(1) and leftovers(door.repositories) == [])


def test_locks_that_a_killed_git_left_are_removed_and_held_ones_are_not(repositories: Repositories) -> None:
    repository = repositories.path(1)
    stale = [repository / "refs/heads/x/main.lock", repository / "packed-refs.lock", repository / "HEAD.lock"]
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with repositories.pushing(1):
        repositories.mend(1)
        assert all(path.exists() for path in stale)
    repositories.mend(1)
    assert not any(path.exists() for path in stale)


def test_a04_two_pushes_from_one_base_have_one_winner(door: Door, workshop: Workshop) -> None:
    both = threading.Barrier(2)

    def together(question: Question) -> Iterator[str | int]:
        if question.hook == "pre-receive":
            both.wait(60)
        yield 0

    base = workshop.files({"a": b"a"})
    workshop.push(door.repository())
    door.answer = together
    commits = [workshop.files({"a": b"%d" % n}, f"b{n}", base) for n in range(2)]
    pushes = [
        subprocess.Popen(
            workshop.argv("push", door.repository(), f"b{n}:main"), stderr=subprocess.PIPE, env=clean_environment()
        )
        for n in range(2)
    ]
    said = [push.communicate(timeout=60)[1] for push in pushes]
    codes = [push.returncode for push in pushes]
    assert sorted(codes) == [0, 1]
    assert door.repositories.head(1, "main") == commits[codes.index(0)]
    assert b"failed to update ref" in said[codes.index(1)] or b"rejected" in said[codes.index(1)]


def test_a_push_to_one_app_does_not_wait_for_another(door: Door, workshop: Workshop) -> None:
    door.repositories.create(2)
    waiting = Waiting()
    door.answer = lambda question: waiting(question) if question.app_id == 1 else iter([0])
    workshop.files({"a": b"a"})
    first = subprocess.Popen(workshop.argv("push", "-q", door.repository(1), "main"), env=clean_environment())
    assert waiting.reached.wait(60)
    assert workshop.push(door.repository(2))[0] == 0
    waiting.go_on.set()
    assert first.wait(60) == 0


SERVE = """
import sys
from pathlib import Path
from tests.sources.door import Door, Judge
from wherry.hook import FOLDER
from wherry.sources.repositories import Repositories
repositories = Repositories(Path(sys.argv[1]), FOLDER)
repositories.create(1)
with Door(repositories, Judge(repositories)) as door:
    print(door.repository(), flush=True)
    sys.stdin.read()
"""


def test_a_push_of_200_mb_and_its_clone_cost_the_server_no_memory(tmp_path: Path, workshop: Workshop) -> None:
    root = Path(__file__).resolve().parents[2]
    argv = [sys.executable, "-c", SERVE, str(tmp_path / "served")]
    environ = {**os.environ, "PYTHONPATH": f"{root}:{root / 'platform'}"}
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as server:
        assert server.stdout
        url = server.stdout.readline().decode().strip()
        workshop.files({"warm": b"up"}, "topic")
        assert workshop.push(url, "topic")[0] == 0
        before = peak(server.pid)
        workshop.files({f"{n}": noise(25 << 20) for n in range(8)})
        started = time.monotonic()
        code, said = workshop.push(url)
        pushed = time.monotonic() - started
        assert code == 0, said
        workshop.git("clone", "--quiet", "--bare", url, str(tmp_path / "clone"))
        grown = peak(server.pid) - before
        print(f"200 MiB pushed in {pushed:.1f} s; the server's peak memory grew by {grown / 1024:.1f} MiB")
        assert grown < 24 * 1024
        server.communicate()


def peak(process: int) -> int:
    """KiB of resident memory, at the highest."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
