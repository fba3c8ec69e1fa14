"""One unit of work, by its parts."""

from __future__ import annotations

from wherry.ledger.accounts import SqlAccounts
from wherry.ledger.apps import SqlApps
from wherry.ledger.builds import SqlBuilds
from wherry.ledger.collaborators import SqlCollaborators
from wherry.ledger.crons import SqlCrons
from wherry.ledger.domains import SqlDomains
from wherry.ledger.drains import SqlDrains
from wherry.ledger.events import SqlEvents
from wherry.ledger.jobs import SqlJobs
from wherry.ledger.one_offs import SqlOneOffs
from wherry.ledger.pipelines import SqlPipelines
from wherry.ledger.releases import SqlReleases
from wherry.ledger.restarts import SqlRestarts
from wherry.ledger.sealing import Sealing
from wherry.ledger.ssh_keys import SqlSshKeys
from wherry.ledger.statements import Statements
from wherry.ledger.transfers import SqlTransfers
from wherry.ledger.webhooks import SqlWebhooks


class SqlTransaction:
    """The adapter of flow.ports.Transaction."""

    def __init__(self, statements: Statements, sealing: Sealing) -> None:
        self.apps = SqlApps(statements, sealing)
        self.builds = SqlBuilds(statements)
        self.releases = SqlReleases(statements, sealing)
        self.jobs = SqlJobs(statements)
        self.events = SqlEvents(statements)
        self.accounts = SqlAccounts(statements)
        self.collaborators = SqlCollaborators(statements)
        self.restarts = SqlRestarts(statements)
        self.crons = SqlCrons(statements)
        self.domains = SqlDomains(statements)
        self.drains = SqlDrains(statements, sealing)
        self.pipelines = SqlPipelines(statements)
        self.one_offs = SqlOneOffs(statements, sealing)
        self.ssh_keys = SqlSshKeys(statements)
        self.transfers = SqlTransfers(statements)
        self.webhooks = SqlWebhooks(statements, sealing)

    @property
    def has_news(self) -> bool:
        """Whether those who wait must hear of it once it is committed."""
        parts = (self.jobs, self.crons, self.builds, self.releases)
        return self.events.head is not None or any(part.changed for part in parts)
