"""A process that runs to its end, once, as a Job: the release phase, and what an app runs on a schedule.

The Job goes on when we do not: it is found again by its name, and its lines from where we were.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock, Timer
from typing import TypeVar

from wherry.domain.errors import Cancelled, NotFound, PlatformFault, RolloutFailed, RolloutFailure, WherryError
from wherry.domain.text import log_line
from wherry.domain.workload import Workload
from wherry.flow.ports import Cancel, MarkedSay
from wherry.flow.task_ports import Ended
from wherry.runtimes.cluster import ends, errand, log_lines
from wherry.runtimes.cluster.answers import Answer
from wherry.runtimes.cluster.explain import refused
from wherry.runtimes.cluster.kinds import JOB, POD, Object
from wherry.runtimes.cluster.tools import Tools
from wherry.runtimes.marks import Output

T = TypeVar("T")
_LEFT, _CANCELLED, _LATE = "left", "cancelled", "late"
_LOOK = 5.0
_POD_WITHIN = 30.0
_END_WITHIN = 10.0
_AGAIN = 1.0
_GONE_WITHIN = 60.0


def run(
    tools: Tools,
    workload: Workload,
    say: MarkedSay,
    cancel: Cancel,
    number: int,
    leave: Cancel | None,
    *,
    resume: bool,
    heard: str,
) -> int:
    """Its exit code. What an earlier, interrupted run of it left is removed first, or, where it may be left, gone on
    with. Raises Cancelled, PlatformFault, and RolloutFailed: its image cannot be had, the cluster has no room, or it ran
    longer than its `boot_limit`.
    """
    job = _Run(tools, workload, number, say, heard)
    job.begin(may_resume=leave is not None, must_resume=resume)
    cancel.on_cancel(lambda: job.end(_CANCELLED))
    if leave:
        leave.on_cancel(job.leave)
    late = Timer(job.seconds_left(), job.end, (_LATE,))
    late.start()
    try:
        ended = job.follow()
    finally:
        late.cancel()
        if job.reason != _LEFT:
            job.remove()
    return job.judged(ended)


class _Run:
    """`reason`: why it was ended by us, or left; "" when it was not."""

    def __init__(self, tools: Tools, workload: Workload, number: int, say: MarkedSay, heard: str) -> None:
        self._tools, self._workload, self._say, self._heard = tools, workload, say, heard
        self._job = errand.job(tools.ground, workload, number)
        self._name: str = self._job["metadata"]["name"]
        self._namespace = tools.namespace(workload.app_id)
        self._lock = Lock()
        self._answer: Answer | None = None
        self._began_at = datetime.now(UTC)
        self.process = f"{workload.type}.{number}"
        self.reason = ""

    def begin(self, *, may_resume: bool, must_resume: bool) -> None:
        """Raises NotFound when it must go on with what an earlier call left, and nothing is left."""
        found = self._found()
        if found and may_resume:
            if not _is_over(found):  # else its code tells how it ended while nobody looked
                self._began_at = ends.moment(found["metadata"]["creationTimestamp"])
            return
        if must_resume:
            raise NotFound(f"nothing is left of {self.process}")
        self.remove(wait=True)
        self._tools.make(self._workload, self._job)

    def seconds_left(self) -> float:
        return max(0.0, self._workload.boot_limit - (datetime.now(UTC) - self._began_at).total_seconds())

    def follow(self) -> Ended | None:
        """Says its lines; how it ended, None when its pod is gone. Raises Cancelled when it was left."""
        pod = self._begun()
        while pod is not None:
            whole = self._read(pod)
            self._check_left()
            pod = self._next_look(whole)
            if pod is not None and whole and ends.is_over(pod):
                return ends.how_it_ended(pod, self._workload.size.memory)
        return None

    def judged(self, ended: Ended | None) -> int:
        """The exit code of one that ended by itself. Raises Cancelled, RolloutFailed."""
        if self.reason == _CANCELLED:
            raise Cancelled(f"{self.process} was stopped")
        if self.reason == _LATE:
            message = f"{self.process} ran longer than its {self._workload.boot_limit:.0f} seconds"
            raise RolloutFailed(RolloutFailure.RELEASE_PHASE, message)
        if ended is None:
            raise RolloutFailed(
                RolloutFailure.RELEASE_PHASE,
                f"{self.process} was ended by the cluster, or by hand",
                hint="kubectl get events -A tells why. It is run again with the next push.",
            )
        if ended.detail:
            self._say(f"{self.process}: {ended.detail}")
        return ended.code

    def end(self, reason: str) -> None:
        """The Job first: it would make another pod."""
        self.reason = self.reason or reason
        with suppress(WherryError):  # whoever waits hears it
            self.remove()
            if pod := self._wait(lambda pod: pod, 0):
                self._tools.client.delete(POD, self._namespace, pod["metadata"]["name"], grace=1)
        self._tools.world.wake()

    def leave(self) -> None:
        with self._lock:
            self.reason = self.reason or _LEFT
            if self._answer is not None:
                self._answer.shutdown()
        self._tools.world.wake()

    def remove(self, *, wait: bool = False) -> None:
        self._tools.take_away(self._job)
        if wait:
            self._wait(lambda pod: True if pod is None else None, _GONE_WITHIN)

    def _wait(self, test: Callable[[Object | None], T | None], seconds: float, *, also_ended: bool = False) -> T | None:
        """For its pod. `also_ended`: not when we ended it, or left it."""
        over = (lambda: bool(self.reason)) if also_ended else (lambda: False)
        return ends.wait_for(
            self._tools.world, self._namespace, errand.ONCE, self._name, test, seconds=seconds, over=over
        )

    def _found(self) -> Object | None:
        try:
            found = self._tools.client.get(JOB, self._namespace, self._name)
        except NotFound:
            return None
        return None if "deletionTimestamp" in found["metadata"] else found

    def _begun(self) -> Object | None:
        """Its pod, once its program has begun; None when we ended it before. Raises RolloutFailed when it never will."""

        def begun(pod: Object | None) -> tuple[Object | None] | None:
            ready = pod is None or ends.has_begun(pod) or ends.is_hopeless(pod)
            return (pod,) if ready else None

        if self._wait(lambda pod: pod, _POD_WITHIN, also_ended=True) is None and not self.reason:
            raise refused(self._workload, ends.words_about(self._tools.client, self._namespace, self._name))
        while not self.reason:
            found = self._wait(begun, _LOOK, also_ended=True)  # some hope ends with time alone
            if found and (pod := found[0]) and not ends.has_begun(pod):
                raise self._tools.explain(self._workload, self.process, pod)
            if found:
                return found[0]
        self._check_left()
        return None

    def _read(self, pod: Object) -> bool:
        """Lines as they are written; False when the connection broke before their end."""
        output, name = Output(pod["metadata"]["uid"], self._heard), pod["metadata"]["name"]
        try:
            with log_lines.opened(
                self._tools.client, self._namespace, name, mark=output.after, hold=self._hold
            ) as records:
                for mark, piece in output.rest(records):
                    self._check_left()  # the last one may be half a line then
                    self._say(log_line(piece), mark)
                    self._heard = mark
        except NotFound:
            return True
        except PlatformFault:
            return False
        finally:
            self._hold(None)
        return True

    def _hold(self, answer: Answer | None) -> None:
        with self._lock:
            self._answer = answer
            if answer is not None and self.reason == _LEFT:
                answer.shutdown()

    def _next_look(self, whole: bool) -> Object | None:
        """The pod; after its last line its end is waited for, which the node tells a moment later."""

        def over(pod: Object | None) -> bool | None:
            return True if pod is None or ends.is_over(pod) else None

        self._wait(over, _END_WITHIN if whole else _AGAIN)
        found = self._wait(lambda pod: (pod,), 0)
        return found[0] if found else None

    def _check_left(self) -> None:
        if self.reason == _LEFT:
            raise Cancelled("it was left running")


def _is_over(job: Object) -> bool:
    """By itself, not because its time was up."""
    return any(
        each["type"] in ("Complete", "Failed") and each["status"] == "True" and each.get("reason") != "DeadlineExceeded"
        for each in (job.get("status") or {}).get("conditions") or ()
    )
