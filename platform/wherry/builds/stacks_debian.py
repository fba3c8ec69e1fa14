"""Root filesystems of Debian packages, from the mirror that this machine itself uses: one to run on, grown into one to
build on.

Runs mmdebstrap as root; maintainer scripts of Debian's own packages are the only foreign code.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wherry.builds.debian_bill import BASE_LABEL
from wherry.domain.errors import PlatformFault
from wherry.domain.text import log_line

RUN_USER, BUILD_USER, GROUP = 1001, 1000, 1000

RUN_PACKAGES = tuple(
    "bash ca-certificates coreutils libatomic1 libgomp1 libpq5 libstdc++6 media-types netbase python3 tzdata".split()  # noqa: SIM905
)
BUILD_PACKAGES = (
    *("apt", "bzip2", "curl", "file", "g++", "gcc", "git", "jq", "libc6-dev", "libffi-dev", "libpq-dev"),
    *("libssl-dev", "make", "patch", "pkg-config", "python3-dev", "python3-pip", "python3-venv", "unzip"),
    *("xz-utils", "zlib1g-dev"),
)

_MERGED = Path("/usr/share/mmdebstrap/hooks/merged-usr")
"""Starts with a merged /usr. Without it a package merges afterwards, and brings all of Perl."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_HINT = (
    "Is the Debian mirror reachable? Try: apt-get update. "
    "Or name images of your own: WHERRY_STACK_BUILD and WHERRY_STACK_RUN"
)
_LONGEST = 1800
_PACKED_ELSEWHERE = {"dev", "proc", "sys", "run", "tmp", "var/cache/apt", "var/lib/apt/lists", "var/log"}
_DROPPED = {
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/lintian",
    "usr/share/groff",
    "usr/share/zoneinfo/right",
    "var/cache/debconf/templates.dat-old",
    "var/cache/debconf/config.dat-old",
    "var/cache/ldconfig/aux-cache",
    "var/lib/dpkg/status-old",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/resolv.conf",
    "etc/hostname",
    "etc/machine-id",
}


@dataclass(frozen=True, slots=True)
class Debian:
    """What to build from: a release and its apt sources, one "deb …" line each; `options` is apt's own configuration
    (proxies, certificates). Without sources mmdebstrap takes its default ones, with the updates and security's.
    """

    codename: str
    version: str
    sources: tuple[str, ...]
    options: tuple[str, ...] = ()


def this_debian() -> Debian:
    """The host's own release and mirrors; Debian 12 where the host is something else."""
    release = {**_os_release()}
    options = tuple(
        line for line in _output(["apt-config", "dump", "--format", '%f "%v";%n']) if line.startswith(_CONNECTION)
    )
    if release.get("ID") != "debian" or not release.get("VERSION_CODENAME"):
        return Debian("bookworm", "12", (), options)
    codename, version = release["VERSION_CODENAME"], release.get("VERSION_ID", "")
    listed = _output(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(CREATED_BY)"]
    )
    return Debian(codename, version, debian_sources(listed, codename), options)


def debian_sources(listed: Sequence[str], codename: str) -> tuple[str, ...]:
    """The "deb" lines among apt's index targets that are Debian's own: by the signed Release files' word, not by URL,
    so that third parties' packages never come in. Empty when apt has no lists yet.
    """
    wanted = (codename, f"{codename}-updates", f"{codename}-security")
    lines = []
    for line in listed:
        origin, uri, suite, component, kind = (*line.split("|"), "", "", "", "")[:5]
        if origin == "Debian" and kind == "Packages" and component == "main" and suite in wanted:
            lines.append(_deb(uri, suite))
    has_base = any(line.split()[-2] == codename for line in lines)
    return tuple(dict.fromkeys(lines)) if has_base else ()


def make_run_root(debian: Debian, root: Path, lock: int) -> None:
    """Makes the folder `root`; `lock`: a descriptor that the programs inherit. Raises PlatformFault."""
    merged = _MERGED.is_dir()
    packages = (*RUN_PACKAGES, "usr-is-merged") if merged else RUN_PACKAGES
    hooks = [f"--hook-dir={_MERGED}"] if merged else []
    _mmdebstrap(debian, root, lock, ["--variant=essential", *hooks, "--include=" + ",".join(packages)])
    _people(root)


def grow_build_root(debian: Debian, root: Path, lock: int) -> None:
    """Adds what builds need to the folder that `make_run_root` made. Raises PlatformFault.

    mmdebstrap unpacks twice what its custom variant includes; a hook, which is a shell line by its interface (of our
    constants only), installs once.
    """
    install = (
        'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --yes --no-install-recommends'
        ' -o DPkg::Chroot-Directory="$1" -o DPkg::Options::=--force-unsafe-io install '
    ) + " ".join(BUILD_PACKAGES)
    _empty(root / "dev")
    # What apps are run on has these packages only: builds that bring packages for apps go by it.
    shutil.copyfile(root / "var/lib/dpkg/status", root / "var/lib/dpkg/status-run")
    _mmdebstrap(debian, root, lock, ["--variant=custom", "--skip=check/empty", f"--customize-hook={install}"])


def packed(name: str) -> bool:
    """Whether the path (below the root) belongs into an image: no device nodes, caches, logs, manuals; licences do."""
    if name in _DROPPED or name.rpartition("/")[0] in _PACKED_ELSEWHERE:
        return False
    parts = name.split("/")
    return parts[:3] != ["usr", "share", "doc"] or len(parts) <= 4 or parts[4:] == ["copyright"]


def run_settings(system: Debian, bill: str) -> dict[str, object]:
    """`bill`: the diffID of the layer with its bill of materials."""
    return {
        "User": f"{RUN_USER}:{GROUP}",
        "Env": [f"PATH={_PATH}", "LANG=C.UTF-8", "HOME=/workspace", *_target(system)],
        "WorkingDir": "/workspace",
        "Labels": {**_labels(system), BASE_LABEL: bill},
    }


def build_settings(system: Debian) -> dict[str, object]:
    people = [f"CNB_USER_ID={BUILD_USER}", f"CNB_GROUP_ID={GROUP}"]
    return {
        "User": f"{BUILD_USER}:{GROUP}",
        "Env": [f"PATH={_PATH}", "LANG=C.UTF-8", "HOME=/home/build", *people, *_target(system)],
        "WorkingDir": "/workspace",
        "Labels": _labels(system),
    }


def _target(system: Debian) -> list[str]:
    distro = ["CNB_TARGET_DISTRO_NAME=debian", f"CNB_TARGET_DISTRO_VERSION={system.version}"]
    return [f"CNB_STACK_ID={_stack_id(system)}", *distro]


def _labels(system: Debian) -> dict[str, str]:
    return {
        "io.buildpacks.stack.id": _stack_id(system),
        "io.buildpacks.base.id": _stack_id(system),
        "io.buildpacks.base.maintainer": "wherry",
        "io.buildpacks.base.distro.name": "debian",
        "io.buildpacks.base.distro.version": system.version,
    }


def _stack_id(system: Debian) -> str:
    return f"io.wherry.stacks.debian-{system.version}"


def _mmdebstrap(debian: Debian, root: Path, lock: int, arguments: Sequence[str]) -> None:
    if os.geteuid() != 0:
        raise PlatformFault("stack images are made of Debian packages by root only", hint=_HINT)
    if shutil.which("mmdebstrap") is None:
        raise PlatformFault("mmdebstrap is not installed", hint="apt-get install mmdebstrap")
    options = ['Acquire::Languages "none"', 'APT::Sandbox::User "root"', *debian.options]
    # What it mounts into the root is seen by nobody else, and gone when it is killed.
    argv = ["setpriv", "--pdeathsig", "TERM", "unshare", "--mount"]
    argv += ["mmdebstrap", "--mode=root", "--format=directory", "--quiet"]
    argv += ["--dpkgopt=force-unsafe-io", "--skip=chroot/start-stop-daemon,chroot/policy-rc.d"]
    argv += [f"--aptopt={option}" for option in options]
    argv += [*arguments, debian.codename, str(root), *debian.sources]
    try:
        done = subprocess.run(
            argv,
            env=_environ(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=(lock,),
            timeout=_LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlatformFault(f"mmdebstrap did not run to its end: {type(error).__name__}", hint=_HINT) from error
    if done.returncode != 0:
        lines = [log_line(line, 300) for line in (done.stdout + done.stderr).split(b"\n") if line.strip()]
        raise PlatformFault("the stack images could not be made of Debian packages", evidence=lines[-8:], hint=_HINT)


def _environ() -> dict[str, str]:
    """With SOURCE_DATE_EPOCH Python's caches are checked by hash: their times do not survive in a layer, and without it
    every start of an app would compile the standard library.
    """
    kept = ("PATH", "HOME", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    own = {"LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "SOURCE_DATE_EPOCH": "315532801"}
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **own}


def _people(root: Path) -> None:
    """The two users, who share a group: what a build makes readable or writable for its group is so for the app."""
    _append(root / "etc/group", f"wherry:x:{GROUP}:")
    _append(root / "etc/gshadow", "wherry:!::")
    for name, uid, home in (("wherry", RUN_USER, "/workspace"), ("build", BUILD_USER, "/home/build")):
        _append(root / "etc/passwd", f"{name}:x:{uid}:{GROUP}::{home}:/bin/bash")
        _append(root / "etc/shadow", f"{name}:!:19000:0:99999:7:::")
    for folder, owner in (("workspace", RUN_USER), ("home/build", BUILD_USER), ("layers", BUILD_USER)):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder).chmod(0o775)
        os.chown(root / folder, owner, GROUP)


def _append(path: Path, line: str) -> None:
    if path.exists():
        with path.open("a") as file:
            file.write(line + "\n")


def _empty(folder: Path) -> None:
    """mmdebstrap makes device nodes, and again in a folder that has them, which fails."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _deb(uri: str, suite: str) -> str:
    signed = f" [signed-by={_KEYRING}]" if Path(_KEYRING).exists() else ""
    return f"deb{signed} {uri.rstrip('/')} {suite} main"


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _output(argv: list[str]) -> list[str]:
    """Lines; none when the program is missing or fails (a host without apt, or with lists that were never fetched)."""
    try:
        done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.decode("utf-8", "replace").split("\n")


_CONNECTION = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::https::CaInfo")
