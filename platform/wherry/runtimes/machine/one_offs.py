"""One-offs as containers: made, listed and ended. They carry the labels of a process and one more, which keeps them out
of all that is done to processes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from docker.errors import APIError, NotFound

from wherry.domain import errors
from wherry.domain.one_off import PROCESS, Task
from wherry.domain.text import printable
from wherry.flow.task_ports import Session, Stage, TaskState
from wherry.runtimes.machine import naming, observe, retire
from wherry.runtimes.machine.attempt import Tools, create
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.hijack import DETACH_KEYS, Stream
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.session import ContainerSession, InnerSession, end_of

_ADDRESS_TRIES = 3
_ATTACH = "/containers/{}/attach?stream=1&stdin=1&stdout=1&stderr=1&detachKeys=" + quote(DETACH_KEYS)


def launch(tools: Tools, platform: str, task: Task) -> None:
    """Raises RolloutFailed and docker's errors."""
    _started(tools, platform, task, attach=False)


def attach(tools: Tools, platform: str, task: Task) -> Session:
    """Raises RolloutFailed and docker's errors."""
    container, stream = _started(tools, platform, task, attach=True)
    assert stream is not None
    end = partial(_end, tools.engine, [(container, task.workload.stop_grace, True)])
    return ContainerSession(tools.engine, container, stream, task.tty, end)


def enter(tools: Tools, platform: str, task: Task, process: str) -> Session:
    """Raises NotFound, and docker's errors."""
    container = _running(tools.engine, platform, task.workload.app_id, process)
    if container is None:
        name = task.workload.app_name
        raise errors.NotFound(
            f"{name} runs no '{printable(process, 60)}'", hint=f"To see what runs: wherry ps -a {name}"
        )
    start = task.workload.start
    env = {name: value.reveal() for name, value in task.workload.env.items()}
    return InnerSession(tools.engine, container, list(start.argv if start else ()), env, task.tty)


def tasks(engine: Engine, platform: str, app_id: int | None) -> list[TaskState]:
    found = []
    for each in _listed(engine, platform, app_id):
        with suppress(NotFound):
            found.append(_state(engine.api.inspect_container(each["Id"])))
    return sorted(filter(None, found), key=lambda each: each.id)


def end(engine: Engine, platform: str, ids: Collection[int]) -> None:
    """Raises docker's errors, after all were tried."""
    wanted = {str(each) for each in ids}
    _end(
        engine,
        [
            (each["Id"], float(each["Labels"].get(naming.GRACE, 0)), naming.ATTACHED in each["Labels"])
            for each in (_listed(engine, platform, None) if wanted else ())
            if each["Labels"][naming.ONE_OFF] in wanted
        ],
    )


def _started(tools: Tools, platform: str, task: Task, *, attach: bool) -> tuple[str, Stream | None]:
    """A container of the task that runs, and the stream to it."""
    work = task.workload
    who = Identity(platform, work.app_id, work.release, work.type, task.number)
    try:
        for left in reversed(range(_ADDRESS_TRIES)):
            with tools.addresses.lock:
                labels = [each["Labels"] for each in tools.list(platform)]
                place = tools.addresses.reserve([who.name], labels)[who.name]
            container = create(tools, who, work, place, task)
            stream: Stream | None = None
            try:
                stream = Stream(tools.engine, _ATTACH.format(container), None, framed=not task.tty) if attach else None
                tools.engine.api.start(container)
            except BaseException as error:
                if stream:
                    stream.close()
                tools.engine.remove(container)
                taken = isinstance(error, APIError) and "Address already in use" in str(error.explanation)
                if not taken or not left:
                    raise
            else:
                return container, stream
    finally:
        tools.addresses.release([who.name])
    raise AssertionError("unreachable")


def _end(engine: Engine, containers: Iterable[tuple[str, float, bool]]) -> None:
    """A shell that somebody talked to hears first that they hung up: it does not listen to SIGTERM."""
    known = list(containers)
    for container, _, attached in known:
        if attached:
            with suppress(APIError):  # it is gone, or has ended
                engine.api.kill(container, "HUP")
    retire.take_away(engine, [(container, grace) for container, grace, _ in known])


def _listed(engine: Engine, platform: str, app_id: int | None) -> list[dict[str, Any]]:
    filters = naming.of_platform(platform, app_id)
    filters["label"].append(naming.ONE_OFF)
    found: list[dict[str, Any]] = engine.api.containers(all=True, filters=filters)
    return found


def _state(inspected: Mapping[str, Any]) -> TaskState | None:
    labels, state = inspected["Config"]["Labels"], inspected["State"]
    one_off, app = int(labels[naming.ONE_OFF]), int(labels[naming.APP])
    if state["Status"] == "removing":
        return None
    if state["Status"] == "created":
        return TaskState(one_off, app, Stage.MADE, observe.moment(inspected["Created"]))
    if state["Running"]:
        return TaskState(one_off, app, Stage.RUNNING, observe.moment(state["StartedAt"]))
    how = end_of(dict(inspected), int(state["ExitCode"]))
    return TaskState(one_off, app, Stage.ENDED, observe.moment(state["FinishedAt"]), how)


def _running(engine: Engine, platform: str, app_id: int, process: str) -> str | None:
    match = PROCESS.fullmatch(process)
    if match is None:
        return None
    filters = naming.of_platform(platform, app_id)
    filters["label"] += [f"{naming.TYPE}={match[1]}", f"{naming.INDEX}={match[2]}"]
    best: tuple[int, int, datetime, str] | None = None
    for each in engine.api.containers(filters=filters):
        with suppress(NotFound):
            found = engine.api.inspect_container(each["Id"])
            who = Identity.of(found["Config"]["Labels"])
            if who and found["State"]["Running"]:
                began = observe.moment(found["State"]["StartedAt"]).astimezone(UTC)
                rank = (observe.counts(found, who), who.release, began, str(each["Id"]))
                best = max(best, rank) if best else rank
    return best[3] if best else None
