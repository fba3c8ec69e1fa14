"""An app as plain YAML for any cluster: what we would apply ourselves, without our labels and without what guards it from
other tenants. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from wherry.domain.workload import Workload
from wherry.flow.eject import Leaving
from wherry.runtimes.cluster import manifests, route
from wherry.runtimes.cluster.ground import Ground, Pulls
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.pod_spec import config_secret, pod_spec

APP, RELEASE = "app.yaml", "release-phase.yaml"
_NAME = "app.kubernetes.io/name"
_COMPONENT = "app.kubernetes.io/component"
_HEAD = """\
# {app} {release}, as it ran on Wherry; nothing here needs it any more.
# To run it:      kubectl apply -n NAMESPACE -f {file}
# Its images lie at {registry}; where that wants a login:
#                 kubectl create secret docker-registry registry -n NAMESPACE --docker-server=… --docker-username=… …
#                 kubectl patch serviceaccount default -n NAMESPACE -p '{{"imagePullSecrets": [{{"name": "registry"}}]}}'
"""
_PHASE = "# Its release phase. Run it with each new image before you apply {app_file}, and wait for its end.\n"


class _Plain(yaml.SafeDumper):
    """Without anchors: the files are for people."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def write(leaving: Leaving) -> dict[str, str]:
    """``app.yaml``, and ``release-phase.yaml`` where there is one."""
    ground = Ground("eject", Pulls(leaving.registry))
    made: list[Object] = []
    for each in leaving.workloads:
        plain = [config_secret(ground, each), manifests.deployment(ground, each), *manifests.around(ground, each)]
        made += [_plain(one, leaving, each) for one in plain]
    if any(each.listens for each in leaving.workloads):
        about = {"name": leaving.name, "labels": {_NAME: leaving.name}}
        made.append(route.ingress(about, leaving.hosts, f"{leaving.name}-web", 80, ""))
    for number, (task, workload) in enumerate(leaving.crons, 1):
        name = f"{leaving.name}-cron-{number}"
        policy = {"schedule": task.schedule, "timeZone": "Etc/UTC", "suspend": task.paused}
        policy["concurrencyPolicy"] = str(task.policy).capitalize()
        job = {**policy, "jobTemplate": {"spec": _job(ground, workload, leaving)}}
        made += [_secret(ground, workload, leaving), _named("batch/v1", "CronJob", name, leaving, job)]
    files = {APP: _text(leaving, APP, "", made)}
    if leaving.phase:
        spec = _job(ground, leaving.phase, leaving)
        phase = [
            _secret(ground, leaving.phase, leaving),
            _named("batch/v1", "Job", f"{leaving.name}-release", leaving, spec),
        ]
        files[RELEASE] = _text(leaving, RELEASE, _PHASE.format(app_file=APP), phase)
    return files


def _text(leaving: Leaving, file: str, more: str, objects: Iterable[Object]) -> str:
    head = _HEAD.format(app=leaving.name, release=leaving.release.name, file=file, registry=leaving.registry) + more
    # The same Secret serves several process types.
    once = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    return head + yaml.dump_all(once.values(), Dumper=_Plain, sort_keys=False, allow_unicode=True)


def _job(ground: Ground, workload: Workload, leaving: Leaving) -> Object:
    spec = _pod(pod_spec(ground, workload, config_secret(ground, workload)["metadata"]["name"]), leaving)
    spec["restartPolicy"] = "Never"
    labels = {_NAME: leaving.name, _COMPONENT: workload.type}
    return {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": spec}}


def _secret(ground: Ground, workload: Workload, leaving: Leaving) -> Object:
    return _plain(config_secret(ground, workload), leaving, workload)


def _named(api_version: str, kind: str, name: str, leaving: Leaving, spec: Mapping[str, Any]) -> Object:
    about = {"name": name, "labels": {_NAME: leaving.name}}
    return {"apiVersion": api_version, "kind": kind, "metadata": about, "spec": dict(spec)}


def _plain(found: Object, leaving: Leaving, workload: Workload) -> Object:
    """Under names of the app's, in no namespace, with labels that everybody has."""
    labels = {_NAME: leaving.name, _COMPONENT: workload.type}
    kind, old = found["kind"], found["metadata"]["name"]
    is_shared = kind in ("Secret", "PersistentVolumeClaim")
    result = _relabelled({key: each for key, each in found.items() if key != "metadata"}, labels)
    name = f"{leaving.name}-{old}"
    about = {"name": name, "labels": {_NAME: leaving.name} if is_shared else labels}
    result = {"apiVersion": found["apiVersion"], "kind": kind, "metadata": about, **result}
    if kind == "Deployment":
        template = result["spec"]["template"]
        template["metadata"] = {"labels": labels}
        template["spec"] = _pod(template["spec"], leaving)
    if kind == "HorizontalPodAutoscaler":
        result["spec"]["scaleTargetRef"]["name"] = f"{leaving.name}-{workload.type}"
    return result


def _pod(spec: Mapping[str, Any], leaving: Leaving) -> Object:
    """With the account that every namespace has, and the names that the app's objects have here."""
    pod: Object = {key: each for key, each in spec.items() if key != "serviceAccountName"}
    (container,) = pod["containers"]
    source = {"secretRef": {"name": f"{leaving.name}-{container['envFrom'][0]['secretRef']['name']}"}}
    pod["containers"] = [{**container, "envFrom": [source]}]
    for each in pod.get("volumes", []):
        each["persistentVolumeClaim"] = {"claimName": f"{leaving.name}-{each['persistentVolumeClaim']['claimName']}"}
    return pod


def _relabelled(found: Any, labels: Mapping[str, str]) -> Any:
    """Every selector says the plain labels."""
    if isinstance(found, Mapping):
        return {
            key: dict(labels) if key == "matchLabels" or _is_selector(key, each) else _relabelled(each, labels)
            for key, each in found.items()
        }
    if isinstance(found, Sequence) and not isinstance(found, str):
        return [_relabelled(each, labels) for each in found]
    return found


def _is_selector(key: str, value: Any) -> bool:
    """A Service's, which is the labels themselves."""
    return key == "selector" and isinstance(value, Mapping) and all(isinstance(each, str) for each in value.values())
