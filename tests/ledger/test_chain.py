"""T36: the history of changes cannot be rewritten unseen."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from wherry.domain.chain import FIRST, Head, head_of, link
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.model import App
from wherry.domain.paging import Window
from wherry.flow.audit import Verified, VerifyEvents
from wherry.ledger.engine import open_engine
from wherry.ledger.ledger import SqlLedger
from wherry.ledger.schema import alembic_config, migrate

from tests.ledger.conftest import NOW, NewLedger
from tests.ledger.databases import new_database

HOSTILE = {"text": 'a"\\\0\ud800é\U0001f6a2\u2028', "list": ["1", 2, None], "7": True}


def add(ledger: SqlLedger, app: App, count: int = 1, action: str = "scale") -> None:
    for number in range(count):
        with ledger.begin() as tx:
            tx.events.add(NOW, app.owner, app.name, action, {"web": number}, {"web": number + 1, **HOSTILE}, "é\0 1")


def add_and_fail(ledger: SqlLedger, app: App) -> None:
    with ledger.begin() as tx:
        tx.events.add(NOW, app.owner, app.name, "x")
        tx.apps.by_id(99)


def ids(ledger: SqlLedger) -> list[int]:
    with ledger.begin(read_only=True) as tx:
        return [event.id for event in tx.events.page(None, Window(most=1000))]


def verified(ledger: SqlLedger, known: Head | None = None) -> Verified:
    return VerifyEvents(ledger).run(known)


def test_what_was_written_is_whole_whatever_it_holds(ledger: SqlLedger, app: App) -> None:
    assert verified(ledger) == Verified(0, 0, None, None)
    add(ledger, app, 3)
    with ledger.begin() as tx:
        tx.events.add(NOW, app.owner, "", "login")
        tx.events.add(NOW, app.owner, "no-such-app", "x", {"tuple": (1, 2), 3: "number"})  # type: ignore[dict-item]
    found = verified(ledger)
    assert (found.events, found.heads, found.broken) == (5, 4, None)
    assert found.head is not None
    assert verified(ledger, found.head) == found


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("after", "'{}'"),
        ("before", "'[]'"),
        ("actor", "'eve@example.org'"),
        ("app", "'barge'"),
        ("app_id", "NULL"),
        ("at", "at + 1"),
        ("origin", "''"),
        ("action", "'x'"),
        ("hash", f"'{FIRST}'"),
        ("id", "99"),
    ],
)
def test_t36_an_edited_event_is_named(
    ledger: SqlLedger, app: App, sql: Callable[[str], None], column: str, value: str
) -> None:
    add(ledger, app, 5)
    third = ids(ledger)[2]
    sql(f'UPDATE events SET "{column}" = {value} WHERE id = {third}')
    broken = verified(ledger).broken
    assert broken is not None
    assert broken.id == third


def test_t36_a_removed_event_is_named(ledger: SqlLedger, app: App, sql: Callable[[str], None]) -> None:
    add(ledger, app, 5)
    second = ids(ledger)[1]
    sql(f"DELETE FROM events WHERE id = {second}")
    broken = verified(ledger).broken
    assert broken is not None
    assert (broken.id, "gone" in broken.reason) == (second, True)


def test_t36_removal_of_the_newest_is_found_by_the_heads_outside(
    ledger: SqlLedger, app: App, sql: Callable[[str], None], tmp_path: Path
) -> None:
    add(ledger, app, 5)
    noted, fourth = verified(ledger).head, ids(ledger)[3]
    sql(f"DELETE FROM events WHERE id >= {fourth}")
    broken = verified(ledger).broken
    assert broken is not None
    assert broken.id == fourth
    add(ledger, app, 3)
    assert verified(ledger).broken == broken
    (tmp_path / "audit-heads").unlink()
    assert verified(ledger).broken is None
    assert verified(ledger, noted).broken is not None


def test_t36_a_history_that_was_reckoned_anew_is_found_by_the_heads_outside(
    ledger: SqlLedger, app: App, sql: Callable[[str], None]
) -> None:
    add(ledger, app, 4)
    second = ids(ledger)[1]
    sql(f"UPDATE events SET actor = 'eve@example.org' WHERE id = {second}")
    with ledger.begin(read_only=True) as tx:
        events = tx.events.page(None, Window(most=1000))
    previous = FIRST
    for event in events:
        previous = link(previous, event)
        sql(f"UPDATE events SET hash = '{previous}' WHERE id = {event.id}")
    broken = verified(ledger).broken
    assert broken is not None
    assert broken.id == second


def test_writers_at_the_same_time_make_one_chain(ledger: SqlLedger, url: str, new_ledger: NewLedger, app: App) -> None:
    ledgers = [ledger, new_ledger(url), ledger, new_ledger(url)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: add(each, app, 8), ledgers))
    found = verified(ledger)
    assert (found.events, found.heads, found.broken) == (32, 32, None)


def test_what_is_rolled_back_leaves_no_link_and_no_head(ledger: SqlLedger, app: App) -> None:
    add(ledger, app)
    with pytest.raises(NotFound):
        add_and_fail(ledger, app)
    add(ledger, app)
    found = verified(ledger)
    assert (found.events, found.heads, found.broken) == (2, 2, None)


def test_a_torn_line_among_the_heads_costs_nothing_else(ledger: SqlLedger, app: App, tmp_path: Path) -> None:
    add(ledger, app, 2)
    with (tmp_path / "audit-heads").open("a") as file:
        file.write("12:ab\n\xff\n")
    add(ledger, app)
    assert (verified(ledger).heads, verified(ledger).broken) == (3, None)


def test_a_disk_that_is_full_loses_a_head_and_no_change(ledger: SqlLedger, app: App, tmp_path: Path) -> None:
    (tmp_path / "audit-heads").mkdir()
    add(ledger, app)
    assert len(ids(ledger)) == 1


def test_events_from_before_the_chain_are_chained(kind: str, tmp_path: Path, new_ledger: NewLedger) -> None:
    url = new_database(kind, tmp_path, migrated=False)
    engine = open_engine(url)
    migrate(engine)
    ledger = new_ledger(url)
    with ledger.begin() as tx:
        app = tx.apps.add("ferry", tx.accounts.ensure("ada@example.org", admin=False), NOW)
    add(ledger, app, 3)
    before = verified(ledger).head
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "0003")
        assert "hash" not in connection.execute(text("SELECT * FROM events")).all()[0]._fields
    migrate(engine)
    assert verified(ledger).broken is None
    assert verified(ledger).head == before
    engine.dispose()


@pytest.mark.parametrize("head", ["", "1", "1:", f"x:{FIRST}", f"1:{FIRST}0", f" 1:{FIRST}", f"1:{'A' * 64}"])
def test_b59_a_head_that_is_none_is_refused(head: str) -> None:
    with pytest.raises(InvalidInput):
        head_of(head)
