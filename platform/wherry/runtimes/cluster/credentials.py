"""Where the cluster is and who we are there: from a kubeconfig, or from the service account of the pod that we run in.

Read again whenever one of its files has changed (tokens and authorities are rotated under running programs).
"""

from __future__ import annotations

import base64
import binascii
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import urllib3
import yaml
from cryptography.x509 import load_pem_x509_certificate
from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable
from wherry.runtimes.cluster.errors import HINT

_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_CONNECTIONS = 32
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Door:
    """The cluster as it is to be reached now. `bearer`: the whole Authorization header, or ""."""

    url: str
    pool: urllib3.PoolManager
    configuration: Configuration

    @property
    def headers(self) -> dict[str, str]:
        # The library's releases up to 36 and from 37 on have different names for the same key.
        bearer = self.configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        if not bearer and self.configuration.username:
            bearer = self.configuration.get_basic_auth_token()
        return {"Authorization": bearer} if bearer else {}


class Credentials:
    """`kubeconfig` "" is the pod's own service account. Used from several threads."""

    def __init__(self, kubeconfig: str = "") -> None:
        self._kubeconfig = kubeconfig
        self._lock = Lock()
        self._door: Door | None = None
        self._stamp: Stamp = ()
        self._files: Sequence[str] = ()

    def door(self) -> Door:
        """Raises PlatformFault when the files do not say where the cluster is."""
        with self._lock:
            if self._door is None or _stamp(self._files) != self._stamp:
                self._read()
            assert self._door
            return self._door

    def forget(self, door: Door) -> None:
        """It was refused: whatever it came from is read again, an exec plugin is asked again."""
        with self._lock:
            if self._door is door:
                self._door = None

    def ends(self) -> datetime | None:
        """When our certificate or token is no longer valid; None where it does not say."""
        door = self.door()
        found = [_certificate_end(door.configuration.cert_file), _token_end(door.headers.get("Authorization", ""))]
        return min((each for each in found if each), default=None)

    def _read(self) -> None:
        configuration = Configuration()
        named = self._named_files()
        try:
            if self._kubeconfig:
                load_kube_config(self._kubeconfig, client_configuration=configuration, persist_config=False)
            else:
                load_incluster_config(client_configuration=configuration)
            pool = _pool(configuration)
        except (ConfigException, OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
            where = self._kubeconfig or "this pod's service account"
            raise PlatformFault(
                f"cannot tell where the cluster is from {where}: {printable(str(error))}", hint=HINT
            ) from error
        tls = (configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
        self._files = [*named, *(str(each) for each in tls if each)]
        self._stamp = _stamp(self._files)
        self._door = Door(configuration.host.rstrip("/"), pool, configuration)

    def _named_files(self) -> list[str]:
        """The kubeconfig and the token files it names; or the pod's."""
        if not self._kubeconfig:
            return [str(_POD / name) for name in ("token", "ca.crt")]
        files = [self._kubeconfig]
        try:
            found = yaml.safe_load(Path(self._kubeconfig).read_text())
            for each in found.get("users") or ():
                if token := (each.get("user") or {}).get("tokenFile"):
                    files.append(str(Path(self._kubeconfig).parent / token))
        except (OSError, ValueError, AttributeError, yaml.YAMLError):
            pass  # the library says what is wrong with it, in a moment
        return files


def _pool(configuration: Configuration) -> urllib3.PoolManager:
    options: dict[str, Any] = {
        "num_pools": 4,
        "maxsize": _CONNECTIONS,
        "retries": False,
        "cert_reqs": ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE,
        "ca_certs": configuration.ssl_ca_cert,
        "cert_file": configuration.cert_file,
        "key_file": configuration.key_file,
    }
    if name := getattr(configuration, "tls_server_name", None):
        options["server_hostname"] = options["assert_hostname"] = name
    if configuration.proxy:
        return urllib3.ProxyManager(configuration.proxy, **options)
    return urllib3.PoolManager(**options)


def _stamp(files: Sequence[str]) -> Stamp:
    found = []
    for each in files:
        try:
            state = Path(each).stat()
        except OSError:
            found.append((each, 0, 0))
        else:
            found.append((each, state.st_mtime_ns, state.st_size))
    return tuple(found)


def _certificate_end(path: str | None) -> datetime | None:
    try:
        return load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc if path else None
    except (OSError, ValueError):
        return None


def _token_end(header: str) -> datetime | None:
    """Of a JSON web token, as service accounts have."""
    parts = header.rpartition(" ")[2].split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
