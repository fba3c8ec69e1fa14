"""Follows the output of every process of the platform, and what the engine tells of them, into the apps' logs.

A thread for each container reads its log, as it is written; one listens to the engine's events; one writes. What was
kept is known from the log itself, so a collector that starts again goes on where the last one ended.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any

from docker.errors import NotFound

from wherry.flow.log_ports import AppLogs
from wherry.runtimes.keeping import Keeper
from wherry.runtimes.machine import lines, naming, spec, words
from wherry.runtimes.machine.collect_reader import Reader
from wherry.runtimes.machine.engine import CLIENT_ERRORS, Engine, close_stream, ended
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.mailbox import Mailbox

log = logging.getLogger(__name__)
_POSITION = "engine"


class Collector:
    def __init__(self, engine_url: str, platform: str, logs: AppLogs) -> None:
        self._engine = Engine(engine_url)
        self._platform = platform
        self._logs = logs
        self._lock = Lock()
        self._mailbox = Mailbox()
        self._readers: dict[str, Reader] = {}
        self._states: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._stop = Event()
        self._events: Any = None

    def run(self) -> None:
        """Until the engine is gone, or `close`. Raises PlatformFault when the engine does not answer."""
        self._mailbox = Mailbox()
        writer = Thread(target=Keeper(self._logs, self._mailbox, self._floods, self._stop).run, name="log writer")
        with self._engine.doing("follow the logs"):
            since = int(self._logs.position(_POSITION) or time.time_ns()) // 1_000_000_000
            filters = {**naming.of_platform(self._platform), "type": ["container"], "event": words.ACTIONS}
            events = self._engine.api.events(since=since, filters=filters, decode=True)
            there = self._there(events)
        with self._lock:
            self._events = events
            if self._stop.is_set():
                close_stream(events)  # closed before there was anything to close
        writer.start()
        try:
            with ended(events), suppress(*CLIENT_ERRORS):
                for each in there:
                    if who := Identity.of(each["Labels"]):
                        self._meet(each["Id"], who, each["Labels"])
                for event in events:
                    self._hear(event)
        finally:
            self._end()
            writer.join()

    def _there(self, events: Any) -> list[dict[str, Any]]:
        """Asked for only once events are listened to, so that no process falls between the two. Raises docker's
        errors.
        """
        try:
            found: list[dict[str, Any]] = self._engine.api.containers(
                all=True, filters=naming.of_platform(self._platform)
            )
        except CLIENT_ERRORS:
            close_stream(events)
            raise
        return found

    def close(self) -> None:
        with self._lock:
            self._stop.set()
            events = self._events
        self._mailbox.close()
        if events is not None:
            close_stream(events)

    def process_at(self, address: str) -> str:
        """The name of the process that has, or had, this address (and perhaps a port); "" for none that is known. In a swarm
        the port alone says it.
        """
        host, _, port = address.rpartition(":")
        return self._names.get(host or address) or self._names.get(f":{port}", "")

    def _meet(self, container: str, who: Identity, labels: Mapping[str, str]) -> None:
        """Reads on where an earlier reader of the same container (before it was started again) ends."""
        if address := labels.get(naming.ADDRESS):
            self._names[address] = who.process
        if container not in self._states:
            self._states[container] = words.UP if self._passed(container) else words.STARTING
        with self._lock:
            before = self._readers.get(container)
            reader = Reader(self._engine, container, who, self._logs, self._mailbox)
            self._readers[container] = reader
            reader.start(before)

    def _hear(self, event: Mapping[str, Any]) -> None:
        who, container = Identity.of(event["Actor"]["Attributes"]), str(event["id"])
        if who is None:
            return
        if event["Action"] == "destroy":
            self._states.pop(container, None)
            return
        state = self._states.get(container, words.UP if event["Action"] != "start" else "")
        if event["Action"] == "start":
            self._states.setdefault(container, words.STARTING)
            self._meet(container, who, event["Actor"]["Attributes"])
        passed = event["Action"] == "update" and self._passed(container)
        said, self._states[container] = words.said(event, who, state, passed)
        entries = words.entries(event, who, said, lines.key(container))
        reader = self._readers.get(container)
        if event["Action"] == "die" and reader:
            reader.finish(entries)
        else:
            self._mailbox.put(who.app_id, entries)
        self._logs.move(_POSITION, str(event["timeNano"]))
        self._forget_the_ended(container)

    def _passed(self, container: str) -> bool:
        try:
            host = self._engine.api.inspect_container(container)["HostConfig"]
        except NotFound:
            return False
        return bool(host["RestartPolicy"]["Name"] == spec.UP["Name"])

    def _forget_the_ended(self, kept: str) -> None:
        with self._lock:
            for container in [each for each, reader in self._readers.items() if reader.over and each != kept]:
                del self._readers[container]

    def _end(self) -> None:
        self._mailbox.close()
        with self._lock:
            readers, self._readers = list(self._readers.values()), {}
        for reader in readers:
            reader.stop()
        for reader in readers:
            reader.join()

    def _floods(self) -> list[Reader]:
        with self._lock:
            return [reader for reader in self._readers.values() if reader.flood.drops]
