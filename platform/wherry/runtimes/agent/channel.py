"""How programs are run inside a container that is running already, at about 2 ms each.

The container's first process is AGENT, a shell loop. It and we speak through FIFOs in a folder that the container sees
read-only:

    commands   we write the name of a script in the folder; the agent runs it
    output     programs write here, we read; so what a program wrote before its end is there when its end is told
    results    "<script> <exit code>", or "ready" once
    alive      the agent holds it open and writes nothing: when it hangs up, the agent is gone

A script holds one program with its environment, quoted for a POSIX shell: between single quotes every byte stands for
itself. We open each FIFO before the container runs and never again by its name, so nothing in there can make us open
another file. When we die, the agent reads end-of-file and ends, and the container with it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

FOLDER = "/run/wherry"
AGENT = f"""
cd /
exec 3<{FOLDER}/commands 4>{FOLDER}/results 5>{FOLDER}/alive
echo ready >&4
while IFS= read -r script <&3; do
  (. {FOLDER}/"$script") 3<&- 4>&- 5>&- </dev/null >{FOLDER}/output 2>&1
  code=$?
  kill -9 -1 2>/dev/null
  jobs
  echo "$script $code" >&4
done
"""
_RESULT = re.compile(rb"([0-9]+-[0-9a-f]{16}) ([0-9]{1,3})")


def lay(folder: Path) -> None:
    """Makes the mounted folder `inside` of `folder`, which is new and empty, and ours alone."""
    inside = folder / "inside"
    inside.mkdir()
    inside.chmod(0o755)
    # The one user in the container reads commands and writes the others; nobody else gets into `folder`.
    for name, mode in (("commands", 0o644), ("results", 0o622), ("output", 0o622), ("alive", 0o622)):
        os.mkfifo(inside / name)
        (inside / name).chmod(mode)


class Channel:
    """Our end, in a folder that `lay` has made."""

    def __init__(self, folder: Path) -> None:
        self.inside = folder / "inside"
        self._open: list[int] = []
        self._commands_reader = self._fd("commands", os.O_RDONLY | os.O_NONBLOCK)
        self._commands = self._fd("commands", os.O_WRONLY | os.O_NONBLOCK)
        self.results = self._fd("results", os.O_RDONLY | os.O_NONBLOCK)
        self.output = self._fd("output", os.O_RDONLY | os.O_NONBLOCK)
        self.alive = self._fd("alive", os.O_RDONLY | os.O_NONBLOCK)
        # A writer of our own keeps poll(2) quiet while no program writes.
        self._fd("results", os.O_WRONLY | os.O_NONBLOCK)
        self._fd("output", os.O_WRONLY | os.O_NONBLOCK)
        self._rest = b""
        self._count = 0

    def moved(self, folder: Path) -> None:
        """The folder has another name now."""
        self.inside = folder / "inside"

    def agent_is_ready(self) -> None:
        """From now on the agent is the only reader of commands, so writing to a dead one fails."""
        self._open.remove(self._commands_reader)
        os.close(self._commands_reader)

    def send(self, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> str:
        """Starts one program; the name by which its result will be known. Raises BrokenPipeError when the agent is
        gone.
        """
        self._count += 1
        name = f"{self._count}-{secrets.token_hex(8)}"
        descriptor = os.open(self.inside / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(script(argv, env, cwd))
            os.fchmod(file.fileno(), 0o644)  # whatever our umask is
        os.write(self._commands, name.encode() + b"\n")
        return name

    def received(self) -> list[tuple[str, int]]:
        """Results that have come: (name, exit code); ("ready", 0) for the agent's first word."""
        lines = (self._rest + read_all(self.results)).split(b"\n")
        self._rest = lines.pop()[-100:]
        found = []
        for line in lines:
            if match := _RESULT.fullmatch(line):
                found.append((match[1].decode(), int(match[2])))
            elif line == b"ready":
                found.append(("ready", 0))
        return found

    def finished(self, name: str) -> None:
        (self.inside / name).unlink(missing_ok=True)

    def close(self) -> None:
        while self._open:
            os.close(self._open.pop())

    def _fd(self, name: str, flags: int) -> int:
        descriptor = os.open(self.inside / name, flags | os.O_CLOEXEC)
        self._open.append(descriptor)
        return descriptor


def script(argv: Sequence[str], env: Mapping[str, str], cwd: str) -> bytes:
    """A shell script that becomes `argv` in `cwd` with exactly `env`.

    Raises ValueError for what execve(2) cannot carry: NUL, an empty or "="-bearing name, a program name with "=" (that
    env(1) would take for a variable).
    """
    if not argv or not argv[0] or "=" in argv[0]:
        raise ValueError(f"not a program: {list(argv)!r}")
    if bad := [name for name in env if not name or "=" in name]:
        raise ValueError(f"not names of variables: {bad!r}")
    words = ["exec", "/usr/bin/env", "-i", "--", *(f"{name}={value}" for name, value in env.items()), *argv]
    quoted = [words[0], *map(quote, words[1:])]
    text = f"cd -- {quote(cwd)} || exit 126\n{' '.join(quoted)}\n"
    if "\0" in text:
        raise ValueError("a NUL byte in an argument or variable")
    return os.fsencode(text) if text.isascii() else text.encode("utf-8", "surrogateescape")


def quote(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def read_all(descriptor: int, most: int = 1 << 20) -> bytes:
    """What a non-blocking descriptor holds now, up to about `most` bytes."""
    parts: list[bytes] = []
    size = 0
    while size < most:
        try:
            part = os.read(descriptor, 65536)
        except BlockingIOError:
            break
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)
