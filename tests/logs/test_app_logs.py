"""The files of the apps' logs: rotation, crashes, several processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from wherry.domain.log import Entry, LogLine, message, pieces
from wherry.logs.app_logs import FileAppLogs

from tests.contract.test_app_logs import entry, texts

SMALL = 64 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "app-logs"


def fill(logs: FileAppLogs, first: int, count: int, key: str = "c1") -> None:
    logs.append(
        1, [entry(f"line {number} {'x' * 80}", f"{number:08}", key=key) for number in range(first, first + count)]
    )


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.jsonl"))


def test_a_log_stays_under_its_cap_and_keeps_the_newest(folder: Path) -> None:
    logs = FileAppLogs(folder, SMALL)
    for start in range(0, 5000, 50):
        fill(logs, start, 50)
        assert size(folder) < SMALL * 1.2
    kept = logs.read(1, 10_000)
    assert [each.number for each in kept] == list(range(kept[0].number, 5001))
    assert len(kept) >= 250


def test_the_usual_cap_holds_1500_lines_of_the_longest(folder: Path) -> None:
    logs = FileAppLogs(folder)
    for _ in range(40):
        logs.append(1, [entry("x" * 10_000) for _ in range(50)])
    assert len(logs.read(1, 3000)) >= 1500


def test_marks_outlive_the_files_that_their_lines_were_in(folder: Path) -> None:
    FileAppLogs(folder, SMALL).append(1, [entry("once", "00000007", key="quiet")])
    for start in range(0, 3000, 100):
        fill(FileAppLogs(folder, SMALL), start, 100)
    again = FileAppLogs(folder, SMALL)
    again.append(1, [entry("once", "00000007", key="quiet"), entry("new", "00000008", key="quiet")])
    assert texts(again.read(1, 1)) == ["new"]
    assert again.mark(1, "c1") == "00002999"


def test_a_reader_goes_on_across_files_and_is_told_what_went_before_it_read(folder: Path) -> None:
    logs = FileAppLogs(folder, SMALL)
    with closing(logs.follow(1, 0, idle=0.05)) as lines:  # type: ignore[type-var]
        assert next(lines) is None
        fill(logs, 0, 200)
        seen = [next(lines).number for _ in range(150)]  # type: ignore[union-attr]
        fill(logs, 200, 3000)
        later = []
        while (kept := next(lines)) is not None:
            later.append(kept)
    assert seen == list(range(1, 151))
    gap = next(index for index, each in enumerate(later) if each.line.process == "logplex")
    numbers = [each.number for each in later]
    assert numbers[:gap] == list(range(151, 151 + gap))
    missed = numbers[gap] - (150 + gap)
    assert f"missed {missed} lines" in later[gap].line.text
    assert numbers[gap + 1 :] == list(range(numbers[gap] + 1, 3201))


def test_a_torn_line_is_skipped_and_the_next_one_whole(folder: Path) -> None:
    logs = FileAppLogs(folder)
    logs.append(1, [entry("a", "1")])
    with (folder / "1.jsonl").open("ab") as file:
        file.write(b'{"n":2,"at":"2026')
    for writer in (logs, FileAppLogs(folder)):
        writer.append(1, [entry("b", "2"), entry("b", "2")])
    assert [(each.number, each.line.text) for each in logs.read(1, 9)] == [(1, "a"), (2, "b")]


def test_a_crash_between_two_files_repeats_no_number(folder: Path) -> None:
    logs = FileAppLogs(folder)
    logs.append(1, [entry("a", "1")])
    (folder / "1.jsonl").rename(folder / "1" / f"{1:016}.jsonl")
    fresh = FileAppLogs(folder)
    fresh.append(1, [entry("a", "1"), entry("b", "2")])
    assert [(each.number, each.line.text) for each in fresh.read(1, 9)] == [(1, "a"), (2, "b")]


WRITER = """
import sys
from pathlib import Path
from wherry.domain.log import Entry, LogLine
from wherry.logs.app_logs import FileAppLogs
logs = FileAppLogs(Path(sys.argv[1]), 64 * 1024)
for number in range(10**9):
    logs.append(1, [Entry(LogLine("2026", "app", "web.1", sys.argv[2]), sys.argv[2], f"{number:09}")])
    print(number, flush=True)
"""


def test_two_processes_write_one_log_and_a_kill_loses_nothing_that_was_kept(folder: Path) -> None:
    argv = [sys.executable, "-c", WRITER, str(folder)]
    with (
        subprocess.Popen([*argv, "a"], stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen([*argv, "b"], stdout=subprocess.PIPE, text=True) as other,
    ):
        said = {name: [each.stdout.readline() for _ in range(400)] for name, each in (("a", one), ("b", other))}  # type: ignore[union-attr]
        for each in (one, other):
            each.send_signal(signal.SIGKILL)
    logs = FileAppLogs(folder, SMALL)
    logs.append(1, [entry("after")])
    numbers = [each.number for each in logs.read(1, 10_000)]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert all(logs.mark(1, name) >= f"{int(lines[-1]):09}" for name, lines in said.items())


def test_t30_a_message_is_split_at_10000_bytes_and_never_inside_a_character() -> None:
    whole = b"z" + "é".encode() * 6000
    parts = pieces(whole)
    assert [len(part) for part in parts] == [9_999, 2002]
    assert b"".join(parts) == whole
    assert [len(part) for part in pieces(b"\xbf" * 25_000)] == [9_996, 9_996, 5_008]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"progress\r", "progress"),
        (b"10%\r20%", "10%\\r20%"),
        (b"\x1b[31mred\x1b[0m \x1b]0;owned\x07", "\x1b[31mred\x1b[0m \\x1b]0;owned\\x07"),
        (b"\xff\xfeok\x00", "��ok\\x00"),
        ("\ufeffa\u2028b\u202e".encode(), "\\ufeffa\\u2028b\\u202e"),
        (b"", ""),
    ],
)
def test_t30_what_could_mislead_a_reader_is_shown_not_run(raw: bytes, shown: str) -> None:
    assert [message(piece) for piece in pieces(raw)] == [shown]


def test_a_line_is_shown_as_heroku_does() -> None:
    line = LogLine("2026-11-21T08:00:00.123456789Z", "app", "web.1", "hi")
    assert Entry(line).line.shown() == "2026-11-21T08:00:00.123456+00:00 app[web.1]: hi"
