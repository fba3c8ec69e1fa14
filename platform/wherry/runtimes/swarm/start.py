"""Makes every process that is asked for run beside whatever runs now: all of them, or none (as machine/start.py)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event, Lock

from wherry.domain.errors import RolloutFailed, RolloutFailure
from wherry.domain.workload import Workload
from wherry.flow.ports import Say
from wherry.flow.talk import detail
from wherry.runtimes.machine import naming
from wherry.runtimes.machine.engine import Engine
from wherry.runtimes.machine.naming import Identity
from wherry.runtimes.machine.pull import Registry
from wherry.runtimes.machine.start import identities
from wherry.runtimes.swarm import spec
from wherry.runtimes.swarm.gate import Gate
from wherry.runtimes.swarm.retire import take_away
from wherry.runtimes.swarm.services import Service, Services


@dataclass(frozen=True, slots=True)
class Wanted:
    """`present`: what there is of this identity, as asked or not."""

    who: Identity
    workload: Workload
    present: tuple[Service, ...]

    @property
    def as_asked(self) -> Service | None:
        fingerprint = naming.fingerprint(self.who.platform, self.workload, self.who.index)
        return next((each for each in self.present if each.fingerprint == fingerprint), None)


class Starter:
    def __init__(self, engine: Engine, services: Services, registry: Registry, platform: str) -> None:
        self._engine = engine
        self._services = services
        self._registry = registry
        self._platform = platform
        self._ports = Lock()

    def start(self, workloads: Sequence[Workload], say: Say) -> None:
        """Raises RolloutFailed, and docker's errors."""
        missing = [each for each in self._compared(workloads) if not (each.as_asked and each.as_asked.passed)]
        if not missing:
            return
        made: list[str] = []
        given_up = Event()
        gate, cores = Gate(self._engine, self._services, given_up), self._prepared(missing)
        with ThreadPoolExecutor(len(missing), "start") as pool:
            futures = [pool.submit(self._bring, gate, each, cores, made, say) for each in missing]
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            failures = [error for each in futures if each in done and (error := each.exception())]
            if failures:
                given_up.set()
        if failures:
            take_away(self._services, made)
            raise failures[0]
        for service in made:
            self._services.mark_passed(service)

    def insist(self, workloads: Sequence[Workload]) -> None:
        """Makes what has no service at all, as if it had been up before. Raises RolloutFailed, and docker's errors."""
        missing = [each for each in self._compared(workloads) if not each.present]
        cores = self._prepared(missing) if missing else 0.0
        for each in missing:
            self._make(each, cores, passed=True)

    def _prepared(self, missing: Sequence[Wanted]) -> float:
        """The cores of the largest node. Afterwards the networks are there."""
        for app_id in {each.who.app_id for each in missing}:
            self._services.ensure_network(app_id)
        return self._services.cores()

    def _compared(self, workloads: Sequence[Workload]) -> list[Wanted]:
        there = self._services.all()
        return [
            Wanted(who, workload, tuple(each for each in there if each.who == who))
            for who, workload in identities(self._platform, workloads).items()
        ]

    def _bring(self, gate: Gate, wanted: Wanted, cores: float, made: list[str], say: Say) -> None:
        if stopped := [each.id for each in wanted.present if _must_stop_first(each, wanted)]:
            take_away(self._services, stopped)
        service, published = self._make(wanted, cores)
        made.append(service)
        gate.pass_through(service, published, wanted.who, wanted.workload)
        detail(say, f"{wanted.who.process} is up")

    def _make(self, wanted: Wanted, cores: float, *, passed: bool = False) -> tuple[str, int]:
        """The id and the port of its service; that of a start that was cut off is gone on with."""
        if wanted.as_asked and not _must_stop_first(wanted.as_asked, wanted):
            return wanted.as_asked.id, wanted.as_asked.published
        who, workload = wanted.who, wanted.workload
        reference = self._registry.reference(workload.image.repository, workload.image.digest)
        with self._ports:
            published = self._free_port() if workload.listens else 0
            body = spec.service(who, workload, reference, published, cores, passed=passed)
            return self._services.create(body), published

    def _free_port(self) -> int:
        taken = {each.published for each in self._services.all()}
        for port in range(spec.FIRST_PORT, spec.LAST_PORT + 1):
            if port not in taken:
                return port
        raise RolloutFailed(RolloutFailure.NO_CAPACITY, "all ports that web processes may have are taken")


def _must_stop_first(service: Service, wanted: Wanted) -> bool:
    stop = naming.turn(wanted.workload, wanted.who.index).stop
    return stop > int(service.labels.get(naming.TURN, 0))
