"""One tree out of a repository elsewhere: fetched shallow into a bare repository that lives as long as this call.

Who may name which URL is not decided here. git itself gets no say in where it goes: no redirect, no other protocol, no
helper, no login, no submodule, no hook.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wherry.domain.errors import BuildFailed, BuildFailure, PlatformFault, PushRefused
from wherry.domain.model import Source
from wherry.domain.text import log_line, printable
from wherry.sources import export, git
from wherry.sources.faults import disk_faults, git_failed
from wherry.sources.policy import MIB, Limits

LIMITS = Limits(tree=256 * MIB, files=20_000)
MOST_PACK = 256 * MIB
SECONDS = 120.0

_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+/[A-Za-z0-9._~/+-]+")
_REF = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_FIXED = (
    *("-c", "protocol.allow=never"),
    *("-c", "http.followRedirects=false"),
    *("-c", "credential.helper="),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "fetch.fsckObjects=true"),
    *("-c", "fetch.unpackLimit=1"),
    *("-c", "http.lowSpeedLimit=1000"),
    *("-c", "http.lowSpeedTime=30"),
    *("-c", "gc.auto=0"),
)
_PASSED = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("GIT_SSL_CAINFO", "SSL_CERT_FILE", "CURL_CA_BUNDLE"),
)
# What git says when trying again would not help: no such repository or ref, a redirect, an object that its fsck refuses.
_THEIR_FAULT = (
    *(b"couldn't find remote ref", b"not found", b"not our ref", b"unadvertised object", b"dumb http"),
    *(b"authentication failed", b"could not read username", b"is this a git repository"),
    *(b"returned error: 3", b"returned error: 4", b"fsck error"),
)


@dataclass(frozen=True, slots=True)
class Trees:
    """builds.elsewhere.FetchesTree."""

    limits: Limits = LIMITS

    def fetch_tree(self, url: str, ref: str, into: Path) -> Source:
        """The tree at a branch, tag or commit ("": the default branch), as an archive in `into`.

        Raises BuildFailed (BAD_SOURCE) for what is not there or not to be, PlatformFault when the network, git or the
        disk fails.
        """
        if not _URL.fullmatch(url) or (ref and not _REF.fullmatch(ref)):
            raise BuildFailed(BuildFailure.BAD_SOURCE, f"{printable(url)} {printable(ref)} is no repository and ref")
        repository = into / "repository.git"
        with disk_faults("keep a fetched repository"):
            git.run(["git", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(repository)])
            self._fetch(repository, url, ref)
            commit = git.run(git.command(repository, ["rev-parse", "refs/fetched^{commit}"])).decode().strip()
            try:
                return export.export(repository, into / "trees", commit, None, self.limits)
            except PushRefused as error:
                raise BuildFailed(BuildFailure.BAD_SOURCE, error.message, evidence=error.evidence) from error

    def _fetch(self, repository: Path, url: str, ref: str) -> None:
        protocol = url.partition(":")[0]
        options = ["--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--quiet", "--force"]
        wanted = f"{ref or 'HEAD'}:refs/fetched"
        argv = [
            *("prlimit", "--data=2147483648", "--core=0", f"--fsize={MOST_PACK}"),
            *git.command(repository, [*_FIXED, "-c", f"protocol.{protocol}.allow=always", "fetch", *options]),
            *("--", url, wanted),
        ]
        env = git.environment({"GIT_ASKPASS": "/bin/false", **_network(os.environ)})
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, env=env, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PlatformFault(f"{printable(url)} was not fetched within {SECONDS:.0f} seconds") from error
        except OSError as error:
            raise PlatformFault(f"cannot run git: {error}", hint="Are git and util-linux installed?") from error
        if done.returncode and _largest(repository) >= MOST_PACK:  # git died of SIGXFSZ and does not say so
            most = f"{MOST_PACK // MIB} MiB"
            raise BuildFailed(BuildFailure.BAD_SOURCE, f"{printable(url)} is larger than {most} as a pack")
        if done.returncode:
            raise _failed(argv, done, url, ref)


def _largest(folder: Path) -> int:
    """Bytes of the largest file."""
    return max((path.stat().st_size for path in folder.rglob("*") if path.is_file()), default=0)


def _network(environ: Mapping[str, str]) -> dict[str, str]:
    """The operator's proxies and certificates."""
    found = {name: environ[name] for name in _PASSED if environ.get(name)}
    if "GIT_SSL_CAINFO" not in found and "SSL_CERT_FILE" in found:
        found["GIT_SSL_CAINFO"] = found["SSL_CERT_FILE"]
    return found


def _failed(
    argv: list[str], done: subprocess.CompletedProcess[bytes], url: str, ref: str
) -> BuildFailed | PlatformFault:
    said = done.stderr.lower()
    if any(words in said for words in _THEIR_FAULT):
        named = f"no '{printable(ref)}'" if ref else "no default branch"
        message = f"{printable(url)} has {named}, or is no repository that can be used here"
        lines = [log_line(line) for line in done.stderr.split(b"\n") if line.strip()]
        return BuildFailed(BuildFailure.BAD_SOURCE, message, evidence=lines[-5:])
    return git_failed(argv, done.returncode, done.stderr)
