"""The body of a request to git: read, unpacked and counted a piece at a time."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

UPLOAD_SECONDS = 1800.0
CHUNK = 1 << 16


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class BadBody(Exception):
    """It is too long, too slow, broken off, or not what its headers say."""


@dataclass(frozen=True, slots=True)
class Body:
    """`most`: bytes that may come, unpacked."""

    stream: Readable
    most: int
    gzip: bool = False

    def chunks(self) -> Iterator[bytes]:
        """Raises BadBody."""
        until = time.monotonic() + UPLOAD_SECONDS
        left = self.most
        for chunk in self._unpacked() if self.gzip else self._raw():
            left -= len(chunk)
            if left < 0:
                raise BadBody(f"more than {self.most} bytes")
            if time.monotonic() > until:
                raise BadBody(f"not here after {UPLOAD_SECONDS:.0f} s")
            yield chunk

    def _raw(self) -> Iterator[bytes]:
        try:
            yield from iter(lambda: self.stream.read(CHUNK), b"")
        except OSError as error:  # servers' own classes for a broken body are OSErrors too
            raise BadBody(f"broken off: {error!r}") from error

    def _unpacked(self) -> Iterator[bytes]:
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        for chunk in self._raw():
            rest = chunk
            while rest and not inflate.eof:
                try:
                    yield inflate.decompress(rest, CHUNK)
                except zlib.error as error:
                    raise BadBody(f"not gzip: {error}") from error
                rest = inflate.unconsumed_tail
        if not inflate.eof:
            raise BadBody("gzip that stops short")
