"""Images that no release within the retention needs are removed, from the registry and from where they ran."""

from __future__ import annotations

from dataclasses import dataclass, field

from wherry.domain.retention import USUAL, forgotten
from wherry.flow.ledger_ports import Ledger
from wherry.flow.ports import Builder, Runtime

_LOOKED_AT = 200


@dataclass
class PruneImages:
    """`keep`: how many releases of an app can be gone back to."""

    ledger: Ledger
    builder: Builder
    runtime: Runtime
    keep: int = USUAL
    _gone: set[tuple[str, str]] = field(default_factory=set)

    def app(self, app_id: int) -> None:
        """Cheap when there is nothing to remove. Raises PlatformFault."""
        with self.ledger.begin(read_only=True) as tx:
            releases = tx.releases.of_app(app_id, limit=self.keep + _LOOKED_AT)
            builds = tx.builds.of_app(app_id, limit=_LOOKED_AT)
        removed = forgotten(releases, builds, self.keep) - self._gone
        if removed:
            self.runtime.discard(removed)
            self.builder.discard(removed)
            self._gone |= removed
