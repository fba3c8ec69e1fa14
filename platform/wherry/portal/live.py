"""Logs as they are written, by Server-Sent Events. Each open stream holds one thread of the web server.

The client that goes away is noticed at the next write, so something is written whenever a log is idle.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from flask import Response, request

from wherry.domain.errors import NotFound, PlatformFault
from wherry.domain.log import Filter, Kept
from wherry.domain.model import Actor, ReleaseStatus
from wherry.domain.roles import Permission
from wherry.flow.lanes import build_stream, release_stream
from wherry.portal.session import actor
from wherry.portal.shelf import Shelf
from wherry.portal.text import Line, app_line, clean, talk
from wherry.wiring.web import World

MOST_STREAMS = 24  # in one process, well under its threads: pages, API and git must still be answered
CATCH_UP = 1000  # lines for a reader who does not say what it has
RETRY = "retry: 2000\n\n"
HEARTBEAT = "event: idle\ndata: idle\n\n"

Outcome = Callable[[], str]


def message(line: Line, number: str) -> str:
    data = {"text": line.text, "kind": line.kind, "at": line.at, "clock": line.clock, "process": line.process}
    return f"id: {number}\ndata: {json.dumps(data)}\n\n"


def trouble(error: PlatformFault) -> str:
    """Tells the script why there is nothing to follow now, and to try again later."""
    return f"event: trouble\ndata: {json.dumps(clean(error.message))}\n\n"


def ending(outcome: str) -> str:
    """Tells the script not to come back."""
    return f"event: end\ndata: {json.dumps(outcome)}\n\n"


@dataclass(frozen=True)
class Live:
    world: World
    slots: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MOST_STREAMS))

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.world)

    def release(self, name: str, number: int) -> Response:
        app, release = self.shelf.release(name, number, Permission.VIEW)
        who = actor()

        def outcome() -> str:
            with self.world.ledger.begin(read_only=True) as tx:
                status = tx.releases.by_id(release.id).status
            return self._gone(who, app.id) or ("" if status is ReleaseStatus.PENDING else status)

        return self._answer(self._stored(release_stream(release.id), _after(), outcome))

    def build(self, name: str, number: int) -> Response:
        app, build = self.shelf.build(name, number, Permission.VIEW)
        who = actor()

        def outcome() -> str:
            with self.world.ledger.begin(read_only=True) as tx:
                status = tx.builds.by_id(build.id).status
            return self._gone(who, app.id) or (status if status.final else "")

        return self._answer(self._stored(build_stream(build.id), _after(), outcome))

    def logs(self, name: str) -> Response:
        app = self.shelf.app(name, Permission.VIEW)
        who, wanted = actor(), Filter(process=request.args.get("process") or "")
        after = _after() or max(0, self.world.app_logs.last(app.id) - CATCH_UP)
        lines = self.world.app_logs.follow(app.id, after, wanted)
        return self._answer(self._running(lines, lambda: self._gone(who, app.id)))

    def _stored(self, stream: str, after: int, outcome: Outcome) -> Iterator[str]:
        """Lines from number `after` on; the end when the log is closed, or its subject has ended without that."""
        yield RETRY
        lines = self.world.logs.read(stream) if outcome() else self.world.logs.follow(stream)
        number = 0
        try:
            for line in lines:
                if line is None:
                    if outcome():
                        break
                    yield HEARTBEAT
                    continue
                number += 1
                if number > after:
                    yield message(talk(line), str(number))
        finally:
            _close(lines)
        yield ending(outcome())

    def _running(self, lines: Iterator[Kept | None], gone: Outcome) -> Iterator[str]:
        """What comes into the app's log."""
        yield RETRY
        try:
            for entry in lines:
                if entry is None:
                    if reason := gone():
                        yield ending(reason)
                        return
                    yield HEARTBEAT
                else:
                    yield message(app_line(entry.line), str(entry.number))
        except PlatformFault as error:
            yield trouble(error)
        finally:
            _close(lines)

    def _gone(self, who: Actor, app_id: int) -> str:
        """Why this reader may not read on: the app was destroyed, or is no longer theirs."""
        try:
            self.world.access.app(who, str(app_id), Permission.VIEW)
        except NotFound:
            return "gone"
        return ""

    def _answer(self, events: Iterator[str]) -> Response:
        if not self.slots.acquire(blocking=False):
            _close(events)
            return Response("too many live logs are open\n", 503, {"Retry-After": "10"}, mimetype="text/plain")
        response = Response(events, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
        response.call_on_close(self.slots.release)
        return response


def _close(iterator: object) -> None:
    if isinstance(iterator, Generator):
        iterator.close()


def _last_seen() -> str:
    """The id of the last event that the reader has: a reconnecting browser's header, or the page's own last line."""
    return request.headers.get("Last-Event-ID") or request.args.get("after", "")


def _after() -> int:
    text = _last_seen()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
