"""Ledgers on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from wherry.domain.model import Actor, App
from wherry.ledger.ledger import SqlLedger

from tests.ledger.databases import KINDS, new_database

KEY = bytes(range(32))
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NewLedger = Callable[..., SqlLedger]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, tmp_path: Path) -> str:
    return new_database(kind, tmp_path)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return new_database("sqlite", tmp_path)


@pytest.fixture
def new_ledger(tmp_path: Path) -> Iterator[NewLedger]:
    made: list[SqlLedger] = []

    def make(url: str, bell_folder: Path = tmp_path, key: bytes = KEY, lease_seconds: float = 60.0) -> SqlLedger:
        made.append(SqlLedger(url, key, bell_folder, lease_seconds, bell_folder / "audit-heads"))
        return made[-1]

    yield make
    for ledger in made:
        ledger.close()


@pytest.fixture
def ledger(url: str, new_ledger: NewLedger) -> SqlLedger:
    return new_ledger(url)


@pytest.fixture
def app(ledger: SqlLedger) -> App:
    with ledger.begin() as tx:
        return tx.apps.add("ferry", tx.accounts.ensure("ada@example.org", admin=False), NOW)


@pytest.fixture
def actor(app: App) -> Actor:
    return app.owner


@pytest.fixture
def sql(ledger: SqlLedger) -> Callable[[str], None]:
    """Changes the database behind the ledger's back."""

    def run(statement: str) -> None:
        with ledger._here.engine.begin() as connection:
            connection.execute(text(statement))

    return run
