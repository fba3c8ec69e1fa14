"""One blob into a registry: an upload session in chunks, taken up again where it broke off (distribution spec, "Pushing a
blob in chunks").
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import requests

from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable
from wherry.images.address import shown
from wherry.images.patience import Interrupted, Tries
from wherry.images.transport import Transport

CHUNK = 32 * 1024 * 1024
SMALL = 1024 * 1024
"""Up to here a blob goes in one request, without a PATCH."""

_SLICE = 256 * 1024
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]+)")


@dataclass
class Window:
    """A part of a blob, as often as it is asked for. Reading after `deadline` is an error: a line at a trickle must end
    too.
    """

    blob: Path | bytes
    start: int
    size: int
    deadline: float

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self.blob, bytes):
            yield self.blob[self.start : self.start + self.size]
            return
        with self.blob.open("rb") as file:
            file.seek(self.start)
            left = self.size
            while left and (piece := file.read(min(left, _SLICE))):
                if time.monotonic() > self.deadline:
                    raise requests.Timeout("the time for this upload is over")
                left -= len(piece)
                yield piece


class Upload:
    """`path` is ``/v2/NAME/blobs/``; `scopes` what a token must allow; `start` where a session that exists already
    begins.
    """

    def __init__(self, transport: Transport, path: str, scopes: tuple[str, ...], digest: str, start: str = "") -> None:
        self._transport = transport
        self._path = path
        self._scopes = scopes
        self._digest = digest
        self._location = start
        self._offset = 0

    def send(self, blob: Path | bytes) -> None:
        """Raises PlatformFault when the registry refuses, or fails for too long."""
        size = len(blob) if isinstance(blob, bytes) else self._size(blob)
        tries = Tries(self._transport.patience)
        while True:
            try:
                self._advance(blob, size, tries)
            except Interrupted as interrupted:
                before = self._offset
                tries.pause(interrupted)
                if self._arrived():
                    return
                if self._offset > before:
                    tries.progress()
            else:
                return

    def _advance(self, blob: Path | bytes, size: int, tries: Tries) -> None:
        if not self._location:
            self._offset = 0
            self._follow(self._transport.once("POST", self._path + "uploads/", self._scopes, [202]))
        if self._offset == 0 and size <= SMALL:
            self._finish(Window(blob, 0, size, tries.deadline))
            return
        while self._offset < size:
            part = Window(blob, self._offset, min(CHUNK, size - self._offset), tries.deadline)
            self._patch(part)
            tries.progress()
        self._finish(b"")

    def _patch(self, part: Window) -> None:
        end = part.start + part.size - 1
        headers = {"Content-Type": "application/octet-stream", "Content-Range": f"{part.start}-{end}"}
        response = self._transport.once("PATCH", self._location, self._scopes, [202, 404, 416], headers, part)
        if response.status_code != 202:
            raise self._lost(response)
        self._follow(response)
        self._offset = end + 1

    def _finish(self, body: Window | bytes) -> None:
        parts = urlsplit(self._location)
        query = f"{parts.query}&" if parts.query else ""
        query += urlencode({"digest": self._digest})
        target = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
        headers = {"Content-Type": "application/octet-stream"}
        response = self._transport.once("PUT", target, self._scopes, [201, 404], headers, body)
        if response.status_code == 404:
            raise self._lost(response)
        told = response.headers.get("Docker-Content-Digest", self._digest)
        if told != self._digest:
            raise PlatformFault(f"the registry stored {self._digest} as {printable(told)}")

    def _lost(self, response: requests.Response) -> Interrupted:
        """404: the registry forgot the session; 416: it stands elsewhere, and `_arrived` asks where."""
        fault = PlatformFault(f"the registry lost an upload ({response.status_code}): {shown(self._location)}")
        if response.status_code == 404:
            self._location = ""
        return Interrupted(fault)

    def _arrived(self) -> bool:
        """After a break: whether the blob is there after all; else sets where to go on, from the registry's word."""
        if not self._location:
            return False
        try:
            response = self._transport.once("GET", self._location, self._scopes, [204, 200, 404])
            self._resume(response)
            if response.status_code == 404:
                blob = self._transport.once("HEAD", self._path + self._digest, self._scopes, [200, 404])
                return blob.status_code == 200
        except Interrupted:
            self._location = ""
        return False

    def _resume(self, response: requests.Response) -> None:
        """``0-0`` means nothing yet: a registry has no other way to say so."""
        place = _RANGE.fullmatch(response.headers.get("Range", ""))
        if response.status_code == 404 or place is None:
            self._location = ""
            return
        self._follow(response)
        self._offset = int(place[1]) + 1 if int(place[1]) else 0

    def _follow(self, response: requests.Response) -> None:
        where = response.headers.get("Location", "")
        if where:
            self._location = urljoin(urljoin(self._transport.base, self._location or self._path), where)

    @staticmethod
    def _size(blob: Path) -> int:
        try:
            return blob.stat().st_size
        except OSError as error:
            raise PlatformFault(f"a layer is gone before it was uploaded: {printable(str(error), 300)}") from error
