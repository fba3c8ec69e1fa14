"""One-offs as pods of their own, and programs inside pods that run: made, listed and ended."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import TypeVar

from wherry.domain.errors import NotFound, RolloutFailed, WherryError
from wherry.domain.one_off import Task
from wherry.domain.text import printable
from wherry.flow.task_ports import Ended, Session, Stage, TaskState
from wherry.runtimes.cluster import ends, errand, gates, naming
from wherry.runtimes.cluster.kinds import POD, SECRET, Object
from wherry.runtimes.cluster.session import InnerSession, PodSession
from wherry.runtimes.cluster.talk import Pod
from wherry.runtimes.cluster.tools import Tools

T = TypeVar("T")
_LOOK = 5.0


def launch(tools: Tools, task: Task) -> None:
    """Raises RolloutFailed and PlatformFault."""
    _started(tools, task, "")


def attach(tools: Tools, task: Task) -> Session:
    """Raises RolloutFailed and PlatformFault."""
    mark = secrets.token_hex(16)
    pod = _started(tools, task, mark)
    take_away = partial(end, tools, [task.id])
    try:
        return PodSession(tools.talk, pod, mark, task.tty, partial(_end_of, tools, task), take_away)
    except WherryError as error:
        why = _why_not(tools, task) or error
        take_away()
        raise why from error


def enter(tools: Tools, task: Task, process: str, found: Object | None) -> Session:
    """`found`: the pod of that name, when it runs. Raises NotFound, PlatformFault."""
    if found is None:
        name = task.workload.app_name
        raise NotFound(f"{name} runs no '{printable(process, 60)}'", hint=f"To see what runs: wherry ps -a {name}")
    start = task.workload.start
    env = {name: value.reveal() for name, value in task.workload.env.items()}
    pod = Pod(found["metadata"]["namespace"], found["metadata"]["name"])
    return InnerSession(tools.talk, pod, start.argv if start else (), env, task.tty, partial(_runs, tools, pod))


def tasks(tools: Tools, app_id: int | None) -> list[TaskState]:
    found = map(_state, _listed(tools, app_id))
    return sorted(filter(None, found), key=lambda each: each.id)


def end(tools: Tools, ids: Collection[int]) -> None:
    """Raises PlatformFault, after all were tried."""
    wanted = {str(each) for each in ids}
    there = [each for each in (_listed(tools, None) if wanted else ()) if _id(each) in wanted]
    faults = []
    for each in there:
        try:
            _begin_to_end(tools, each)
        except WherryError as error:
            faults.append(error)
    for each in there:
        _wait(tools, each["metadata"]["namespace"], _id(each), _is_going)
    if faults:
        raise faults[0]


def _begin_to_end(tools: Tools, pod: Object) -> None:
    """A shell that somebody talked to hears first that they hung up: it does not listen to SIGTERM."""
    about = pod["metadata"]
    if errand.ATTACHED in about["labels"] and not ends.is_over(pod) and "deletionTimestamp" not in about:
        with suppress(WherryError):  # it is gone, or has ended
            tools.talk.run(Pod(about["namespace"], about["name"]), gates.signal_all("HUP"))
    tools.client.delete(POD, about["namespace"], about["name"])
    tools.client.delete(SECRET, about["namespace"], about["name"])


def _started(tools: Tools, task: Task, mark: str) -> Pod:
    workload = task.workload
    wanted = errand.pod(tools.ground, task, mark)
    tools.make(workload, wanted)
    try:
        _await_begin(tools, task)
    except BaseException:
        tools.take_away(wanted, grace=0)
        raise
    return Pod(tools.namespace(workload.app_id), wanted["metadata"]["name"])


def _await_begin(tools: Tools, task: Task) -> None:
    workload, process = task.workload, f"{task.workload.type}.{task.number}"

    def begun(pod: Object | None) -> tuple[Object | None] | None:
        ready = pod is None or ends.has_begun(pod) or ends.is_hopeless(pod)
        return (pod,) if ready else None

    while (found := _wait(tools, tools.namespace(workload.app_id), str(task.id), begun, _LOOK)) is None:
        pass  # some hope ends with time alone
    pod = found[0]
    if pod is None:
        raise NotFound(f"{process} was taken away before it began")
    if not ends.has_begun(pod):
        raise tools.explain(workload, process, pod)


def _why_not(tools: Tools, task: Task) -> RolloutFailed | None:
    """In the pod's own words, when it ended before anybody could talk to it: its image may have no shell."""
    workload = task.workload
    pod = _wait(tools, tools.namespace(workload.app_id), str(task.id), lambda pod: pod, 0)
    if pod is None or not ends.is_over(pod):
        return None
    return tools.explain(workload, f"{workload.type}.{task.number}", pod)


def _end_of(tools: Tools, task: Task) -> Ended | None:
    """None when its pod is gone."""
    workload = task.workload

    def how(pod: Object | None) -> tuple[Ended | None] | None:
        if pod is None:
            return (None,)
        return (ended,) if (ended := ends.how_it_ended(pod, workload.size.memory)) else None

    found = _wait(tools, tools.namespace(workload.app_id), str(task.id), how)
    return found[0] if found else None


def _is_going(pod: Object | None) -> bool | None:
    """And nothing of it runs."""
    return True if pod is None or ("deletionTimestamp" in pod["metadata"] and ends.is_over(pod)) else None


def _wait(
    tools: Tools, namespace: str, id: str, test: Callable[[Object | None], T | None], seconds: float = ends.LONGEST
) -> T | None:
    return ends.wait_for(tools.world, namespace, errand.ONE_OFF, id, test, seconds=seconds)


def _runs(tools: Tools, pod: Pod) -> bool:
    try:
        return not ends.is_over(tools.client.get(POD, pod.namespace, pod.name))
    except NotFound:
        return False


def _listed(tools: Tools, app_id: int | None) -> list[Object]:
    """Raises PlatformFault while the cluster does not tell: they might not be all."""
    tools.world.need(POD)
    tools.world.check(POD)
    namespace = "" if app_id is None else tools.namespace(app_id)
    return [each for each in tools.world.of(POD, namespace) if errand.ONE_OFF in each["metadata"].get("labels", {})]


def _id(pod: Object) -> str:
    return str(pod["metadata"]["labels"][errand.ONE_OFF])


def _state(pod: Object) -> TaskState | None:
    """None for one that is about to go."""
    about = pod["metadata"]
    one_off, app = int(_id(pod)), int(about["labels"][naming.APP])
    if "deletionTimestamp" in about and ends.is_over(pod):
        return None
    if not ends.has_begun(pod):
        return TaskState(one_off, app, Stage.MADE, ends.since(pod, ""))
    how = ends.how_it_ended(pod)
    if how is None:
        return TaskState(one_off, app, Stage.RUNNING, ends.since(pod, "startedAt"))
    return TaskState(one_off, app, Stage.ENDED, ends.since(pod, "finishedAt"), how)
