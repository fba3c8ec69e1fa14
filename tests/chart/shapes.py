"""The chart rendered in each shape that its values can give it, without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from wherry.settings import root_folder

CHART = root_folder() / "helm" / "wherry"
DIGEST = "sha256:" + "ab" * 32
IMAGES = {name: f"registry.example.com/team/{name.lower()}@{DIGEST}" for name in ("platform", "stackBuild", "stackRun")}
OUTSIDE = {"url": "https://registry.example.com/team", "existingSecret": "registry-login"}
VERSION = ("--kube-version", "1.34.0")
POLICIES = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"

SHAPES: dict[str, dict[str, Any]] = {
    "small": {"registry": OUTSIDE},
    "own-registry-and-ingress": {
        "registry": {"own": {"enabled": True, "service": {"type": "NodePort", "nodePort": 30500}}},
        "ingress": {"enabled": True, "host": "wherry.example.com", "tlsSecret": "tls", "className": "contour"},
        "publicUrl": "https://wherry.example.com",
        "settings": {"WHERRY_BUILD_SECONDS": "1800", "WHERRY_BIND": "0.0.0.0"},
    },
    "several-on-postgresql": {
        "registry": OUTSIDE,
        "replicas": 3,
        "database": {"existingSecret": "database"},
        "persistence": {"accessMode": "ReadWriteMany", "storageClass": "shared"},
        "httpRoute": {
            "enabled": True,
            "parentRefs": [{"name": "gw", "namespace": "infra"}],
            "hostnames": ["a.example.com"],
        },
        "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "infra"}}}]},
        "image": {"pullSecrets": ["pull"]},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "platform", "operator": "Exists"}],
        "priorityClassName": "system-cluster-critical",
        "podAnnotations": {"example.com/owner": "infra"},
        "serviceAccount": {"annotations": {"example.com/role": "wherry"}},
        "environment": {"HTTPS_PROXY": "http://proxy.example.com:3128"},
        "trust": {"configMap": "certificates", "key": "bundle.pem"},
    },
    "plain-postgresql-without-ssh": {
        "registry": OUTSIDE,
        "database": {"existingSecret": "database", "key": "uri"},
        "doors": {"type": "LoadBalancer", "ssh": {"enabled": False}},
        "secrets": {"existingSecret": "keys"},
        "persistence": {"existingClaim": "data"},
        "serviceAccount": {"create": False, "name": "given"},
        "rbac": {"create": False},
        "confine": False,
        "networkPolicy": {"enabled": False},
    },
}


def with_images(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "image": {**IMAGES, **values.get("image", {})}}


def helmed(helm: Path, *argv: str | Path, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "KUBECONFIG": str(kubeconfig or "/dev/null")}
    return subprocess.run([helm, *argv], capture_output=True, text=True, check=False, env=environ)


def rendered(helm: Path, values: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    file = folder / "values.json"
    file.write_text(json.dumps(with_images(values)))
    argv = ["template", "wherry", CHART, "-n", "platform", "-f", file, "--api-versions", POLICIES]
    done = helmed(helm, *argv, *VERSION)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def pod_specs(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in objects:
        name = f"{each['kind']}/{each['metadata']['name']}"
        if each["kind"] == "Pod":
            yield name, each["spec"]
        elif "template" in each.get("spec", {}):
            yield name, each["spec"]["template"]["spec"]
