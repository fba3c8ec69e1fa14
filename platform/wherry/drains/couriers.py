"""Threads that make the deliveries of webhooks: one at a time for each webhook, so that a slow receiver holds up nobody
else's news (A49).
"""

from __future__ import annotations

import logging
from datetime import datetime
from queue import SimpleQueue
from threading import Lock, Thread

from wherry.domain.errors import WherryError
from wherry.flow.ports import Clock
from wherry.flow.webhook_send import SendNews

log = logging.getLogger(__name__)
MOST = 32


class Couriers:
    """`most`: deliveries that are made at the same time."""

    def __init__(self, send: SendNews, clock: Clock, most: int = MOST) -> None:
        self._send, self._clock, self._most = send, clock, most
        self._due: SimpleQueue[int] = SimpleQueue()
        self._busy: set[int] = set()
        self._lock = Lock()
        self._threads: list[Thread] = []
        self._closed = False

    def refresh(self) -> float | None:
        """To be called whenever something was enqueued, or a pause is over. Seconds until the next pause is; None without
        one.
        """
        now = self._clock.now()
        waiting = self._send.waiting()
        for number, until in waiting:
            if until is None or until <= now:
                self._begin(number)
        return min((_seconds(until, now) for _, until in waiting if until and until > now), default=None)

    def close(self) -> None:
        """What is on its way is made to its end, or again by the next life."""
        self._closed = True

    def _begin(self, number: int) -> None:
        with self._lock:
            if number in self._busy or self._closed:
                return
            self._busy.add(number)
            if len(self._threads) < min(self._most, len(self._busy)):
                thread = Thread(target=self._work, name="webhooks", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._due.put(number)

    def _work(self) -> None:
        while not self._closed:
            number = self._due.get()
            try:
                self._deliver(number)
            except WherryError as error:
                log.warning("webhook %s: %s", number, " | ".join(error.lines()))
                self._done(number)
            except Exception:
                log.exception("webhook %s failed in a way nobody foresaw", number)
                self._done(number)

    def _deliver(self, number: int) -> None:
        """Until nothing is due for it."""
        while not self._closed:
            with self._lock:  # what is enqueued after this look finds it free
                due = self._send.due(number)
                if due is None:
                    self._busy.discard(number)
                    return
            if not self._send.run(*due):
                self._done(number)
                self._send.ledger.ring()  # the pause that begins now is somebody's next appointment
                return

    def _done(self, number: int) -> None:
        with self._lock:
            self._busy.discard(number)


def _seconds(until: datetime, now: datetime) -> float:
    return (until - now).total_seconds()
