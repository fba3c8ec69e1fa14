"""Repositories on disk: made whole, mended, looked after, removed."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest
from wherry.domain.errors import PlatformFault
from wherry.hook import FOLDER
from wherry.settings import Settings
from wherry.sources import upkeep
from wherry.sources.policy import MIB, Limits, config
from wherry.sources.repositories import Repositories

from tests.sources.door import Door, accept
from tests.sources.looks import assert_soon, every_ref
from tests.sources.workshop import Workshop, clean_environment


def setting(repositories: Repositories, key: str) -> list[str]:
    argv = ["git", "config", f"--file={repositories.path(1)}/config", "--get-all", key]
    return subprocess.run(argv, capture_output=True, check=True, env=clean_environment()).stdout.decode().splitlines()


def test_git_reads_the_configuration_as_it_is_meant(repositories: Repositories) -> None:
    assert setting(repositories, "core.hooksPath") == [str(FOLDER)]
    assert setting(repositories, "transfer.hideRefs") == ["refs", "!refs/heads", "!refs/tags"]
    assert setting(repositories, "receive.maxInputSize") == [str(512 * MIB)]
    assert setting(repositories, "receive.fsck.badTimezone") == ["warn"]


def test_a_folder_with_a_strange_name_is_quoted() -> None:
    text = config(Limits(), Path('/a "b"\\c'))
    argv = ["git", "config", "--file=-", "core.hooksPath"]
    done = subprocess.run(argv, input=text.encode(), capture_output=True, check=True, env=clean_environment())
    assert done.stdout == b'/a "b"\\c\n'


def test_limits_come_from_the_settings() -> None:
    settings = Settings.load({"WHERRY_HOME": "/x", "WHERRY_MAX_PUSH_MB": "7", "WHERRY_MAX_TREE_FILES": "9"})
    assert Limits.of(settings) == Limits(push=7 * MIB, tree=2048 * MIB, files=9)


def test_a_new_repository_is_whole_or_not_there(tmp_path: Path) -> None:
    made = Repositories(tmp_path, FOLDER)
    made.create(5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["5.git"]
    assert sorted(path.name for path in made.path(5).iterdir()) == ["HEAD", "config", "objects", "refs"]


def test_many_that_create_at_once_make_one(tmp_path: Path) -> None:
    made = Repositories(tmp_path, FOLDER)
    faults: list[Exception] = []

    def create() -> None:
        try:
            made.create(1)
        except PlatformFault as fault:
            faults.append(fault)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.git"]


def test_t06_a_changed_configuration_is_written_again_before_a_push(
    door: Door, workshop: Workshop, tmp_path: Path
) -> None:
    path = door.repositories.path(1) / "config"
    ours = path.read_bytes()
    path.write_text(f"[core]\n\tbare = true\n\thooksPath = {tmp_path}\n")
    workshop.files({"a": b"a"})
    assert workshop.push(door.repository(), "main:topic")[0] == 0
    assert path.read_bytes() == ours
    assert door.asked != []


def test_t06_hooks_in_the_repository_never_run(door: Door, workshop: Workshop, tmp_path: Path) -> None:
    hooks = door.repositories.path(1) / "hooks"
    hooks.mkdir()
    for name in ("pre-receive", "update", "post-update", "reference-transaction", "proc-receive", "post-receive"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/canary\n")
        (hooks / name).chmod(0o755)
    workshop.files({"a": b"a"})
    assert workshop.push(door.repository())[0] == 0
    assert not (tmp_path / "canary").exists()


def test_a_push_past_our_door_is_refused_by_the_hook(repositories: Repositories, workshop: Workshop) -> None:
    workshop.files({"a": b"a"})
    code, said = workshop.push(str(repositories.path(1)))
    assert code == 1
    assert "takes pushes through the platform only: git push wherry main" in said
    assert every_ref(repositories) == []


def test_removing_also_takes_what_an_earlier_try_left(repositories: Repositories, inside: Workshop) -> None:
    repositories.export(1, inside.files({"a": b"a"}), None)
    (repositories.folder / ".1-gone-abc").mkdir()
    (repositories.folder / ".11-gone-abc").mkdir()
    repositories.remove(1)
    assert [path.name for path in repositories.folder.iterdir()] == [".11-gone-abc"]


@pytest.mark.parametrize("branch", ["", "-x", "../x", "main\n", "ma*n", "x" * 101, "ma in"])
def test_a_branch_that_cannot_deploy_has_no_head(repositories: Repositories, inside: Workshop, branch: str) -> None:
    inside.files({"a": b"a"})
    assert repositories.head(1, branch) is None


def test_a_head_in_packed_refs_is_found(repositories: Repositories, inside: Workshop) -> None:
    commit = inside.files({"a": b"a"})
    inside.git("pack-refs", "--all")
    assert repositories.head(1, "main") == commit


def test_a_repository_that_cannot_be_made_is_our_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PlatformFault, match="cannot make the repository of app 1"):
        Repositories(tmp_path / "file", FOLDER).create(1)


def test_git_that_fails_is_our_fault_with_a_line_to_paste(repositories: Repositories) -> None:
    (repositories.path(1) / "HEAD").write_text("nonsense")
    with pytest.raises(PlatformFault) as caught:
        repositories.head(1, "main")
    assert caught.value.evidence[0].startswith(f"$ git --git-dir={repositories.path(1)} for-each-ref")
    assert "not a git repository" in caught.value.evidence[1]


def test_packs_are_joined_after_a_push_and_nothing_is_lost(
    door: Door, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.answer = accept
    monkeypatch.setattr(upkeep, "MOST_PACKS", 3)
    packs = door.repositories.path(1) / "objects/pack"
    commits: list[str] = []
    for n in range(5):
        commits.append(workshop.files({"a": b"%d" % n}, "main", *commits[-1:]))
        assert workshop.push(door.repository())[0] == 0
    assert_soon(lambda: len(list(packs.glob("*.pack"))) <= 3)
    assert door.repositories.head(1, "main") == commits[-1]
    for commit in commits:
        door.repositories.export(1, commit, None)
