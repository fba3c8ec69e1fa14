"""A platform that lives in the cluster: installed, tested, upgraded and uninstalled by Helm."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from wherry.settings import root_folder

from tests.chart.installed import RELEASE, Installed, Volume, behind, logins, usual
from tests.cluster.cluster import Cluster
from tests.cluster.errors import ClusterFailed
from tests.cluster.gateway import Gateway
from tests.cluster.registry import ClusterRegistry
from tests.runtimes.machine_world import eventually

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
) -> Iterator[Installed]:
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    logins(cluster, namespace, cluster_registry)
    release = Installed(cluster, namespace, tmp_path, usual(published, cluster_registry, volume))
    yield release
    release.forget_its_apps()


def test_a_release_serves_what_is_pushed_to_it_keeps_its_keys_and_leaves_only_what_it_says(
    release: Installed, helm: Path, helm4: Path, gateway: Gateway, sample: Path
) -> None:
    release.values["apps"] = behind(gateway, domain="apps.example.com")
    notes = release.helm(helm, "install", *MINUTES)
    assert "Succeeded" in release.helm(helm, "test")
    token = release.inside("auth:token")
    assert "login:link" in notes
    assert release.inside("login:link").startswith("http://localhost:8301/login?token=")
    assert release.api("/account", token).json()["email"] == "admin@localhost"
    assert release.api("/account", "no-token").status_code == 401
    _may_write_in_namespaces_of_apps_only(release)
    _is_built_in_the_cluster_and_answers(release, gateway, token, sample)

    keys = release.get("secret", f"{RELEASE}-keys")["data"]
    assert set(keys) == {"master.key", "tickets.key", "platform"}
    release.values["resources"] = {"web": {"requests": {"cpu": "110m"}}}
    release.helm(helm4, "upgrade", *MINUTES)
    assert release.get("secret", f"{RELEASE}-keys")["data"] == keys
    assert release.api("/account", token).json()["email"] == "admin@localhost"

    release.helm(helm, "uninstall")
    release.kubectl("wait", "--for=delete", f"pod/{RELEASE}-0", "--timeout=90s")
    kept = {f"persistentvolumeclaim/{RELEASE}-data", f"secret/{RELEASE}-keys"}
    kept |= {"secret/registry", "secret/registry-pull", "serviceaccount/default"}
    everything = ("get", "all,secret,pvc,ingress,networkpolicy,serviceaccount,pdb", "-o", "name")
    eventually(lambda: set(release.kubectl(*everything).split()) == kept)
    whole = release.kubectl(
        *("get", "clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding"),
        *("-l", "app.kubernetes.io/part-of=wherry", "-o", "name"),
    )
    assert release.namespace not in whole
    assert _greeting(gateway) == "Hello from a test"

    release.helm(helm, "install", *MINUTES)
    assert [each["name"] for each in release.api("/apps", token).json()] == ["hello"]
    assert _greeting(gateway) == "Hello from a test"


def _is_built_in_the_cluster_and_answers(release: Installed, gateway: Gateway, token: str, sample: Path) -> None:
    made = requests.post(f"{release.url}/apps", json={"name": "hello"}, headers={"Authorization": f"Bearer {token}"})
    assert made.status_code == 201, made.text
    shutil.copytree(root_folder() / "tests/apps/procfile-only", sample)
    (sample / "requirements.txt").write_text("markupsafe\n")
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), (*author, "commit", "-q", "-m", "hello")):
        subprocess.run(["git", "-C", sample, *words], check=True)
    remote = release.url.replace("://", f"://token:{token}@") + "/hello.git"
    done = subprocess.run(["git", "-C", sample, "push", remote, "main"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{release.evidence()}"
    assert "+ markupsafe==" in done.stderr
    assert "Procfile declares types -> web" in done.stderr
    eventually(lambda: _greeting(gateway) == "Hello from a test")


def _greeting(gateway: Gateway) -> str:
    """Nothing while the gateway has heard of no app yet, and does not even listen."""
    try:
        answer = requests.get(f"http://{gateway.address}/", headers={"Host": "hello.apps.example.com"}, timeout=30)
    except requests.ConnectionError:
        return ""
    return answer.text.partition("\n")[0]


def _may_write_in_namespaces_of_apps_only(release: Installed) -> None:
    account = f"--as=system:serviceaccount:{release.namespace}:{RELEASE}"
    try_it = ("create", "secret", "generic", "probe", account, "--dry-run=server")
    with pytest.raises(ClusterFailed, match="namespaces of its apps only"):
        release.kubectl(*try_it)
    with pytest.raises(ClusterFailed, match="namespaces of its apps only"):
        release.cluster.kubectl("delete", "namespace", release.namespace, account, "--dry-run=server")
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
