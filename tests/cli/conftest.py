from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.api.house import House, open_house

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@dataclass
class Said:
    code: int
    out: str
    err: str


def _interruptible() -> None:
    """A test run that was started in the background has its children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Terminal:
    """A user who types `wherry` in `folder`, with a home of their own."""

    house: House
    home: Path
    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        names = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        kept = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GIT_TERMINAL_PROMPT": "0",
            "PYTHONWARNINGS": "error",
        }
        nowhere = {"WHERRY_HOME": str(self.home / "no-platform")}
        return {**kept, **names, **nowhere, **self.env}

    def start(self, *args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "wherry.cli", *args],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_interruptible,
        )

    def wherry(self, *args: str, stdin: str | None = None) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "wherry.cli", *args],
            cwd=self.folder,
            env=self.environ,
            input=stdin if stdin is not None else "",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def git(self, *args: str) -> Said:
        done = subprocess.run(
            ["git", *args], cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def terminal(house: House, tmp_path: Path) -> Terminal:
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    key = {"WHERRY_API_URL": house.url, "WHERRY_API_KEY": house.token("owner")}
    return Terminal(house, tmp_path / "home", tmp_path / "work", key)


@pytest.fixture
def app(house: House) -> str:
    """An app of the owner with one release."""
    name = f"cli-{next(_numbers)}"
    house.create(name)
    house.release(name)
    return name
