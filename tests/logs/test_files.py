"""Log files: what a crash, a full file, a hostile name or another process does to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.logs import files
from wherry.logs.files import CUT, FileLogs

WRITER = """
import sys
from pathlib import Path
from wherry.logs.files import FileLogs
logs = FileLogs(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    logs.append("build-1", f"{sys.argv[3]} {number}")
    print(number, flush=True)
"""

CUT_SHORT = """
import resource, signal, sys
from pathlib import Path
from wherry.domain.errors import PlatformFault
from wherry.logs.files import FileLogs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    for _ in range(6):
        FileLogs(Path(sys.argv[1])).append("build-1", "x" * 900)
except PlatformFault as error:
    print(error)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def logs(folder: Path) -> FileLogs:
    return FileLogs(folder)


@pytest.mark.parametrize("torn", [1, 10, 30, -2, -1])
def test_a_torn_last_line_is_ignored_and_the_next_append_repairs(logs: FileLogs, folder: Path, torn: int) -> None:
    logs.append("build-1", "a")
    logs.append("build-1", "torn")
    path = folder / "build-1.jsonl"
    first, second, _ = path.read_bytes().split(b"\n")
    path.write_bytes(first + b"\n" + (second + b"\n")[:torn])
    assert logs.read("build-1") == ["a"]
    logs.append("build-1", "b")
    logs.close("build-1", "succeeded")
    assert (logs.read("build-1"), logs.outcome("build-1")) == (["a", "b"], "succeeded")
    assert list(logs.follow("build-1")) == ["a", "b"]


def test_a_torn_end_is_no_end(logs: FileLogs, folder: Path) -> None:
    logs.append("build-1", "a")
    with (folder / "build-1.jsonl").open("ab") as file:
        file.write(b'{"end": "failed"}')
    assert logs.outcome("build-1") is None
    logs.append("build-1", "b")
    logs.close("build-1", "succeeded")
    assert (list(logs.follow("build-1")), logs.outcome("build-1")) == (["a", "b"], "succeeded")


def test_zeros_that_a_power_cut_left_are_skipped(logs: FileLogs, folder: Path) -> None:
    logs.append("build-1", "a")
    with (folder / "build-1.jsonl").open("ab") as file:
        file.write(bytes(5000))
    logs.append("build-1", "b")
    assert logs.read("build-1") == ["a", "b"]


def test_t18_a_log_ends_with_one_note_at_10_mib(logs: FileLogs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert files.MOST_BYTES == 10 * 1024 * 1024
    monkeypatch.setattr(files, "MOST_BYTES", 10_000)
    for _ in range(30):
        logs.append("build-1", "x" * 900)
    logs.append("build-1", "small")
    logs.close("build-1", "failed")
    lines = logs.read("build-1")
    assert lines[-1] == CUT
    assert set(lines[:-1]) == {"x" * 900}
    assert (folder / "build-1.jsonl").stat().st_size < 10_300
    assert logs.outcome("build-1") == "failed"


def test_a_line_longer_than_the_tail_comes_back_whole(logs: FileLogs) -> None:
    long = "é" * 100_000
    logs.append("build-1", long)
    logs.append("build-1", "b")
    assert logs.read("build-1") == [long, "b"]


@pytest.mark.parametrize(
    "stream",
    ["", "build", "build-", "build-0", "build-01", "Build-1", "../build-1", "build-1\n", "build-1/x", "a-" + "9" * 20],
)
def test_a_name_outside_the_grammar_is_refused(logs: FileLogs, folder: Path, stream: str) -> None:
    for use in (lambda: logs.append(stream, "a"), lambda: logs.read(stream), lambda: next(logs.follow(stream))):
        with pytest.raises(InvalidInput):
            use()
    assert not folder.exists()


def test_others_cannot_read_the_logs(logs: FileLogs, folder: Path) -> None:
    logs.append("build-1", "a")
    assert (folder.stat().st_mode & 0o777, (folder / "build-1.jsonl").stat().st_mode & 0o777) == (0o700, 0o600)


def test_a_link_is_not_followed(logs: FileLogs, folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "build-1.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PlatformFault):
        logs.append("build-1", "a")
    assert not (tmp_path / "elsewhere").exists()


def test_a_disk_that_fails_is_our_fault(logs: FileLogs, folder: Path) -> None:
    folder.write_text("not a folder")
    with pytest.raises(PlatformFault) as caught:
        logs.append("build-1", "a")
    assert isinstance(caught.value.__cause__, OSError)


def test_a_write_that_the_disk_cut_short_is_our_fault_and_repaired(logs: FileLogs, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CUT_SHORT, str(folder)], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("the log build-1 cannot be used\n", 0), done.stderr
    assert (folder / "build-1.jsonl").stat().st_size == 5000
    logs.append("build-1", "after")
    assert logs.read("build-1") == ["x" * 900] * 5 + ["after"]


def test_two_processes_may_write_one_log(logs: FileLogs, folder: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), "300", name], stdout=subprocess.DEVNULL)
        for name in ("a", "b")
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    lines = logs.read("build-1")
    assert [line for line in lines if line[0] == "a"] == [f"a {number}" for number in range(300)]
    assert [line for line in lines if line[0] == "b"] == [f"b {number}" for number in range(300)]


def test_a_reader_follows_another_process_and_a_kill_loses_no_acknowledged_line(logs: FileLogs, folder: Path) -> None:
    argv = [sys.executable, "-c", WRITER, str(folder), "1000000", "a"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as writer:
        lines = logs.follow("build-1", idle=30)
        assert [next(lines) for _ in range(100)] == [f"a {number}" for number in range(100)]
        writer.send_signal(signal.SIGKILL)
        acknowledged = writer.stdout.read().split("\n")[:-1] if writer.stdout else []
        lines.close()
    logs.append("build-1", "after")
    kept = logs.read("build-1")
    assert kept[-1] == "after"
    assert kept[: len(acknowledged)] == [f"a {number}" for number in range(len(acknowledged))]


def test_a_hundred_readers_take_one_watch_and_one_thread(logs: FileLogs) -> None:
    _wait_for_watches()
    others = _inotifies()  # other tests of this process have theirs
    logs.append("build-1", "a")
    readers = [logs.follow("build-1", idle=30) for _ in range(100)]
    assert {next(reader) for reader in readers} == {"a"}
    assert (len(_watches()), _inotifies()) == (1, others + 1)
    logs.close("build-1", "succeeded")
    assert [list(reader) for reader in readers] == [[]] * 100
    _wait_for_watches()
    assert _inotifies() == others


def _watches() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "log watch"]


def _wait_for_watches() -> None:
    for thread in _watches():
        thread.join(timeout=60)


def _inotifies() -> int:
    links = []
    for each in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{each}"))
        except FileNotFoundError:
            continue
    return links.count("anon_inode:inotify")
