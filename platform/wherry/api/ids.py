"""The `id` of every object: a UUID, as Heroku's clients expect, made from the platform, the kind and our own number.

Version 8 of RFC 9562 (free layout): 60 bits of a keyed hash of the kind, then our number. So the same object always
has the same id, ids of two platforms differ, and an id leads back to its number without a table.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from uuid import UUID

from wherry.domain.errors import NotFound
from wherry.domain.secret import Secret
from wherry.domain.text import printable

_NUMBER = (1 << 62) - 1
_VERSION = 0x8 << 76
_VARIANT = 0b10 << 62


@dataclass(frozen=True)
class Ids:
    """`key` stands for the platform: any secret that is its own and stays."""

    key: Secret

    def of(self, kind: str, number: int) -> str:
        return str(UUID(int=self._prefix(kind) | _VERSION | _VARIANT | number))

    def number(self, kind: str, text: str) -> int | None:
        """Our number of the id `text`; None when it is not the id of such an object of this platform."""
        try:
            value = UUID(text).int
        except ValueError:
            return None
        number = value & _NUMBER
        return number if text.lower() == self.of(kind, number) else None

    def known(self, kind: str, text: str) -> int:
        """As `number`. Raises ValueError where that says None."""
        number = self.number(kind, text)
        if number is None:
            raise ValueError(f"no {kind}'s id")
        return number

    def find(self, kind: str, text: str, prefix: str = "") -> int:
        """The number that a path means: an id, our number, or `prefix` and our number (v12). Raises NotFound."""
        digits = text.removeprefix(prefix)
        if digits.isascii() and digits.isdecimal() and len(digits) < 10:
            return int(digits)
        found = self.number(kind, text)
        if found is None:
            raise NotFound(f"no {kind} '{printable(text, 60)}'")
        return found

    def _prefix(self, kind: str) -> int:
        """Bits 64 to 127 without the four of the version."""
        digest = hmac.digest(self.key.reveal().encode(), f"id of {kind}".encode(), "sha256")
        bits = int.from_bytes(digest[:8]) >> 4
        return (bits >> 12) << 80 | (bits & 0xFFF) << 64
