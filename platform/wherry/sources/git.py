"""The one place that starts git: fixed argv, fixed environment, no shell, nothing inherited from ours but where git lies.

Callers give object ids and options of their own; users' text never stands in an argv.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from wherry.domain.errors import PlatformFault
from wherry.sources.faults import git_failed

RUN_SECONDS = 60.0

_WHERE_GIT_LIES = ("GIT_EXEC_PATH", "GIT_TEMPLATE_DIR", "LD_LIBRARY_PATH")
"""Beside PATH, for a git that was not installed at its own place (a layer of the platform's own image)."""

# A delta of a few bytes may ask for gigabytes. RLIMIT_DATA bounds what git allocates, not what it maps from packs.
_GUARD = ("prlimit", "--data=2147483648", "--core=0")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a git of ours. No file but the repository's own config is read."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        **{name: os.environ[name] for name in _WHERE_GIT_LIES if name in os.environ},
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **(extra or {}),
    }


def command(repository: Path, arguments: Sequence[str]) -> list[str]:
    """Naming the folder also turns off git's search for one, and what it would read on the way."""
    return ["git", f"--git-dir={repository}", *arguments]


def run(argv: Sequence[str], seconds: float = RUN_SECONDS) -> bytes:
    """git's output. Raises PlatformFault with the line and what it said, when it fails or takes too long."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(),
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlatformFault(f"cannot run git: {error}", hint="Is git installed? git --version") from error
    if done.returncode:
        raise git_failed(argv, done.returncode, done.stderr or done.stdout)
    return done.stdout


def guarded(argv: Sequence[str]) -> list[str]:
    """The same under the memory limit."""
    return [*_GUARD, *argv]


@dataclass(frozen=True)
class Conversation:
    """A git under way: `ask` is its stdin, `answer` its stdout."""

    ask: IO[bytes]
    answer: IO[bytes]


@contextmanager
def talk(argv: Sequence[str], extra: Mapping[str, str] | None = None) -> Iterator[Conversation]:
    """A git that is read while it works, under a memory limit; ended with the block, however that ends.

    Raises PlatformFault when it fails; the block raises EOFError for an answer that stopped short. Other errors of
    the block leave as they are.
    """
    with tempfile.TemporaryFile() as errors:
        child = _start(argv, extra, errors)
        ask, answer = child.stdin, child.stdout
        if ask is None or answer is None:
            raise PlatformFault("git was started without pipes")
        whole = cut = False
        try:
            yield Conversation(ask, answer)
            whole = True
        except (EOFError, BrokenPipeError):
            cut = True
        finally:
            if not (whole or cut):
                child.kill()
            _hang_up(ask)
            answer.close()
            code = child.wait()
        if code or cut:
            errors.seek(0)
            raise git_failed(argv, code, errors.read(1 << 16))


def _start(argv: Sequence[str], extra: Mapping[str, str] | None, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [*_GUARD, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=1 << 18,
            env=environment(extra),
        )
    except OSError as error:
        raise PlatformFault(f"cannot run git: {error}", hint="Are git and util-linux installed?") from error


def _hang_up(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return  # it ended before it read all: its exit code tells why


@cache
def http_backend(*, guarded: bool) -> tuple[str, ...]:
    """The argv of git's own CGI, without the detour through the `git` program; `guarded`, under the memory limit.

    Raises PlatformFault when this git came without it.
    """
    program = Path(run(["git", "--exec-path"]).decode().strip()) / "git-http-backend"
    if not os.access(program, os.X_OK):
        raise PlatformFault(f"git has no HTTP transport: {program} is not there", hint="Install the whole of git.")
    return (*(_GUARD if guarded else ()), str(program))
