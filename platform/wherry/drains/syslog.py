"""One receiver of syslog over TCP or TLS: a connection that stays."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress

from wherry.domain.drains import Target
from wherry.domain.log import Kept
from wherry.drains.dial import Dialer
from wherry.drains.frames import syslog

_BUFFER = 64 * 1024
"""Bytes that the kernel may hold for us: what is in there when a connection breaks is lost, as syslog has no answers."""


class SyslogSink:
    def __init__(self, target: Target, token: str, dialer: Dialer) -> None:
        self._target, self._token, self._dialer = target, token, dialer
        self._link: socket.socket | None = None

    def send(self, batch: Sequence[Kept]) -> None:
        """Raises OSError, Refused."""
        if self._link is None or _is_closed(self._link):
            self.close()
            self._link = self._dialer.connect(self._target)
            self._link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        try:
            self._link.sendall(b"".join(syslog(kept.line, self._token) for kept in batch))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        link, self._link = self._link, None
        if link:
            with suppress(OSError):
                link.close()


def _is_closed(link: socket.socket) -> bool:
    """A receiver that went away is seen here, before a line is written into nothing."""
    patience = link.gettimeout()
    link.settimeout(0)
    try:
        return link.recv(1) == b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        link.settimeout(patience)
