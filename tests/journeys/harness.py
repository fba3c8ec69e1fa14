"""A real platform of its own for journeys: own data folder, own ports, real pushes with real git."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "apps"


@dataclass
class Answer:
    code: int
    out: str
    err: str = ""

    @property
    def all(self) -> str:
        return self.out + self.err


@dataclass
class Platform:
    """`wherry` and `git` run as a user would type them; `home` is the platform's data folder. `gateway`: HOST:PORT where the
    apps answer, when not at our own router.
    """

    home: Path
    user: Path
    settings: dict[str, str]
    apps: list[App] = field(default_factory=list)
    gateway: str = ""

    @classmethod
    def fresh(cls, folder: Path, **settings: str) -> Platform:
        (folder / "user").mkdir(parents=True)
        ports = {f"WHERRY_{name}_PORT": str(free_port()) for name in ("WEB", "ROUTER", "REGISTRY", "TERMINAL", "SSH")}
        quick = {"WHERRY_BOOT_SECONDS": "20", "WHERRY_STOP_SECONDS": "5"}
        given = {f"WHERRY_{name.upper()}": value for name, value in settings.items()}
        return cls(folder / "home", folder / "user", {**ports, **quick, "WHERRY_HOME": str(folder / "home"), **given})

    @property
    def apps_at(self) -> str:
        return self.gateway or f"127.0.0.1:{self.settings['WHERRY_ROUTER_PORT']}"

    @property
    def environ(self) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("WHERRY_", "GIT_", "XDG_"))}
        passed = {key: os.environ[key] for key in ("GIT_SSL_CAINFO",) if key in os.environ}
        path = f"{Path(sys.executable).parent}:{clean.get('PATH', '')}:/usr/sbin:/sbin"
        names = {f"GIT_{who}_NAME": "A User" for who in ("AUTHOR", "COMMITTER")}
        emails = {f"GIT_{who}_EMAIL": "user@example.org" for who in ("AUTHOR", "COMMITTER")}
        return {
            **clean,
            **passed,
            **names,
            **emails,
            **self.settings,
            "PATH": path,
            "HOME": str(self.user),
            "GIT_TERMINAL_PROMPT": "0",
            "NO_COLOR": "1",
        }

    def run(self, *argv: str, cwd: Path | None = None, timeout: float = 120, check: bool = True) -> Answer:
        done = subprocess.run(
            argv,
            cwd=cwd or self.user,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )
        answer = Answer(done.returncode, done.stdout, done.stderr)
        assert not check or answer.code == 0, f"{argv} ended with {answer.code}:\n{answer.all}\n{self.evidence()}"
        assert "Traceback" not in answer.all, answer.all
        return answer

    def wherry(self, *args: str, cwd: Path | None = None, check: bool = True, timeout: float = 120) -> Answer:
        return self.run(sys.executable, "-m", "wherry.cli", *args, cwd=cwd, check=check, timeout=timeout)

    def up(self) -> None:
        self.wherry("up", "--detach", timeout=400)

    def down(self) -> None:
        self.wherry("down", check=False)

    def status(self) -> dict[str, dict[str, object]]:
        found = json.loads(self.wherry("status", "--json", check=False).out)
        return {each["name"]: each for each in found["processes"]}

    def pid(self, name: str) -> int:
        pid = self.status()[name]["pid"]
        assert isinstance(pid, int), f"{name} does not run"
        return pid

    def await_ready(self) -> None:
        """Until all its processes run and those that have a door answer at it: one that was just started is no sign yet."""
        doors = {"registry": "REGISTRY", "terminal": "TERMINAL", "sshd": "SSH"}
        ports = [int(self.settings[f"WHERRY_{doors[name]}_PORT"]) for name in self.status() if name in doors]
        eventually(lambda: all(each["pid"] for each in self.status().values()))
        eventually(lambda: all(map(_listens, ports)) and _answers(f"{self.api}/health/ready"))

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.settings['WHERRY_WEB_PORT']}"

    def kill(self, name: str) -> None:
        """kill -9 of the process and all that it started in its session."""
        os.killpg(self.pid(name), signal.SIGKILL)

    def evidence(self, lines: int = 25) -> str:
        logs = sorted((self.home / "log").glob("*.log")) if self.home.exists() else []
        ends = ["\n".join(path.read_text("utf-8", "replace").split("\n")[-lines:]) for path in logs]
        return "\n".join(f"--- {path.name}\n{end}" for path, end in zip(logs, ends, strict=True))

    def create(self, name: str, sample: str) -> App:
        app = App(self, name, self.user / name)
        shutil.copytree(SAMPLES / sample, app.folder)
        app.git("init", "-q", "-b", "main")
        app.commit("First")
        self.wherry("create", name, cwd=app.folder)
        self.apps.append(app)
        return app


@dataclass
class App:
    platform: Platform
    name: str
    folder: Path

    def git(self, *args: str, check: bool = True, timeout: float = 180) -> Answer:
        return self.platform.run("git", *args, cwd=self.folder, check=check, timeout=timeout)

    def wherry(self, *args: str, check: bool = True) -> Answer:
        return self.platform.wherry(*args, cwd=self.folder, check=check)

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def say(self, text: str) -> None:
        """Changes the first line of the app's answer, and commits."""
        path = next(each for each in (self.folder / "app.py", self.folder / "server.py") if each.exists())
        path.write_text(re.sub(r'^GREETING = ".*"$', f'GREETING = "{text}"', path.read_text(), flags=re.MULTILINE))
        self.commit(f"Say {text}")

    def push(self, *args: str, check: bool = True) -> Answer:
        return self.git("push", "wherry", *(args or ("main",)), check=check)

    def start_push(self, *args: str) -> subprocess.Popen[str]:
        """A push whose output can be watched while it is written."""
        argv = ["git", "push", "wherry", *(args or ("main",))]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(argv, cwd=self.folder, env=self.platform.environ, text=True, errors="replace", **pipes)

    @property
    def url(self) -> str:
        return f"http://{self.name}.localhost:{self.platform.apps_at.rpartition(':')[2]}"

    def get(self, path: str = "/", timeout: float = 10) -> tuple[int, str]:
        request = urllib.request.Request(
            f"http://{self.platform.apps_at}{path}",
            headers={"Host": self.url.removeprefix("http://")},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode("utf-8", "replace")

    def releases(self) -> list[dict[str, object]]:
        """Newest first."""
        rows = json.loads(self.wherry("releases", "-n", "100", "--json").out)
        return sorted(rows, key=lambda row: -row["version"])

    def history(self) -> list[tuple[object, object]]:
        """(number, status) of each release, newest first."""
        return [(row["version"], row["status"]) for row in self.releases()]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def eventually(claim: Callable[[], bool], seconds: float = 90) -> None:
    """The claim becomes true within the time that a fault may take to heal."""
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "it did not become true in time"
        time.sleep(0.1)


@dataclass
class Knocks:
    requests: int = 0
    failures: list[str] = field(default_factory=list)


@contextmanager
def steady_requests(app: App, per_second: int) -> Iterator[Knocks]:
    """Requests at a steady rate, from a process of their own, while the block runs; afterwards their number and the failures."""
    knocks = Knocks()
    argv = [sys.executable, str(Path(__file__).with_name("knock.py")), app.platform.apps_at]
    argv += [app.url.removeprefix("http://"), str(per_second)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as knocker:
        assert knocker.stdin
        assert knocker.stdout
        assert knocker.stdout.readline() == "knocking\n"
        yield knocks
        knocker.stdin.close()
        *knocks.failures, total = knocker.stdout.read().rstrip("\n").split("\n")
        knocks.requests = int(total)
