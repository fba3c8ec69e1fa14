"""A Workload as objects of the API. Pure: the same workload is always the same objects, whatever its names and values
hold.
"""

from __future__ import annotations

import json
import math

from wherry.domain.text import printable
from wherry.domain.workload import Workload
from wherry.runtimes.cluster import naming
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.pod_spec import environment, mebibytes, pod_spec
from wherry.runtimes.cluster.probes import boot_limit, probes

_SLACK = 600
REQUESTS = "wherry_requests_per_second"
"""The metric of each pod that an adapter of the cluster must serve for autoscaling by requests."""


def around(ground: Ground, workload: Workload) -> list[Object]:
    """What a process type needs beside its Deployment, in the order in which it is applied."""
    make = _Maker(ground, workload)
    many = workload.autoscale.least if workload.autoscale else workload.quantity
    return [
        *(make.claim(place) for place in range(len(workload.volumes))),
        *([make.service()] if workload.listens else []),
        *([make.budget()] if many >= 2 else []),
        *([make.autoscaler()] if workload.autoscale else []),
    ]


def deployment(ground: Ground, workload: Workload, turn: int = 0) -> Object:
    """`turn`: of the last wish that all its processes be restarted."""
    return _Maker(ground, workload).deployment(turn)


class _Maker:
    def __init__(self, ground: Ground, workload: Workload) -> None:
        self._ground = ground
        self._workload = workload
        self._labels = naming.process_labels(ground.platform, workload)
        self._selector = naming.selector(ground.platform, workload)

    def deployment(self, turn: int) -> Object:
        workload = self._workload
        template = self._template(turn)
        # Whoever scales by load decides on the replicas, and nobody else sets them.
        replicas = {} if workload.autoscale else {"replicas": workload.quantity}
        found = self._object(
            "apps/v1",
            "Deployment",
            workload.type,
            {
                **replicas,
                "revisionHistoryLimit": 1,
                # Ready is not enough for a process that does not listen: it must have lived a while.
                **({} if workload.listens else {"minReadySeconds": max(math.ceil(workload.settle), 1)}),
                "progressDeadlineSeconds": math.ceil(boot_limit(workload)) + _SLACK,
                "strategy": self._strategy(),
                "selector": {"matchLabels": self._selector},
                "template": template,
            },
        )
        found["metadata"]["labels"] |= naming.release_labels(workload.release)
        found["metadata"]["annotations"] = {naming.TEMPLATE: template["metadata"]["annotations"][naming.TEMPLATE]}
        return found

    def service(self) -> Object:
        ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": naming.PORT}]
        spec = {"type": "ClusterIP", "selector": self._selector, "ports": ports}
        return self._object("v1", "Service", self._workload.type, spec)

    def budget(self) -> Object:
        """Nodes are emptied one process at a time; one that is unwell anyway holds nothing up."""
        spec = {
            "maxUnavailable": 1,
            "selector": {"matchLabels": self._selector},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        }
        return self._object("policy/v1", "PodDisruptionBudget", self._workload.type, spec)

    def autoscaler(self) -> Object:
        wish = self._workload.autoscale
        assert wish
        shares = [("cpu", wish.cpu), ("memory", wish.memory)]
        metrics: list[Object] = [
            {
                "type": "Resource",
                "resource": {
                    "name": name,
                    "target": {"type": "Utilization", "averageUtilization": self._of_request(name, share)},
                },
            }
            for name, share in shares
            if share
        ]
        if wish.requests:
            target = {"type": "AverageValue", "averageValue": str(wish.requests)}
            metrics.append({"type": "Pods", "pods": {"metric": {"name": REQUESTS}, "target": target}})
        spec = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": self._workload.type},
            "minReplicas": wish.least,
            "maxReplicas": wish.most,
            "metrics": metrics,
        }
        return self._object("autoscaling/v2", "HorizontalPodAutoscaler", self._workload.type, spec)

    def claim(self, place: int) -> Object:
        volume = self._workload.volumes[place]
        storage = {"storageClassName": self._ground.storage_class} if self._ground.storage_class else {}
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": mebibytes(volume.mib)}},
            **storage,
        }
        return self._object("v1", "PersistentVolumeClaim", volume.name, spec)

    def _of_request(self, name: str, share: int) -> int:
        """The API wants it in per cent of what is set aside, which for the processor is a tenth of the size."""
        return share * 10 if name == "cpu" else share

    def _strategy(self) -> Object:
        """All new ones begin at once, and no old one ends before a new one is ready. A volume cannot be in two places."""
        if self._workload.volumes:
            return {"type": "Recreate"}
        return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}}

    def _template(self, turn: int) -> Object:
        ground, workload = self._ground, self._workload
        secret = naming.config_secret(ground.platform, workload, environment(workload))
        spec = pod_spec(ground, workload, secret)
        spec["containers"][0] |= probes(workload)
        spec["topologySpreadConstraints"] = [
            self._spread("kubernetes.io/hostname"),
            self._spread("topology.kubernetes.io/zone"),
        ]
        command = workload.image.processes.get(workload.type, "")
        notes = {
            naming.FINGERPRINT: naming.fingerprint(ground.platform, workload),
            naming.TURN: str(turn),
            **({naming.COMMAND: printable(command, 500)} if command else {}),
        }
        labels = naming.pod_labels(ground.platform, workload)
        said = json.dumps([labels, notes, spec], sort_keys=True)
        notes[naming.TEMPLATE] = naming.digest(ground.platform, said)[:16]
        return {"metadata": {"labels": labels, "annotations": notes}, "spec": spec}

    def _spread(self, key: str) -> Object:
        return {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": self._selector},
            "matchLabelKeys": ["pod-template-hash"],
        }

    def _object(self, api_version: str, kind: str, name: str, spec: Object) -> Object:
        about = {
            "name": name,
            "namespace": naming.namespace(self._ground.platform, self._workload.app_id),
            "labels": dict(self._labels),
        }
        return {"apiVersion": api_version, "kind": kind, "metadata": about, "spec": spec}
