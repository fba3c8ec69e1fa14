"""What `wherry run` and the terminal door say to each other, after one line that names the session and this dialect:
frames of one byte of kind, four of length (big-endian), and as many bytes.

Who writes input may be WINDOW bytes ahead of what was TAKEN, so that signals and sizes always come through.
"""

from __future__ import annotations

import struct
from enum import IntEnum

DIALECT = "wherry/1"
WINDOW = 256 * 1024
LONGEST = 64 * 1024
_HEAD = struct.Struct(">BI")
_SIZE = struct.Struct(">HH")
_NUMBER = struct.Struct(">I")


class Kind(IntEnum):
    """From the client: INPUT, END of it, SIZE of its terminal, SIGNAL. From the door: OUT, ERR, TAKEN input, and last
    ENDED (exit code, and why as text) or REFUSED (text).
    """

    INPUT = 1
    END = 2
    SIZE = 3
    SIGNAL = 4
    OUT = 11
    ERR = 12
    TAKEN = 13
    ENDED = 14
    REFUSED = 15


Frame = tuple[Kind, bytes]


class BadFrame(ValueError):
    """The other side speaks something else."""


def frame(kind: Kind, data: bytes = b"") -> bytes:
    return _HEAD.pack(kind, len(data)) + data


def size(rows: int, columns: int) -> bytes:
    return frame(Kind.SIZE, _SIZE.pack(rows, columns))


def number(kind: Kind, value: int, text: str = "") -> bytes:
    return frame(kind, _NUMBER.pack(value & 0xFFFFFFFF) + text.encode()[: LONGEST - _NUMBER.size])


def read_size(data: bytes) -> tuple[int, int]:
    """(rows, columns), both above 0. Raises BadFrame."""
    if len(data) != _SIZE.size or not all(found := _SIZE.unpack(data)):
        raise BadFrame("no size of a terminal")
    return found[0], found[1]


def read_number(data: bytes) -> tuple[int, str]:
    """Raises BadFrame."""
    if len(data) < _NUMBER.size:
        raise BadFrame("no number")
    return _NUMBER.unpack_from(data)[0], data[_NUMBER.size :].decode("utf-8", "replace")


class Frames:
    """Puts together what comes in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Raises BadFrame."""
        self._rest += data
        found: list[Frame] = []
        while len(self._rest) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._rest)
            if kind not in set(Kind) or length > LONGEST:
                raise BadFrame("no frame")
            end = _HEAD.size + length
            if len(self._rest) < end:
                break
            found.append((Kind(kind), self._rest[_HEAD.size : end]))
            self._rest = self._rest[end:]
        return found
