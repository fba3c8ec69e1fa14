"""One POST to a webhook's receiver: a connection of its own, ten seconds for all of it, at most 64 KiB of the answer read,
no redirect followed (B66).
"""

from __future__ import annotations

import base64
import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from wherry.domain.drains import Target
from wherry.domain.secret import Secret
from wherry.domain.webhooks import SECONDS
from wherry.drains.dial import Dialer, Refused
from wherry.flow.webhook_ports import Unsent

MOST_ANSWER = 64 * 1024


@dataclass(frozen=True)
class HttpsPost:
    """The adapter of flow.webhook_ports.Post. `seconds`: for connection, request and answer together."""

    dialer: Dialer
    seconds: float = SECONDS

    def send(self, place: Target, headers: Mapping[str, str], body: bytes, login: Secret | None) -> int:
        sent = dict(headers)
        if login:
            sent["Authorization"] = login.reveal()
        elif place.login:
            sent["Authorization"] = "Basic " + base64.b64encode(place.login.encode()).decode()
        try:
            with closing(_Timed(place, self.dialer, time.monotonic() + self.seconds)) as connection:
                connection.request("POST", place.path, body, sent)
                answer = connection.getresponse()
                answer.read(MOST_ANSWER)
                return answer.status
        except Refused as error:
            raise Unsent("unreachable host") from error
        except ssl.SSLError as error:
            raise Unsent("bad certificate" if isinstance(error, ssl.SSLCertVerificationError) else "tls") from error
        except TimeoutError as error:
            raise Unsent("timeout") from error
        except http.client.HTTPException as error:
            raise Unsent("no HTTP answer") from error
        except OSError as error:
            raise Unsent("connection failed") from error


class _Timed(http.client.HTTPConnection):
    """Goes where the dialer leads, and is over at `until`, however slowly the other side speaks."""

    def __init__(self, target: Target, dialer: Dialer, until: float) -> None:
        super().__init__(target.host, target.port)
        self._target, self._dialer, self._until = target, dialer, until

    def connect(self) -> None:
        link = self._dialer.connect(self._target, max(0.01, self._until - time.monotonic()))
        self.sock = _Timely(link, self._until)


class _Timely:
    """As much of a socket as http.client uses, each wait of which ends at `until`."""

    def __init__(self, link: socket.socket, until: float) -> None:
        self._link, self._until = link, until

    def sendall(self, data: bytes) -> None:
        self._wind()
        self._link.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def read_into(self, buffer: memoryview) -> int:
        self._wind()
        return self._link.recv_into(buffer)

    def close(self) -> None:
        self._link.close()

    def _wind(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._link.settimeout(left)


class _Reader(io.RawIOBase):
    def __init__(self, link: _Timely) -> None:
        self._link = link

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._link.read_into(buffer)
