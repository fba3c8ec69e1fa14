"""What the platform keeps: its database, its repositories, its logs."""

from __future__ import annotations

from wherry import hook
from wherry.ledger.ledger import SqlLedger
from wherry.ledger.master_key import load_or_create_key
from wherry.logs.app_logs import MEBIBYTE, FileAppLogs
from wherry.settings import Settings
from wherry.sources.policy import Limits
from wherry.sources.repositories import Repositories


def open_ledger(settings: Settings) -> SqlLedger:
    key = load_or_create_key(settings.folder / "secrets" / "master.key")
    heads = settings.folder / "audit-heads"
    return SqlLedger(settings.database, key, settings.folder / "run", settings.number("lease_seconds"), heads)


def migrate(settings: Settings) -> None:
    open_ledger(settings).migrate()


def open_sources(settings: Settings) -> Repositories:
    return Repositories(settings.folder / "repos", hook.FOLDER, Limits.of(settings))


def open_app_logs(settings: Settings) -> FileAppLogs:
    return FileAppLogs(settings.folder / "app-logs", settings.number("app_log_mb") * MEBIBYTE)
