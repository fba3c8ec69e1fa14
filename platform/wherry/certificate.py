"""The terminal door's own certificate: made once, of this platform alone, and trusted by its fingerprint."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from ssl import PEM_cert_to_DER_cert

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wherry.domain.errors import PlatformFault
from wherry.whole import write_whole

_LIVES = timedelta(days=3650)
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wherry terminal door")])


@dataclass(frozen=True)
class Certificate:
    """`chain` holds the certificate, which is no secret; `key` its private key."""

    chain: Path
    key: Path

    @classmethod
    def of(cls, home: Path) -> Certificate:
        return cls(home / "secrets" / "terminal.crt", home / "secrets" / "terminal.key")

    def ensure(self, *names: str) -> None:
        """Makes it on its first use, for this machine's names and `names`. The key is there before the certificate."""
        if self.chain.exists() and self.key.exists():
            return
        key = ec.generate_private_key(ec.SECP256R1())
        made = _signed(key, ["localhost", "127.0.0.1", "::1", socket.gethostname(), *names])
        plain = serialization.NoEncryption()
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        write_whole(self.key, secret, 0o600)
        write_whole(self.chain, made.public_bytes(serialization.Encoding.PEM), 0o644)

    def fingerprint(self) -> str:
        """SHA-256 in hex. Raises PlatformFault while there is none."""
        try:
            return sha256(PEM_cert_to_DER_cert(self.chain.read_text())).hexdigest()
        except (OSError, ValueError) as error:
            raise PlatformFault(
                "the terminal door has no certificate: it does not run", hint="On the platform's machine: wherry status"
            ) from error


def _signed(key: ec.EllipticCurvePrivateKey, names: list[str]) -> x509.Certificate:
    """It is its own issuer, so that a client that trusts no fingerprints can be given it as its authority."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_NAME)
        .issuer_name(_NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIVES)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def _alternatives(names: list[str]) -> list[x509.GeneralName]:
    found: dict[str, x509.GeneralName] = {}
    for name in names:
        address = _address(name)
        if address is not None:
            found[name] = x509.IPAddress(address)
        elif name.isascii() and name:
            found[name] = x509.DNSName(name)
    return list(found.values())


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None
