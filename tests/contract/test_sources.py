"""What every Sources adapter must do: bare repositories, and the one in memory."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest
from wherry.domain.errors import PushRefused
from wherry.flow.ports import Sources
from wherry.hook import FOLDER
from wherry.sources.repositories import Repositories

from tests.fakes.sources import InMemorySources
from tests.sources.workshop import Workshop


class Stock(Protocol):
    """An adapter, and the means to put commits into it."""

    @property
    def sources(self) -> Sources: ...

    def put(self, app_id: int, files: Mapping[str, bytes], branch: str | None = None) -> str: ...


class GitStock:
    def __init__(self, folder: Path) -> None:
        self.sources = Repositories(folder / "sources", FOLDER)

    def put(self, app_id: int, files: Mapping[str, bytes], branch: str | None = None) -> str:
        return Workshop(self.sources.path(app_id)).files(files, branch)


class MemoryStock:
    def __init__(self, folder: Path) -> None:
        self.sources = InMemorySources(folder)
        self._commits = 0

    def put(self, app_id: int, files: Mapping[str, bytes], branch: str | None = None) -> str:
        self._commits += 1
        commit = f"{self._commits:040x}"
        self.sources.put(commit, files)
        if branch:
            self.sources.move(app_id, branch, commit)
        return commit


@pytest.fixture(params=[GitStock, MemoryStock], ids=["git", "memory"])
def stock(request: pytest.FixtureRequest, tmp_path: Path) -> Stock:
    made: Stock = request.param(tmp_path)
    made.sources.create(1)
    return made


def test_a_new_repository_has_no_branch(stock: Stock) -> None:
    assert stock.sources.head(1, "main") is None


def test_a_branch_points_at_its_commit(stock: Stock) -> None:
    main = stock.put(1, {"a": b"1"}, "main")
    below = stock.put(1, {"a": b"2"}, "main-2/x")
    assert (stock.sources.head(1, "main"), stock.sources.head(1, "main-2/x")) == (main, below)
    assert (stock.sources.head(1, "main-2"), stock.sources.head(1, "other")) == (None, None)


def test_apps_are_apart(stock: Stock) -> None:
    stock.sources.create(2)
    stock.put(1, {"a": b"1"}, "main")
    assert stock.sources.head(2, "main") is None


def test_creating_twice_keeps_what_is_there(stock: Stock) -> None:
    commit = stock.put(1, {"a": b"1"}, "main")
    stock.sources.create(1)
    assert stock.sources.head(1, "main") == commit


def test_removing_twice_is_removing_once_and_a_new_start_is_empty(stock: Stock) -> None:
    stock.put(1, {"a": b"1"}, "main")
    stock.sources.remove(1)
    stock.sources.remove(1)
    assert stock.sources.head(1, "main") is None
    stock.sources.create(1)
    assert stock.sources.head(1, "main") is None


def test_an_export_is_the_commits_files(stock: Stock) -> None:
    commit = stock.put(1, {"Procfile": b"web: x\n", "src/a": b"\0" * 1000})
    source = stock.sources.export(1, commit, None)
    assert source.commit == commit
    with tarfile.open(source.archive) as tar:
        read = {member.name: file.read() for member in tar if (file := tar.extractfile(member))}
    assert read == {"Procfile": b"web: x\n", "src/a": b"\0" * 1000}


def test_one_tree_is_one_archive_whatever_its_commit(stock: Stock) -> None:
    first, second = stock.put(1, {"a": b"1"}), stock.put(1, {"a": b"1"}, "main")
    other = stock.put(1, {"a": b"2"})
    exports = [stock.sources.export(1, commit, None) for commit in (first, second, other, first)]
    assert exports[0].tree == exports[1].tree != exports[2].tree
    assert exports[0].archive == exports[1].archive != exports[2].archive
    assert exports[3] == exports[0]


def test_a_commit_without_files_is_refused(stock: Stock) -> None:
    commit = stock.put(1, {})
    with pytest.raises(PushRefused, match="nothing to build"):
        stock.sources.export(1, commit, None)


def test_an_app_json_is_read_with_the_tree_and_its_faults_refuse_the_push(stock: Stock) -> None:
    said = b'{"cron": [{"command": "bin/tidy", "schedule": "0 1 * * *"}]}'
    source = stock.sources.export(1, stock.put(1, {"app.json": said}), None)
    assert [each.command for each in source.wishes.cron] == ["bin/tidy"]
    assert not stock.sources.export(1, stock.put(1, {"a": b"1"}), None).wishes.cron
    broken = b'{"env": {"1A": ""}, "cron": [{"command": ""}]}'
    with pytest.raises(PushRefused) as caught:
        stock.sources.export(1, stock.put(1, {"app.json": broken}), None)
    assert [each.split(": ")[1] for each in caught.value.evidence] == ["env.1A", "cron[0].command", "cron[0].schedule"]
