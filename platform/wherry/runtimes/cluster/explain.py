"""Why a process does not come up, in the pod's own words: what its container did, what its node and the scheduler say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wherry.domain.errors import RolloutFailed, RolloutFailure, WherryError
from wherry.domain.text import log_line, printable
from wherry.domain.workload import Workload
from wherry.runtimes import refusals
from wherry.runtimes.cluster import kinds, pods
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.naming import CONTAINER, PORT
from wherry.runtimes.cluster.probes import boot_limit

_EVIDENCE = 20
_LAST = {"container": CONTAINER, "tailLines": str(_EVIDENCE), "limitBytes": str(64 * 1024)}
_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
_ROOT = "Processes on a cluster may not be root: end the Dockerfile with USER and a number, such as USER 1000."
_ROOM = "Free some: wherry ps:scale; or ask the operator for more nodes or another quota."


class Explainer:
    def __init__(self, client: Client) -> None:
        self._client = client

    def failure(self, workload: Workload, name: str, pod: Object, *, late: bool) -> RolloutFailed:
        """`name`: web.1. `late`: it runs, and was not ready in its time."""
        status = pods.container(pod)
        waiting = status.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in _IMAGE:
            return self._no_image(name, pod, waiting)
        if end := pods.last_end(status):
            return self._ended(workload, name, pod, end, again="terminated" not in status.get("state", {}))
        if late:
            return self._not_ready(workload, name, pod)
        if waiting and waiting.get("reason") not in ("ContainerCreating", "PodInitializing"):
            return self._not_made(name, waiting)
        if pods.condition(pod, "PodScheduled").get("status") == "False":
            return _no_room(name, pods.condition(pod, "PodScheduled").get("message", ""))
        said = [pod.get("status", {}).get("message", ""), *self._events(pod)]
        return RolloutFailed(
            RolloutFailure.PLATFORM, f"{name} was not started in time", evidence=[each for each in said if each]
        )

    def _no_image(self, name: str, pod: Object, waiting: Mapping[str, str]) -> RolloutFailed:
        said = [printable(waiting.get("message", ""), 1000), *self._events(pod, "Failed")]
        return RolloutFailed(
            RolloutFailure.IMAGE_PULL,
            f"the image of {name} could not be pulled by the cluster",
            evidence=list(dict.fromkeys(each for each in said if each))[:_EVIDENCE],
            hint="The nodes must reach the registry: docs/operations.md, 'On a cluster'.",
        )

    def _ended(
        self, workload: Workload, name: str, pod: Object, end: Mapping[str, Any], *, again: bool
    ) -> RolloutFailed:
        lines = self.last_lines(pod, previous=again)
        code = int(end.get("exitCode", 0))
        if end.get("reason") == "OOMKilled":
            return refusals.out_of_memory(name, workload, lines)
        if said := printable(end.get("message", ""), 500):
            lines = [*lines, said]
        when = "before it listened on $PORT" if workload.listens else f"within {workload.settle:g} s of its start"
        return refusals.exited(name, code, when, lines)

    def _not_ready(self, workload: Workload, name: str, pod: Object) -> RolloutFailed:
        lines, probes = self.last_lines(pod), self._events(pod, "Unhealthy")
        asked = [each for each in workload.checks if not each.warn]
        deaf = not asked or any("connection refused" in each for each in probes)
        evidence, limit = [*lines, *probes[-1:]], boot_limit(workload)
        if workload.listens and deaf:
            return refusals.not_listening(name, f"$PORT ({PORT})", limit, evidence)
        return refusals.not_healthy(name, f"its health check for {limit:g} s", evidence)

    def _not_made(self, name: str, waiting: Mapping[str, str]) -> RolloutFailed:
        said = printable(waiting.get("message", ""), 1000)
        return RolloutFailed(
            RolloutFailure.REFUSED,
            f"the cluster could not make the container of {name}: {waiting.get('reason')}",
            evidence=[said] if said else [],
            hint=_ROOT if "root" in said else "",
        )

    def last_lines(self, pod: Object, *, previous: bool = False) -> list[str]:
        """What its container wrote last; of its start before the present one with `previous`."""
        about = pod["metadata"]
        for earlier in (True, False) if previous else (False,):
            query = {**_LAST, "previous": "true" if earlier else ""}
            try:
                with self._client.log(about["namespace"], about["name"], query) as pieces:
                    lines = b"".join(pieces).split(b"\n")
            except WherryError:
                continue  # its node has no log of it, and the reason of the failure is known without
            return [log_line(line) for line in lines if line][-_EVIDENCE:]
        return []

    def _events(self, pod: Object, reason: str = "") -> list[str]:
        """What node and scheduler said of it, the newest last."""
        about = pod["metadata"]
        fields = f"involvedObject.uid={about['uid']}" + (f",reason={reason}" if reason else ",type=Warning")
        try:
            found, _ = self._client.list(kinds.EVENT, about["namespace"], fields=fields)
        except WherryError:
            return []
        found.sort(key=lambda each: each.get("lastTimestamp") or each.get("eventTime") or "")
        return [printable(each.get("message", ""), 500) for each in found][-_EVIDENCE:]


def refused(workload: Workload, message: str) -> RolloutFailed:
    """The server, a quota or an admission policy will not have its objects or pods."""
    said = printable(message, 1000)
    if "exceeded quota" in message:
        return _no_room(workload.type, said)
    return RolloutFailed(
        RolloutFailure.REFUSED,
        f"the cluster refuses {workload.type} of {workload.app_name}",
        evidence=[said],
        hint=_ROOT if "runAsNonRoot" in message or "runAsUser" in message else "",
    )


def _no_room(name: str, said: str) -> RolloutFailed:
    return RolloutFailed(
        RolloutFailure.NO_CAPACITY,
        f"the cluster has no room for {name}",
        evidence=[printable(said, 1000)] if said else [],
        hint=_ROOM,
    )
