"""Migrations: up, down and up again; equal to the tables; safe against newer and damaged databases."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from wherry.domain.autoscale import Autoscale
from wherry.domain.errors import PlatformFault
from wherry.ledger import floor, schema
from wherry.ledger.engine import open_engine
from wherry.ledger.schema import alembic_config, migrate, migrations_folder
from wherry.ledger.tables import metadata

from tests.ledger.databases import KINDS, new_database

MIGRATE = """
import sys
from wherry.ledger import floor, schema
from wherry.ledger.engine import open_engine
from wherry.ledger.schema import migrate
engine = open_engine(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate(engine)
"""


NEWER = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9001", "{before}"


def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))


"""


@pytest.fixture(params=KINDS)
def open_empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Opens the same empty database each time."""
    url = new_database(request.param, tmp_path, migrated=False)
    opened: list[Engine] = []

    def open_one() -> Engine:
        opened.append(open_engine(url))
        return opened[-1]

    yield open_one
    for engine in opened:
        engine.dispose()


@pytest.fixture
def empty(open_empty: Callable[[], Engine]) -> Engine:
    return open_empty()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def test_up_down_and_up_again(empty: Engine) -> None:
    migrate(empty)
    assert tables(empty) == {*metadata.tables, "alembic_version"}
    with empty.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert tables(empty) == {"alembic_version"}
    migrate(empty)
    migrate(empty)
    assert tables(empty) == {*metadata.tables, "alembic_version"}


def test_what_an_autoscaler_does_when_the_platform_is_renewed_goes_on(empty: Engine) -> None:
    """Its bounds stood in the app.json of each release; of those that did not fail, the newest counts."""
    wish = {"min_quantity": 2, "max_quantity": 9, "triggers": [{"type": "cpu", "metadata": {"value": 70}}]}
    other = {**wish, "max_quantity": 50}
    app_jsons = [("succeeded", other), ("succeeded", wish), ("failed", other)]
    rows = [
        f"INSERT INTO releases (app_id, number, actor_id, description, status, image_repository, image_digest, "
        f"image_processes, app_json, config, created_at, \"commit\", failure, message) VALUES (1, {number}, 1, '', "
        f"'{status}', '', '', '{{}}', '{json.dumps({'formation': {'web': {'autoscaling': load}}})}', '', 0, '', '', '')"
        for number, (status, load) in enumerate(app_jsons, 1)
    ]
    false = "false" if empty.dialect.name == "postgresql" else "0"
    with empty.begin() as connection:
        command.upgrade(alembic_config(connection), "0020")
        for line in (
            f"INSERT INTO users (id, email, email_key, admin) VALUES (1, 'a@example.org', 'a@example.org', {false})",
            "INSERT INTO apps (id, name, owner_id, created_at, updated_at) VALUES (1, 'shop', 1, 0, 0)",
            "INSERT INTO formation (app_id, type, quantity, size) VALUES (1, 'web', 2, 'basic'), (1, 'worker', 1, 'basic')",
            *rows,
        ):
            connection.exec_driver_sql(line)
    migrate(empty)
    with empty.connect() as connection:
        found = connection.execute(text("SELECT type, autoscale FROM formation ORDER BY type")).all()
    assert json.loads(found[0].autoscale) == asdict(Autoscale(2, 9, cpu=70))
    assert found[1].autoscale is None


def test_the_migrations_lead_to_the_tables(empty: Engine) -> None:
    migrate(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_sqlites_own_words_are_the_tables_too(tmp_path: Path) -> None:
    """What no comparison of Alembic's sees: AUTOINCREMENT, and the WHERE of an index."""
    migrated, created = (open_engine(f"sqlite:///{tmp_path}/{name}.db") for name in ("migrated", "created"))
    migrate(migrated)
    with created.begin() as connection:
        metadata.create_all(connection)
    found = []
    for engine in (migrated, created):
        with engine.connect() as connection:
            rows = connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'")
            ).all()
        found.append({name: re.sub(r"\s+", " ", sql or "") for name, sql in rows})
        engine.dispose()
    assert set(found[0]) == set(found[1])
    for name, statement in found[0].items():
        for word in ("AUTOINCREMENT", "WHERE removed_at IS NULL", "UNIQUE"):
            assert (word in statement) == (word in found[1][name]), name


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory(str(migrations_folder())).get_heads()) == 1


def test_processes_that_start_at_once_migrate_once(empty: Engine) -> None:
    argv = [sys.executable, "-c", MIGRATE, empty.url.render_as_string(hide_password=False)]
    starts = [subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for start in starts:
        assert start.stdout is not None
        assert start.stdout.readline() == "ready\n"
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("go\n")
        start.stdin.flush()
    assert [(start.communicate(timeout=60)[0], start.returncode) for start in starts] == [("", 0)] * 4
    assert tables(empty) == {*metadata.tables, "alembic_version"}


def test_threads_that_start_at_once_migrate_once(open_empty: Callable[[], Engine]) -> None:
    engines = [open_empty() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, engines))
    assert tables(engines[0]) == {*metadata.tables, "alembic_version"}


def test_a_database_that_a_newer_version_wrote_is_refused_and_left_alone(empty: Engine) -> None:
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("UPDATE schema_floor SET revision = '9999'"))
    with pytest.raises(PlatformFault, match="revision 9999") as caught:
        migrate(empty)
    assert "newer" in caught.value.hint
    with empty.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def newer_version(folder: Path, source: str) -> Path:
    """The migrations of a version that has one more, revision 9001."""
    shutil.copytree(migrations_folder(), folder)
    before = ScriptDirectory(str(folder)).get_current_head()
    (folder / "versions/9001_newer.py").write_text(NEWER.format(before=before) + source)
    return folder


@pytest.mark.parametrize("source", ["additive = True\n", ""], ids=["additive", "not-additive"])
def test_a55_an_older_version_works_on_newer_tables_when_all_that_came_was_additive(
    empty: Engine, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty)
    migrate(empty)
    with monkeypatch.context() as newer:
        newer.setattr(schema, "migrations_folder", lambda: folder)
        folder = newer_version(tmp_path / "newer", source)
        migrate(empty)
        assert "later" in tables(empty)
    if source:
        migrate(empty)
    else:
        with pytest.raises(PlatformFault, match="revision 9001"):
            migrate(empty)
    with empty.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9001"
    with monkeypatch.context() as newer:
        newer.setattr(schema, "migrations_folder", lambda: folder)
        migrate(empty)


def test_what_calls_itself_additive_leaves_the_version_before_at_work(sqlite_url: str) -> None:
    """What it adds to a table that was there may be left out when a row is written, and nothing is gone or stricter."""
    script = ScriptDirectory(str(migrations_folder()))
    additive = [each for each in script.walk_revisions() if floor.is_additive(script, each.revision)]
    assert additive
    engine = open_engine(sqlite_url)
    for each in additive:
        with engine.begin() as connection:
            command.downgrade(alembic_config(connection), str(each.down_revision))
        before = _shape(engine)
        with engine.begin() as connection:
            command.upgrade(alembic_config(connection), each.revision)
        after = _shape(engine)
        for table, (columns, strict) in before.items():
            assert strict == after[table][1], f"{each.revision}: keys of {table}"
            assert columns.items() <= after[table][0].items(), f"{each.revision}: columns of {table}"
            added = {
                name: may_be_left_out for name, (_, may_be_left_out) in after[table][0].items() if name not in columns
            }
            assert all(added.values()), f"{each.revision}: {table} {added}"
    engine.dispose()


def _shape(engine: Engine) -> dict[str, tuple[dict[str, tuple[str, bool]], list[str]]]:
    """Of each table: its columns with their types and whether they may be left out, and what rows must fulfil."""
    found = inspect(engine)
    return {
        table: (
            {
                each["name"]: (str(each["type"]), each["nullable"] or each["default"] is not None)
                for each in found.get_columns(table)
            },
            sorted(
                map(
                    str,
                    [
                        *(each["column_names"] for each in found.get_indexes(table) if each["unique"]),
                        *(
                            (each["constrained_columns"], each["referred_table"])
                            for each in found.get_foreign_keys(table)
                        ),
                        *(each["sqltext"] for each in found.get_check_constraints(table)),
                    ],
                )
            ),
        )
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def test_a24_a_damaged_database_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    url = new_database("sqlite", tmp_path)
    content = bytearray(Path(url.removeprefix("sqlite:///")).read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)
    engine = open_engine(f"sqlite:///{path}")
    with pytest.raises(PlatformFault, match="damaged") as caught:
        migrate(engine)
    assert "backup" in caught.value.hint
    engine.dispose()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("not a database at all" * 100)
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    with pytest.raises(PlatformFault, match="not a database"):
        migrate(engine)
    engine.dispose()
