"""A Builder in memory. What becomes of a commit is said beforehand; the rest succeeds at once."""

from __future__ import annotations

from collections.abc import Collection
from threading import Event

from wherry.domain.errors import Cancelled
from wherry.domain.image import Image
from wherry.flow.ports import BuildRequest, Cancel, MarkedSay
from wherry.flow.talk import again


class InMemoryBuilder:
    """`failures`: commit to the errors of its attempts, in order. `held`: commits whose builds wait until cancelled."""

    def __init__(self) -> None:
        self.failures: dict[str, list[Exception]] = {}
        self.held: set[str] = set()
        self.built: list[str] = []
        self.forgotten: list[int] = []
        self.processes = {"web": "serve"}
        self.is_building = Event()
        self.prepared = 0
        self.discarded: set[tuple[str, str]] = set()
        self.swept: list[int] = []
        self.requests: list[BuildRequest] = []

    def build(self, request: BuildRequest, say: MarkedSay, cancel: Cancel, leave: Cancel | None = None) -> Image:
        commit = request.source.commit
        self.requests.append(request)
        if request.attempt > 1:
            again(say, request.faults)
        say(f"-----> Building {request.app_name} from {commit[:7]}")
        self.is_building.set()
        if commit in self.held:
            stopped = Event()
            cancel.on_cancel(stopped.set)
            if leave:
                leave.on_cancel(stopped.set)
            stopped.wait()
            raise Cancelled("stopped")
        if self.failures.get(commit):
            raise self.failures[commit].pop(0)
        self.built.append(commit)
        return Image(f"apps/{request.app_id}", f"sha256:{commit}", dict(self.processes))

    def sweep(self, build_id: int) -> None:
        self.swept.append(build_id)

    def discard(self, images: Collection[tuple[str, str]]) -> None:
        self.discarded |= set(images)

    def prepare(self) -> None:
        self.prepared += 1

    def forget(self, app_id: int) -> None:
        self.forgotten.append(app_id)
