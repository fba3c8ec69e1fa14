"""What the web process is given: the doors (API, portal, git over HTTP and SSH)."""

from __future__ import annotations

from dataclasses import dataclass, field

from wherry.builds.bills import ImageBills
from wherry.builds.rebase import StackBases
from wherry.builds.taken_images import TakenImages
from wherry.certificate import Certificate
from wherry.domain.secret import Secret
from wherry.fittings.images import image_address, open_registry, stacks
from wherry.fittings.runtimes import open_runtime
from wherry.fittings.stores import open_app_logs, open_ledger, open_sources
from wherry.flow.access import Access
from wherry.flow.adopt import AdoptApp
from wherry.flow.attempts import Attempts
from wherry.flow.audit import VerifyEvents
from wherry.flow.autoscale import AutoscaleApp
from wherry.flow.buildpacks import Buildpacks
from wherry.flow.cancel import CancelBuild
from wherry.flow.configure import Configure
from wherry.flow.create import CreateApp
from wherry.flow.cron import CronTab
from wherry.flow.deploy_plan import PlanDeploy
from wherry.flow.destroy import DestroyApp
from wherry.flow.domains import Domains
from wherry.flow.drains import Drains
from wherry.flow.eject import EjectApp
from wherry.flow.image_ports import Bases, Bills, Images
from wherry.flow.keys import Keys
from wherry.flow.ledger_ports import Ledger
from wherry.flow.log_ports import AppLogs
from wherry.flow.maintain import Maintain
from wherry.flow.people import People
from wherry.flow.pipelines import Pipelines
from wherry.flow.ports import Clock, Logs, Runtime, Sources, TextRecords, Uploads
from wherry.flow.promote import Promote
from wherry.flow.push import AcceptPush
from wherry.flow.rebase import Rebase
from wherry.flow.release import ReleaseBuild
from wherry.flow.release_images import ReleaseImages
from wherry.flow.rename import RenameApp
from wherry.flow.restart import RestartProcesses
from wherry.flow.retry import RetryRelease
from wherry.flow.reveal import RevealConfig
from wherry.flow.rollback import RollBack
from wherry.flow.run import Limits as RunLimits
from wherry.flow.run import RunOneOff
from wherry.flow.sbom import BillOfRelease
from wherry.flow.scale import ScaleApp
from wherry.flow.share import ShareApp
from wherry.flow.stack import SetStack
from wherry.flow.tokens import Sessions, Tokens
from wherry.flow.transfer import TransferApp
from wherry.flow.upload import BuildUpload
from wherry.flow.webhooks import Webhooks
from wherry.home import Home
from wherry.images.passage import Passage
from wherry.logs.files import FileLogs
from wherry.runtimes.cluster.eject import write as to_kubernetes
from wherry.runtimes.machine.eject import write as to_compose
from wherry.settings import Settings
from wherry.sources.policy import Limits
from wherry.sources.ssh_folder import SshAddress, SshFolder
from wherry.sources.transport import GitTransport
from wherry.sources.uploads import UploadFolder
from wherry.wiring.parts import SystemClock, dialer, open_texts, patience_of


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
        return ScaleApp(self.ledger, self.clock, self.runtime.by_load, self.runtime.has_volumes)

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


def wire(settings: Settings) -> World:
    """For the web process."""
    home = Home(settings.folder)
    sources = open_sources(settings)
    return World(
        settings=settings,
        ticket_key=home.secret("tickets.key"),
        ledger=open_ledger(settings),
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
