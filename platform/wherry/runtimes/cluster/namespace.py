"""The namespace of an app and what guards it. Pure: an app in, objects out, in the order in which they are applied."""

from __future__ import annotations

import base64
import json

from wherry.domain.registry_names import HUB, Place
from wherry.logins import Login
from wherry.runtimes.cluster import naming, networks
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.kinds import Object

_RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
_MOST = {
    "pods": "300",
    "count/jobs.batch": "200",
    "count/secrets": "100",
    "persistentvolumeclaims": "20",
    "services": "20",
    # An app is reached through the platform's door only.
    "services.nodeports": "0",
    "services.loadbalancers": "0",
}
_HUB_LOGIN = "https://index.docker.io/v1/"
"""As nodes look for a login at Docker Hub."""


def objects(ground: Ground, app_id: int, app_name: str, login: Login) -> list[Object]:
    """`login`: at the registry that the nodes pull from."""
    make = _Maker(ground, app_id, app_name)
    return [
        alone(ground.platform, app_id, app_name),
        make.quota(),
        make.limits(),
        make.account(login),
        make.closed(),
        make.web_open(),
        *([make.login(login)] if login.username else []),
    ]


def alone(platform: str, app_id: int, app_name: str) -> Object:
    """Without what guards it: for an app of which nothing runs yet."""
    labels = {**naming.app_labels(platform, app_id, app_name), **_RESTRICTED}
    about = {"name": naming.namespace(platform, app_id), "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": about}


def login_secret(ground: Ground, app_id: int, app_name: str, login: Login) -> Object:
    return _Maker(ground, app_id, app_name).login(login)


class _Maker:
    def __init__(self, ground: Ground, app_id: int, app_name: str) -> None:
        self._ground = ground
        self._name = naming.namespace(ground.platform, app_id)
        self._labels = naming.app_labels(ground.platform, app_id, app_name)

    def quota(self) -> Object:
        return self._object("v1", "ResourceQuota", "app", spec={"hard": _MOST})

    def limits(self) -> Object:
        """For containers that do not say what they need."""
        default = {
            "type": "Container",
            "default": {"cpu": "1", "memory": "512Mi", "ephemeral-storage": "4Gi"},
            "defaultRequest": {"cpu": "100m", "memory": "512Mi", "ephemeral-storage": "64Mi"},
        }
        return self._object("v1", "LimitRange", "app", spec={"limits": [default]})

    def account(self, login: Login) -> Object:
        """Nothing in it may speak to the API."""
        pulls = {"imagePullSecrets": [{"name": naming.PULL_SECRET}]} if login.username else {}
        return self._object("v1", "ServiceAccount", naming.ACCOUNT, automountServiceAccountToken=False, **pulls)

    def closed(self) -> Object:
        """Nothing comes in; out go names and public addresses, and what the operator allows: not to other pods, services,
        nodes, or the metadata address.
        """
        dns = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
        public = networks.public_and(self._ground.reach)
        name_servers = [{"namespaceSelector": {}, "podSelector": {}}, {"ipBlock": {"cidr": networks.LOCAL_DNS}}]
        return self._policy(
            "closed",
            {
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "egress": [{"to": name_servers, "ports": dns}, {"to": public}],
            },
        )

    def web_open(self) -> Object:
        """Routers may live in any namespace that is not an app's."""
        routers = {"matchExpressions": [{"key": naming.APP, "operator": "DoesNotExist"}]}
        return self._policy(
            "web",
            {
                "podSelector": {"matchLabels": {naming.PROCESS: "web"}},
                "policyTypes": ["Ingress"],
                "ingress": [
                    {
                        "from": [{"namespaceSelector": routers}],
                        "ports": [{"port": naming.PORT, "protocol": "TCP"}],
                    }
                ],
            },
        )

    def login(self, login: Login) -> Object:
        entry = {"username": login.username, "password": login.password.reveal()}
        entry["auth"] = base64.b64encode(":".join(entry.values()).encode()).decode()
        host = Place.of(self._ground.pulls.address).host
        host = _HUB_LOGIN if host == HUB else host
        said = json.dumps({"auths": {host: entry}})
        found = self._object(
            "v1",
            "Secret",
            naming.PULL_SECRET,
            type="kubernetes.io/dockerconfigjson",
            data={".dockerconfigjson": base64.b64encode(said.encode()).decode()},
        )
        # What is in a Secret is not kept here; whether it is another one must show.
        found["metadata"]["annotations"] = {naming.CONTENT: naming.digest(self._ground.platform, said)[:16]}
        return found

    def _policy(self, name: str, spec: Object) -> Object:
        return self._object("networking.k8s.io/v1", "NetworkPolicy", name, spec=spec)

    def _object(self, api_version: str, kind: str, name: str, **rest: object) -> Object:
        about = {"name": name, "namespace": self._name, "labels": self._labels}
        return {"apiVersion": api_version, "kind": kind, "metadata": about, **rest}
