"""A registry over plain HTTP for the cluster, with a login or without. It ends with the cluster, however that ends."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass

import bcrypt
import requests

from tests.cluster.cluster import Cluster
from tests.cluster.errors import Unfit
from tests.cluster.node import trust_plain_http
from tests.ports import free_port

_CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: '{data}'}}, delete: {{enabled: true}}}}
http: {{addr: '{address}', secret: '{secret}'}}
{auth}
"""


@dataclass(frozen=True)
class ClusterRegistry:
    """Two names of one registry.

    `address` is one of 127.0.0.1, which Docker takes for plain HTTP by itself: it serves this machine, and the node pulls
    by it too. Inside a pod that would be the pod: there, and here as well, `address_in_pods` works.
    """

    address: str
    address_in_pods: str
    user: str = ""
    password: str = ""

    @property
    def login(self) -> tuple[str, str] | None:
        return (self.user, self.password) if self.user else None


def start_registry(cluster: Cluster, name: str, *, login: bool) -> ClusterRegistry:
    program = shutil.which("docker-registry") or shutil.which("registry")
    if not program:
        raise Unfit("The cluster's registry needs the Debian package docker-registry")
    port = free_port(cluster.host_address)
    user, password = ("wherry", secrets.token_hex(8)) if login else ("", "")
    folder = cluster.state / name
    folder.mkdir()
    auth = ""
    if login:
        (folder / "htpasswd").write_text(f"{user}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n")
        auth = f"auth: {{htpasswd: {{realm: test, path: '{folder}/htpasswd'}}}}"
    inner, outer = f"{cluster.host_address}:{port}", f"127.0.0.1:{port}"
    secret = secrets.token_hex(16)
    for address in (inner, outer):  # two processes share one storage, as this program allows
        told = _CONFIG.format(data=folder / "data", address=address, secret=secret, auth=auth)
        each = f"{name}-{address.partition(':')[0]}"
        (folder / f"{each}.yml").write_text(told)
        cluster.spawn(each, [program, "serve", str(folder / f"{each}.yml")], host_network=True)
        cluster.await_ready(each, lambda url=f"http://{address}/v2/": _answers(url))
        trust_plain_http(cluster.state, address, inner)
    return ClusterRegistry(outer, inner, user, password)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code in (200, 401)
    except requests.ConnectionError:
        return False
