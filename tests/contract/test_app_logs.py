"""What every AppLogs adapter must do: files on disk, and the one in memory."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from wherry.domain.log import Entry, Filter, Kept, LogLine
from wherry.flow.log_ports import AppLogs
from wherry.logs.app_logs import FileAppLogs

from tests.fakes.app_logs import MemoryAppLogs

AT = "2026-11-21T08:00:00.000000000Z"


@pytest.fixture(params=["files", "memory"])
def logs(request: pytest.FixtureRequest, tmp_path: Path) -> AppLogs:
    return FileAppLogs(tmp_path / "app-logs") if request.param == "files" else MemoryAppLogs()


def entry(text: str, mark: str = "", *, key: str = "c1", process: str = "web.1", source: str = "app") -> Entry:
    return Entry(LogLine(AT, source, process, text), key if mark else "", mark)


def texts(kept: list[Kept]) -> list[str]:
    return [each.line.text for each in kept]


def following(logs: AppLogs, app_id: int, after: int, **options: Any) -> Any:
    return closing(logs.follow(app_id, after, **options))  # type: ignore[type-var]


def test_lines_are_numbered_in_their_order_and_apps_are_apart(logs: AppLogs) -> None:
    logs.append(1, [entry("a"), entry("")])
    logs.append(2, [entry("b")])
    logs.append(1, [entry("c")])
    assert [(each.number, each.line.text) for each in logs.read(1, 10)] == [(1, "a"), (2, ""), (3, "c")]
    assert (logs.last(1), logs.last(2), logs.last(3)) == (3, 1, 0)


def test_the_last_lines_are_those_that_the_filter_takes(logs: AppLogs) -> None:
    logs.append(1, [entry("w"), entry("job", process="worker.1"), entry("up", source="heroku"), entry("w2")])
    assert texts(logs.read(1, 2)) == ["up", "w2"]
    assert texts(logs.read(1, 2, Filter(process="web"))) == ["up", "w2"]
    assert texts(logs.read(1, 9, Filter(process="worker.1"))) == ["job"]
    assert texts(logs.read(1, 9, Filter("app", "web.1"))) == ["w", "w2"]
    assert texts(logs.read(1, 9, Filter("heroku"))) == ["up"]
    assert logs.read(1, 0) == []


def test_what_is_brought_twice_is_kept_once(logs: AppLogs) -> None:
    logs.append(1, [entry("a", "1"), entry("b", "2")])
    logs.append(1, [entry("a", "1"), entry("b", "2"), entry("c", "3"), entry("other", "1", key="c2")])
    logs.append(1, [entry("told"), entry("told")])
    assert texts(logs.read(1, 10)) == ["a", "b", "c", "other", "told", "told"]
    assert (logs.mark(1, "c1"), logs.mark(1, "c2"), logs.mark(1, "c3"), logs.mark(2, "c1")) == ("3", "1", "", "")


def test_following_begins_after_a_number_and_goes_on_with_what_comes(logs: AppLogs) -> None:
    logs.append(1, [entry("a"), entry("b"), entry("c")])
    with following(logs, 1, 1, idle=30.0) as lines:
        assert [next(lines).line.text for _ in range(2)] == ["b", "c"]
        logs.append(1, [entry("d")])
        assert next(lines) == Kept(4, entry("d").line)


def test_following_tells_when_nothing_comes_that_it_takes(logs: AppLogs) -> None:
    with following(logs, 1, 0, wanted=Filter("heroku"), idle=0.05) as lines:
        assert next(lines) is None
        logs.append(1, [entry("a"), entry("b", source="heroku")])
        assert next(lines).number == 2
        assert next(lines) is None


def test_a_reader_who_waits_is_woken_long_before_it_is_idle(logs: AppLogs) -> None:
    with following(logs, 1, 0, idle=60.0) as lines:
        threading.Timer(0.1, logs.append, (1, [entry("a")])).start()
        assert next(lines).line.text == "a"


def test_a_number_beyond_the_end_is_the_end(logs: AppLogs) -> None:
    logs.append(1, [entry("a")])
    with following(logs, 1, 99, idle=0.05) as lines:
        assert next(lines) is None
        logs.append(1, [entry("b")])
        assert next(lines).number == 2


def test_a_removed_log_is_empty_takes_nothing_and_ends_its_readers(logs: AppLogs) -> None:
    logs.append(1, [entry("a", "1")])
    with following(logs, 1, 0, idle=30.0) as lines:
        assert next(lines).line.text == "a"
        logs.remove(1)
        logs.remove(1)
        logs.append(1, [entry("late", "2")])
        assert list(lines) == []
    assert (logs.read(1, 10), logs.mark(1, "c1")) == ([], "")


def test_many_writers_and_readers_lose_and_repeat_nothing(logs: AppLogs) -> None:
    got: Queue[list[int]] = Queue()

    def read() -> None:
        with following(logs, 1, 0, idle=30.0) as lines:
            got.put([next(lines).number for _ in range(300)])

    def write(name: str) -> None:
        for number in range(100):
            logs.append(1, [entry(str(number), f"{number:05}", key=name)])

    threads = [threading.Thread(target=read) for _ in range(4)]
    threads += [threading.Thread(target=write, args=(name,)) for name in ("x", "y", "z")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got.get(timeout=30) for _ in range(4)] == [list(range(1, 301))] * 4


@pytest.mark.parametrize("breaks", ["\n", "\r", "\x0b", "\x1c", "\x85", "\u2028", "\ufeff", "\ud800", '"}'])
def test_t30_no_text_makes_a_second_line(logs: AppLogs, breaks: str) -> None:
    logs.append(1, [entry(f'a{breaks}{{"first": 1, "marks": {{}}}}'), entry("b")])
    assert [each.number for each in logs.read(1, 10)] == [1, 2]


def test_positions_are_kept(logs: AppLogs) -> None:
    assert logs.position("router") == ""
    logs.move("router", "1 2 3")
    assert (logs.position("router"), logs.position("events")) == ("1 2 3", "")
