"""The cluster's keys: a certificate authority, what the API server shows, and who may ask it what."""

from __future__ import annotations

import datetime
import ipaddress
import json
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = datetime.timedelta(days=1)


def write_keys(folder: Path, server: str, addresses: list[str], names: list[str]) -> str:
    """ca.crt, api.crt/.key, front.crt/.key (the API server as a client of added APIs), sa.key, tokens.csv, kubeconfig.

    Returns the administrator's token.
    """
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _sign(_name("wherry-test-ca"), ca_key.public_key(), _name("wherry-test-ca"), ca_key, authority=True)
    (folder / "ca.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    subjects = {"api": _names(addresses, names), "front": None}
    for name, alternatives in subjects.items():
        key = ec.generate_private_key(ec.SECP256R1())
        signed = _sign(_name(f"wherry-test-{name}"), key.public_key(), ca.subject, ca_key, alternatives)
        (folder / f"{name}.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        _write_key(folder / f"{name}.key", key)
    _write_key(folder / "sa.key", rsa.generate_private_key(65537, 2048))
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    (folder / "kubeconfig").write_text(_kubeconfig(server, folder / "ca.crt", token))
    for path in (*folder.glob("*.key"), folder / "tokens.csv", folder / "kubeconfig"):
        path.chmod(0o600)
    return token


def _kubeconfig(server: str, ca: Path, token: str) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "wherry-test",
        "contexts": [{"name": "wherry-test", "context": {"cluster": "wherry-test", "user": "admin"}}],
        "clusters": [{"name": "wherry-test", "cluster": {"server": server, "certificate-authority": str(ca)}}],
        "users": [{"name": "admin", "user": {"token": token}}],
    }
    return json.dumps(config, indent=1)


def _names(addresses: list[str], names: list[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses] + [x509.DNSName(each) for each in names]
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _sign(
    subject: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    alternatives: x509.SubjectAlternativeName | None = None,
    *,
    authority: bool = False,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - _DAY).not_valid_after(now + 30 * _DAY)
    made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if alternatives:
        made = made.add_extension(alternatives, critical=False)
    if not authority:
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        made = made.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    return made.sign(issuer_key, hashes.SHA256())


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
