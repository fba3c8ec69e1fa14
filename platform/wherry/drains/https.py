"""One receiver by HTTPS: a POST a batch, of ``application/logplex-1``. A redirect is a refusal."""

from __future__ import annotations

import base64
import hashlib
import http.client
from collections.abc import Sequence

from wherry.domain.drains import Target
from wherry.domain.log import Kept
from wherry.drains.dial import SECONDS, Dialer
from wherry.drains.frames import logplex

_MOST_ANSWER = 64 * 1024


class Unaccepted(Exception):
    """An answer other than 2xx."""


class HttpsSink:
    def __init__(self, target: Target, token: str, dialer: Dialer) -> None:
        self._target, self._token, self._dialer = target, token, dialer
        self._connection: _Dialled | None = None

    def send(self, batch: Sequence[Kept]) -> None:
        """Raises OSError, Refused, Unaccepted, http.client's errors. A batch that is sent again has the same frame id."""
        again = self._connection is not None
        try:
            self._post(batch)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            if not again:
                raise
            self._post(batch)  # the connection had been idle for too long

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _post(self, batch: Sequence[Kept]) -> None:
        connection = self._connection = self._connection or _Dialled(self._target, self._dialer)
        try:
            body = b"".join(logplex(kept.line) for kept in batch)
            connection.request("POST", self._target.path, body, self._headers(batch))
            answer = connection.getresponse()
            answer.read(_MOST_ANSWER)
        except BaseException:
            self.close()
            raise
        if not answer.isclosed():
            self.close()  # more of an answer than anybody needs
        if not 200 <= answer.status < 300:
            raise Unaccepted(f"it answers {answer.status}")

    def _headers(self, batch: Sequence[Kept]) -> dict[str, str]:
        frame = hashlib.sha256(f"{self._token} {batch[0].number} {batch[-1].number}".encode()).hexdigest()[:32]
        headers = {
            "Content-Type": "application/logplex-1",
            "Logplex-Msg-Count": str(len(batch)),
            "Logplex-Frame-Id": frame,
            "Logplex-Drain-Token": self._token,
            "User-Agent": "Wherry",
        }
        if self._target.login:
            headers["Authorization"] = "Basic " + base64.b64encode(self._target.login.encode()).decode()
        return headers


class _Dialled(http.client.HTTPConnection):
    """Goes where the dialer leads, and nowhere else."""

    def __init__(self, target: Target, dialer: Dialer) -> None:
        super().__init__(target.host, target.port, timeout=SECONDS)
        self._target, self._dialer = target, dialer

    def connect(self) -> None:
        self.sock = self._dialer.connect(self._target)
