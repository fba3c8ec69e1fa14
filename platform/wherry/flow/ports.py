"""What the stories need of the world. Adapters implement these; tests/contract runs the same assertions on each of
them.

Every method may be called again after a crash: doing a thing twice is doing it once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event, Lock
from typing import Protocol

from wherry.domain.build_settings import DEFAULT, BuildSettings
from wherry.domain.config import Config
from wherry.domain.image import Image
from wherry.domain.model import (
    Actor,
    Source,
)
from wherry.domain.refs import RefUpdate
from wherry.domain.workload import AppRoute, Process, Workload
from wherry.flow.task_ports import Tasks

Say = Callable[[str], None]
"""Takes one line for the person who waits (no newline at its end)."""


class MarkedSay(Protocol):
    """As Say; `mark`: of the line, as Logs has them."""

    def __call__(self, line: str, mark: str = "", /) -> None: ...


class Cancel:
    """A wish to stop, handed down to long work; `on_cancel` callbacks run once, in the thread that cancels (or at
    once).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._cancelled = False
        self._callbacks: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        with self._lock:
            callbacks, self._callbacks = self._callbacks, []
            self._cancelled = True
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if not self._cancelled:
                self._callbacks.append(callback)
                return
        callback()


class Sources(Protocol):
    """Bare repositories by app id."""

    def create(self, app_id: int) -> None: ...

    def remove(self, app_id: int) -> None: ...

    def head(self, app_id: int, branch: str) -> str | None:
        """The commit that the branch points at; None where there is no such branch."""

    def export(self, app_id: int, commit: str, quarantine: Path | None) -> Source:
        """The commit's tree as a durable archive. `quarantine`: where a push under way keeps its objects.

        Raises PushRefused for a tree that cannot be built (limits, hostile names, nothing in it).
        """

    def take_in(self, app_id: int, archive: Path, message: str) -> Source:
        """A tar archive as a Source. Raises PushRefused as `export`, InvalidInput for an archive that is not one or
        holds what no tree can.
        """


class Uploads(Protocol):
    """Archives that wait for their build. A token is 32 hex digits."""

    def keep(self, token: str, chunks: Iterable[bytes]) -> None:
        """Whole and durable, or not at all. Raises InvalidInput for one that is too large."""

    def path(self, token: str) -> Path:
        """Raises NotFound."""

    def remove(self, token: str) -> None: ...


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """`attempt` counts from 1; leftovers of earlier attempts are the builder's to remove, or to go on with. `previous`:
    the image it may reuse from. `heard`: the mark of the last line in the build's log that has one. `faults`: attempts that
    were ended by a fault of ours.
    """

    app_id: int
    app_name: str
    build_id: int
    attempt: int
    source: Source
    config: Config
    previous: Image | None
    settings: BuildSettings = DEFAULT
    heard: str = ""
    faults: int = 0


class Builder(Protocol):
    def build(self, request: BuildRequest, say: MarkedSay, cancel: Cancel, leave: Cancel | None = None) -> Image:
        """Turns a source into an image that the registry serves. Once `leave` is cancelled, it returns soon, and what can
        go on without us goes on for the next attempt; elsewhere that is as `cancel`. Raises BuildFailed, Cancelled,
        PlatformFault.
        """

    def sweep(self, build_id: int) -> None:
        """Ends and removes what attempts of a build, which has its verdict, left. Raises PlatformFault."""

    def forget(self, app_id: int) -> None:
        """Removes the app's build caches."""

    def discard(self, images: Collection[tuple[str, str]]) -> None:
        """Removes images, each by repository and digest, from the registry. Those that are gone already are fine."""

    def prepare(self) -> None:
        """Does ahead of the next build, whichever it is, what can be done ahead. Raises PlatformFault."""


class Sandbox(Protocol):
    """One capped container of a build, as a plain user, without credentials. Built by a runtime, used by the
    builder.
    """

    def prepare(self, spec: SandboxSpec) -> None:
        """Clears up after earlier runs, and has a container ready for the next one with this spec, whatever its
        build_id: one at most, the last asked for. Raises PlatformFault.
        """

    def run(
        self,
        spec: SandboxSpec,
        steps: Callable[[SandboxSession], None],
        cancel: Cancel,
    ) -> None:
        """Starts the container, hands its session to `steps`, and ends it whatever happens: afterwards none of its
        programs runs.

        Raises BuildFailed (OUT_OF_MEMORY, OUT_OF_TIME, LOG_TOO_LONG), Cancelled, PlatformFault.
        """

    def sweep(self, build_id: int) -> None:
        """Removes containers that earlier attempts of this build left."""


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """`image` is an engine reference; `mounts` maps paths in the container to (host folder, read-only). `user` is
    "uid:gid".

    Caps: `memory` MiB, `cpu` thousandths of a core, `pids` processes, `seconds` wall time, `log_bytes` of output.
    """

    build_id: int
    image: str
    user: str
    mounts: Mapping[str, tuple[Path, bool]]
    memory: int = 2048
    cpu: int = 2000
    pids: int = 1024
    seconds: float = 900.0
    log_bytes: int = 10 * 1024 * 1024


class SandboxSession(Protocol):
    def execute(self, argv: Sequence[str], env: Mapping[str, str], cwd: str, on_line: Callable[[bytes], None]) -> int:
        """Runs one program with exactly `env`; each line of its stdout and stderr goes to `on_line` as it is
        written; its exit code.
        """


class Runtime(Tasks, Protocol):
    """Where processes run."""

    @property
    def by_load(self) -> bool:
        """Whether load can decide how many run. Elsewhere `autoscale` of a workload is left alone."""

    @property
    def has_volumes(self) -> bool:
        """Whether a workload's `volumes` outlive its processes, which therefore are one. Elsewhere they are left alone."""

    def fetch(self, image: Image) -> None:
        """Begins to bring an image to where its processes will run, and returns at once. Nothing depends on it: whatever
        keeps the image from coming is told by `start`, which brings what is missing.
        """

    def start(self, workloads: Sequence[Workload], say: Say) -> None:
        """Makes every process of `workloads` run, and returns when all are ready. Until then what runs now serves on; it is
        gone after `retire` at the latest.

        Processes that already run as asked are kept as they are. One with a newer turn is replaced, and stopped before
        its successor begins when its turn says so. Raises RolloutFailed (then what this call started is gone), or
        PlatformFault.
        """

    def insist(self, workloads: Sequence[Workload]) -> None:
        """Makes every process of `workloads` that is not there at all begin, without a look at whether it is ready: it
        is started again and again, with growing pauses. Raises RolloutFailed (no image), PlatformFault.
        """

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
        """Runs one process to its end, beside whatever runs; its exit code. What an earlier run of it left is gone
        then. `boot_limit`: the seconds that it may take. `number`: the second half of its name.

        With `leave`, what an earlier call left, also one that died, is gone on with; once that is cancelled, the process
        is left running for the next call, and Cancelled is raised. `resume`: it began already; NotFound is raised when
        nothing is left of it. `heard`: the mark of the last line in the log that has one. What comes after that line is
        said, each line once, also what was printed while nobody followed; all of it when that line was another's. Marks
        grow with each line, and from one that is gone to the next.

        Raises RolloutFailed, Cancelled, PlatformFault.
        """

    def retire(self, app_id: int, keep: Sequence[Workload], *, by_name: bool = False, runs: bool = False) -> None:
        """Stops gracefully, all at once, every process of the app that `keep` does not ask for. `by_name`: a process
        that has the name and release of a wanted one stays, though it was to be another: its successor failed. Those that
        `run` started stay, but for `runs`: that is for an app that is destroyed, and takes all that it has here.
        """

    def discard(self, images: Collection[tuple[str, str]]) -> None:
        """Removes its own copies of images, each by repository and digest; what a process runs on stays."""

    def processes(self, app_id: int | None = None) -> list[Process]:
        """What runs now, of one app or of all, from the runtime's own records."""

    def look_after(self, stop: Event, told: Callable[[int, str, str], None]) -> None:
        """Until `stop`: tries the liveness checks of all processes, and restarts those that fail. `told` hears of it: the
        app's id, the process's name, a sentence. Raises PlatformFault when the engine is gone.
        """

    def watch(self, on_change: Callable[[int], None], on_one_off: Callable[[], None] = ...) -> None:
        """Calls `on_change(app_id)` whenever a process of ours starts or ends by itself, or others change what we made for
        an app, and `on_one_off` when a one-off starts or ends; returns only when the engine is gone.
        """


class Router(Protocol):
    def publish(self, route: AppRoute) -> None:
        """Returns once the data plane sends the app's new requests to this route. Raises PlatformFault."""

    def drain(self, app_id: int, release: int, seconds: float, cancel: Cancel) -> bool:
        """Waits until requests in flight to an earlier release have ended; False when `seconds` ran out first, and when
        it was cancelled: then a later drain waits for the same ones.
        """

    def amend(self, app_id: int, domains: Sequence[str], *, maintenance: bool) -> None:
        """Gives the route that the app has now these custom domains, and puts it into maintenance or out of it; an app
        without one stays so. Raises PlatformFault.
        """

    def withdraw(self, app_id: int) -> None: ...

    def replace(self, routes: Sequence[AppRoute]) -> None:
        """The whole table at once (after a restart)."""


class NoAnswer(Exception):
    """No name server told whether the record is there."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TextRecords(Protocol):
    def of(self, name: str) -> list[str]:
        """The texts of the TXT records of a DNS name; none where there are none. Raises NoAnswer."""


class Logs(Protocol):
    """Lines of builds and rollouts: appended by one writer, followed by any number of readers, kept after the end."""

    def append(self, stream: str, line: str, mark: str = "") -> None:
        """A line with a mark that is not beyond the last one of its stream (compared as text) is there already."""

    def mark(self, stream: str) -> str:
        """The last one; "" where there is none."""

    def close(self, stream: str, outcome: str) -> None:
        """Marks the end; a second close is ignored."""

    def outcome(self, stream: str) -> str | None:
        """What `close` was given; None while the stream is open, or unknown."""

    def read(self, stream: str) -> list[str]: ...

    def follow(self, stream: str, idle: float = 5.0) -> Iterator[str | None]:
        """Every line from the first on until the end; None whenever `idle` seconds passed without one."""

    def remove(self, stream: str) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, with its zone (UTC)."""


@dataclass(frozen=True, slots=True)
class Push:
    """One `git push` as its pre-receive hook sees it."""

    app_id: int
    actor: Actor
    updates: tuple[RefUpdate, ...]
    quarantine: Path | None
    origin: str = ""
