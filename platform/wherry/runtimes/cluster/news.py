"""What happens in the cluster without us: processes that end, and objects of ours that others change or delete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Lock
from time import monotonic

from wherry.domain.errors import WherryError
from wherry.domain.text import printable
from wherry.runtimes.cluster import kinds, plan, pods
from wherry.runtimes.cluster.apply import KEPT
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.kinds import Object
from wherry.runtimes.cluster.naming import Identity
from wherry.runtimes.cluster.world import Change, World

_LOST = 30.0
_LOOK = 5.0
_OFTEN = 1800.0
"""Seconds; the shortest lives of a registry's logins are an hour."""


class Ours:
    """Apps that we are working on just now. Used from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._apps: Counter[int] = Counter()

    @contextmanager
    def during(self, app_ids: Set[int]) -> Iterator[None]:
        with self._lock:
            self._apps.update(app_ids)
        try:
            yield
        finally:
            with self._lock:
                self._apps.subtract(app_ids)

    def __contains__(self, app_id: int) -> bool:
        with self._lock:
            return self._apps[app_id] > 0


class News:
    """`on_change` is given the id of an app whose processes or objects are not as we left them."""

    def __init__(
        self, world: World, ours: Ours, on_change: Callable[[int], None], on_one_off: Callable[[], None]
    ) -> None:
        self._world, self._ours = world, ours
        self._on_change, self._on_one_off = on_change, on_one_off
        self._heard: SimpleQueue[int | None] = SimpleQueue()

    def run(self) -> None:
        """Until the cluster has been away for half a minute."""
        self._world.need(*KEPT, kinds.POD)
        forget = self._world.listen(self._hear)
        lost = 0.0
        try:
            while True:
                lost = (lost or monotonic()) if self._world.lost() else 0.0
                if lost and monotonic() - lost > _LOST:
                    return
                try:
                    app_id = self._heard.get(timeout=_LOOK)
                except Empty:
                    continue
                if app_id is None:
                    self._on_one_off()
                else:
                    self._on_change(app_id)
        finally:
            forget()

    def _hear(self, change: Change) -> None:
        found = change.after or change.before or {}
        who = Identity.of(found.get("metadata", {}).get("labels", {}))
        if who is None:
            return
        if change.kind == kinds.POD and not pods.is_process(found):
            self._heard.put(None)
        elif (change.kind == kinds.POD and self._ended_by_itself(change)) or (
            change.kind in KEPT and change.by_others and who.app_id not in self._ours
        ):
            self._heard.put(who.app_id)

    def _ended_by_itself(self, change: Change) -> bool:
        """It crashed, or somebody deleted it. What a rollout or we replace is meant to end."""
        before, after = change.before, change.after
        if before is None:
            return False
        if after is not None and crashes(after) > crashes(before):
            return True
        leaves = not pods.is_leaving(before) and (after is None or pods.is_leaving(after))
        return leaves and self._is_wanted(before)

    def _is_wanted(self, pod: Object) -> bool:
        who = Identity.of(pod["metadata"]["labels"])
        if who is None or who.app_id in self._ours:
            return False
        live = self._world.get(kinds.DEPLOYMENT, pod["metadata"]["namespace"], who.type)
        return live is not None and plan.template_of(live) == pods.template(pod)


class Unwell:
    """Tells of processes that a node restarted since they failed a liveness check; and does, `now_and_then`, what else must
    be looked after.
    """

    def __init__(
        self,
        client: Client,
        world: World,
        told: Callable[[int, str, str], None],
        now_and_then: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._world, self._told = client, world, told
        self._now_and_then = now_and_then
        self._heard: SimpleQueue[Object] = SimpleQueue()

    def run(self, stop: Event) -> None:
        self._world.need(kinds.POD)
        forget = self._world.listen(self._hear)
        due = monotonic()
        try:
            while not stop.is_set():
                if monotonic() >= due:
                    self._now_and_then()
                    due = monotonic() + _OFTEN
                try:
                    pod = self._heard.get(timeout=1.0)
                except Empty:
                    continue
                self._tell(pod)
        finally:
            forget()

    def _hear(self, change: Change) -> None:
        before, after = change.before, change.after
        if change.kind == kinds.POD and before and after and crashes(after) > crashes(before):
            self._heard.put(after)

    def _tell(self, pod: Object) -> None:
        about = pod["metadata"]
        fields = f"involvedObject.uid={about['uid']},reason=Unhealthy"
        try:
            found, _ = self._client.list(kinds.EVENT, about["namespace"], fields=fields)
        except WherryError:
            return  # a node's words that cannot be had now; the restart itself is seen without
        said = next((each["message"] for each in found if "Liveness" in each.get("message", "")), "")
        who = Identity.of(about["labels"])
        if said and who:
            place = [
                index
                for index, each in pods.numbered(self._of_the_type(pod))
                if each["metadata"]["uid"] == about["uid"]
            ]
            name = f"{who.type}.{place[0] if place else 1}"
            self._told(who.app_id, name, f"Process failed its liveness check: {printable(said, 300)}; it is restarted")

    def _of_the_type(self, pod: Object) -> list[Object]:
        who = Identity.of(pod["metadata"]["labels"])
        there = self._world.of(kinds.POD, pod["metadata"]["namespace"])
        return [
            each for each in there if Identity.of(each["metadata"].get("labels", {})) == who and pods.is_process(each)
        ]


def crashes(pod: Object) -> int:
    """How often its container has ended."""
    status = pods.container(pod)
    return int(status.get("restartCount", 0)) + ("terminated" in status.get("state", {}))
