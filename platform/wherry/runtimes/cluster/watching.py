"""One kind of object, watched: a list at first, then every change, for as long as it is wanted.

A list is made again only when the server no longer knows what we have seen (410, as an answer or inside the stream).
Between tries there are growing pauses of random length. Ours and not a library's: see docs/decisions/0013.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from threading import Event, Lock, Thread

from wherry.domain.errors import PlatformFault, WherryError
from wherry.runtimes.cluster.answers import Answer
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errors import Gone
from wherry.runtimes.cluster.kinds import Kind, Object

_LONGEST_WATCH = 300
_PAUSE = 0.5
_LONGEST_PAUSE = 15.0


class Watching:
    """`on_all` gets what there is, at first and after each gap; `on_event` a change: ADDED, MODIFIED or DELETED. Both are
    called from the watch's own thread. So is `on_page`, which gets what there is some at a time, and gives what of it shall
    be kept for `on_all`.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind,
        labels: str,
        on_all: Callable[[list[Object]], None],
        on_event: Callable[[str, Object], None],
        *,
        only_metadata: bool = False,
        on_page: Callable[[list[Object]], list[Object]] = lambda page: page,
    ) -> None:
        self.kind = kind
        self.live = Event()
        """While the stream is open."""
        self.fault: WherryError | None = None
        self._client = client
        self._labels = labels
        self._on_page, self._on_all, self._on_event = on_page, on_all, on_event
        self._only_metadata = only_metadata
        self._stop = Event()
        self._tried = Event()
        self._lock = Lock()
        self._answer: Answer | None = None
        self._thread = Thread(target=self._run, name=f"watch {kind.plural}", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def ready(self, seconds: float) -> None:
        """Waits for the first list. Raises PlatformFault when there was none."""
        self._tried.wait(seconds)
        if not self.live.is_set():
            raise self.fault or PlatformFault(f"the cluster does not list its {self.kind.plural}")

    def end(self) -> None:
        self._stop.set()
        self._client.wake()
        with self._lock:
            if self._answer:
                self._answer.shutdown()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        version, pause = "", _PAUSE
        while not self._stop.is_set():
            try:
                if not version:
                    version = self._list()
                    self._is_live()
                version = self._follow(version)
                pause = _PAUSE
            except Gone:
                version = ""
                self._stop.wait(random.uniform(0, 1))  # noqa: S311 - all watches may be told so at once
            except WherryError as error:
                self._is_lost(error)
                self._pause(pause * random.uniform(0.5, 1.5))  # noqa: S311
                pause = min(pause * 2, _LONGEST_PAUSE)
        self.live.clear()

    def _pause(self, seconds: float) -> None:
        """Not to its end when the cluster was away and has answered somebody meanwhile."""
        if self._client.is_away:
            self._client.await_back(seconds, self._stop.is_set)
            self._stop.wait(random.uniform(0, 1))  # noqa: S311 - all watches hear of it at once
        else:
            self._stop.wait(seconds)

    def _list(self) -> str:
        kept: list[Object] = []
        version = ""
        for page, each in self._client.pages(self.kind, labels=self._labels, only_metadata=self._only_metadata):
            kept += self._on_page(page)
            version = each
        self._on_all(kept)
        return version

    def _follow(self, version: str) -> str:
        """Until the server or we end it: the version to go on from."""
        seconds = round(_LONGEST_WATCH * random.uniform(0.8, 1))  # noqa: S311
        stream = self._client.watch(
            self.kind, version, seconds, labels=self._labels, only_metadata=self._only_metadata, opened=self._opened
        )
        try:
            with stream as events:
                self._is_live()
                for event in events:
                    found = event["object"]
                    version = str(found["metadata"]["resourceVersion"])
                    if event["type"] != "BOOKMARK":
                        self._on_event(event["type"], found)
        finally:
            self._opened(None)
        return version

    def _opened(self, answer: Answer | None) -> None:
        with self._lock:
            self._answer = answer
            if answer and self._stop.is_set():
                answer.shutdown()

    def _is_live(self) -> None:
        self.fault = None
        self.live.set()
        self._tried.set()

    def _is_lost(self, error: WherryError) -> None:
        self.fault = error
        self.live.clear()
        self._tried.set()
