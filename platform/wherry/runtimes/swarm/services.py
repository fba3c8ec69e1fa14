"""Services and their tasks, as the manager lists them, and the few calls that change them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from docker.errors import APIError, NotFound
from requests import Response

from wherry.runtimes.machine import naming
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.swarm import spec

_OVER = {"complete", "failed", "rejected", "orphaned"}
_NANO = 1_000_000_000
_LOOK = 0.1
_TO_LET_GO = 5.0


@dataclass(frozen=True, slots=True)
class Service:
    id: str
    who: Identity
    labels: Mapping[str, str]
    created: str

    @property
    def passed(self) -> bool:
        return spec.PASSED in self.labels

    @property
    def fingerprint(self) -> str:
        return self.labels.get(naming.FINGERPRINT, "")

    @property
    def published(self) -> int:
        return int(self.labels.get(spec.PUBLISHED, 0))


@dataclass(frozen=True, slots=True)
class TaskOf:
    """One try of the swarm to run a service. `since`: RFC 3339, when it came into its state."""

    id: str
    service: str
    node: str
    state: str
    since: str
    message: str
    container: str
    code: int

    @property
    def runs(self) -> bool:
        return self.state == "running"

    @property
    def is_over(self) -> bool:
        return self.state in _OVER


class Services:
    """Of one platform. Every method raises docker's errors."""

    def __init__(self, engine: Engine, platform: str, registry: Registry) -> None:
        self._engine = engine
        self._platform = platform
        self._registry = registry

    def all(self, app_id: int | None = None) -> list[Service]:
        found = []
        for each in self._engine.api.services(filters=naming.of_platform(self._platform, app_id)):  # type: ignore[no-untyped-call]
            labels = each["Spec"]["Labels"]
            if who := Identity.of(labels):
                found.append(Service(each["ID"], who, labels, each["CreatedAt"]))
        return found

    def tasks(self, app_id: int | None = None, service: str = "") -> list[TaskOf]:
        """Oldest first, those that ended among them, as far as the swarm remembers them (five a service)."""
        filters = {"service": service} if service else naming.of_platform(self._platform, app_id)
        listed = sorted(self._engine.api.tasks(filters=filters), key=lambda each: str(each["CreatedAt"]))  # type: ignore[no-untyped-call]
        return [_task(each) for each in listed]

    def create(self, body: Mapping[str, Any]) -> str:
        """Its id; one of the same name that is there already is as good."""
        login = self._registry.login_for(str(body["TaskTemplate"]["ContainerSpec"]["Image"]))
        headers = {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(login).encode()).decode()} if login else {}
        try:
            return str(self._post("create", body, headers=headers).json()["ID"])
        except APIError as error:
            if error.status_code != 409:
                raise
        (there,) = self._engine.api.services(filters={"name": body["Name"]})  # type: ignore[no-untyped-call]
        return str(there["ID"])

    def mark_passed(self, service: str) -> None:
        found = self._engine.api.inspect_service(service)  # type: ignore[no-untyped-call]
        body = found["Spec"]
        body["Labels"][spec.PASSED] = "yes"
        self._post(f"{service}/update", body, params={"version": found["Version"]["Index"]})

    def remove(self, services: Sequence[str]) -> None:
        for each in services:
            try:
                self._engine.api.remove_service(each)  # type: ignore[no-untyped-call]
            except NotFound:
                continue

    def has_containers(self, service: str) -> bool:
        """On this node."""
        label = f"com.docker.swarm.service.id={service}"
        return bool(self._engine.api.containers(all=True, filters={"label": [label]}))

    def lines(self, service: str, most: int) -> list[bytes]:
        """The last of what it wrote, wherever it ran."""
        api = self._engine.api
        logs: Iterable[bytes] = api.service_logs(service, stdout=True, stderr=True, tail=cast(Any, most))
        return b"".join(logs).split(b"\n")[-most - 1 :]

    def ensure_network(self, app_id: int) -> None:
        """An app's own, on all nodes: no other app is on it."""
        wanted = spec.network(self._platform, app_id)
        if any(each["Name"] == wanted for each in self._engine.api.networks(names=[wanted])):
            return
        labels = {naming.PLATFORM: self._platform, naming.APP: str(app_id)}
        self._engine.api.create_network(wanted, driver="overlay", labels=labels, check_duplicate=True)

    def drop_networks(self, app_id: int | None = None) -> None:
        """Of one app or of all, once no process is left. Nodes let go of them a little later, so they are tried again."""
        deadline = time.monotonic() + _TO_LET_GO
        filters = {**naming.of_platform(self._platform, app_id), "driver": ["overlay"]}
        while left := self._engine.api.networks(filters=filters):
            for each in left:
                with suppress(NotFound, APIError):
                    self._engine.api.remove_network(each["Id"])
            if time.monotonic() > deadline:
                return  # a later one finds it by its label
            time.sleep(_LOOK)

    def nodes(self) -> dict[str, str]:
        """The address of each node, by its id."""
        return {each["ID"]: each["Status"].get("Addr", "") for each in self._engine.api.nodes()}

    def cores(self) -> float:
        """Of the largest node."""
        nodes = self._engine.api.nodes()
        return max(int(each["Description"]["Resources"]["NanoCPUs"]) for each in nodes) / _NANO

    def _post(self, path: str, body: Mapping[str, Any], **more: Any) -> Response:
        """As the API takes it; the client's own calls know no login but that of its files."""
        api = self._engine.api
        answer = api.post(f"{api.base_url}/v{api.api_version}/services/{path}", json=body, **more)
        if not answer.ok:
            raise APIError(answer.text, response=answer, explanation=_said(answer.text))
        return answer


def _task(listed: Mapping[str, Any]) -> TaskOf:
    status = listed["Status"]
    container = status.get("ContainerStatus") or {}
    return TaskOf(
        listed["ID"],
        listed["ServiceID"],
        listed.get("NodeID", ""),
        status["State"],
        status["Timestamp"],
        status.get("Err") or "",
        container.get("ContainerID", ""),
        int(container.get("ExitCode", 0)),
    )


def _said(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, TypeError, KeyError):
        return text
