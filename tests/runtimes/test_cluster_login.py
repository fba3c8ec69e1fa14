"""A32: who we are at the API of a real Kubernetes, and whom we believe to be it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from wherry.domain.errors import PlatformFault
from wherry.domain.image import Image
from wherry.runtimes.cluster import checkup, kinds
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errands import ClusterRuntime
from wherry.runtimes.cluster.ground import Ground

from tests.cluster.cluster import Cluster
from tests.cluster.keys import write_keys
from tests.runtimes.line import Line, line_to
from tests.runtimes.machine_world import eventually, quiet, workload

pytestmark = [pytest.mark.engine, pytest.mark.cluster]


@dataclass
class Us:
    """A service account that may do all, whose token and authority stand in files."""

    cluster: Cluster
    namespace: str
    folder: Path
    line: Line

    @property
    def kubeconfig(self) -> str:
        return str(self.folder / "kubeconfig")

    def token(self, ends: timedelta) -> str:
        """As the cluster itself signs them."""
        about = self.cluster.kubectl("get", "serviceaccount", "us", "-n", self.namespace, "-o=jsonpath={.metadata.uid}")
        ours = {"namespace": self.namespace, "serviceaccount": {"name": "us", "uid": about}}
        now = datetime.now(UTC)
        issuer = "https://kubernetes.default.svc"
        claims = {
            "iss": issuer,
            "aud": [issuer],
            "sub": f"system:serviceaccount:{self.namespace}:us",
            "iat": int((now - timedelta(days=30)).timestamp()),
            "nbf": int((now - timedelta(days=30)).timestamp()),
            "exp": int((now + ends).timestamp()),
            "kubernetes.io": ours,
        }
        key = serialization.load_pem_private_key((self.cluster.state / "sa.key").read_bytes(), None)
        assert isinstance(key, RSAPrivateKey)
        said = ".".join(_encoded(json.dumps(each).encode()) for each in ({"alg": "RS256", "typ": "JWT"}, claims))
        return f"{said}.{_encoded(key.sign(said.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def write(self, name: str, content: str) -> None:
        """As a rotation does: whole, and in place of the one before."""
        (self.folder / "next").write_text(content)
        os.replace(self.folder / "next", self.folder / name)


@pytest.fixture
def us(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Us]:
    cluster.kubectl("create", "serviceaccount", "us", "-n", namespace)
    subject = f"--serviceaccount={namespace}:us"
    cluster.kubectl("create", "clusterrolebinding", namespace, "--clusterrole=cluster-admin", subject)
    line = line_to(cluster, tmp_path / "kubeconfig", authority="ca", tokenFile="token")
    made = Us(cluster, namespace, tmp_path, line)
    made.write("ca", (cluster.state / "ca.crt").read_text())
    made.write("token", made.token(timedelta(days=30)))
    yield made
    line.close()
    cluster.kubectl("delete", "clusterrolebinding", namespace)


def test_a32_a_token_and_an_authority_that_were_rotated_are_taken_up_by_who_is_running(
    us: Us, cluster_ground: Ground, cluster_image: Image
) -> None:
    client = Client(us.kubeconfig)
    runtime = ClusterRuntime(client, cluster_ground)
    first = workload(cluster_image)
    try:
        runtime.start([first], quiet)

        us.write("token", us.token(-timedelta(minutes=1)))
        with pytest.raises(PlatformFault, match="does not know who we are"):
            client.list(kinds.NAMESPACE)
        us.write("token", us.token(timedelta(days=20)))
        runtime.start([replace(first, release=2)], quiet)

        (us.folder / "new").mkdir()
        write_keys(us.folder / "new", "https://rotated", [us.cluster.node_address], [])
        us.line.show(us.folder / "new/api.crt", us.folder / "new/api.key")
        with pytest.raises(PlatformFault, match="certificate is not one of the authority that we know"):
            client.list(kinds.NAMESPACE)
        us.write("ca", (us.folder / "new/ca.crt").read_text())
        runtime.start([replace(first, release=3)], quiet)
        eventually(lambda: [each.release for each in runtime.processes(1)][-1:] == [3])
    finally:
        runtime.close()


def test_a32_doctor_warns_a_week_before_our_credentials_end(us: Us, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "RIGHTS", {})

    def said() -> list[checkup.Answer]:
        return [
            each for each in checkup.examine(Client(us.kubeconfig), "", "none") if each.question.startswith("login")
        ]

    us.write("token", us.token(timedelta(days=8)))
    assert said() == []
    us.write("token", us.token(timedelta(days=6)))
    (warning,) = said()
    assert not warning.good
    assert f"end on {datetime.now(UTC) + timedelta(days=6):%Y-%m-}" in warning.answer
    us.write("token", us.token(-timedelta(days=1)))
    (answer,) = checkup.examine(Client(us.kubeconfig), "", "none")
    assert not answer.good
    assert "does not know who we are" in answer.answer


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
