"""The body of a request: counted, unpacked, and cut."""

from __future__ import annotations

import gzip
import io
import zlib

import pytest
from wherry.sources import body
from wherry.sources.body import BadBody, Body


class Drip:
    """A body of `size` bytes."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int, /) -> bytes:
        piece = min(size, self.left)
        self.left -= piece
        return bytes(piece)


def test_b56_a_body_is_counted_as_it_comes() -> None:
    assert sum(map(len, Body(Drip(1000), 1000).chunks())) == 1000
    with pytest.raises(BadBody, match="more than 999 bytes"):
        list(Body(Drip(1000), 999).chunks())


def test_b56_a_body_that_takes_too_long_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "UPLOAD_SECONDS", -1.0)
    with pytest.raises(BadBody, match="not here after"):
        list(Body(Drip(10), 10).chunks())


def test_gzip_is_unpacked_in_small_pieces_and_counted_unpacked() -> None:
    packed = gzip.compress(bytes(10_000_000))
    assert max(map(len, Body(io.BytesIO(packed), 10_000_000, gzip=True).chunks())) <= body.CHUNK
    with pytest.raises(BadBody, match="more than"):
        list(Body(io.BytesIO(packed), 9_999_999, gzip=True).chunks())


@pytest.mark.parametrize("packed", [b"nonsense", gzip.compress(b"abc")[:-9], zlib.compress(b"abc"), b""])
def test_a_body_that_is_not_the_gzip_it_says_is_bad(packed: bytes) -> None:
    with pytest.raises(BadBody, match="gzip"):
        list(Body(io.BytesIO(packed), 1000, gzip=True).chunks())
