"""The one place that builds adapters and hands them to the flow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from wherry.domain.secret import Secret
from wherry.flow.access import Access
from wherry.flow.configure import Configure
from wherry.flow.create import CreateApp
from wherry.flow.destroy import DestroyApp
from wherry.flow.ports import Clock, Ledger, Logs, Runtime, Sources
from wherry.flow.push import AcceptPush
from wherry.flow.release import ReleaseBuild
from wherry.flow.rename import RenameApp
from wherry.flow.rollback import RollBack
from wherry.flow.scale import ScaleApp
from wherry.settings import Settings
from wherry.sources.transport import GitTransport


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    """What the doors (API, portal) are given. `ticket_key` signs what git's hooks carry back to us, and the portal's sessions."""

    settings: Settings
    ticket_key: Secret
    ledger: Ledger
    sources: Sources
    logs: Logs
    runtime: Runtime
    clock: Clock
    git: GitTransport

    @property
    def access(self) -> Access:
        return Access(self.ledger, self.clock)

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
    def release(self) -> ReleaseBuild:
        return ReleaseBuild(self.ledger, self.sources, self.clock)

    @property
    def rollback(self) -> RollBack:
        return RollBack(self.ledger, self.clock)

    @property
    def configure(self) -> Configure:
        return Configure(self.ledger, self.clock)

    @property
    def scale(self) -> ScaleApp:
        return ScaleApp(self.ledger, self.clock)
