"""A thread that follows one app's log from its place in it, which outlives the thread."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from threading import Event, Thread

from wherry.domain.errors import WherryError
from wherry.flow.log_ports import AppLogs

log = logging.getLogger(__name__)


class Follower(ABC):
    """`place`: the name of its place. `pause`: seconds after which it begins again when it failed. `called`: by which the
    log of ours names it.
    """

    def __init__(self, app_id: int, logs: AppLogs, place: str, called: str, pause: float) -> None:
        self._app, self._logs, self._position, self._called, self._pause = app_id, logs, place, called, pause
        self._stop = Event()
        self._thread = Thread(target=self._run, name=place, daemon=True)

    def start(self) -> None:
        """With what is written from now on, or from where an earlier one of this place ended."""
        if not self._logs.position(self._position):
            self._logs.move(self._position, str(self._logs.last(self._app)))
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    @abstractmethod
    def _follow(self) -> None:
        """Until the log is no more, or we are told to stop."""

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except WherryError as error:
                log.warning("%s: %s", self._called, " | ".join(error.lines()))
            except Exception:
                log.exception("%s failed in a way nobody foresaw", self._called)
            else:
                return
            self._stop.wait(self._pause)
