"""Signed notes that come back to us: what a hook may speak for, and what a log's URL may show.

A hook and a log viewer carry no token of their user; they carry one of these, for one push or one log, for a while.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, ClassVar

from itsdangerous import BadData, URLSafeTimedSerializer

from wherry.domain.errors import NotFound, Unauthorized
from wherry.domain.secret import Secret


@dataclass(frozen=True)
class PushTicket:
    """Speaks for one push: `email` is its actor, `marker` the random word that ends our answer to the hook."""

    app_id: int
    email: str
    marker: str
    origin: str


@dataclass(frozen=True)
class LogTicket:
    """Shows one stored log: the stream of a build or a release of an app."""

    app_id: int
    kind: str
    number: int


@dataclass(frozen=True)
class TailTicket:
    """Shows an app's log to `email`, while that user may see it."""

    app_id: int
    lines: int
    tail: bool
    source: str
    process: str
    email: str


@dataclass(frozen=True)
class UploadTicket:
    """Lets one archive be put under `token`, and be built by `email`."""

    email: str
    token: str


@dataclass(frozen=True)
class Tickets:
    """`key` signs. A push may take an hour, as its build may; a log's URL opens for as long, a tail's for 5 minutes,
    and for a day to go on with."""

    DAY: ClassVar[int] = 86400
    HOUR: ClassVar[int] = 3600
    MINUTES: ClassVar[int] = 300

    key: Secret

    def for_push(self, ticket: PushTicket) -> str:
        return self._sign("push", [ticket.app_id, ticket.email, ticket.marker, ticket.origin])

    def push(self, text: str) -> PushTicket:
        """Raises Unauthorized for one that we did not sign, or that is over an hour old."""
        found = self._read("push", text, self.HOUR)
        if found is None:
            raise Unauthorized("this is no push under way", hint="Push again: git push wherry main")
        return PushTicket(*found)

    def for_log(self, ticket: LogTicket) -> str:
        return self._sign("log", [ticket.app_id, ticket.kind, ticket.number])

    def log(self, text: str) -> LogTicket:
        """Raises NotFound."""
        found = self._read("log", text, self.HOUR)
        if found is None:
            raise NotFound("this log's URL has expired", hint="Ask for the release or build again: its URL is new.")
        return LogTicket(*found)

    def for_tail(self, ticket: TailTicket) -> str:
        return self._sign("tail", list(astuple(ticket)))

    def tail(self, text: str, again: bool = False) -> TailTicket:
        """`again`: a reader who had it open already, and was cut off. Raises NotFound."""
        found = self._read("tail", text, self.DAY if again else self.MINUTES)
        if found is None:
            raise NotFound("this log session has expired", hint="For a new one: wherry logs --tail")
        return TailTicket(*found)

    def for_upload(self, ticket: UploadTicket) -> str:
        return self._sign("upload", [ticket.email, ticket.token])

    def upload(self, text: str) -> UploadTicket:
        """Raises NotFound."""
        found = self._read("upload", text, self.HOUR)
        if found is None:
            raise NotFound("this upload's URL has expired", hint="Ask for a new one with POST /sources")
        return UploadTicket(*found)

    def _sign(self, kind: str, parts: list[int | str]) -> str:
        return str(self._signer(kind).dumps(parts))

    def _read(self, kind: str, text: str, age: int) -> list[Any] | None:
        try:
            parts: list[Any] = self._signer(kind).loads(text, max_age=age)
        except BadData:
            return None
        return parts

    def _signer(self, kind: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.key.reveal(), salt=f"wherry {kind} ticket")
