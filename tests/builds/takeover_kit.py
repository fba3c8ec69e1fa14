"""Workers for builds on a cluster, which can be killed: each makes all that it works with by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from wherry.builds.given_stack import GivenStack
from wherry.builds.pod_builder import PodBuilder
from wherry.domain.model import App, Build, JobKind, Source
from wherry.domain.registry_names import Place
from wherry.domain.secret import Secret
from wherry.flow.build import RunBuild
from wherry.flow.create import CreateApp
from wherry.flow.queue import Asked, QueueBuild
from wherry.flow.release import ReleaseBuild
from wherry.flow.work import Worker
from wherry.images.registry import Registry
from wherry.ledger.ledger import SqlLedger
from wherry.logins import FixedLogin, Login
from wherry.logs.files import FileLogs
from wherry.runtimes.cluster.build_manifests import registry_rules
from wherry.runtimes.cluster.build_pods import ClusterBuildPods
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.ground import Pulls
from wherry.settings import Settings

from tests.builds.pod_image import REPOSITORY
from tests.fakes.runtime import InMemoryRuntime
from tests.fakes.sources import InMemorySources
from tests.flow.conftest import TurningClock


@dataclass(frozen=True)
class Harbour:
    """What workers of one platform share. `registry`: its address here, for nodes, for pods, user, password. `images`:
    digests of the build and the run image and of the platform's own.
    """

    kubeconfig: str
    platform: str
    registry: tuple[str, str, str, str, str]
    images: tuple[str, str, str]
    folder: Path

    def ledger(self) -> SqlLedger:
        return SqlLedger(f"sqlite:///{self.folder}/ledger.db", bytes(32), self.folder, lease_seconds=600)

    def logs(self) -> FileLogs:
        return FileLogs(self.folder / "logs")

    def builder(self, settings: Settings | None = None) -> PodBuilder:
        here, nodes, pods, user, password = self.registry
        build, run, own = self.images
        login = (user, Secret(password))
        pulls, url = Pulls(nodes, FixedLogin(Login(*login))), f"http://{pods}"
        registry = Registry(f"http://{here}", *login)
        return PodBuilder(
            ClusterBuildPods(Client(self.kubeconfig), self.platform, pulls, registry_rules(url)),
            GivenStack(registry, build, run),
            registry,
            url,
            pulls.logins,
            Place.of(pulls.address),
            pulls.reference(REPOSITORY, own),
            settings or replace(Settings.load({}), build_memory_mb="256"),
        )

    def queued(self, ledger: SqlLedger, app: App | None, source: Source) -> tuple[App, Build]:
        with ledger.begin() as tx:
            user = tx.accounts.ensure("user@example.org", admin=False)
        app = app or CreateApp(ledger, InMemorySources(), TurningClock()).run(user, "sample")
        return app, QueueBuild(ledger, self.logs(), TurningClock()).run(Asked(app, user, source, "main"))

    def work(self, name: str, stop: Event, ledger: SqlLedger) -> None:
        """A worker's whole life, as wherry.supervisor.worker leads it."""
        clock = TurningClock()
        release = ReleaseBuild(ledger, InMemorySources(), clock)
        builder = self.builder()
        build = RunBuild(ledger, builder, self.logs(), clock, release, InMemoryRuntime())
        worker = Worker(
            name, ledger, {JobKind.BUILD: build.run}, {(JobKind.BUILD,): 1}, beat=1, prepare=builder.prepare
        )
        ledger.free(name)
        worker.run(stop)
        ledger.free(name)


def live(harbour: Harbour, name: str) -> None:
    """In a process of its own, until it is killed."""
    harbour.work(name, Event(), harbour.ledger())
