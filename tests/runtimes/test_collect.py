"""The collector on the real engine: every line once, whatever dies meanwhile."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from wherry.domain.image import Image, Start
from wherry.domain.log import ALL, Filter
from wherry.domain.one_off import Task
from wherry.domain.states import Lives
from wherry.logs.app_logs import FileAppLogs
from wherry.runtimes import flood, keeping
from wherry.runtimes.machine.collect import Collector
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.runtime import MachineRuntime

from tests.runtimes.machine_world import eventually, quiet, workload
from tests.runtimes.tiny import ENGINE

pytestmark = pytest.mark.engine
APP, PLATFORM = Filter("app"), Filter("heroku")


class Desk:
    """A runtime and its collector with the logs on disk, as two processes would have them."""

    def __init__(self, platform: str, registry: Registry, folder: Path) -> None:
        self.platform, self.folder = platform, folder
        self.logs = FileAppLogs(folder)
        self.runtime = MachineRuntime(ENGINE, platform, registry, logs=FileAppLogs(folder))

    @contextmanager
    def collecting(self) -> Iterator[Collector]:
        collector = Collector(ENGINE, self.platform, FileAppLogs(self.folder))
        thread = threading.Thread(target=collector.run)
        thread.start()
        try:
            yield collector
        finally:
            collector.close()
            thread.join(20)
            assert not thread.is_alive()

    def texts(self, wanted: Filter = APP, process: str = "", app_id: int = 1) -> list[str]:
        return [kept.line.text for kept in self.logs.read(app_id, 10_000, Filter(wanted.source, process))]

    def has(self, text: str, wanted: Filter = ALL) -> Callable[[], bool]:
        return lambda: text in self.texts(wanted)


@pytest.fixture
def desk(platform_id: str, registry: Registry, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(platform_id, registry, tmp_path / "app-logs")
    yield desk
    desk.runtime.close()


def test_processes_that_are_there_and_that_come_are_followed_with_what_is_told_of_them(
    desk: Desk, pushed_image: Image
) -> None:
    with desk.collecting() as collector:
        desk.runtime.start([workload(pushed_image)], quiet)
        desk.runtime.start([workload(pushed_image, "worker", quantity=2)], quiet)
        eventually(lambda: len(desk.texts()) == 3)
        eventually(lambda: len(desk.texts(PLATFORM)) == 6)
        (web,) = (each for each in desk.runtime.processes() if each.type == "web")
        assert web.endpoint
        assert collector.process_at(f"{web.endpoint.address}:8080") == "web.1"
        desk.runtime.retire(1, [])
        eventually(lambda: len(desk.texts(PLATFORM)) == 15)
    assert sorted(desk.texts()) == ["got SIGTERM"] * 2 + ["web.1 boots"] + ["working"] * 2
    assert [text.split(" with command")[0] for text in desk.texts(PLATFORM, "worker.1")] == [
        "Starting process",
        "State changed from starting to up",
        "Stopping all processes with SIGTERM",
        "Process exited with status 0",
        "State changed from up to down",
    ]
    lives = Lives()
    turns = [turn for kept in desk.logs.read(1, 100) if (turn := lives.turn(kept)) and turn.process == "worker.1"]
    assert [(turn.verb, turn.state, turn.code) for turn in turns] == [
        ("create", "starting", None),
        ("update", "up", None),
        ("destroy", "down", 0),
    ]


def test_no_line_is_lost_or_repeated_across_collectors_and_a_removal(desk: Desk, pushed_image: Image) -> None:
    """Some lines come while nobody collects; the last ones are brought by whoever removes the container."""
    with desk.collecting():
        desk.runtime.start([workload(pushed_image, "worker", env={"MODE": "chatty"})], quiet)
        eventually(desk.has("line 5"))
    threading.Event().wait(0.5)
    with desk.collecting():
        eventually(desk.has("line 20"))
    threading.Event().wait(0.3)
    with desk.collecting():
        desk.runtime.retire(1, [])
        eventually(lambda: any(text.startswith("Process exited") for text in desk.texts(PLATFORM)))
    lines = desk.texts()
    assert lines == [f"line {number}" for number in range(1, len(lines) + 1)]
    assert len(lines) > 20


def test_a_process_that_ends_at_once_and_is_removed_leaves_every_line_without_a_collector(
    desk: Desk, pushed_image: Image
) -> None:
    from wherry.flow.ports import Cancel

    assert desk.runtime.run(workload(pushed_image, "release"), quiet, Cancel()) == 0
    assert desk.texts() == ["migrated"]
    with desk.collecting():
        assert desk.runtime.run(workload(pushed_image, "release", env={"MODE": "exits"}), quiet, Cancel()) == 5
        eventually(desk.has("Process exited with status 5", PLATFORM))
        eventually(lambda: desk.texts() == ["migrated", "no table"])


@pytest.mark.parametrize("tty", [True, False])
def test_what_a_one_off_writes_to_its_client_is_in_no_log_and_hinders_no_end(
    desk: Desk, pushed_image: Image, tty: bool
) -> None:
    asked = workload(pushed_image, "run", start=Start(("/bin/sh", "-c", "echo to you; exit 3")))
    with desk.collecting():
        session = desk.runtime.attach(Task(1, 4001, asked, attach=True, tty=tty))
        assert b"".join(data for _, data in session.output()).strip() == b"to you"
        assert session.ended().code == 3
        eventually(desk.has("Process exited with status 3", PLATFORM))
    assert desk.texts() == []


def test_a_process_that_crashes_is_read_on_when_the_engine_starts_it_again(desk: Desk, pushed_image: Image) -> None:
    with desk.collecting():
        desk.runtime.start([workload(pushed_image, env={"MODE": "crashes", "LIFE": "1"})], quiet)
        eventually(lambda: len(desk.texts()) >= 3)
        eventually(desk.has("State changed from crashed to starting", PLATFORM))
    told = desk.texts(PLATFORM)
    first = told.index("Process exited with status 4")
    assert told[first + 1] == "State changed from up to crashed"
    lives = Lives()
    turns = [turn for kept in desk.logs.read(1, 100, PLATFORM) if (turn := lives.turn(kept))]
    assert [(turn.verb, turn.state, turn.code) for turn in turns][:4] == [
        ("create", "starting", None),
        ("update", "up", None),
        ("update", "crashed", 4),
        ("update", "starting", None),
    ]


def test_a_line_longer_than_the_engines_pieces_is_split_at_ours(desk: Desk, pushed_image: Image) -> None:
    with desk.collecting():
        desk.runtime.start([workload(pushed_image, "worker", env={"MODE": "long"})], quiet)
        eventually(desk.has("end"))
    assert [len(text) for text in desk.texts()] == [10_000] * 4 + [3]


def test_a41_a_flood_is_cut_with_a_count_and_leaves_the_others_alone(
    desk: Desk, pushed_image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flood, "A_SECOND", 100.0)
    monkeypatch.setattr(flood, "AT_ONCE", 500.0)
    monkeypatch.setattr(keeping, "_TELL_DROPPED", 0.5)
    began = time.monotonic()
    with desk.collecting():
        desk.runtime.start([workload(pushed_image, "worker", env={"MODE": "flood"})], quiet)
        desk.runtime.start([workload(pushed_image, "worker", app_id=2, env={"MODE": "chatty"})], quiet)
        eventually(lambda: any("worker.1 writes too much: dropped " in text for text in desk.texts(PLATFORM)))
        eventually(lambda: "line 10" in desk.texts(app_id=2))
    assert [f"line {number}" for number in range(1, 11)] == list(itertools.islice(desk.texts(app_id=2), 10))
    assert len(desk.texts(APP, "worker")) < 600 + 100 * (time.monotonic() - began)
