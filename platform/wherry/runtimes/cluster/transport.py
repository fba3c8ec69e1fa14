"""How we speak to the API of a cluster: the one place that sends anything to it.

Every call has a time limit. A server that is busy is waited for as long as it asks; one that is gone is tried once a
second at most, whatever is asked of us, so that its return is not met by a storm.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

from wherry.runtimes.cluster import answers, errors
from wherry.runtimes.cluster.answers import Answer
from wherry.runtimes.cluster.credentials import Credentials, Door
from wherry.runtimes.cluster.errors import HINT, Unreachable
from wherry.runtimes.cluster.kinds import Object

JSON = "application/json"
SECONDS = 60.0
_CONNECT = 5.0
_BUSY = (429, 503)
_LONGEST_WAIT = 120.0
_SAID_AFTER = 1.0
_AGAIN_AFTER = 1.0
_ONCE_MORE = urllib3.Retry(
    connect=0, read=1, redirect=0, status=0, other=0, allowed_methods=None, respect_retry_after_header=False
)


@dataclass(frozen=True, slots=True)
class Call:
    """`doing`: for messages, as in ``get the Pod web-1``. `query`: what is empty is left out. `seconds`: the longest silence.
    `counted`: as what in `Transport.sent`; the method, if nothing.
    """

    method: str
    path: str
    doing: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = JSON
    accept: str = JSON
    seconds: float = SECONDS
    counted: str = ""

    @property
    def target(self) -> str:
        asked = urlencode({key: each for key, each in self.query.items() if each})
        return f"{self.path}?{asked}" if asked else self.path

    @property
    def headers(self) -> dict[str, str]:
        return {"Accept": self.accept, **({"Content-Type": self.content_type} if self.body is not None else {})}


class Transport:
    """Used from several threads. `sent` counts what was sent, by "GET", "LIST", "WATCH", "APPLY", "CREATE", "DELETE",
    "PATCH".
    """

    def __init__(self, kubeconfig: str = "") -> None:
        self.credentials = Credentials(kubeconfig)
        self.sent: Counter[str] = Counter()
        self._lock = threading.Condition()
        self._fault = ""
        self._next_try = 0.0
        self._here = threading.local()

    def json(self, call: Call) -> Object:
        """The answer's JSON object. Raises NotFound, Conflict, Refused, PlatformFault."""
        with self.opened(call) as answer:
            try:
                found: Object = json.loads(answer.read())
            except (HTTPError, OSError, ValueError) as error:
                raise answers.broken(call.doing, error) from error
            return found

    @contextmanager
    def opened(self, call: Call) -> Iterator[Answer]:
        """An answer that is a success, to be read piece by piece. Raises as `json`."""
        self.sent[call.counted or call.method] += 1
        answer = self._answered(call)
        try:
            if answer.status >= 300:
                raise errors.of_answer(answer.status, answers.whole(answer), call.doing)
            yield answer
        finally:
            if not answer.isclosed():
                answer.close()  # left in the middle: its connection cannot be used again
            answer.release_conn()

    @contextmanager
    def telling(self, say: Callable[[str], None]) -> Iterator[None]:
        """Inside, this thread's waits for a busy cluster are told."""
        self._here.say, before = say, getattr(self._here, "say", None)
        try:
            yield
        finally:
            self._here.say = before

    @property
    def is_away(self) -> bool:
        """By the last try that anybody made."""
        with self._lock:
            return bool(self._fault)

    def await_back(self, seconds: float, ended: Callable[[], bool]) -> None:
        """Until it has answered somebody again, `seconds` at most. `ended` is asked after each `wake`."""
        with self._lock:
            self._lock.wait_for(lambda: not self._fault or ended(), seconds)

    def wake(self) -> None:
        with self._lock:
            self._lock.notify_all()

    def _answered(self, call: Call) -> Answer:
        """After the waits that the server asked for; with other credentials when it refused those we had."""
        until, again = time.monotonic() + _LONGEST_WAIT, True
        while True:
            door = self.credentials.door()
            answer = self._sent(door, call)
            if answer.status == 401 and again:
                again = False
                answers.drop(answer)
                self.credentials.forget(door)
                continue
            pause = _asked_pause(answer)
            if pause is None or time.monotonic() + pause > until:
                return answer
            answers.drop(answer)
            self._wait(pause)

    def _sent(self, door: Door, call: Call) -> Answer:
        self._mind_the_gap(call.doing)
        try:
            answer = door.pool.request(
                call.method,
                door.url + call.target,
                headers={**call.headers, **door.headers},
                body=call.body,
                preload_content=False,
                redirect=False,
                # A kept connection that the server closed meanwhile; all that we send may be sent twice.
                retries=_ONCE_MORE,
                timeout=urllib3.Timeout(connect=_CONNECT, read=call.seconds),
            )
        except (HTTPError, OSError) as error:
            raise self._gone(call.doing, error) from error
        with self._lock:
            if self._fault:
                self._fault = ""
                self._lock.notify_all()
        assert isinstance(answer, Answer)
        return answer

    def _mind_the_gap(self, doing: str) -> None:
        """Raises Unreachable at once when a try failed less than a second ago."""
        with self._lock:
            if not self._fault:
                return
            if time.monotonic() < self._next_try:
                raise Unreachable(f"could not {doing}: {self._fault}", hint=HINT)
            self._next_try = time.monotonic() + _AGAIN_AFTER  # this thread tries, for all

    def _gone(self, doing: str, error: Exception) -> Unreachable:
        fault = answers.broken(doing, error)
        with self._lock:
            self._fault = answers.why(error)
            self._next_try = time.monotonic() + _AGAIN_AFTER * random.uniform(1, 1.5)  # noqa: S311
        return fault

    def _wait(self, seconds: float) -> None:
        """Longer than asked by up to a half: all who wait must not come back at once."""
        if seconds >= _SAID_AFTER and (say := getattr(self._here, "say", None)):
            say("waiting for the cluster, which is busy")
        time.sleep(seconds * random.uniform(1, 1.5))  # noqa: S311


def _asked_pause(answer: Answer) -> float | None:
    """The seconds that a busy server wants us to wait; None when it does not."""
    asked = answer.headers.get("Retry-After", "")
    if answer.status not in _BUSY or not re.fullmatch(r"[0-9]{1,4}", asked):
        return 1.0 if answer.status == 429 else None
    return float(asked)
