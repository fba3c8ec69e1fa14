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

_HTTP_ERROR = 22  # curl's exit code for an answer of 400 and above


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
        self._check(wishes)
        names = sorted({name for wish in wishes for name in wish.packages})
        done = self._apt("install", status, "--no-install-recommends", "-y", "-d", "--reinstall", *names)
        if done.returncode:
            facts = [line for line in done.stdout.split("\n") if line.startswith((" ", "E: "))]
            network = "Failed to fetch" in done.stdout
            message = "packages could not be fetched" if network else "these packages do not go together"
            raise Refusal(NETWORK if network else BAD_SOURCE, f"{message}: {' '.join(names)}", *facts[:8])
        for deb in (self._work / "cache/archives").glob("*.deb"):
            if deb.name.startswith("libc6_"):
                deb.unlink()  # another C library than the loader's own ends every program
            else:
                deb.rename(into / deb.name)

    def _check(self, wishes: Sequence[Wish]) -> None:
        """A clear word for packages that are not there, all at once; never another one in their place."""
        missing: list[str] = []
        for wish in wishes:
            lacking = [package for package in wish.packages if not self._has(package)]
            if lacking and wish.what:
                matches = [re.fullmatch(wish.have, each) for each in self._known()]
                have = sorted({match[1] for match in matches if match}, key=_by_number)
                there = f": have {', '.join(have) or 'none'}" if wish.have else ""
                hint = ["", wish.hint.replace("{have}", have[-1])] if wish.hint and have else []
                asked = [f"{wish.asked} asks for it"] if wish.asked else []
                raise Refusal(NOT_AVAILABLE, f"{wish.what} is not available here{there}", *asked, *hint)
            missing += lacking
        if missing:
            versions = [package for package in missing if "=" in package and self._has(package.partition("=")[0])]
            lines = [self._why_not(package) for package in missing]
            if len(lines) > 1:
                lines.insert(0, "packages are not available in this distribution")
            raise Refusal(NOT_AVAILABLE if versions == missing else BAD_SOURCE, *lines)

    def _has(self, package: str) -> bool:
        """apt-cache's exit code says nothing about a version that is not there, nor about a virtual package."""
        shown = self._run(["apt-cache", *self._options, "show", package]).stdout
        return re.search("^Package: ", shown, re.MULTILINE) is not None

    def _known(self) -> list[str]:
        return self._run(["apt-cache", *self._options, "pkgnames"]).stdout.split()

    def _why_not(self, package: str) -> str:
        name, _, version = package.partition("=")
        if version and self._has(name):
            shown = self._run(["apt-cache", *self._options, "show", name]).stdout
            have = dict.fromkeys(re.findall("^Version: (.+)$", shown, re.MULTILINE))
            return f"{name} {version} is not available here: have {', '.join(have)}"
        near = difflib.get_close_matches(name.partition(":")[0], self._known(), 4)
        return f"there is no package {name} in this distribution" + (f"; like it: {', '.join(near)}" if near else "")

    def _apt(self, command: str, status: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return self._run(["apt-get", *self._options, "-o", f"Dir::State::status={status}", command, *more])

    def _run(self, argv: list[str]) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        stdout, errors = subprocess.PIPE, subprocess.STDOUT
        return subprocess.run(argv, env=env, stdout=stdout, stderr=errors, text=True, errors="replace", check=False)


def _by_number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall("[0-9]+", version))


def fetch_deb(url: str, into: Path) -> None:
    """One .deb file by its address, checked where a digest stands with it. Raises Refusal."""
    address, _, digest = url.partition("#sha256=")
    target = into / f"url-{hashlib.sha256(address.encode()).hexdigest()[:16]}.deb"
    argv = ["curl", "-fsSL", "--proto", "=http,https", "--retry", "2", "-o", str(target), "--", address]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode == _HTTP_ERROR:
        raise Refusal(BAD_SOURCE, f"{address} is not there", done.stderr.strip()[:300])
    if done.returncode:
        raise Refusal(NETWORK, f"{address} could not be fetched", done.stderr.strip()[:300])
    found = hashlib.sha256(target.read_bytes()).hexdigest()
    if digest and found != digest:
        raise Refusal(BAD_SOURCE, f"{address} is another file than the Aptfile says", f"its sha256 is {found}")
    if subprocess.run(["dpkg-deb", "--info", target], capture_output=True, check=False).returncode:
        raise Refusal(BAD_SOURCE, f"{address} is not a package of Debian's format")
