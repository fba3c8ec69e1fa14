"""Follows the logs of the apps whose webhooks want to hear of their processes: a thread for each such webhook."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

from wherry.domain.log import PLATFORM, Filter
from wherry.domain.states import Lives, Turn
from wherry.drains.follower import Follower
from wherry.flow.log_ports import AppLogs
from wherry.flow.webhook_states import EnqueueStates

_IDLE = 30.0
_PAUSE = 5.0
_MOST = 200
_STEP = 1000  # lines that say nothing of processes, after which the place is noted all the same


class StateFollower(Follower):
    """Of one webhook."""

    def __init__(self, webhook_id: int, app_id: int, logs: AppLogs, news: EnqueueStates) -> None:
        super().__init__(app_id, logs, _place(webhook_id), f"webhook {webhook_id}", _PAUSE)
        self._webhook, self._news = webhook_id, news

    def _follow(self) -> None:
        """What was told already is read once more, since a turn may belong to a life that began there."""
        place = int(self._logs.position(self._position) or 0)
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
            self._logs.move(self._position, str(at))
        return at


@dataclass
class StateKeeper:
    """A follower for each webhook that there is, and for no other."""

    logs: AppLogs
    news: EnqueueStates
    _followers: dict[int, StateFollower] = field(default_factory=dict)

    def refresh(self) -> None:
        """To be called whenever webhooks may have changed."""
        wanted = self.news.listeners()
        for gone in set(self._followers) - set(wanted):
            self._followers.pop(gone).stop()
            self.logs.move(_place(gone), "")  # should it be on again one day, it is told what happens from then on
        for number in set(wanted) - set(self._followers):
            follower = StateFollower(number, wanted[number], self.logs, self.news)
            follower.start()
            self._followers[number] = follower

    def close(self) -> None:
        for follower in self._followers.values():
            follower.stop()


def _place(webhook_id: int) -> str:
    return f"webhook-{webhook_id}"
