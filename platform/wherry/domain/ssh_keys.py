"""Public keys of SSH as their owners paste them: one line of OpenSSH's format (sshd(8), "AUTHORIZED_KEYS FILE FORMAT"),
without the options that such a line may begin with. Of a line only type and key reach any other program.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from wherry.domain.errors import InvalidInput
from wherry.domain.model import Actor
from wherry.domain.text import printable

LONGEST = 16 * 1024
LONGEST_COMMENT = 200
LEAST_RSA = 2048
RSA = "ssh-rsa"
# Each with the sizes of its parts that say how strong it is; RFC 4253, 5656, 8709, and OpenSSH's PROTOCOL.u2f.
_PARTS = {
    RSA: 2,
    "ssh-ed25519": 1,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}
_LINE = re.compile(r"([A-Za-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+(.*))?")
_MADE = "To make one: ssh-keygen -t ed25519; then: wherry keys:add"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`body` is base64, in its one right form."""

    type: str
    body: str
    comment: str = ""

    @property
    def fingerprint(self) -> str:
        """As ssh-keygen -l shows it."""
        digest = sha256(base64.b64decode(self.body)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def line(self) -> str:
        return f"{self.type} {self.body}"


@dataclass(frozen=True, slots=True)
class UserKey:
    """A key that opens git over SSH for `user`."""

    id: int
    user: Actor
    key: PublicKey
    created_at: datetime


def parse(text: str) -> PublicKey:
    """Raises InvalidInput: not one line of such a key, an unknown or weak type, options before it, too long."""
    text = text.strip()
    if "PRIVATE KEY" in text[:200]:
        raise _refused("this is a private key; the public one is in the file that ends in .pub")
    if len(text) > LONGEST:
        raise _refused("it is longer than 16 KiB")
    match = _LINE.fullmatch(text)
    if match is None or (match[1] not in _PARTS and match[1] != "ssh-dss"):
        raise _refused("it must be one line: type, key, comment; types are " + ", ".join(_PARTS))
    if match[1] == "ssh-dss":
        raise _refused("DSA keys are too weak")
    return PublicKey(match[1], _canonical(match[1], match[2]), printable((match[3] or "").strip(), LONGEST_COMMENT))


def _canonical(kind: str, body: str) -> str:
    try:
        raw = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise _refused("the key is cut off or not base64") from None
    parts = _strings(raw)
    if len(parts) != _PARTS[kind] + 1 or parts[0] != kind.encode():
        raise _refused(f"the key is not of the type {kind}, or cut off")
    if kind == RSA and int.from_bytes(parts[2]).bit_length() < LEAST_RSA:
        raise _refused(
            f"RSA keys must have {LEAST_RSA} bits or more; this one has {int.from_bytes(parts[2]).bit_length()}"
        )
    if kind == "ssh-ed25519" and len(parts[1]) != 32:
        raise _refused("the key is not of the type ssh-ed25519, or cut off")
    return base64.b64encode(raw).decode()


def _strings(raw: bytes) -> list[bytes]:
    """RFC 4251's strings; [] where the bytes are not such."""
    found = []
    while raw:
        length = int.from_bytes(raw[:4])
        if len(raw) < 4 + length:
            return []
        found.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    return found


def _refused(problem: str) -> InvalidInput:
    return InvalidInput("the key was not added", problems=[f"public_key: {problem}"], hint=_MADE)
