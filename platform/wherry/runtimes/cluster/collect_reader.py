"""Reads what one pod writes, life after life, into the collector's mailbox."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Condition, Thread

from wherry.domain.errors import NotFound, WherryError
from wherry.domain.log import APP, Entry, LogLine, message
from wherry.flow.log_ports import AppLogs
from wherry.runtimes.cluster import errand, log_lines, words
from wherry.runtimes.cluster.answers import Answer
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.words import Life
from wherry.runtimes.flood import Flood
from wherry.runtimes.mailbox import Mailbox
from wherry.runtimes.marks import marked

log = logging.getLogger(__name__)
_END_WITHIN = 10.0
_AGAIN = 1.0
_LONGEST_PAUSE = 30.0


class Reader:
    """`name` tells which process it is now: web.2 becomes web.1 when that one goes. `over`: it has ended."""

    def __init__(
        self, client: Client, pod: Object, app_id: int, name: Callable[[], str], logs: AppLogs, mailbox: Mailbox
    ):
        about = pod["metadata"]
        self._client, self._logs, self._mailbox = client, logs, mailbox
        self._namespace, self._pod_name, self._app_id, self._name = about["namespace"], about["name"], app_id, name
        self._key = str(about["uid"])
        self._once = errand.NUMBER in about["labels"]
        self._is_private = errand.ATTACHED in about["labels"]  # what it writes is its client's alone
        self._changed = Condition()
        self._pod, self._gone, self._stopped = pod, False, False
        self._answer: Answer | None = None
        self._mark = ""
        self._told = -1
        self._thread = Thread(target=self._run, name="log lines", daemon=True)
        self.flood = Flood(name(), self._key)
        self.over = False

    def start(self) -> None:
        self._thread.start()

    def see(self, pod: Object, *, gone: bool = False) -> None:
        with self._changed:
            self._pod, self._gone = pod, gone
            self._changed.notify_all()
        if not gone:
            self._mailbox.put(self._app_id, words.up(pod, self._name(), self._key))
        self._mailbox.put(self._app_id, words.stopping(pod, self._name(), self._key))

    def tell_dropped(self) -> None:
        """For the thread that empties the mailbox: it must not wait for room in it."""
        self.flood.told(lambda entry: self._mailbox.put(self._app_id, [entry], wait=False))

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            if self._answer is not None:
                self._answer.shutdown()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        try:
            self._mark = self._logs.mark(self._app_id, self._key)
            while (life := self._next_life()) is not None:
                self._live_through(life)
        except WherryError as error:
            if not self._stopped:
                log.warning("the log of %s: %s", self._pod_name, " | ".join(error.lines()))
        finally:
            self.over = True

    def _next_life(self) -> Life | None:
        """The first that was not told to its end; None when there will be none."""
        with self._changed:
            while not self._stopped:
                for life in words.lives(self._pod):
                    if life.number > self._told:
                        return life
                if self._gone or (self._once and self._told >= 0):
                    return None
                self._changed.wait()
        return None

    def _live_through(self, life: Life) -> None:
        pod, name = self._pod, self._name()
        self._mailbox.put(self._app_id, words.starting(pod, name, self._key, life))
        whole = self._is_private or self._read(life)
        now = self._end_of(life, _END_WITHIN if whole else 0.0)
        if self._stopped:
            return
        if now is None and not whole and not self._gone:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._gone, _AGAIN)
        if (now is not None and (whole or self._read(now))) or self._gone:
            self._told = life.number
            if now is not None:
                said = words.ended(self._pod, self._name(), self._key, now, once=self._once)
                self._mailbox.put(self._app_id, said)

    def _end_of(self, life: Life, seconds: float) -> Life | None:
        """A node tells of an end a moment after the last line. For an output that is not read the end itself is waited
        for.
        """

        def found() -> Life | None:
            known = {each.number: each for each in words.lives(self._pod)}
            if life.number in known and known[life.number].ended is not None:
                return known[life.number]
            return life if known and min(known) > life.number else None

        with self._changed:
            limit = None if self._is_private else seconds
            self._changed.wait_for(lambda: found() is not None or self._gone or self._stopped, limit)
            return found()

    def _read(self, life: Life) -> bool:
        """False when the connection broke before the end."""
        try:
            with log_lines.opened(
                self._client,
                self._namespace,
                self._pod_name,
                mark=self._mark,
                previous=life.is_previous,
                follow=life.ended is None,
                hold=self._hold,
            ) as records:
                for at, mark, piece in marked(records):
                    if mark > self._mark:
                        self._take(at, mark, piece)
                self._mailbox.put(self._app_id, self.flood.told())
        except NotFound:
            return True  # it was removed with its node's copy of the log
        except WherryError as error:
            if not self._stopped:
                log.info("the log of %s: %s", self._pod_name, error)
            return False
        finally:
            self._hold(None)
        return not self._stopped

    def _take(self, at: str, mark: str, piece: bytes) -> None:
        self._mark = mark
        if self.flood.takes(at, mark, len(piece)):
            line = Entry(LogLine(at, APP, self._name(), message(piece)), self._key, mark)
            self._mailbox.put(self._app_id, [*self.flood.told(), line])

    def _hold(self, answer: Answer | None) -> None:
        with self._changed:
            self._answer = answer
            if answer is not None and self._stopped:
                answer.shutdown()
