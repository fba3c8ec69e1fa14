"""A small web app for the bed's own tests: Debian's busybox in an image, and the objects that serve it."""

from __future__ import annotations

import json
import time

import requests

from tests.cluster import images
from tests.cluster.cluster import Cluster
from tests.cluster.registry import ClusterRegistry

_COMMANDS = ("sh", "httpd", "sleep", "wget", "nslookup", "cat", "nc")


def push_app(busybox: bytes, registry: ClusterRegistry) -> str:
    """The image's reference by digest, as the node pulls it."""
    links = {f"bin/{name}": "/bin/busybox" for name in _COMMANDS}
    layer = images.layer_of({"bin/busybox": busybox, "www/index.html": b"Ahoy\n"}, links)
    command = ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
    settings: dict[str, object] = {"Cmd": command, "User": "1001:1000", "Env": ["PATH=/bin"]}
    digest = images.push(registry.address, "apps/hello", layer, settings, registry.login)
    return f"{registry.address}/apps/hello@{digest}"


def deploy(cluster: Cluster, namespace: str, image: str, registry: ClusterRegistry) -> None:
    """A Deployment `web` behind a Service `web`, which is ready on return."""
    if registry.login:
        login = [f"--docker-server={registry.address}", f"--docker-username={registry.user}"]
        login.append(f"--docker-password={registry.password}")
        cluster.kubectl("create", "secret", "docker-registry", "pull", f"--namespace={namespace}", *login)
    container = {"name": "web", "image": image, "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}
    pod = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "imagePullSecrets": [{"name": "pull"}] if registry.login else [],
            "containers": [container],
            "terminationGracePeriodSeconds": 1,
        },
    }
    selector = {"app": "web"}
    deployment = {"replicas": 1, "selector": {"matchLabels": selector}, "template": pod}
    service = {"selector": selector, "ports": [{"port": 80, "targetPort": 8080}]}
    apply(
        cluster,
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _named("web", namespace), "spec": deployment},
        {"apiVersion": "v1", "kind": "Service", "metadata": _named("web", namespace), "spec": service},
    )
    cluster.kubectl("rollout", "status", "deployment/web", f"--namespace={namespace}", "--timeout=60s")


def route(namespace: str, host: str, gateway: tuple[str, str]) -> dict[str, object]:
    parent = {"namespace": gateway[0], "name": gateway[1]}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": _named("web", namespace),
        "spec": {
            "hostnames": [host],
            "parentRefs": [parent],
            "rules": [{"backendRefs": [{"name": "web", "port": 80}]}],
        },
    }


def ingress(namespace: str, host: str, of_class: str) -> dict[str, object]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": _named("web", namespace),
        "spec": {"ingressClassName": of_class, "rules": [rule]},
    }


def apply(cluster: Cluster, *objects: dict[str, object]) -> None:
    together = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(together))


def run(cluster: Cluster, namespace: str, where: str, *command: str) -> str:
    """What a command in a pod says. Raises ClusterFailed when it fails."""
    return cluster.kubectl("exec", f"--namespace={namespace}", where, "--", *command)


def answer(address: str, host: str, seconds: float = 60) -> str:
    """What the app says by its host, once the gateway has heard of it."""
    deadline = time.monotonic() + seconds
    while True:
        said = requests.get(f"http://{address}/", headers={"Host": host}, timeout=10)
        if said.ok or time.monotonic() > deadline:
            return f"{said.status_code} {said.text}"
        time.sleep(0.02)


def _named(name: str, namespace: str) -> dict[str, str]:
    return {"name": name, "namespace": namespace}
