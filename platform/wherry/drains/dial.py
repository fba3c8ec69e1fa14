"""The one way out: a host is resolved once, every address of it must be public, and one of those is connected to."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass

from wherry.domain.drains import Target
from wherry.domain.errors import InvalidInput
from wherry.domain.public import Network, may_be_reached

SECONDS = 15.0


class Refused(Exception):
    """A host that may not be reached, or is not known."""


@dataclass(frozen=True)
class Dialer:
    """`allowed`: networks beside the public ones."""

    allowed: Sequence[Network] = ()

    def check(self, target: Target, what: str = "drain") -> None:
        """Raises InvalidInput."""
        try:
            self.addresses(target)
        except Refused as error:
            raise InvalidInput(f"this is no {what}", problems=[f"url: {error}"]) from error

    def addresses(self, target: Target) -> list[str]:
        """Raises Refused when one of them may not be reached: names that lead both ways are tricks."""
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Refused(f"its host is not known: {getattr(error, 'strerror', error)}") from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not all(may_be_reached(each, self.allowed) for each in addresses):
            raise Refused("its host is in a private network")
        return addresses

    def connect(self, target: Target, seconds: float = SECONDS) -> socket.socket:
        """With TLS where its scheme says so, checked for the host's name; at most `seconds` for all of it but asking DNS.
        Raises Refused, OSError.
        """
        failed: OSError = OSError("it has no address")
        addresses, until = self.addresses(target), time.monotonic() + seconds
        for address in addresses:
            try:
                plain = socket.create_connection((address, target.port), timeout=_left(until))
                plain.settimeout(_left(until))
            except OSError as error:
                failed = error
                continue
            return self._secured(plain, target) if target.tls else plain
        raise failed

    def _secured(self, plain: socket.socket, target: Target) -> socket.socket:
        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left
