"""Transactions: serialised, durable, and never half."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event
from wherry.domain.errors import PlatformFault
from wherry.domain.image import Image
from wherry.domain.model import Actor, App, Source
from wherry.domain.secret import Secret
from wherry.ledger import engine as engines
from wherry.ledger.ledger import SqlLedger

from tests.ledger.conftest import KEY, NOW, NewLedger
from tests.ledger.databases import new_database

IMAGE = Image("apps/1", "sha256:e", {"web": "run"})
WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from wherry.ledger.ledger import SqlLedger
ledger = SqlLedger(sys.argv[1], bytes.fromhex(sys.argv[2]), Path(sys.argv[3]), 60)
with ledger.begin() as tx:
    actor = tx.accounts.ensure("ada@example.org", admin=False)
for number in range(1_000_000):
    with ledger.begin() as tx:
        tx.events.add(datetime.now(UTC), actor, "ferry", "first", after={"n": number})
        tx.events.add(datetime.now(UTC), actor, "ferry", "second", after={"n": number})
    print(number, flush=True)
"""


def append(ledger: SqlLedger, app: App) -> int:
    with ledger.begin() as tx:
        return tx.releases.append(app.id, app.owner, "Deploy", IMAGE, {}, NOW).number


@pytest.mark.parametrize("acknowledged", [3, 17, 40])
def test_a23_kill_9_loses_nothing_that_was_acknowledged_and_leaves_nothing_half(
    ledger: SqlLedger, url: str, tmp_path: Path, acknowledged: int
) -> None:
    argv = [sys.executable, "-c", WRITER, url, KEY.hex(), str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(acknowledged):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        last = acknowledged - 1 + len(writer.stdout.read().split("\n")[:-1])
    with ledger.begin() as tx:
        events = [(event.action, event.after["n"]) for event in reversed(tx.events.of_app("ferry", 1_000_000))]
    count = len(events) // 2
    assert events == [(action, number) for number in range(count) for action in ("first", "second")]
    assert last < count <= last + 2
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def test_i2_appends_at_the_same_time_get_different_numbers(
    ledger: SqlLedger, url: str, new_ledger: NewLedger, app: App
) -> None:
    ledgers = [ledger, new_ledger(url), ledger, new_ledger(url)]
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda each: [append(each, app) for _ in range(10)], ledgers))
    assert sorted(number for each in numbers for number in each) == list(range(1, 41))
    assert all(each == sorted(each) for each in numbers)


def test_a_transaction_sees_what_the_one_before_it_wrote(
    ledger: SqlLedger, url: str, new_ledger: NewLedger, app: App
) -> None:
    other = new_ledger(url)
    begun = threading.Event()
    seen: list[str | None] = []

    def read_after() -> None:
        begun.set()
        with other.begin() as tx:
            seen.append(tx.apps.by_id(app.id).deploy_branch)

    reader = threading.Thread(target=read_after)
    with ledger.begin() as tx:
        reader.start()
        begun.wait()
        reader.join(0.1)
        tx.apps.set_deploy_branch(app.id, "main")
    reader.join()
    assert seen == ["main"]


def test_a_read_only_transaction_sees_one_moment(
    ledger: SqlLedger, url: str, new_ledger: NewLedger, app: App, actor: Actor
) -> None:
    """SQLite keeps it by letting the writer wait, PostgreSQL by showing the past."""
    other = new_ledger(url)

    def write() -> None:
        with other.begin() as tx:
            tx.apps.add("barge", actor, NOW)

    writer = threading.Thread(target=write)
    with ledger.begin(read_only=True) as tx:
        assert [each.name for each in tx.apps.all()] == ["ferry"]
        writer.start()
        writer.join(0.2)
        assert [each.name for each in tx.apps.all()] == ["ferry"]
    writer.join()
    with ledger.begin(read_only=True) as tx:
        assert [each.name for each in tx.apps.all()] == ["barge", "ferry"]


def test_a_read_only_transaction_refuses_to_write_and_the_next_one_writes(ledger: SqlLedger, app: App) -> None:
    with pytest.raises(PlatformFault), ledger.begin(read_only=True) as tx:
        tx.apps.set_deploy_branch(app.id, "main")
    with ledger.begin() as tx:
        tx.apps.set_deploy_branch(app.id, "main")


def test_one_inside_another_is_refused_rather_than_waiting_for_itself(ledger: SqlLedger) -> None:
    with ledger.begin(), pytest.raises(RuntimeError, match="inside"), ledger.begin():
        pass
    with ledger.begin():
        pass


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a20_while_another_process_holds_the_database_writes_give_up_and_reads_work(
    kind: str, tmp_path: Path, new_ledger: NewLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 1)
    url = new_database(kind, tmp_path)
    ledger, other = new_ledger(url), new_ledger(url)
    with other.begin() as held:
        held.accounts.ensure("bob@example.org", admin=False)
        with pytest.raises(PlatformFault, match="busy") as caught, ledger.begin():
            pass
        assert caught.value.__cause__ is not None
        with ledger.begin(read_only=True) as tx:
            assert tx.accounts.by_email("bob@example.org") is None
    with ledger.begin() as tx:
        assert tx.accounts.by_email("bob@example.org") is not None


def test_a_thread_that_waits_too_long_for_another_is_told(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.1)
    faults: list[str] = []

    def wait() -> None:
        with pytest.raises(PlatformFault) as caught, ledger.begin():
            pass
        faults.append(caught.value.message)

    thread = threading.Thread(target=wait)
    with ledger.begin():
        thread.start()
        thread.join()
    assert len(faults) == 1
    assert "busy" in faults[0]


def test_a_forked_child_has_connections_of_its_own(ledger: SqlLedger, app: App, tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from wherry.ledger.ledger import SqlLedger
ledger = SqlLedger(sys.argv[1], bytes.fromhex(sys.argv[2]), Path(sys.argv[3]), 60)
def connections():
    with ledger.begin() as tx:
        tx.apps.set_deploy_branch(tx.apps.by_name("ferry").id, "main")
    return id(ledger._here.engine)
parent = connections()
child = os.fork()
if child == 0:
    os._exit(0 if connections() != parent else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), connections() == parent)
"""
    argv = [sys.executable, "-c", code, ledger._url, KEY.hex(), str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("0 True\n", "")


def test_lists_take_the_same_number_of_statements_at_any_length(ledger: SqlLedger, app: App) -> None:
    def statements() -> int:
        seen: list[str] = []
        listen = lambda *arguments: seen.append(arguments[2])  # noqa: E731
        event.listen(ledger._here.engine, "before_cursor_execute", listen)
        with ledger.begin(read_only=True) as tx:
            tx.apps.all()
            tx.builds.of_app(app.id)
            tx.releases.of_app(app.id)
            tx.events.of_app(app.name)
        event.remove(ledger._here.engine, "before_cursor_execute", listen)
        return len(seen)

    def grow() -> None:
        with ledger.begin() as tx:
            for number in range(10):
                tx.events.add(NOW, app.owner, app.name, "x")
                tx.builds.add(app.id, app.owner, "main", "0" * 40, Source("c", "t", "a"), NOW)
                tx.releases.append(app.id, app.owner, "Deploy", IMAGE, {"A": Secret("b")}, NOW)
                tx.apps.add(f"app-{len(tx.apps.all())}-{number}", app.owner, NOW)

    grow()
    few = statements()
    grow()
    assert statements() == few


def test_the_database_file_is_its_owners_only(tmp_path: Path, new_ledger: NewLedger) -> None:
    ledger = new_ledger(f"sqlite:///{tmp_path}/home/ledger.db")
    ledger.migrate()
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home/ledger.db").stat().st_mode & 0o777 == 0o600


def test_sqlite_keeps_what_it_answered_through_a_power_cut(sqlite_url: str, new_ledger: NewLedger) -> None:
    """The settings that this rests on; the power cut itself is not for here."""
    with new_ledger(sqlite_url)._here.engine.connect() as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys", "mmap_size")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert found == ["delete", 3, 1, 0]


def test_a21_a_full_disk_refuses_the_write_and_reads_go_on(sqlite_url: str, new_ledger: NewLedger) -> None:
    """SQLite says of a database that may not grow what it says of a full disk: SQLITE_FULL."""
    ledger = new_ledger(sqlite_url)
    with ledger.begin() as tx:
        actor = tx.accounts.ensure("ada@example.org", admin=False)

    def limit(pages: int) -> None:
        ledger._here.engine.dispose()
        event.listen(
            ledger._here.engine,
            "connect",
            lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages}"),
            insert=True,
        )

    def fill() -> None:
        with ledger.begin() as tx:
            for number in range(500):
                tx.events.add(NOW, actor, "ferry", "first", after={"n": number, "text": "x" * 500})

    limit(1)  # SQLite takes it as the size that there is
    with pytest.raises(PlatformFault, match="disk that holds the database is full") as caught:
        fill()
    assert "nothing was changed" in caught.value.hint
    with ledger.begin(read_only=True) as tx:
        assert tx.accounts.by_email("ada@example.org") == actor
        assert tx.events.of_app("ferry") == []
    limit(1_000_000)
    with ledger.begin() as tx:
        tx.events.add(NOW, actor, "ferry", "first")
