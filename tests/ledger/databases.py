"""The databases of the ledger's tests: SQLite files, and a PostgreSQL server that is started once and by hand."""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import psycopg
import pytest
from wherry.ledger.engine import open_engine
from wherry.ledger.schema import migrate
from wherry.ledger.tables import metadata

from tests.ports import free_port

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
_numbers = itertools.count(1)


def new_database(kind: str, folder: Path, migrated: bool = True) -> str:
    """The URL of a fresh database."""
    return _new_sqlite(folder, migrated) if kind == "sqlite" else the_server().new(migrated)


def _new_sqlite(folder: Path, migrated: bool) -> str:
    path = folder / f"ledger-{next(_numbers)}.db"
    if migrated:
        shutil.copy(_sqlite_template(), path)
    return f"sqlite:///{path}"


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="wherry-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(f"sqlite:///{folder}/template.db")
    return folder / "template.db"


def _migrate(url: str) -> None:
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()


@cache
def the_server() -> Server:
    server = Server(_programs())
    atexit.register(server.stop)
    return server


def server_at(address: str) -> Server:
    """One of the caller's own that others than this machine reach, without a password; `stop` it."""
    return Server(_programs(), address)


def _programs() -> Path:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not programs:
        message = "no PostgreSQL here: apt-get install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return programs[-1].parent


class Server:
    """A cluster in a folder of its own, reached by a Unix socket in it, and at `address` if there is one."""

    def __init__(self, programs: Path, address: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wherry-test-"))
        self._programs = programs
        # PostgreSQL refuses to run as root; Debian's package made it a user.
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        shutil.chown(self.folder, self._user)
        self._run("initdb", "--auth=trust", "--username=wherry", "--encoding=UTF8", "--locale=C", "--no-sync")
        self._address, self._port = address, 5432
        if address:
            self._port = free_port(address)
            with (self.folder / "data/pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        self.start()
        self._migrated = ""

    def start(self) -> None:
        options = (
            f"-k {self.folder} -c listen_addresses={self._address} -p {self._port} -c fsync=off -c max_connections=200"
        )
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={self.folder}/log", f"--options={options}")

    def halt(self) -> None:
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate")

    def stop(self) -> None:
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new(self, migrated: bool) -> str:
        """Making a database takes a quarter of a second, so migrated ones are one, emptied for each test."""
        if not migrated:
            return self._create()
        if not self._migrated:
            self._migrated = self._create()
            _migrate(self._migrated)
        with psycopg.connect(self._migrated) as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(f"DELETE FROM {table.name}".encode())
        return self._migrated

    def _create(self) -> str:
        name = f"d{next(_numbers)}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://wherry@/{name}?host={self.folder}&port={self._port}"

    def url_from_afar(self, url: str) -> str:
        """Of the same database, by the address."""
        return f"postgresql://wherry@{self._address}:{self._port}/{url.partition('@/')[2].partition('?')[0]}"

    def _run(self, program: str, *arguments: str) -> None:
        argv = [str(self._programs / program), "-D", str(self.folder / "data"), *arguments]
        done = subprocess.run(
            argv, user=self._user, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert done.returncode == 0, done.stderr.decode()
