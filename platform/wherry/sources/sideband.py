"""Our own words beside git's terse ones, for pushes that git itself refuses.

The answer to a push is a stream of packets (gitprotocol-common: four hex digits of length, then the content; on a
side band the first byte says which). Text for the pusher is band 2. Nothing of git's is changed or held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wherry.sources.policy import MIB, Limits

_TEXT = b"\x02"
_LENGTH = 4


def explained(chunks: Iterable[bytes], limits: Limits) -> Iterator[bytes]:
    """`chunks`, with our words after the packet that holds git's."""
    waiting = _words(limits)
    buffer = b""
    for chunk in chunks:
        packets, buffer = _split(buffer + chunk)
        if packets:
            yield b"".join(_with_words(packets, waiting))
    if buffer:
        yield buffer


def _words(limits: Limits) -> dict[bytes, str]:
    return {
        b"pack exceeds maximum allowed size": (
            f"This push is larger than {limits.push // MIB} MiB, the most that is taken at once.\n"
            "Large files do better in object storage. To see what is large: git count-objects -vH"
        ),
        b"fsck error": (
            "The objects of this push do not pass git's own checks (git fsck), so nothing of it was stored.\n"
            "To see which: git fsck --full"
        ),
        b"No space left on device": "The platform's disk is full, so nothing of this push was stored. Tell its operator.",
        b"Out of memory": "This push needs more memory to unpack than the platform gives it. Push it in smaller parts.",
    }


def _split(buffer: bytes) -> tuple[list[bytes], bytes]:
    """Whole packets, and what is left. What is no packet goes through as it is."""
    packets: list[bytes] = []
    while len(buffer) >= _LENGTH:
        try:
            length = max(int(buffer[:_LENGTH], 16), _LENGTH)
        except ValueError:
            return [*packets, buffer], b""
        if len(buffer) < length:
            break
        packets.append(buffer[:length])
        buffer = buffer[length:]
    return packets, buffer


def _with_words(packets: Iterable[bytes], waiting: dict[bytes, str]) -> Iterator[bytes]:
    for packet in packets:
        yield packet
        if packet[_LENGTH : _LENGTH + 1] == _TEXT:
            for said in [said for said in waiting if said in packet]:
                yield _packet(waiting.pop(said))


def _packet(words: str) -> bytes:
    content = _TEXT + "".join(f" !     {line}\n" for line in words.splitlines()).encode()
    return b"%04x" % (len(content) + _LENGTH) + content
