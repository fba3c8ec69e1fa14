"""One process of several at a time, and those that wait can be asked to go."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

from tests.journeys.harness import eventually

WAITS = """
import sys
from pathlib import Path
from wherry.supervisor.turn import turn
with turn(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.readline()
"""


def waiting(path: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", WAITS, str(path)]
    made = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    eventually(
        lambda: any("->" in line and f" {made.pid} " in line for line in Path("/proc/locks").read_text().split("\n"))
    )
    return made


def test_who_waits_for_a_turn_ends_when_asked_to_and_gets_it_when_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with waiting(path) as asked_to_go:
            asked_to_go.send_signal(signal.SIGTERM)
            assert asked_to_go.wait(30) == 0
        with waiting(path) as patient:
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert patient.stdout is not None
            assert patient.stdout.readline() == "mine\n"
            patient.communicate("\n", timeout=30)
