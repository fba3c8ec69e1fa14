"""`wherry up`: everything that one machine needs, in the order that lets each step trust the one before."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from dataclasses import dataclass
from io import TextIOWrapper

from wherry.domain.errors import Conflict
from wherry.fittings.images import stacks
from wherry.fittings.stores import migrate
from wherry.home import Home
from wherry.settings import Settings
from wherry.supervisor import engine, ssh
from wherry.supervisor.account import open_account
from wherry.supervisor.endpoints import endpoints
from wherry.supervisor.registry_store import collect_garbage
from wherry.supervisor.service import Records, Service
from wherry.supervisor.services import listens, services
from wherry.supervisor.supervise import Supervisor, wake_on_signals

Say = Callable[[str], None]
OUTLIVE = ("engine", "router")


@dataclass
class Up:
    settings: Settings
    home: Home
    say: Say

    def run(self, announce: Callable[[], None]) -> None:
        """Until a signal. `announce` is called once everything answers. The router, the apps and the engine stay."""
        self.home.prepare()
        lock = self._alone()
        wake = wake_on_signals()
        supervisor = Supervisor(Records(self.home.folder), endpoints(self.settings), self.say)
        try:
            self._start(supervisor)
            supervisor.write_status("up")
            announce()
            supervisor.run(wake)
        finally:
            supervisor.stop([name for name in supervisor.names if name not in OUTLIVE])
            supervisor.write_status("down")
            lock.close()

    def _start(self, supervisor: Supervisor) -> None:
        own_engine = self._engine(supervisor)
        if own_engine:
            supervisor.bring_up(own_engine)
        migrate(self.settings)
        open_account(self.settings, self.home)
        web_and_worker = []
        for service in services(self.settings, self.home):
            if service.name in ("web", "worker"):
                web_and_worker.append(service)
                continue
            if service.name == "registry" and not any(map(supervisor.records.find, ("registry", "worker"))):
                collect_garbage(service.argv[0], self.settings.folder / "registry", self.say)
            supervisor.bring_up(service)
        stacks(self.settings, self.home).ensure(self.say)
        supervisor.bring_up(*web_and_worker, *ssh.services(self.settings, self.home, listens, self.say))

    def _engine(self, supervisor: Supervisor) -> Service | None:
        """Also one that an earlier life of ours started by hand: it is ours to watch again."""
        engine.tidy(self.say)
        running = supervisor.records.find("engine")
        return engine.by_hand(self.settings, "dockerd") if running else engine.service(self.settings)

    def _alone(self) -> TextIOWrapper:
        lock = (self.home.folder / "run" / "supervisor.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise Conflict(
                f"the platform in {self.home.folder} is up already", hint="To see it: wherry status"
            ) from None
        return lock
