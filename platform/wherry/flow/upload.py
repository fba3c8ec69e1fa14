"""An uploaded archive is built and released, without git."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.domain.errors import InvalidInput, PushRefused
from wherry.domain.model import Actor, App, Build
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Clock, Logs, Sources, Uploads
from wherry.flow.queue import Asked, QueueBuild


@dataclass(frozen=True)
class BuildUpload:
    ledger: Ledger
    sources: Sources
    uploads: Uploads
    logs: Logs
    clock: Clock

    def run(self, actor: Actor, app: App, token: str, version: str = "", origin: str = "") -> Build:
        """`version`: the caller's words for what it is. Raises NotFound for an unknown upload, InvalidInput for an
        archive that cannot be built.
        """
        archive = self.uploads.path(token)
        try:
            source = self.sources.take_in(app.id, archive, version or "Upload")
            build = QueueBuild(self.ledger, self.logs, self.clock).run(Asked(app, actor, source, origin=origin))
        except PushRefused as error:
            raise InvalidInput(error.message, problems=error.evidence, hint=error.hint) from error
        self.uploads.remove(token)
        return build
