"""A Runtime in memory. What a process does is said by its config, as in the tiny image's processes: MODE is ``exits``,
``deaf`` or ``hungry`` for one that fails its gate, anything else for one that works.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Condition, Event

from wherry.domain.errors import Cancelled, NotFound, PlatformFault, RolloutFailed, RolloutFailure
from wherry.domain.image import Image
from wherry.domain.restarts import Turn
from wherry.domain.workload import Endpoint, Process, ProcessState, Workload
from wherry.flow.ports import Cancel, MarkedSay, Say
from wherry.runtimes.marks import Output

from tests.fakes.tasks import LocalTasks

Key = tuple[int, int, str, int]
_FAILURES = {
    "exits": RolloutFailure.EXITED,
    "deaf": RolloutFailure.NOT_LISTENING,
    "hungry": RolloutFailure.OUT_OF_MEMORY,
}


@dataclass(frozen=True)
class _Running:
    workload: Workload
    process: Process


class InMemoryRuntime(LocalTasks):
    """`fault`: when set, every method raises it, as when the engine is gone. `broken`: types that fail their gate.
    `stopped` lists what was retired: (app id, release, process name). `printed`: what a ``slow`` run has printed so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_load = self.has_volumes = True
        self.fault: PlatformFault | None = None
        self.run_exits = 0
        self.left: set[Key] = set()
        self.printed: list[str] = []
        self.broken: set[str] = set()
        self.fetched: list[Image] = []
        self.stopped: list[tuple[int, int, str]] = []
        self.ran: list[tuple[int, int, str]] = []
        self._changed = Condition()
        self._running: dict[Key, _Running] = {}
        self._news: list[int] = []
        self._gone = False
        self._addresses = 0
        self._origins: dict[Key, str] = {}

    def fetch(self, image: Image) -> None:
        self.fetched.append(image)

    def start(self, workloads: Sequence[Workload], say: Say) -> None:
        self._check()
        with self._changed:
            new = {
                key: each
                for each in workloads
                for key in _keys(each)
                if key not in self._running or not _alike(self._running[key].workload, each, key[3])
            }
            for key, each in new.items():
                if (
                    key in self._running
                    and _turn(each, key[3]).stop > _turn(self._running[key].workload, key[3]).number
                ):
                    del self._running[key]
                    self.stopped.append((key[0], key[1], f"{key[2]}.{key[3]}"))
            for (_, _, name, index), each in new.items():
                if name in self.broken:
                    raise RolloutFailed(RolloutFailure.EXITED, f"{name}.{index} exited")
                mode = each.env["MODE"].reveal() if "MODE" in each.env else ""
                if failure := _FAILURES.get(mode):
                    raise RolloutFailed(failure, f"{name}.{index} failed: {failure}")
            for key, each in new.items():
                if key in self._running:  # its container would be retired later
                    self.stopped.append((key[0], key[1], f"{key[2]}.{key[3]}"))
                self._running[key] = _Running(each, self._process(key))
                say(f"       {each.type}.{key[3]} is up")

    def run(
        self,
        workload: Workload,
        say: MarkedSay,
        cancel: Cancel,
        number: int = 1,
        leave: Cancel | None = None,
        *,
        resume: bool = False,
        heard: str = "",
    ) -> int:
        self._check()
        key = (workload.app_id, workload.release, workload.type, number)
        if resume and key not in self.left:
            raise NotFound(f"nothing is left of {workload.type}.{number}")
        if key not in self.left:
            self.ran.append((workload.app_id, workload.release, workload.type))
            self._origins[key] = f"run-{len(self.ran)}"
        self.left.discard(key)
        mode = workload.env["MODE"].reveal() if "MODE" in workload.env else ""
        printed = {"slow": self.printed, "exits": ["no table"], "counts": [str(n) for n in range(1, 11)]}
        records = ((f"{at:09}", line.encode()) for at, line in enumerate(printed.get(mode, ["migrated"])))
        for mark, line in Output(self._origins[key], heard).rest(records):
            self._check_left(key, leave)
            say(line.decode(), mark)
        if mode == "slow":
            self._until_stopped(key, workload, cancel, leave)
        self._check_left(key, leave)
        return self.run_exits or (5 if mode == "exits" else 0)

    def _check_left(self, key: Key, leave: Cancel | None) -> None:
        if leave and leave.cancelled:
            self.left.add(key)
            raise Cancelled(f"{key[2]}.{key[3]} was left")

    def _until_stopped(self, key: Key, workload: Workload, cancel: Cancel, leave: Cancel | None) -> None:
        stopped = Event()
        for each in (cancel, leave):
            if each:
                each.on_cancel(stopped.set)
        if not stopped.wait(workload.boot_limit):
            raise RolloutFailed(RolloutFailure.RELEASE_PHASE, f"{workload.type}.1 ran longer than its seconds")
        self._check_left(key, leave)
        raise Cancelled(f"{workload.type}.1 was stopped")

    def discard(self, images: Collection[tuple[str, str]]) -> None:
        """It has no copies."""
        self._check()

    def insist(self, workloads: Sequence[Workload]) -> None:
        self._check()
        with self._changed:
            for each in workloads:
                for key in _keys(each):
                    crashed = replace(self._process(key), state=ProcessState.CRASHED, detail="exited")
                    self._running.setdefault(key, _Running(each, crashed))

    def retire(self, app_id: int, keep: Sequence[Workload], *, by_name: bool = False, runs: bool = False) -> None:
        self._check()
        asked = {key: each for each in keep for key in _keys(each)}
        with self._changed:
            for key, running in list(self._running.items()):
                if key[0] != app_id:
                    continue
                if not (key in asked and (by_name or _alike(running.workload, asked[key], key[3]))):
                    del self._running[key]
                    self.stopped.append((app_id, key[1], f"{key[2]}.{key[3]}"))

    def processes(self, app_id: int | None = None) -> list[Process]:
        self._check()
        with self._changed:
            return [each.process for key, each in sorted(self._running.items()) if app_id in (None, key[0])]

    def look_after(self, stop: Event, told: Callable[[int, str, str], None]) -> None:
        self._check()
        stop.wait()

    def watch(self, on_change: Callable[[int], None], on_one_off: Callable[[], None] = lambda: None) -> None:
        self._check()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._gone or self._news)
                if not self._news:
                    return
                app_id = self._news.pop(0)
            on_change(app_id)

    # What the world does to it:

    def crash(self, app_id: int, name: str) -> None:
        """The process ends by itself and is started again."""
        with self._changed:
            for key, each in self._running.items():
                if key[0] == app_id and each.process.name == name:
                    restarts = each.process.restarts + 1
                    process = replace(each.process, state=ProcessState.CRASHED, restarts=restarts, detail="exited")
                    self._running[key] = replace(each, process=process)
            self._news.append(app_id)
            self._changed.notify_all()

    def go_away(self) -> None:
        """The engine is gone, for good."""
        with self._changed:
            self._gone = True
            self.fault = PlatformFault("the engine in memory does not answer")
            self._changed.notify_all()

    def _check(self) -> None:
        if self.fault:
            raise self.fault

    def _names_of(self, app_id: int) -> list[str]:
        return [each.name for each in self.processes(app_id)]

    def _process(self, key: Key) -> Process:
        app_id, release, name, index = key
        self._addresses += 1
        address = f"10.0.{self._addresses >> 8}.{self._addresses & 255}"
        endpoint = Endpoint(address, 8080) if name == "web" else None
        return Process(app_id, release, name, index, ProcessState.UP, datetime.now(UTC), endpoint)


def _keys(workload: Workload) -> list[Key]:
    return [(workload.app_id, workload.release, workload.type, index) for index in range(1, workload.quantity + 1)]


def _alike(one: Workload, other: Workload, index: int) -> bool:
    same = (one.image, one.env, one.size) == (other.image, other.env, other.size)
    return same and _turn(one, index).number == _turn(other, index).number


def _turn(workload: Workload, index: int) -> Turn:
    return workload.turns.get(index, Turn())
