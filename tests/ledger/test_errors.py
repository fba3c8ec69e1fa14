"""What the database says, in the domain's errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import exc
from wherry.domain.errors import Conflict, InvalidInput, PlatformFault
from wherry.domain.model import App
from wherry.ledger.engine import open_engine
from wherry.ledger.errors import translated
from wherry.ledger.ledger import SqlLedger

from tests.ledger.conftest import KEY, NOW, NewLedger

EVERY = [each for each in vars(exc).values() if isinstance(each, type) and issubclass(each, exc.SQLAlchemyError)]


def made(kind: type[exc.SQLAlchemyError]) -> exc.SQLAlchemyError:
    if issubclass(kind, exc.DBAPIError):
        return kind("SELECT 1", None, Exception("broken"))
    if issubclass(kind, exc.StatementError):
        return kind("broken", "SELECT 1", None, None)
    error = kind.__new__(kind)
    exc.SQLAlchemyError.__init__(error, "broken")
    return error


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_no_exception_of_sqlalchemys_is_missed(kind: type[exc.SQLAlchemyError]) -> None:
    error = made(kind)
    with pytest.raises(PlatformFault) as caught, translated():
        raise error
    assert caught.value.__cause__ is error


def test_the_domains_errors_pass(ledger: SqlLedger) -> None:
    with pytest.raises(Conflict, match="mine"), ledger.begin():
        raise Conflict("mine")


def test_a_row_that_another_wrote_first_is_a_conflict(ledger: SqlLedger, app: App, sql: Callable[[str], None]) -> None:
    sql("INSERT INTO users (id, email, email_key, admin) VALUES (77, 'x', 'eve@example.org', false)")
    sql("DELETE FROM users WHERE id = 77")
    sql("INSERT INTO tombstones (name, app_id, freed_at) SELECT 'ferry', id, 0 FROM apps")
    with pytest.raises(Conflict, match="another change came first"), ledger.begin() as tx:
        tx.apps.remove(app.id, NOW)


def test_an_error_names_no_value_of_a_row(ledger: SqlLedger, app: App) -> None:
    with pytest.raises(PlatformFault) as caught, ledger.begin() as tx:
        tx.accounts.add_token(app.owner, "secret-digest", None, NOW)  # type: ignore[arg-type]
    assert "secret-digest" not in "\n".join(caught.value.lines())
    assert "secret-digest" not in str(caught.value.__cause__).partition("DETAIL")[0]


def test_a_database_that_is_not_migrated_is_our_fault(tmp_path: Path, new_ledger: NewLedger) -> None:
    ledger = new_ledger(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(PlatformFault), ledger.begin() as tx:
        tx.apps.all()


def test_a_file_that_cannot_be_made_is_our_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PlatformFault, match="cannot be opened"):
        SqlLedger(f"sqlite:///{tmp_path}/file/ledger.db", KEY, tmp_path, 60)


@pytest.mark.parametrize("url", ["", "x", "mysql://u:hunter2@host/db", "sqlite://", "sqlite:///:memory:"])
def test_a_url_of_another_kind_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        open_engine(url)
    assert "hunter2" not in "\n".join(caught.value.lines())


@pytest.mark.postgres
def test_a_server_that_does_not_answer_is_our_fault(tmp_path: Path, new_ledger: NewLedger) -> None:
    ledger = new_ledger(f"postgresql://wherry:hunter2@/db?host={tmp_path}")
    with pytest.raises(PlatformFault) as caught, ledger.begin():
        pass
    assert "hunter2" not in "\n".join(caught.value.lines())
    with pytest.raises(PlatformFault):
        ledger.migrate()
