"""Which certificates Java trusts, as a key store of its own format: the distribution's is made by a script of a package,
which does not run here.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_PUBLIC = Path("/usr/share/ca-certificates")
"""The distribution's own authorities one by one: what the operator adds stands in the bundle only."""
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_PASSWORD = "changeit"  # noqa: S105 - Java's own for certificates, which are no secret


def bundle(env: Mapping[str, str]) -> list[bytes]:
    """What this build trusts: the operator's certificates. Never for a layer."""
    named = env.get("SSL_CERT_FILE", "")
    return certificates([Path(named) if named and os.access(named, os.R_OK) else BUNDLE])


def public() -> list[bytes]:
    """What the build image itself trusts, for layers; none when it does not say so."""
    listed = Path("/etc/ca-certificates.conf")
    if not listed.is_file():
        return []
    names = [line.strip() for line in listed.read_text("utf-8", "replace").split("\n")]
    return certificates(_PUBLIC / name for name in names if name and not name.startswith(("#", "!")))


def certificates(files: Iterable[Path]) -> list[bytes]:
    """In DER, each once. Raises ValueError for a file that is not what it seems."""
    found: dict[bytes, None] = {}
    for file in files:
        if file.is_file():
            for match in _PEM.finditer(file.read_bytes()):
                try:
                    found[base64.b64decode(b"".join(match[1].split()), validate=True)] = None
                except ValueError as error:
                    raise ValueError(f"{file} has a certificate that cannot be read: {error}") from error
    return list(found)


def key_store(ders: Iterable[bytes]) -> bytes:
    """In the JKS format, which every Java reads: entries, then a digest over a password and them. The same certificates
    give the same bytes, whatever the day.
    """
    entries = sorted(ders)
    body = struct.pack(">III", _MAGIC, _VERSION, len(entries))
    for der in entries:
        alias = hashlib.sha256(der).hexdigest()[:32]
        body += struct.pack(">I", _TRUSTED) + _text(alias) + struct.pack(">Q", 0)
        body += _text("X.509") + struct.pack(">I", len(der)) + der
    digest = hashlib.sha1(_PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()  # noqa: S324
    return body + digest


def _text(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode()
