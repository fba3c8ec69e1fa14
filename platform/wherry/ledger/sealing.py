"""Config at rest: AES-256-GCM, in an envelope.

Each app has a random data key, sealed by the master key; its config and the snapshots of its releases are sealed by
the data key. A sealed text is bound to its app and its purpose (additional data), so none can be moved elsewhere.
Layout: one byte of version; for the data key 8 bytes that name the master key; 12 bytes of nonce; text and tag.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wherry.domain.config import Config
from wherry.domain.errors import PlatformFault
from wherry.domain.secret import Secret

KEY_BYTES = 32
_VERSION = b"\x01"
_NAME_BYTES = 8
_NONCE_BYTES = 12
_RESTORE = "Restore the database and the master key from the same backup."


class AppSeal:
    """Seals and opens what belongs to one app."""

    def __init__(self, app_id: int, data_key: bytes) -> None:
        self._app_id = app_id
        self._cipher = AESGCM(data_key)

    def seal(self, purpose: str, config: Config) -> bytes:
        plain = json.dumps({key: value.reveal() for key, value in config.items()}, ensure_ascii=False)
        # surrogatepass: a value may hold any character of a Python string, and comes back as it was.
        return _VERSION + _seal(self._cipher, plain.encode("utf-8", "surrogatepass"), _bound(self._app_id, purpose))

    def open(self, purpose: str, sealed: bytes) -> dict[str, Secret]:
        """Raises PlatformFault when it was altered."""
        plain = _open(self._cipher, sealed, 1, _bound(self._app_id, purpose))
        return {key: Secret(value) for key, value in json.loads(plain.decode("utf-8", "surrogatepass")).items()}


class Sealing:
    """Makes and opens the apps' data keys."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != KEY_BYTES:
            raise PlatformFault(f"the master key has {len(master_key)} bytes and must have {KEY_BYTES}")
        self._cipher = AESGCM(master_key)
        self._name = sha256(b"wherry master key\0" + master_key).digest()[:_NAME_BYTES]

    def new_data_key(self, app_id: int) -> bytes:
        """A new data key, sealed."""
        sealed = _seal(self._cipher, AESGCM.generate_key(256), _bound(app_id, "data key"))
        return _VERSION + self._name + sealed

    def of_app(self, app_id: int, data_key: bytes) -> AppSeal:
        """Raises PlatformFault when `data_key` was sealed by another master key, or altered."""
        if data_key[1 : 1 + _NAME_BYTES] != self._name:
            raise PlatformFault("the database was sealed with another master key", hint=_RESTORE)
        return AppSeal(app_id, _open(self._cipher, data_key, 1 + _NAME_BYTES, _bound(app_id, "data key")))


def _bound(app_id: int, purpose: str) -> bytes:
    return f"wherry app {app_id} {purpose}".encode()


def _seal(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _open(cipher: AESGCM, sealed: bytes, start: int, bound: bytes) -> bytes:
    if sealed[:1] != _VERSION:
        raise PlatformFault("a sealed value has a layout that this version does not know", hint=_RESTORE)
    try:
        return cipher.decrypt(sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :], bound)
    except (InvalidTag, ValueError) as error:
        raise PlatformFault("a sealed value was altered", hint=_RESTORE) from error
