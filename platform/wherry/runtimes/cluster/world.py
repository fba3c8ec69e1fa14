"""What there is of ours in the cluster, kept up to date by watches, so that nothing need be listed again.

A kind is watched from when it is first needed. Objects are kept as the JSON of what matters in them: a thousand apps
fit into some ten megabytes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Condition, Lock

from wherry.domain.errors import PlatformFault
from wherry.runtimes.cluster import kinds, naming
from wherry.runtimes.cluster.client import MANAGER, Client
from wherry.runtimes.cluster.kinds import Kind, Object
from wherry.runtimes.cluster.watching import Watching

_FIRST_LIST = 60.0
ONLY_METADATA = frozenset({kinds.SECRET})
"""Kinds of which we keep no content."""
_NOISE = frozenset({"kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision"})
_OF_THE_CLUSTER = "kube-controller-manager"


@dataclass(frozen=True, slots=True)
class Change:
    """`before` or `after` is None for what is new or gone. `by_others`: what was wanted of it is another than before, and
    it was not us who wrote it last.
    """

    kind: Kind
    namespace: str
    name: str
    before: Object | None
    after: Object | None
    by_others: bool


@dataclass(frozen=True, slots=True)
class _Held:
    version: int
    raw: bytes
    wish: bytes
    """A digest of all but its status."""
    ours: str
    """When we wrote it last, by the server's clock."""


class World:
    """Used from several threads. `changed` is notified with every change."""

    def __init__(self, client: Client, platform: str) -> None:
        self.changed = Condition()
        self._client = client
        self._labels = naming.of_platform(platform)
        self._held: dict[Kind, dict[str, dict[str, _Held]]] = defaultdict(lambda: defaultdict(dict))
        self._watches: dict[Kind, Watching] = {}
        self._beginning = Lock()
        self._listeners: list[Callable[[Change], None]] = []

    def need(self, *wanted: Kind) -> None:
        """From now on these kinds are known. Raises PlatformFault when the cluster does not tell."""
        with self._beginning:
            new = [each for each in wanted if each not in self._watches]
            for kind in new:
                self._watches[kind] = Watching(
                    self._client,
                    kind,
                    self._labels,
                    partial(self._forget, kind),
                    partial(self._hear, kind),
                    only_metadata=kind in ONLY_METADATA,
                    on_page=partial(self._take, kind),
                )
                self._watches[kind].begin()
        until = time.monotonic() + _FIRST_LIST
        for kind in wanted:
            self._watches[kind].ready(max(until - time.monotonic(), 0))

    def check(self, *wanted: Kind) -> None:
        """Raises PlatformFault when what we know of these kinds may be old, as the cluster does not answer."""
        for kind in wanted:
            watch = self._watches.get(kind)
            if watch and watch.fault:
                raise PlatformFault(watch.fault.message, hint=watch.fault.hint)

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        with self.changed:
            held = self._held[kind].get(namespace, {}).get(name)
        return _read(held) if held else None

    def of(self, kind: Kind, namespace: str = "") -> list[Object]:
        """All of a namespace, or of all."""
        with self.changed:
            spaces = [self._held[kind].get(namespace, {})] if namespace else list(self._held[kind].values())
            held = [each for space in spaces for each in space.values()]
        return [_read(each) for each in held]

    def names(self, kind: Kind, namespace: str) -> set[str]:
        with self.changed:
            return set(self._held[kind].get(namespace, {}))

    def put(self, found: Object) -> None:
        """An answer to what we wrote, ahead of its event."""
        kind = kinds.kind_of(found)
        if kind in self._watches:
            with self.changed:
                self._store(kind, found)
                self.changed.notify_all()

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Asks again with every change, and at the end."""
        with self.changed:
            return self.changed.wait_for(condition, seconds)

    def wake(self) -> None:
        """Whoever waits asks again: something that is not of the cluster has changed."""
        with self.changed:
            self.changed.notify_all()

    def listen(self, told: Callable[[Change], None]) -> Callable[[], None]:
        """From now on, every change; called from the watches' threads. Gives what ends it."""
        with self.changed:
            self._listeners.append(told)
        return lambda: self._listeners.remove(told)

    def lost(self) -> bool:
        return any(each.fault for each in list(self._watches.values()))

    def close(self) -> None:
        for each in list(self._watches.values()):
            each.end()

    def _take(self, kind: Kind, found: list[Object]) -> list[Object]:
        """Gives their names alone: of a large cluster not all need be held as they come."""
        with self.changed:
            changes = [change for each in found if (change := self._store(kind, each))]
            self.changed.notify_all()
        self._tell(changes)
        return [{"metadata": {key: each["metadata"].get(key) for key in ("name", "namespace")}} for each in found]

    def _forget(self, kind: Kind, found: list[Object]) -> None:
        """All but these."""
        there = {_place(kind, each) for each in found}
        with self.changed:
            gone = [
                (namespace, name)
                for namespace, space in self._held[kind].items()
                for name in space
                if (namespace, name) not in there
            ]
            changes = [change for each in gone if (change := self._drop(kind, *each))]
            self.changed.notify_all()
        self._tell(changes)

    def _hear(self, kind: Kind, event: str, found: Object) -> None:
        with self.changed:
            change = self._drop(kind, *_place(kind, found)) if event == "DELETED" else self._store(kind, found)
            self.changed.notify_all()
        if change:
            self._tell([change])

    def _store(self, kind: Kind, found: Object) -> Change | None:
        """None for what we have, or have a newer one of: a watch that goes on may tell a thing twice."""
        namespace, name = _place(kind, found)
        before = self._held[kind][namespace].get(name)
        version = int(found["metadata"]["resourceVersion"])
        if before and before.version >= version:
            return None
        held = _hold(kind, found, version)
        self._held[kind][namespace][name] = held
        by_others = before is not None and before.wish != held.wish and _is_by_others(found, before, held)
        after = _read(held) if self._listeners else None
        earlier = _read(before) if before and self._listeners else None
        return Change(kind, namespace, name, earlier, after, by_others)

    def _drop(self, kind: Kind, namespace: str, name: str) -> Change | None:
        space = self._held[kind][namespace]
        before = space.pop(name, None)
        if not space:
            del self._held[kind][namespace]
        return Change(kind, namespace, name, _read(before), None, True) if before else None

    def _tell(self, changes: list[Change]) -> None:
        for change in changes:
            for told in list(self._listeners):
                told(change)


def _place(kind: Kind, found: Object) -> tuple[str, str]:
    """A namespace stands in itself."""
    about = found["metadata"]
    return (about["namespace"] if kind.namespaced else about["name"]), about["name"]


def _hold(kind: Kind, found: Object, version: int) -> _Held:
    about = found["metadata"]
    notes = {key: value for key, value in about.get("annotations", {}).items() if key not in _NOISE}
    kept_about = {key: about[key] for key in _ABOUT if key in about} | {"annotations": notes}
    wish = {key: value for key, value in found.items() if key not in ("metadata", "status")}
    wished = json.dumps([about.get("labels"), notes, about.get("deletionTimestamp"), wish], sort_keys=True)
    if kind == kinds.POD:
        wish = {"spec": {"nodeName": found["spec"].get("nodeName", "")}}
    if kind in ONLY_METADATA:
        wish = {}
    status = {"status": found["status"]} if "status" in found else {}
    kept = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": kept_about, **wish, **status}
    raw = json.dumps(kept, separators=(",", ":")).encode()
    ours = max((each.get("time", "") for each in _writes(found) if each.get("manager") == MANAGER), default="")
    return _Held(version, raw, hashlib.blake2b(wished.encode(), digest_size=8).digest(), ours)


_ABOUT = (
    "name",
    "namespace",
    "uid",
    "labels",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "resourceVersion",
)


def _is_by_others(found: Object, before: _Held, held: _Held) -> bool:
    """By the server's own notes of who wrote what. The cluster's own controllers, which fulfil wishes, are no others; who
    takes a field away leaves no note, but neither do we then.
    """
    newest = max((each.get("time", "") for each in _writes(found)), default="")
    writers = {each.get("manager", "") for each in _writes(found) if each.get("time", "") == newest}
    if any(not each.startswith(MANAGER) and each != _OF_THE_CLUSTER for each in writers):
        return True
    return writers == {MANAGER} and before.ours == held.ours


def _writes(found: Object) -> list[Object]:
    noted = found["metadata"].get("managedFields", ())
    return [each for each in noted if each.get("subresource") != "status"]


def _read(held: _Held) -> Object:
    found: Object = json.loads(held.raw)
    return found
