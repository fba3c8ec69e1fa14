"""A platform that lives in the cluster: installed, tested, upgraded and uninstalled by Helm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chart.installed import RELEASE, Installed, Volume, logins, usual
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterFailed
from tests.cluster.registry import ClusterRegistry

pytestmark = [pytest.mark.engine, pytest.mark.timeout(1200)]
MINUTES = ("--wait", "--timeout", "4m")


@pytest.fixture
def release(
    cluster: Cluster,
    namespace: str,
    published: dict[str, Any],
    cluster_registry: ClusterRegistry,
    volume: Volume,
    tmp_path: Path,
) -> Installed:
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    logins(cluster, namespace, cluster_registry)
    return Installed(cluster, namespace, tmp_path, usual(published, cluster_registry, volume))


def test_a_release_answers_keeps_its_keys_and_leaves_only_what_it_says(
    release: Installed, helm: Path, helm4: Path
) -> None:
    notes = release.helm(helm, "install", *MINUTES)
    release.helm(helm, "test", "--logs")
    token = release.inside("auth:token")
    assert "login:link" in notes
    assert release.inside("login:link").startswith("http://localhost:8301/login?token=")
    assert release.api("/account", token).json()["email"] == "admin@localhost"
    assert release.api("/account", "no-token").status_code == 401
    _may_write_in_namespaces_of_apps_only(release)

    keys = release.get("secret", f"{RELEASE}-keys")["data"]
    assert set(keys) == {"master.key", "tickets.key", "platform"}
    release.values["resources"] = {"web": {"requests": {"cpu": "110m"}}}
    release.helm(helm4, "upgrade", *MINUTES)
    assert release.get("secret", f"{RELEASE}-keys")["data"] == keys
    assert release.api("/account", token).json()["email"] == "admin@localhost"

    release.helm(helm, "uninstall", "--wait")
    left = release.kubectl("get", "all,secret,pvc,ingress,networkpolicy,serviceaccount,pdb", "-o", "name").split()
    ours = {f"persistentvolumeclaim/{RELEASE}-data", f"secret/{RELEASE}-keys"}
    assert set(left) == {*ours, "secret/registry", "secret/registry-pull", "serviceaccount/default"}
    whole = release.kubectl(
        *("get", "clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding"),
        *("-l", "app.kubernetes.io/part-of=wherry", "-o", "name"),
    )
    assert release.namespace not in whole

    release.helm(helm, "install", *MINUTES)
    assert release.api("/account", token).json()["email"] == "admin@localhost"


def _may_write_in_namespaces_of_apps_only(release: Installed) -> None:
    account = f"--as=system:serviceaccount:{release.namespace}:{RELEASE}"
    try_it = ("create", "secret", "generic", "probe", account, "--dry-run=server")
    with pytest.raises(ClusterFailed, match="namespaces of its apps only"):
        release.kubectl(*try_it)
    with pytest.raises(ClusterFailed, match="namespaces of its apps only"):
        release.cluster.kubectl("delete", "namespace", "kube-public", account, "--dry-run=server")
    with pytest.raises(ClusterFailed, match="forbidden"):
        release.cluster.kubectl("get", "nodes", account)
    own = f"wherry-{release.namespace}-1"
    release.cluster.kubectl("create", "namespace", own)
    try:
        with pytest.raises(ClusterFailed, match="namespaces of its apps only"):
            release.cluster.kubectl("--namespace", own, *try_it)
        release.cluster.kubectl("label", "namespace", own, "wherry.dev/platform=probe")
        release.cluster.kubectl("--namespace", own, *try_it)
    finally:
        release.cluster.kubectl("delete", "namespace", own, "--wait=false")
