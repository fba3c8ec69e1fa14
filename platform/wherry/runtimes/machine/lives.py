"""Which of the containers that we just started have ended, or were short of memory: told by the engine's events."""

from __future__ import annotations

import time
from threading import Event, Lock, Thread
from types import TracebackType

from wherry.runtimes.machine import naming
from wherry.runtimes.machine.engine import CLIENT_ERRORS, Engine, close_stream


class Life:
    """`over`: nothing more to wait for: it ended, the engine is gone, or its rollout was given up. `oom`: the kernel
    stopped one of its programs for memory.
    """

    def __init__(self) -> None:
        self.over = Event()
        self.oom = Event()


class Lives:
    """A context: inside it, `watch(container id)` gives the Life of one container."""

    def __init__(self, engine: Engine, platform: str) -> None:
        self._engine = engine
        self._lock = Lock()
        self._lives: dict[str, Life] = {}
        self.gone = False
        # `since` replays what happened while the stream was being opened.
        filters = {**naming.of_platform(platform), "type": ["container"], "event": ["die", "oom"]}
        self._events = engine.api.events(since=int(time.time()), filters=filters, decode=True)
        self._thread = Thread(target=self._listen, name="lives", daemon=True)

    def __enter__(self) -> Lives:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        close_stream(self._events)
        self._thread.join()

    def watch(self, container_id: str) -> Life:
        with self._lock:
            life = self._lives.setdefault(container_id, Life())
            if self.gone:
                life.over.set()
            return life

    def give_up(self) -> None:
        """Ends all waiting, for good: `gone` is true from now on. Also when the engine's events end."""
        with self._lock:
            self.gone = True
            for life in self._lives.values():
                life.over.set()

    def _listen(self) -> None:
        try:
            for event in self._events:
                self._hear(event)
        except CLIENT_ERRORS:
            pass  # the engine is gone, or we closed the stream: whoever waits asks the engine next and hears which
        finally:
            self.give_up()

    def _hear(self, event: dict[str, object]) -> None:
        with self._lock:
            life = self._lives.setdefault(str(event.get("id")), Life())
            if event.get("Action") == "oom":
                life.oom.set()
            else:
                life.over.set()
