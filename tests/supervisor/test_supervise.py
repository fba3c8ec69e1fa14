"""The supervisor over small real processes."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from inotify_simple import INotify, flags
from wherry.domain.errors import PlatformFault
from wherry.home import Home
from wherry.supervisor import supervise
from wherry.supervisor.service import Records, Running, Service, stop_all, this_process
from wherry.supervisor.supervise import Supervisor

STAYS = (
    "import signal, sys, time\nprint('here', flush=True)\nopen(sys.argv[1], 'a').write('started\\n')\ntime.sleep(600)\n"
)


class Bench:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.records = Records(home)
        self.said: list[str] = []
        self.supervisor = Supervisor(self.records, {"api": "http://localhost:1"}, self.said.append)

    def service(self, name: str, code: str = STAYS, **more: float) -> Service:
        marker = self.home / f"{name}.marker"
        argv = (sys.executable, "-S", "-c", code, str(marker))
        return Service(name, argv, dict(os.environ), self.home, marker.exists, **more)  # type: ignore[arg-type]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    Home(tmp_path).prepare()
    bench = Bench(tmp_path)
    yield bench
    bench.supervisor.stop(bench.supervisor.names)


def test_a_service_that_came_up_has_a_pid_file_and_a_log(bench: Bench) -> None:
    bench.supervisor.bring_up(bench.service("one"))
    running = bench.records.find("one")
    assert running is not None
    assert running.alive
    assert bench.records.last_lines("one") == ["here"]


def test_services_that_start_together_are_all_up_or_the_one_that_is_not_is_named(bench: Bench) -> None:
    bench.supervisor.bring_up(bench.service("one"), bench.service("two"))
    assert all(bench.records.find(name) for name in ("one", "two"))
    never = "import time; time.sleep(600)"
    with pytest.raises(PlatformFault, match="four did not come up"):
        bench.supervisor.bring_up(bench.service("three", never), bench.service("four", "raise SystemExit(3)"))


def test_a_slow_start_is_told_and_one_that_never_listens_is_told_from_one_that_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "READY_WITHIN", 2.0)
    monkeypatch.setattr(supervise, "TOLD_EVERY", 0.05)
    with pytest.raises(PlatformFault, match="it lives, and does not listen"):
        bench.supervisor.bring_up(bench.service("one", "import time; time.sleep(600)"))
    assert any("one: not up yet" in line for line in bench.said)
    monkeypatch.setattr(supervise, "READY_WITHIN", 60.0)
    with pytest.raises(PlatformFault, match="it ended"):
        bench.supervisor.bring_up(bench.service("two", "raise SystemExit(3)"))


def test_a_service_that_ends_at_once_is_reported_with_its_last_words(bench: Bench) -> None:
    with pytest.raises(PlatformFault) as caught:
        bench.supervisor.bring_up(bench.service("one", "print('my last words'); raise SystemExit(3)"))
    assert "my last words" in caught.value.evidence
    assert "wherry doctor" in caught.value.hint


def test_a_later_supervisor_adopts_what_runs(bench: Bench) -> None:
    bench.supervisor.bring_up(bench.service("one"))
    first = bench.records.find("one")
    later = Supervisor(bench.records, {}, bench.said.append)
    later.bring_up(bench.service("one"))
    assert bench.records.find("one") == first
    assert any("already runs" in line for line in bench.said)
    later.stop(["one"])
    assert bench.records.find("one") is None


def test_a_killed_service_is_started_again(bench: Bench) -> None:
    service = bench.service("one")
    bench.supervisor.bring_up(service)
    first = bench.records.find("one")
    assert first
    reader, writer = os.pipe()
    loop = threading.Thread(target=bench.supervisor.run, args=(reader,))
    loop.start()
    descriptor = os.pidfd_open(first.pid)
    first.signal(signal.SIGKILL)
    marker = bench.home / "one.marker"
    until_lines(marker, 2)
    os.close(descriptor)
    os.write(writer, b"x")
    loop.join(60)
    second = bench.records.find("one")
    assert second
    assert second.pid != first.pid
    assert any("ended with status -9" in line for line in bench.said)
    for end in (reader, writer):
        os.close(end)


def until_lines(path: Path, count: int) -> None:
    """Returns when the file has so many lines; the test's own time limit ends a wait for ever."""

    with INotify() as watch:
        watch.add_watch(path, flags.MODIFY | flags.CLOSE_WRITE)
        while path.read_text().count("\n") < count:
            select.select([watch.fileno()], [], [], 5)
            watch.read(0)


def test_a_service_that_ignores_the_signal_is_killed_after_its_grace(bench: Bench) -> None:
    stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STAYS
    service = bench.service("one", stubborn, grace=0.2)
    bench.supervisor.bring_up(service)
    running = bench.records.find("one")
    assert running
    bench.supervisor.stop(["one"])
    assert not running.alive
    assert any("was killed" in line for line in bench.said)


def test_a_pid_that_became_anothers_is_not_ours() -> None:
    assert this_process().alive
    assert not Running(os.getpid(), "1").alive


def test_stopping_nothing_stops_nothing() -> None:
    assert stop_all({}) == []


def test_status_names_each_process_with_its_pid(bench: Bench) -> None:

    bench.supervisor.bring_up(bench.service("one"))
    bench.supervisor.write_status("up")
    written = json.loads((bench.home / "run" / "status.json").read_text())
    (row,) = written["processes"]
    assert row["name"] == "one"
    assert row["pid"] == bench.records.find("one").pid  # type: ignore[union-attr]
    assert written["api"] == "http://localhost:1"


def test_secrets_are_made_once_by_whoever_is_first_and_read_by_the_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    code = "import sys; from pathlib import Path; from wherry.home import Home; "
    code += "print(Home(Path(sys.argv[1])).secret('x').reveal())"
    argv = [sys.executable, "-c", code, str(tmp_path)]
    together = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    seen = {process.communicate()[0] for process in together}
    assert seen == {home.secret("x").reveal() + "\n"}
    assert (tmp_path / "secrets" / "x").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_a_home_that_cannot_be_made_is_said_with_the_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformFault, match="data folder") as caught:
        Home(tmp_path / "file" / "home").prepare()
    assert "WHERRY_HOME" in caught.value.hint
