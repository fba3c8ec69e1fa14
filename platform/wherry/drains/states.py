"""Follows the logs of the apps whose webhooks want to hear of their processes: a thread for each such webhook."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event, Thread

from wherry.domain.errors import WherryError
from wherry.domain.log import PLATFORM, Filter
from wherry.domain.states import Lives, Turn
from wherry.flow.log_ports import AppLogs
from wherry.flow.webhook_states import EnqueueStates

log = logging.getLogger(__name__)
_IDLE = 30.0
_PAUSE = 5.0
_MOST = 200
_STEP = 1000  # lines that say nothing of processes, after which the place is noted all the same


class Follower:
    """Of one webhook, from where an earlier follower of it ended."""

    def __init__(self, webhook_id: int, app_id: int, logs: AppLogs, news: EnqueueStates) -> None:
        self._webhook, self._app, self._logs, self._news = webhook_id, app_id, logs, news
        self._stop = Event()
        self._thread = Thread(target=self._run, name="states", daemon=True)

    def start(self) -> None:
        place = _place(self._webhook)
        if not self._logs.position(place):
            self._logs.move(place, str(self._logs.last(self._app)))
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except WherryError as error:
                log.warning("webhook %s: %s", self._webhook, " | ".join(error.lines()))
            except Exception:
                log.exception("webhook %s failed in a way nobody foresaw", self._webhook)
            else:
                return  # the log is no more, or we were told to stop
            self._stop.wait(_PAUSE)

    def _follow(self) -> None:
        """What was told already is read once more, since a turn may belong to a life that began there."""
        place = int(self._logs.position(_place(self._webhook)) or 0)
        told = at = noted = min(place, self._logs.last(self._app))
        lives, turns = Lives(), list[Turn]()
        lines = self._logs.follow(self._app, 0, Filter(source=PLATFORM), _IDLE, eager=True)
        with closing(lines) as following:  # type: ignore[type-var]
            for kept in following:
                if self._stop.is_set():
                    return
                if kept:
                    at = max(at, kept.number)
                    turns += [turn] if (turn := lives.turn(kept)) and kept.number > told else []
                if turns and (kept is None or len(turns) == _MOST):
                    self._news.run(self._webhook, turns)
                    turns = []
                    noted = self._note(at)
                elif not turns and at - noted >= _STEP:
                    noted = self._note(at)

    def _note(self, at: int) -> int:
        if not self._stop.is_set():  # whoever stopped it may have begun anew
            self._logs.move(_place(self._webhook), str(at))
        return at


@dataclass
class StateKeeper:
    """A follower for each webhook that there is, and for no other."""

    logs: AppLogs
    news: EnqueueStates
    _followers: dict[int, Follower] = field(default_factory=dict)

    def refresh(self) -> None:
        """To be called whenever webhooks may have changed."""
        wanted = self.news.listeners()
        for gone in set(self._followers) - set(wanted):
            self._followers.pop(gone).stop()
            self.logs.move(_place(gone), "")  # should it be on again one day, it is told what happens from then on
        for number in set(wanted) - set(self._followers):
            follower = Follower(number, wanted[number], self.logs, self.news)
            follower.start()
            self._followers[number] = follower

    def close(self) -> None:
        for follower in self._followers.values():
            follower.stop()


def _place(webhook_id: int) -> str:
    return f"webhook-{webhook_id}"
