"""apt as a plain user, in folders of its own: nothing is installed, and no script of a package runs."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from wishes import BAD_SOURCE, NETWORK, NOT_AVAILABLE, Refusal, Wish

BUILD_STATUS = Path("/var/lib/dpkg/status")
RUN_STATUS = Path("/var/lib/dpkg/status-run")
"""What the run image has, when the build image says so: what is missing there must come along."""


class Mirror:
    """`work` is a folder that may be filled."""

    def __init__(self, work: Path, repositories: Sequence[str]) -> None:
        self._work = work
        for name in ("state/lists/partial", "cache/archives/partial", "parts"):
            (work / name).mkdir(parents=True)
        self._options = [
            *("-q", "-o", f"Dir::State={work}/state", "-o", f"Dir::Cache={work}/cache"),
            *("-o", "Debug::NoLocking=1", "-o", "Acquire::Languages=none", "-o", "Acquire::Retries=3"),
        ]
        if repositories:
            own = "/etc/apt/sources.list"
            listed = Path(own).read_text() if Path(own).exists() else ""
            (work / "sources.list").write_text("\n".join([listed, *repositories, ""]))
            self._options += ["-o", f"Dir::Etc::sourcelist={work}/sources.list"]

    def update(self) -> None:
        """Raises Refusal when no list could be fetched."""
        done = self._apt("update", BUILD_STATUS)
        if done.returncode or re.search(r"^(E|Err|W: Failed)", done.stdout, re.MULTILINE):
            facts = [line for line in done.stdout.split("\n") if line.startswith(("E: ", "Err:", "W: "))]
            raise Refusal(NETWORK, "the lists of Debian packages could not be fetched", *facts[:4])

    def fetch(self, wishes: Sequence[Wish], status: Path, into: Path) -> None:
        """The packages and all that they need beyond `status`. Raises Refusal."""
        for wish in wishes:
            self._check(wish)
        names = sorted({name for wish in wishes for name in wish.packages})
        if not names:
            return
        done = self._apt("install", status, "--no-install-recommends", "-y", "-d", "--reinstall", *names)
        if done.returncode:
            facts = [line for line in done.stdout.split("\n") if line.startswith((" ", "E: "))]
            network = "Failed to fetch" in done.stdout
            message = "packages could not be fetched" if network else "these packages do not go together"
            raise Refusal(NETWORK if network else BAD_SOURCE, f"{message}: {' '.join(names)}", *facts[:8])
        into.mkdir(parents=True, exist_ok=True)
        for deb in (self._work / "cache/archives").glob("*.deb"):
            deb.rename(into / deb.name)

    def fetch_deb(self, url: str, into: Path) -> None:
        """One .deb file by its address, checked where a digest stands with it. Raises Refusal."""
        address, _, digest = url.partition("#sha256=")
        into.mkdir(parents=True, exist_ok=True)
        target = into / f"url-{hashlib.sha256(address.encode()).hexdigest()[:16]}.deb"
        argv = ["curl", "-fsSL", "--proto", "=http,https", "--retry", "2", "-o", str(target), "--", address]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refusal(NETWORK, f"{address} could not be fetched", done.stderr.strip()[:300])
        found = hashlib.sha256(target.read_bytes()).hexdigest()
        if digest and found != digest:
            raise Refusal(BAD_SOURCE, f"{address} is another file than the Aptfile says", f"sha256 {found}")

    def _check(self, wish: Wish) -> None:
        """A clear word for a package that is not there; never another one in its place."""
        for package in wish.packages:
            name = re.split("[:=]", package)[0]
            shown = self._run(["apt-cache", *self._options, "show", package])
            if shown.returncode == 0 and shown.stdout.strip():
                continue
            known = self._run(["apt-cache", *self._options, "pkgnames"]).stdout.split()
            if wish.what:
                matches = [re.fullmatch(wish.have, each) for each in known]
                have = sorted({match[1] for match in matches if match}, key=_by_number)
                raise Refusal(NOT_AVAILABLE, f"{wish.what} is not available here: have {', '.join(have) or 'none'}")
            near = difflib.get_close_matches(name, known, 4)
            like = [f"Like it: {', '.join(near)}"] if near else []
            raise Refusal(BAD_SOURCE, f"there is no package {package} in this distribution", *like)

    def _apt(self, command: str, status: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return self._run(["apt-get", *self._options, "-o", f"Dir::State::status={status}", command, *more])

    def _run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        stdout, errors = subprocess.PIPE, subprocess.STDOUT
        return subprocess.run(argv, env=env, stdout=stdout, stderr=errors, text=True, errors="replace", check=False)


def _by_number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall("[0-9]+", version))
