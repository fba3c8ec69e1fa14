"""Follows Envoy's access log into the logs of the apps that the requests were for."""

from __future__ import annotations

import json
import logging
import os
import re
import select
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from inotify_simple import INotify, flags

from wherry.domain.errors import PlatformFault
from wherry.domain.log import PLATFORM, Entry, LogLine
from wherry.flow.log_ports import AppLogs
from wherry.routing.access import router_line
from wherry.routing.bootstrap import Place

log = logging.getLogger(__name__)
_APP = re.compile(r"app([1-9][0-9]{0,17})")
_CHANGED = flags.CREATE | flags.MODIFY | flags.MOVED_TO
_POSITION = _KEY = "router"
_CHUNK = 256 * 1024
_LONGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Position:
    """How far the log was read: `turn` counts its files, `inode` is the one that is read, `offset` in it."""

    turn: int = 0
    inode: int = 0
    offset: int = 0

    @classmethod
    def of(cls, text: str) -> Position:
        try:
            return cls(*map(int, text.split()))
        except (ValueError, TypeError):
            return cls()

    def __str__(self) -> str:
        return f"{self.turn} {self.inode} {self.offset}"

    @property
    def mark(self) -> str:
        return f"{self.turn:08}.{self.offset:016}"


class FollowRouter:
    """`folder`: the router's own. `process_at`: the name of the process behind an address."""

    def __init__(self, folder: Path, logs: AppLogs, process_at: Callable[[str], str]) -> None:
        self._path = Place(folder).access_log
        self._logs = logs
        self._process_at = process_at
        self._stop = Event()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def run(self) -> None:
        """Until `close`. Raises PlatformFault."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with INotify() as watch:
                watch.add_watch(self._path.parent, _CHANGED | flags.ONLYDIR)
                self._follow(watch)
        except OSError as error:
            raise PlatformFault("the router's log cannot be followed", evidence=[str(error)]) from error

    def close(self) -> None:
        self._stop.set()
        os.eventfd_write(self._wake, 1)

    def _follow(self, watch: INotify) -> None:
        poller = select.poll()
        poller.register(watch.fileno(), select.POLLIN)
        poller.register(self._wake, select.POLLIN)
        while not self._stop.is_set():
            self.catch_up()
            poller.poll()
            watch.read(timeout=0)

    def catch_up(self) -> None:
        """Everything that is written now."""
        position = Position.of(self._logs.position(_POSITION))
        while (found := self._open(position)) is not None:
            descriptor, opened = found
            try:
                newest = self._is_newest(opened)  # asked first: what is not the newest is complete
                if opened != position:
                    self._logs.move(_POSITION, str(opened))
                position = self._read(descriptor, opened)
            finally:
                os.close(descriptor)
            if newest:
                return
            position = Position(position.turn + 1)

    def _open(self, position: Position) -> tuple[int, Position] | None:
        """The file to go on with; where an earlier one is not there any more, the newest from its start."""
        for path in (self._path, self._path.with_name(self._path.name + ".1")):
            with suppress(FileNotFoundError):
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                status = os.fstat(descriptor)
                if status.st_ino == position.inode and status.st_size >= position.offset:
                    return descriptor, position
                os.close(descriptor)
        with suppress(FileNotFoundError):
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            return descriptor, Position(position.turn + bool(position.inode), os.fstat(descriptor).st_ino)
        return None

    def _is_newest(self, opened: Position) -> bool:
        try:
            return self._path.stat().st_ino == opened.inode
        except FileNotFoundError:
            return True  # being put aside just now: what comes wakes us

    def _read(self, descriptor: int, position: Position) -> Position:
        while chunk := os.pread(descriptor, _CHUNK, position.offset):
            end = chunk.rfind(b"\n") + 1
            if not end and len(chunk) < _LONGEST:
                break  # its rest is still to come
            end = end or len(chunk)
            self._keep(chunk[:end], position)
            position = Position(position.turn, position.inode, position.offset + end)
            self._logs.move(_POSITION, str(position))
        return position

    def _keep(self, whole: bytes, position: Position) -> None:
        batches: dict[int, list[Entry]] = {}
        for offset, raw in _lines(whole, position.offset):
            mark = Position(position.turn, position.inode, offset).mark
            if (found := self._entry(raw, mark)) is not None:
                batches.setdefault(found[0], []).append(found[1])
        for app_id, entries in batches.items():
            self._logs.append(app_id, entries)

    def _entry(self, raw: bytes, mark: str) -> tuple[int, Entry] | None:
        """None for a request that was for no app, and for what is no record."""
        try:
            record: dict[str, Any] = json.loads(raw)
            app = _APP.fullmatch(str(record["app"]))
            if app is None:
                return None
            text = router_line(raw, self._process_at(str(record.get("process") or "")))
            return int(app[1]), Entry(LogLine(_ended(record), PLATFORM, "router", text), _KEY, mark)
        except (ValueError, TypeError, KeyError):
            log.warning("the router's log has a line that is no record of a request")
            return None


def _lines(whole: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Each line with the offset of its end, which is never 0."""
    for raw in whole.split(b"\n")[:-1]:
        start += len(raw) + 1
        yield start, raw


def _ended(record: dict[str, Any]) -> str:
    began = datetime.fromisoformat(str(record["time"]))
    ended = began + timedelta(milliseconds=float(record.get("service") or 0))
    return ended.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
