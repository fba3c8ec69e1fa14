"""The file of the master key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from wherry.domain.errors import PlatformFault
from wherry.ledger.master_key import load_or_create_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "master.key"


def test_the_first_call_makes_a_key_and_the_next_ones_read_it(path: Path) -> None:
    key = load_or_create_key(path)
    assert len(key) == 32
    assert load_or_create_key(path) == key
    assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert [each.name for each in path.parent.iterdir()] == ["master.key"]


def test_two_files_hold_different_keys(tmp_path: Path) -> None:
    assert load_or_create_key(tmp_path / "a") != load_or_create_key(tmp_path / "b")


def test_processes_that_start_at_once_agree_on_one_key(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from wherry.ledger.master_key import load_or_create_key;"
        "print('ready', flush=True); sys.stdin.readline(); print(load_or_create_key(Path(sys.argv[1])).hex())"
    )
    pipe = subprocess.PIPE
    starts = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=pipe, stdout=pipe, text=True) for _ in range(6)
    ]
    for start in starts:
        assert start.stdout is not None
        start.stdout.readline()
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("go\n")
        start.stdin.flush()
    assert {start.communicate(timeout=60)[0] for start in starts} == {load_or_create_key(path).hex() + "\n"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused_with_the_way_out(path: Path, mode: int) -> None:
    load_or_create_key(path)
    path.chmod(mode)
    with pytest.raises(PlatformFault, match="others may read") as caught:
        load_or_create_key(path)
    assert caught.value.hint == f"chmod 600 {path}"


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 64, b"ab" * 31, b"ab" * 33, b"AB" * 32, b"ab" * 32 + b"\n\n"])
def test_a_file_with_anything_else_in_it_is_refused_and_kept(path: Path, content: bytes) -> None:
    load_or_create_key(path)
    path.write_bytes(content)
    with pytest.raises(PlatformFault, match="does not hold a master key"):
        load_or_create_key(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_not_a_plain_file_is_refused(path: Path, kind: str, tmp_path: Path) -> None:
    path.parent.mkdir()
    if kind == "link":
        load_or_create_key(tmp_path / "real")
        path.symlink_to(tmp_path / "real")
    elif kind == "folder":
        path.mkdir(0o700)
    else:
        os.mkfifo(path, 0o600)
    with pytest.raises(PlatformFault):
        load_or_create_key(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_refused(path: Path) -> None:
    load_or_create_key(path)
    os.chown(path, 65534, 65534)
    with pytest.raises(PlatformFault, match="not a file of ours"):
        load_or_create_key(path)
