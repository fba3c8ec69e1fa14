"""Follows the output of every process of the platform, and what the cluster tells of them, into the apps' logs.

A watch tells which pods there are; a thread for each reads its log as it is written; one writes. What was kept is known
from the log itself, so a collector that starts again goes on where the last one ended.
"""

from __future__ import annotations

from threading import Event, Lock, Thread

from wherry.flow.log_ports import AppLogs
from wherry.runtimes.cluster import errand, naming, pods
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.collect_reader import Reader
from wherry.runtimes.cluster.kinds import POD, Object
from wherry.runtimes.cluster.naming import Identity
from wherry.runtimes.cluster.watching import Watching
from wherry.runtimes.keeping import Keeper
from wherry.runtimes.mailbox import Mailbox

Group = tuple[str, Identity]


class ClusterCollector:
    def __init__(self, client: Client, platform: str, logs: AppLogs) -> None:
        self._client, self._platform, self._logs = client, platform, logs
        self._lock = Lock()
        self._mailbox = Mailbox()
        self._stop = Event()
        self._pods: dict[str, Object] = {}
        self._readers: dict[str, Reader] = {}
        self._names: dict[str, str] = {}
        self._addresses: dict[str, str] = {}

    def run(self) -> None:
        """Until `close`: a cluster that is away is waited for."""
        self._mailbox = Mailbox()
        keeper = Keeper(self._logs, self._mailbox, self._floods, self._stop)
        labels = naming.of_platform(self._platform)
        watching = Watching(self._client, POD, labels, self._see_all, self._hear)
        writer = Thread(target=keeper.run, name="log writer")
        writer.start()
        watching.begin()
        try:
            self._stop.wait()
        finally:
            watching.end()
            self._end()
            writer.join()

    def close(self) -> None:
        self._stop.set()
        self._mailbox.close()

    def process_at(self, address: str) -> str:
        """The name of the process that has, or had, this address (and perhaps a port); "" for none that is known."""
        uid = self._addresses.get(address.rpartition(":")[0] or address, "")
        return self._names.get(uid, "")

    def _see_all(self, found: list[Object]) -> None:
        there = {each["metadata"]["uid"] for each in found}
        for uid in [each for each in self._pods if each not in there]:
            self._hear("DELETED", self._pods[uid])
        for each in found:
            self._hear("ADDED", each)

    def _hear(self, event: str, pod: Object) -> None:
        about = pod["metadata"]
        who, uid = Identity.of(about.get("labels") or {}), str(about["uid"])
        if who is None or not (pods.is_process(pod) or errand.NUMBER in about["labels"]):
            return
        gone = event == "DELETED"
        with self._lock:
            if gone:
                self._pods.pop(uid, None)
            else:
                self._pods[uid] = pod
            self._name(pod, who)
            if address := (pod.get("status") or {}).get("podIP"):
                self._addresses[address] = uid
            reader = self._readers.get(uid)
            if reader is None and not gone and not self._stop.is_set():
                reader = self._readers[uid] = Reader(
                    self._client, pod, who.app_id, lambda: self._names.get(uid, ""), self._logs, self._mailbox
                )
                reader.start()
        if reader:
            reader.see(pod, gone=gone)
        if gone:
            self._forget_the_ended()

    def _name(self, pod: Object, who: Identity) -> None:
        """One that leaves keeps the name it had: another may have it by then."""
        uid, labels = pod["metadata"]["uid"], pod["metadata"]["labels"]
        if process := errand.process_of(labels):
            self._names[uid] = process
            return
        group = [
            each
            for each in self._pods.values()
            if Identity.of(each["metadata"]["labels"]) == who and pods.is_process(each) and not pods.is_leaving(each)
        ]
        for number, each in pods.numbered(group):
            self._names[each["metadata"]["uid"]] = f"{who.type}.{number}"
        self._names.setdefault(uid, f"{who.type}.1")

    def _forget_the_ended(self) -> None:
        with self._lock:
            for uid in [each for each, reader in self._readers.items() if reader.over and each not in self._pods]:
                del self._readers[uid]
                self._names.pop(uid, None)
            self._addresses = {address: uid for address, uid in self._addresses.items() if uid in self._names}

    def _floods(self) -> list[Reader]:
        with self._lock:
            return [reader for reader in self._readers.values() if reader.flood.drops]

    def _end(self) -> None:
        self._mailbox.close()
        with self._lock:
            readers, self._readers = list(self._readers.values()), {}
        for reader in readers:
            reader.stop()
        for reader in readers:
            reader.join()
