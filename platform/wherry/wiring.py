"""The one place that builds adapters and hands them to the flow."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

from wherry.builds.bills import ImageBills
from wherry.builds.rebase import StackBases
from wherry.builds.taken_images import TakenImages
from wherry.certificate import Certificate
from wherry.domain.log import PLATFORM, Entry, LogLine
from wherry.domain.model import JobKind
from wherry.domain.public import networks
from wherry.domain.secret import Secret
from wherry.domain.text import printable
from wherry.drains.couriers import Couriers
from wherry.drains.dial import Dialer
from wherry.drains.keeper import DrainKeeper
from wherry.drains.posts import HttpsPost
from wherry.fittings.images import image_address, open_builder, open_registry, stacks
from wherry.fittings.runtimes import open_collector, open_router, open_runtime
from wherry.fittings.stores import open_app_logs, open_ledger, open_sources
from wherry.flow.access import Access
from wherry.flow.adopt import AdoptApp
from wherry.flow.attempts import Attempts
from wherry.flow.audit import VerifyEvents
from wherry.flow.autoscale import AutoscaleApp
from wherry.flow.build import RunBuild
from wherry.flow.buildpacks import Buildpacks
from wherry.flow.cancel import CancelBuild
from wherry.flow.configure import Configure
from wherry.flow.converge import Converge
from wherry.flow.create import CreateApp
from wherry.flow.cron import CronTab, ScheduleCron
from wherry.flow.cron_run import RunCron
from wherry.flow.deploy_plan import PlanDeploy
from wherry.flow.destroy import DestroyApp, RemoveRemains
from wherry.flow.domain_upkeep import RecheckDomains
from wherry.flow.domains import Domains
from wherry.flow.drains import Drains
from wherry.flow.eject import EjectApp
from wherry.flow.image_ports import Bases, Bills, Images
from wherry.flow.keys import Keys
from wherry.flow.ledger_ports import Ledger
from wherry.flow.log_ports import AppLogs
from wherry.flow.maintain import Maintain, Reroute
from wherry.flow.people import People
from wherry.flow.pipelines import Pipelines
from wherry.flow.plan import Patience
from wherry.flow.ports import Clock, Logs, Runtime, Sources, TextRecords, Uploads
from wherry.flow.promote import Promote
from wherry.flow.prune import PruneImages
from wherry.flow.push import AcceptPush
from wherry.flow.rebase import Rebase
from wherry.flow.reconcile import Reconcile
from wherry.flow.release import ReleaseBuild
from wherry.flow.release_images import ReleaseImages
from wherry.flow.rename import RenameApp
from wherry.flow.restart import RestartProcesses
from wherry.flow.retry import RetryRelease
from wherry.flow.reveal import RevealConfig
from wherry.flow.rollback import RollBack
from wherry.flow.rollout import RollOut
from wherry.flow.run import AttachOneOff, RunOneOff, TidyOneOffs
from wherry.flow.run import Limits as RunLimits
from wherry.flow.sbom import BillOfRelease
from wherry.flow.scale import ScaleApp
from wherry.flow.share import ShareApp
from wherry.flow.stack import SetStack
from wherry.flow.tell import TellEvents
from wherry.flow.tokens import Sessions, Tokens
from wherry.flow.transfer import TransferApp
from wherry.flow.upload import BuildUpload
from wherry.flow.watchdog import Watchdog
from wherry.flow.webhook_news import EnqueueNews
from wherry.flow.webhook_ports import Wording
from wherry.flow.webhook_send import SendNews
from wherry.flow.webhooks import Webhooks
from wherry.flow.work import Story, Worker
from wherry.home import Home
from wherry.images.passage import Passage
from wherry.logs.files import FileLogs
from wherry.routing.follow import FollowRouter
from wherry.routing.name_servers import NameServers
from wherry.runtimes.cluster.eject import write as to_kubernetes
from wherry.runtimes.machine.collect import Collector
from wherry.runtimes.machine.eject import write as to_compose
from wherry.schedules import CronCalendar
from wherry.settings import Settings
from wherry.sources.policy import Limits
from wherry.sources.ssh_folder import SshAddress, SshFolder
from wherry.sources.transport import GitTransport
from wherry.sources.uploads import UploadFolder

if TYPE_CHECKING:
    from wherry.runtimes.cluster.collect import ClusterCollector

log = logging.getLogger(__name__)
ROLLOUTS_AT_ONCE = 4


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    """What the doors (API, portal) are given. `ticket_key` signs what git's hooks carry back to us, and the
    portal's sessions.
    """

    settings: Settings
    ticket_key: Secret
    ledger: Ledger
    sources: Sources
    logs: Logs
    runtime: Runtime
    clock: Clock
    git: GitTransport
    uploads: Uploads
    images: Images
    bases: Bases
    texts: TextRecords
    bills: Bills
    app_logs: AppLogs
    passage: Passage
    attempts: Attempts = field(default_factory=Attempts)

    @property
    def access(self) -> Access:
        return Access(self.ledger, self.clock, self.attempts)

    @property
    def verify(self) -> VerifyEvents:
        return VerifyEvents(self.ledger)

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.ledger, self.clock)

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.ledger, self.clock)

    @property
    def people(self) -> People:
        return People(self.ledger, self.clock)

    @property
    def share(self) -> ShareApp:
        return ShareApp(self.ledger, self.clock)

    @property
    def transfer(self) -> TransferApp:
        return TransferApp(self.ledger, self.clock)

    @property
    def create(self) -> CreateApp:
        return CreateApp(self.ledger, self.sources, self.clock)

    @property
    def rename(self) -> RenameApp:
        return RenameApp(self.ledger, self.clock)

    @property
    def destroy(self) -> DestroyApp:
        return DestroyApp(self.ledger, self.logs, self.clock)

    @property
    def push(self) -> AcceptPush:
        return AcceptPush(self.ledger, self.sources, self.logs, self.clock)

    @property
    def upload(self) -> BuildUpload:
        return BuildUpload(self.ledger, self.sources, self.uploads, self.logs, self.clock)

    @property
    def restart(self) -> RestartProcesses:
        return RestartProcesses(self.ledger, self.clock, self.runtime.by_load)

    @property
    def maintain(self) -> Maintain:
        return Maintain(self.ledger, self.clock)

    @property
    def cron(self) -> CronTab:
        return CronTab(self.ledger, self.clock)

    @property
    def cancel(self) -> CancelBuild:
        return CancelBuild(self.ledger, self.logs, self.clock)

    @property
    def release(self) -> ReleaseBuild:
        return ReleaseBuild(self.ledger, self.sources, self.clock)

    @property
    def release_images(self) -> ReleaseImages:
        return ReleaseImages(self.ledger, self.images, self.clock)

    @property
    def rollback(self) -> RollBack:
        return RollBack(self.ledger, self.clock, self.settings.number("keep_releases"))

    @property
    def retry(self) -> RetryRelease:
        return RetryRelease(self.ledger, self.clock, self.settings.number("keep_releases"))

    @property
    def rebase(self) -> Rebase:
        return Rebase(self.ledger, self.bases, self.clock)

    @property
    def reveal(self) -> RevealConfig:
        return RevealConfig(self.ledger, self.clock)

    @property
    def eject(self) -> EjectApp:
        settings = self.settings
        kinds = {"kubernetes": to_kubernetes, "compose": to_compose}
        registry, longest = image_address(settings), settings.number("cron_seconds")
        return EjectApp(self.ledger, self.clock, kinds, patience_of(settings), registry, settings.apps_domain, longest)

    @property
    def adopt(self) -> AdoptApp:
        keep = self.settings.number("keep_releases")
        return AdoptApp(self.ledger, self.images, self.access, self.clock, image_address(self.settings), keep)

    @property
    def plan_deploy(self) -> PlanDeploy:
        return PlanDeploy(self.ledger, self.sources, self.bases)

    @property
    def configure(self) -> Configure:
        return Configure(self.ledger, self.clock)

    @property
    def buildpacks(self) -> Buildpacks:
        return Buildpacks(self.ledger, self.clock, self.settings.sources_of_buildpacks)

    @property
    def pipelines(self) -> Pipelines:
        return Pipelines(self.ledger, self.clock)

    @property
    def promote(self) -> Promote:
        return Promote(self.ledger, self.images, self.clock)

    @property
    def domains(self) -> Domains:
        return Domains(self.ledger, self.clock, self.texts, self.ticket_key, self.settings.apps_domain)

    @property
    def bill(self) -> BillOfRelease:
        return BillOfRelease(self.bills)

    @property
    def drains(self) -> Drains:
        return Drains(self.ledger, self.clock, dialer(self.settings))

    @property
    def webhooks(self) -> Webhooks:
        return Webhooks(self.ledger, self.clock, dialer(self.settings))

    @property
    def stack(self) -> SetStack:
        return SetStack(self.ledger, self.clock)

    @property
    def scale(self) -> ScaleApp:
        return ScaleApp(self.ledger, self.clock, self.runtime.by_load)

    @property
    def autoscale(self) -> AutoscaleApp:
        return AutoscaleApp(self.ledger, self.runtime, self.clock)

    @property
    def run(self) -> RunOneOff:
        limits = RunLimits(self.settings.number("runs_at_once"), self.settings.number("run_seconds"))
        return RunOneOff(self.ledger, self.runtime, self.clock, limits)

    @property
    def ssh_folder(self) -> SshFolder:
        return SshFolder.of(self.settings.folder, Home(self.settings.folder).platform)

    @property
    def ssh(self) -> SshAddress | None:
        return SshAddress.read(self.settings.folder)

    @property
    def keys(self) -> Keys:
        return Keys(self.ledger, self.clock, self.ssh_folder)

    @property
    def certificate(self) -> Certificate:
        """Of the terminal door."""
        return Certificate.of(self.settings.folder)


@dataclass(frozen=True)
class Bench:
    """What the worker process is given."""

    settings: Settings
    ledger: Ledger
    runtime: Runtime
    worker: Worker
    reconcile: Reconcile
    watchdog: Watchdog
    cron: ScheduleCron
    app_logs: AppLogs
    one_offs: TidyOneOffs
    domains: RecheckDomains
    one_off_changed: Event = field(default_factory=Event)

    def on_change(self, app_id: int) -> None:
        """A process of the app started or ended by itself."""
        self.watchdog.check(app_id)
        self.reconcile.app(app_id)

    def on_unwell(self, app_id: int, process: str, message: str) -> None:
        """A process of the app failed a liveness check."""
        log.warning("app %s, %s: %s", app_id, process, message)
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.app_logs.append(app_id, [Entry(LogLine(at, PLATFORM, process, printable(message, 1000)))])


def wire(settings: Settings) -> World:
    """For the web process."""
    home = Home(settings.folder)
    sources = open_sources(settings)
    return World(
        settings=settings,
        ticket_key=home.secret("tickets.key"),
        ledger=open_ledger(settings, home),
        sources=sources,
        logs=FileLogs(settings.folder / "logs"),
        runtime=open_runtime(settings, home),
        clock=SystemClock(),
        git=GitTransport(sources),
        uploads=UploadFolder(settings.folder / "uploads", Limits.of(settings).push),
        images=TakenImages(open_registry(settings, home), settings),
        bases=StackBases(open_registry(settings, home), stacks(settings, home)),
        texts=open_texts(settings),
        bills=ImageBills(open_registry(settings, home), settings.folder),
        app_logs=open_app_logs(settings),
        passage=Passage(open_registry(settings, home)),
    )


def open_texts(settings: Settings) -> NameServers:
    return NameServers(tuple(settings.name_servers.split()))


def wire_worker(settings: Settings, home: Home) -> Bench:
    """For the worker process."""
    ledger, clock, patience = open_ledger(settings, home), SystemClock(), patience_of(settings)
    sources, logs = open_sources(settings), FileLogs(settings.folder / "logs")
    runtime, router, builder = open_runtime(settings, home), open_router(settings, home), open_builder(settings, home)
    release = ReleaseBuild(ledger, sources, clock)
    prune = PruneImages(ledger, builder, runtime, settings.number("keep_releases"))
    stories: dict[JobKind, Story] = {
        JobKind.BUILD: RunBuild(ledger, builder, logs, clock, release).run,
        JobKind.ROLLOUT: RollOut(ledger, runtime, router, logs, clock, patience, CronCalendar()).run,
        JobKind.CRON: RunCron(ledger, runtime, logs, clock, settings.number("cron_seconds")).run,
        JobKind.CONVERGE: Converge(ledger, runtime, router, patience, prune).run,
        JobKind.ROUTE: Reroute(ledger, router).run,
        JobKind.DESTROY: RemoveRemains(ledger, sources, builder, runtime, router, open_app_logs(settings)).run,
    }
    slots = {
        (JobKind.BUILD,): settings.number("builds_at_once"),
        (JobKind.ROLLOUT, JobKind.CONVERGE, JobKind.DESTROY): ROLLOUTS_AT_ONCE,
        (JobKind.ROUTE,): 1,
        (JobKind.CRON,): settings.number("cron_at_once"),
    }
    rollback = RollBack(ledger, clock, settings.number("keep_releases"))
    return Bench(
        settings=settings,
        ledger=ledger,
        runtime=runtime,
        worker=Worker(
            f"worker-{home.platform}-{socket.gethostname()}",
            ledger,
            stories,
            slots,
            beat=settings.number("lease_seconds") / 3,
            prepare=builder.prepare,
        ),
        reconcile=Reconcile(ledger, sources, runtime, router, release),
        cron=ScheduleCron(ledger, logs, CronCalendar(), clock),
        app_logs=open_app_logs(settings),
        watchdog=Watchdog(ledger, runtime, rollback, clock, patience),
        one_offs=TidyOneOffs(ledger, runtime, clock),
        domains=RecheckDomains(ledger, clock, open_texts(settings), home.secret("tickets.key")),
    )


@dataclass(frozen=True)
class Scribe:
    """What the process that keeps the apps' logs is given."""

    ledger: Ledger
    app_logs: AppLogs
    collector: Collector | ClusterCollector
    tell: TellEvents
    router: FollowRouter | None
    """None where the router is not ours."""
    drains: DrainKeeper
    news: EnqueueNews
    couriers: Couriers


def wire_scribe(settings: Settings, home: Home, wording: Wording) -> Scribe:
    """For the logs process. `wording`: of what webhooks are told."""
    ledger, logs = open_ledger(settings, home), open_app_logs(settings)
    collector = open_collector(settings, home)
    router = None if settings.on_cluster else FollowRouter(settings.folder / "router", logs, collector.process_at)
    keeper, clock = DrainKeeper(ledger, logs, dialer(settings)), SystemClock()
    couriers = Couriers(SendNews(ledger, clock, wording, HttpsPost(dialer(settings))), clock)
    news = EnqueueNews(ledger, clock, wording)
    return Scribe(ledger, logs, collector, TellEvents(ledger, logs), router, keeper, news, couriers)


def wire_terminal(settings: Settings, home: Home) -> AttachOneOff:
    """For the terminal door."""
    return AttachOneOff(open_ledger(settings, home), open_runtime(settings, home), SystemClock())


def patience_of(settings: Settings) -> Patience:
    return Patience(
        boot=settings.number("boot_seconds"),
        drain=settings.number("drain_seconds"),
        stop=settings.number("stop_seconds"),
        watch=settings.number("watch_seconds"),
        release=settings.number("release_seconds"),
    )


def dialer(settings: Settings) -> Dialer:
    return Dialer(networks(settings.drain_networks))
