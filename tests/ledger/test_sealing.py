"""Config at rest: unreadable without the master key, and never altered unnoticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from wherry.domain.errors import PlatformFault
from wherry.domain.image import Image
from wherry.domain.model import App
from wherry.domain.secret import Secret
from wherry.ledger.ledger import SqlLedger
from wherry.ledger.sealing import AppSeal, Sealing

from tests.ledger.conftest import NOW, NewLedger

CANARY = "canary-5b1f7e0c"
B08 = ["a\nb", "\"'`", "$(id)", "{{x}}", "---", "no", "0123", "12:30:45", " x ", "😀", "é" * 16384, "\ud83d\ude00", ""]
values = st.text(st.characters(blacklist_characters="\0", blacklist_categories=()), max_size=200)


def put(ledger: SqlLedger, app: App, value: str) -> None:
    with ledger.begin() as tx:
        tx.apps.put_config(app.id, {"KEY": Secret(value)})
        tx.releases.append(app.id, app.owner, "Deploy", Image("a", "sha256:b"), {"KEY": Secret(value)}, NOW)


@pytest.mark.parametrize("value", B08)
def test_b08_a_value_comes_back_as_it_was(ledger: SqlLedger, app: App, value: str) -> None:
    put(ledger, app, value)
    with ledger.begin() as tx:
        assert tx.apps.config(app.id) == {"KEY": Secret(value)}
        assert tx.releases.by_number(app.id, 1).config == {"KEY": Secret(value)}


@given(st.dictionaries(values, values, max_size=20))
@settings(deadline=None)
def test_b08_any_config_comes_back_as_it_was_and_in_its_order(config: dict[str, str]) -> None:
    seal = AppSeal(1, bytes(32))
    opened = seal.open("config", seal.seal("config", {key: Secret(value) for key, value in config.items()}))
    assert list(opened.items()) == [(key, Secret(value)) for key, value in config.items()]


def test_t14_the_database_holds_no_plain_value(sqlite_url: str, new_ledger: NewLedger, tmp_path: Path) -> None:
    ledger = new_ledger(sqlite_url)
    with ledger.begin() as tx:
        app = tx.apps.add("ferry", tx.accounts.ensure("ada@example.org", admin=False), NOW)
    put(ledger, app, CANARY)
    with ledger.begin() as tx:
        assert tx.apps.config(app.id)["KEY"].reveal() == CANARY
    content = Path(sqlite_url.removeprefix("sqlite:///")).read_bytes()
    assert b"ferry" in content
    for part in (CANARY, CANARY[:12], '"KEY"'):
        assert part.encode() not in content


@pytest.mark.parametrize("place", [0, 1, 12, 13, -1])
@pytest.mark.parametrize("column", ["config", "data_key"])
def test_a_sealed_value_that_was_altered_is_noticed(ledger: SqlLedger, app: App, column: str, place: int) -> None:
    put(ledger, app, "x")
    with ledger._here.engine.begin() as connection:
        sealed = bytearray(connection.execute(text(f"SELECT {column} FROM apps")).scalar_one())
        sealed[place] ^= 1
        connection.execute(text(f"UPDATE apps SET {column} = :sealed"), {"sealed": bytes(sealed)})
    with pytest.raises(PlatformFault) as caught, ledger.begin() as tx:
        tx.apps.config(app.id)
    assert "backup" in caught.value.hint


@pytest.mark.parametrize("length", [0, 1, 5, 12, 28])
def test_a_sealed_value_that_was_cut_is_noticed(length: int) -> None:
    seal = AppSeal(1, bytes(32))
    with pytest.raises(PlatformFault):
        seal.open("config", seal.seal("config", {})[:length])


def test_a_sealed_value_cannot_be_moved_to_another_app_or_purpose(
    ledger: SqlLedger, app: App, sql: Callable[[str], None]
) -> None:
    put(ledger, app, "x")
    put(ledger, app, "y")
    with ledger.begin() as tx:
        other = tx.apps.add("barge", app.owner, NOW)
        tx.apps.put_config(other.id, {})
    sql(f"UPDATE releases SET config = (SELECT config FROM apps WHERE id = {app.id}) WHERE number = 1")
    sql("UPDATE releases SET config = (SELECT config FROM releases WHERE number = 1) WHERE number = 2")
    sql(
        f"UPDATE apps SET config = (SELECT config FROM apps WHERE id = {app.id}),"
        f" data_key = (SELECT data_key FROM apps WHERE id = {app.id}) WHERE id = {other.id}"
    )
    for use in (
        lambda tx: tx.releases.by_number(app.id, 1),
        lambda tx: tx.releases.by_number(app.id, 2),
        lambda tx: tx.apps.config(other.id),
    ):
        with pytest.raises(PlatformFault, match="altered"), ledger.begin() as tx:
            use(tx)


def test_another_master_key_is_named_as_the_cause(ledger: SqlLedger, app: App, new_ledger: NewLedger) -> None:
    put(ledger, app, "x")
    other = new_ledger(ledger._url, key=b"k" * 32)
    with pytest.raises(PlatformFault, match="another master key"), other.begin() as tx:
        tx.apps.config(app.id)


def test_a_master_key_of_another_length_is_refused() -> None:
    with pytest.raises(PlatformFault, match="16 bytes and must have 32"):
        Sealing(bytes(16))


def test_the_data_key_of_a_removed_app_is_gone(ledger: SqlLedger, app: App) -> None:
    put(ledger, app, "x")
    with ledger.begin() as tx:
        tx.apps.remove(app.id, NOW)
    with ledger._here.engine.begin() as connection:
        assert connection.execute(text("SELECT data_key, config FROM apps")).all() == [(None, None)]
