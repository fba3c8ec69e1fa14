"""Images of Dockerfiles by the engine's own ("classic") builder: an adapter of the ImageBuild port.

It takes caps and a network, which BuildKit inside an engine does not (docs/decisions/0008). Steps run as the image's
user, root at first, in containers with the engine's default confinement, on the build network, and have no login of any
registry. Nothing outlives the request: when our side of the connection ends, the engine stops the step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Timer
from typing import Any

import requests
from docker.errors import NotFound
from docker.types.daemon import CancellableStream

from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled, PlatformFault
from wherry.domain.text import printable
from wherry.flow.image_ports import ImageBuildSpec
from wherry.flow.ports import Cancel
from wherry.runtimes.machine import naming, network
from wherry.runtimes.machine.engine import CLIENT_ERRORS, HINT, Engine, close_stream
from wherry.runtimes.machine.image_cache import Cache
from wherry.runtimes.machine.image_stream import Failed, Steps
from wherry.runtimes.machine.network import Networks
from wherry.runtimes.machine.pull import NotPulled, Registry, pull

_MIB = 1024 * 1024
_KILLED = 137
_SHARES = 102
_TRIES = 5
_NO_SUCH = ("manifest unknown", "not found", "does not exist", "denied", "invalid reference")

OnLine = Callable[[bytes], None]


class MachineImageBuild:
    def __init__(self, engine_url: str, platform: str, registry: Registry, subnet: str = "") -> None:
        self._engine = Engine(engine_url)
        self._platform = platform
        self._registry = registry
        self._networks = Networks(self._engine, platform, subnet)

    def build(self, spec: ImageBuildSpec, on_line: OnLine, cancel: Cancel) -> str:
        self._networks.ensure(network.BUILD)
        for base in spec.bases:
            self._have(base)
        with self._engine.doing("build an image"):
            cache = Cache(self._engine, self._platform, spec.app_id, spec.name)
            own = len(spec.labels)
            steps = Steps(on_line, spec.log_bytes, lambda container: self._limit(container, spec.pids), own)
            try:
                self._run(spec, steps, cache.sources(), cancel)
            finally:
                cache.keep(steps.stages, steps.image)
        return self._pushed(spec, steps.image)

    def forget(self, app_id: int) -> None:
        with self._engine.doing("remove what is kept of images"):
            Cache.forget(self._engine, self._platform, app_id)

    # -- the sentences of build, in order

    def _have(self, base: str) -> None:
        """There, and without triggers that would take from images by their ids, as no Dockerfile may (T16)."""
        found = self._inspected(base)
        if found is None:
            self._pull(base)
            found = self._inspected(base)
        triggers = ((found or {}).get("Config") or {}).get("OnBuild") or ()
        if bad := [printable(each, 100) for each in triggers if "--from" in each.lower()]:
            message = f"the image {printable(base)} has a trigger that copies from other images"
            raise BuildFailed(BuildFailure.BAD_SOURCE, message, evidence=[f"ONBUILD {each}" for each in bad])

    def _inspected(self, image: str) -> dict[str, Any] | None:
        with self._engine.doing("look for a base image"), suppress(NotFound):
            found: dict[str, Any] = self._engine.api.inspect_image(image)  # type: ignore[no-untyped-call]
            return found
        return None

    def _pull(self, base: str) -> None:
        """Ours with our login; of any other the author of the Dockerfile hears why not."""
        try:
            pull(self._engine, self._registry, base)
        except NotPulled as error:
            if base.startswith(f"{self._registry.address}/"):
                raise
            is_wrong = any(word in " ".join(error.evidence) for word in _NO_SUCH)
            kind = BuildFailure.BAD_SOURCE if is_wrong else BuildFailure.NETWORK
            raise BuildFailed(kind, error.message, evidence=error.evidence) from error

    def _run(self, spec: ImageBuildSpec, steps: Steps, sources: list[str], cancel: Cancel) -> None:
        """Raises BuildFailed, Cancelled, and docker's errors."""
        response = self._begun(spec, sources)
        stream: CancellableStream[bytes] = CancellableStream(response.iter_content(None), response)
        end = _End(stream)
        late = Timer(spec.seconds, end.now, ("late",))
        late.start()
        cancel.on_cancel(lambda: end.now("cancelled"))
        try:
            for each in _messages(stream):
                steps.take(each)
        except Failed as failed:
            if not end.reason:
                raise _why(failed, spec) from failed
        except CLIENT_ERRORS:
            if not end.reason:
                raise
        finally:
            late.cancel()
            close_stream(stream)
            response.close()
        if end.reason == "cancelled" or cancel.cancelled:
            raise Cancelled("the build was cancelled")
        if end.reason == "late":
            message = f"the build ran longer than its {spec.seconds:.0f} seconds"
            raise BuildFailed(BuildFailure.OUT_OF_TIME, message, evidence=steps.last())
        if not steps.image:
            raise PlatformFault("the Docker Engine ended the build without an image", hint=HINT)

    def _begun(self, spec: ImageBuildSpec, sources: list[str]) -> requests.Response:
        """POST /build. With sources, layers come from those alone; without, none is used again: what other apps' builds
        left counts for nothing (T16).
        """
        api = self._engine.api
        params: dict[str, str | int] = {
            "dockerfile": spec.dockerfile,
            "rm": 1,
            "forcerm": 1,
            "nocache": 0 if sources else 1,
            "cachefrom": json.dumps(sources),
            "target": spec.target,
            "buildargs": json.dumps(dict(spec.args)),
            "labels": json.dumps(dict(spec.labels), sort_keys=True),
            "networkmode": naming.network(self._platform, network.BUILD),
            "memory": spec.memory * _MIB,
            "memswap": spec.memory * _MIB,
            "cpuperiod": 100_000,
            "cpuquota": spec.cpu * 100,
            "cpushares": _SHARES,
        }
        with spec.context.open("rb") as context:
            response = api.post(
                f"{api.base_url}/v{api.api_version}/build",
                params=params,
                data=context,
                headers={"Content-Type": "application/x-tar"},
                stream=True,
                timeout=spec.seconds + 60,
            )
        if response.status_code != requests.codes.ok:
            with response:
                said = _said(response)
            raise BuildFailed(BuildFailure.BAD_SOURCE, f"the Docker Engine refuses the Dockerfile: {said}")
        return response

    def _limit(self, container: str, pids: int) -> None:
        """The builder has no word for a cap on processes, but a container can be given one while it runs."""
        api = self._engine.api
        url = f"{api.base_url}/v{api.api_version}/containers/{container}/update"
        for left in reversed(range(_TRIES)):
            answer = api.post(url, json={"PidsLimit": pids})
            if answer.status_code in (requests.codes.ok, requests.codes.not_found) or not self._runs(container):
                return
            if not left:
                raise PlatformFault(f"the Docker Engine could not cap a build's processes: {_said(answer)}", hint=HINT)

    def _runs(self, container: str) -> bool:
        """A short step may be over before it is capped."""
        try:
            return bool(self._engine.api.inspect_container(container)["State"]["Running"])
        except NotFound:
            return False

    def _pushed(self, spec: ImageBuildSpec, image: str) -> str:
        """By the engine, with the registry's login, which nothing of the build has seen."""
        name = self._registry.name(spec.repository)
        tag = f"build-{spec.build_id}-{spec.name}"
        with self._engine.doing("push the image"):
            api = self._engine.api
            api.tag(image, name, tag, force=True)
            try:
                login = self._registry.login_for(f"{name}:{tag}")
                said = list(api.push(name, tag, stream=True, decode=True, auth_config=login))
            finally:
                self._engine.discard(f"{name}:{tag}")
        digests = [str(each["aux"]["Digest"]) for each in said if "Digest" in (each.get("aux") or {})]
        if not digests:
            errors = [printable(str(each["error"]), 300) for each in said if "error" in each]
            raise PlatformFault("the Docker Engine could not push the image", evidence=errors[-1:], hint=HINT)
        return digests[-1]


class _End:
    """Why it was ended by us; "" when it was not."""

    def __init__(self, stream: CancellableStream[bytes]) -> None:
        self._stream = stream
        self.reason = ""

    def now(self, reason: str) -> None:
        self.reason = self.reason or reason
        close_stream(self._stream)


def _messages(stream: CancellableStream[bytes]) -> Iterator[dict[str, Any]]:
    """One JSON object a line."""
    rest = b""
    for chunk in stream:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (json.loads(line) for line in whole if line.strip())
    if rest.strip():
        yield json.loads(rest)


def _said(response: requests.Response) -> str:
    try:
        return printable(str(response.json()["message"]), 500)
    except (ValueError, KeyError, TypeError):
        return printable(response.text, 300)


def _why(failed: Failed, spec: ImageBuildSpec) -> BuildFailed:
    if failed.code == _KILLED:
        message = f"{failed.step} was killed: builds may use {spec.memory} MiB of memory"
        return BuildFailed(BuildFailure.OUT_OF_MEMORY, message, evidence=failed.lines)
    if failed.too_long:
        message = f"the build wrote more than its {spec.log_bytes // _MIB} MiB of output"
        return BuildFailed(BuildFailure.LOG_TOO_LONG, message, evidence=failed.lines)
    if failed.code:
        message = f"{failed.step} ended with exit code {failed.code}"
        return BuildFailed(BuildFailure.STEP_FAILED, message, evidence=failed.lines)
    where = failed.step or "the build"
    return BuildFailed(BuildFailure.BAD_SOURCE, f"{where} failed: {failed.said}", evidence=failed.lines)
