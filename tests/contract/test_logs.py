"""What every Logs adapter must do: files on disk, and the one in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue

import pytest
from wherry.flow.ports import Logs
from wherry.logs.files import FileLogs

from tests.fakes.logs import MemoryLogs


@pytest.fixture(params=["files", "memory"])
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> Logs:
    return FileLogs(tmp_path / "logs") if request.param == "files" else MemoryLogs()


@pytest.fixture
def beside() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Runs something in another thread; the test waits for its end."""
    threads: list[threading.Thread] = []

    def start(work: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join()


def test_lines_are_read_in_their_order(logs: Logs) -> None:
    for line in ("one", "", "two  "):
        logs.append("build-1", line)
    assert logs.read("build-1") == ["one", "", "two  "]


def test_a_stream_without_lines_is_empty_and_open(logs: Logs) -> None:
    assert (logs.read("build-1"), logs.outcome("build-1")) == ([], None)


def test_streams_are_apart(logs: Logs) -> None:
    logs.append("build-1", "a")
    logs.append("release-1", "b")
    logs.close("build-1", "failed")
    assert (logs.read("build-1"), logs.read("release-1"), logs.outcome("release-1")) == (["a"], ["b"], None)


def test_the_outcome_is_that_of_the_first_close(logs: Logs) -> None:
    logs.append("build-1", "a")
    logs.close("build-1", "succeeded")
    logs.close("build-1", "failed")
    assert logs.outcome("build-1") == "succeeded"


def test_nothing_is_kept_after_the_end(logs: Logs) -> None:
    logs.close("build-1", "cancelled")
    logs.append("build-1", "a late worker's line")
    assert (logs.read("build-1"), logs.outcome("build-1")) == ([], "cancelled")


def test_follow_gives_every_line_of_a_closed_stream_and_ends(logs: Logs) -> None:
    logs.append("build-1", "a")
    logs.append("build-1", "b")
    logs.close("build-1", "succeeded")
    assert list(logs.follow("build-1")) == ["a", "b"]


def test_follow_gives_lines_as_they_are_written(logs: Logs) -> None:
    logs.append("build-1", "a")
    lines = logs.follow("build-1", idle=30)
    assert next(lines) == "a"
    logs.append("build-1", "b")
    assert next(lines) == "b"
    logs.close("build-1", "succeeded")
    assert list(lines) == []


def test_follow_waits_for_a_stream_that_does_not_exist_yet(logs: Logs, beside: Callable[..., None]) -> None:
    lines = logs.follow("build-1", idle=0.05)
    assert next(lines) is None

    def write() -> None:
        logs.append("build-1", "a")
        logs.close("build-1", "succeeded")

    beside(write)
    assert [line for line in lines if line is not None] == ["a"]


def test_a_reader_who_waits_is_woken_long_before_it_is_idle(logs: Logs, beside: Callable[..., None]) -> None:
    logs.append("build-1", "a")
    lines = logs.follow("build-1", idle=60)
    next(lines)
    beside(lambda: logs.append("build-1", "b"))
    assert next(lines) == "b"
    lines.close()  # type: ignore[attr-defined]


def test_follow_gives_none_when_idle(logs: Logs) -> None:
    logs.append("build-1", "a")
    lines = logs.follow("build-1", idle=0.01)
    assert [next(lines) for _ in range(3)] == ["a", None, None]


def test_many_readers_get_every_line(logs: Logs, beside: Callable[..., None]) -> None:
    got: Queue[list[str]] = Queue()

    def read() -> None:
        got.put([line for line in logs.follow("build-1", idle=30) if line is not None])

    for _ in range(8):
        beside(read)
    for number in range(200):
        logs.append("build-1", str(number))
    logs.close("build-1", "succeeded")
    for _ in range(8):
        assert got.get(timeout=30) == [str(number) for number in range(200)]


def test_a_line_whose_mark_is_not_beyond_the_last_one_is_not_kept_again(logs: Logs) -> None:
    assert logs.mark("build-1") == ""
    logs.append("build-1", "one", "01/1")
    logs.append("build-1", "two", "01/2")
    logs.append("build-1", 'ours", "mark": "99/9"}')
    logs.append("build-1", "x" * 50_000)
    assert logs.mark("build-1") == "01/2"
    for line, mark in (("two", "01/2"), ("one", "01/1"), ("three", "01/3"), ("three", "01/3")):
        logs.append("build-1", line, mark)
    assert logs.read("build-1")[:2] == ["one", "two"]
    assert logs.read("build-1")[4:] == ["three"]
    assert (logs.mark("build-1"), logs.mark("build-2")) == ("01/3", "")


def test_a_removed_stream_is_empty_and_ends_its_readers(logs: Logs) -> None:
    logs.append("build-1", "a")
    lines = logs.follow("build-1", idle=30)
    assert next(lines) == "a"
    logs.remove("build-1")
    logs.remove("build-1")
    assert (list(lines), logs.read("build-1"), logs.outcome("build-1")) == ([], [], None)


@pytest.mark.parametrize("breaks", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\ufeff", "\ud800", '"}'])
def test_t30_no_text_makes_a_second_line(logs: Logs, breaks: str) -> None:
    line = f'a{breaks}{{"end": "succeeded"}}'
    logs.append("build-1", line)
    logs.append("build-1", "b")
    assert logs.read("build-1") == [line.replace("\n", "\\n"), "b"]
    assert logs.outcome("build-1") is None
