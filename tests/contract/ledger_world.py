"""Every Ledger adapter, SQL on SQLite and on PostgreSQL, with an app and what it may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from wherry.domain.image import Image, Start
from wherry.domain.model import Actor, App, Build, Release, Source
from wherry.domain.secret import Secret
from wherry.flow.ledger_ports import Ledger, Transaction
from wherry.ledger.ledger import SqlLedger

from tests.ledger.databases import KINDS, new_database

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
ZERO = "0" * 40
SOURCE = Source("c" * 40, "d" * 40, "/archives/17.tar")
IMAGE = Image("apps/1", "sha256:" + "e" * 64, {"web": "gunicorn app:app", "a": "one"}, {"a": Start(("x", "ł"), "1:1")})
CONFIG = {"URL": Secret("postgres://x"), "EMPTY": Secret("")}


@pytest.fixture(params=KINDS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    ledger = SqlLedger(new_database(request.param, tmp_path), bytes(32), tmp_path, lease_seconds=60)
    yield ledger
    ledger.close()


@pytest.fixture
def actor(ledger: Ledger) -> Actor:
    with ledger.begin() as tx:
        return tx.accounts.ensure("ada@example.org", admin=False)


@pytest.fixture
def app(ledger: Ledger, actor: Actor) -> App:
    with ledger.begin() as tx:
        return tx.apps.add("ferry", actor, NOW)


def add_build(ledger: Ledger, app: App) -> Build:
    with ledger.begin() as tx:
        return tx.builds.add(app.id, app.owner, "main", ZERO, SOURCE, NOW)


def append(ledger: Ledger, app: App, build: Build | None = None) -> Release:
    with ledger.begin() as tx:
        return tx.releases.append(
            app.id, app.owner, "Deploy", IMAGE, CONFIG, NOW, build.id if build else None, SOURCE.commit
        )


def undone(ledger: Ledger, change: Callable[[Transaction], object]) -> None:
    def fail() -> None:
        with ledger.begin() as tx:
            change(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
