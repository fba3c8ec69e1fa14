import os
from pathlib import Path

import pytest
from wherry.builds import stacks_debian
from wherry.builds.stacks_debian import Debian, debian_sources, make_run_root, packed
from wherry.domain.errors import PlatformFault

LISTED = """\
Debian|http://mirror.example/debian/|bookworm|main|Packages
Debian|http://mirror.example/debian/|bookworm|main|DEP-11
Debian|http://mirror.example/debian/|bookworm|contrib|Packages
Debian|http://mirror.example/debian/|bookworm-updates|main|Packages
Debian|http://mirror.example/debian-security/|bookworm-security|main|Packages
Debian|http://mirror.example/debian/|bookworm-backports|main|Packages
Debian|http://mirror.example/debian/|trixie|main|Packages
Docker|https://download.docker.com/linux/debian/|bookworm|main|Packages
. nodistro|https://deb.nodesource.com/node_20.x/|nodistro|main|Packages
$(ORIGIN)|http://elsewhere.example/debian/|bookworm|main|Packages

""".split("\n")


@pytest.fixture(autouse=True)
def keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keyring.gpg").touch()
    monkeypatch.setattr(stacks_debian, "_KEYRING", str(tmp_path / "keyring.gpg"))


def test_only_debians_own_sources_of_the_release_are_used(tmp_path: Path) -> None:
    signed = f"deb [signed-by={tmp_path}/keyring.gpg]"
    assert debian_sources(LISTED, "bookworm") == (
        f"{signed} http://mirror.example/debian bookworm main",
        f"{signed} http://mirror.example/debian bookworm-updates main",
        f"{signed} http://mirror.example/debian-security bookworm-security main",
    )


def test_lists_without_the_base_suite_do_not_do() -> None:
    assert debian_sources(LISTED[3:5], "bookworm") == ()
    assert debian_sources([], "bookworm") == ()


def test_a_host_that_is_no_debian_gets_debian_12(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks_debian, "_os_release", lambda: {"ID": "ubuntu", "VERSION_CODENAME": "noble"})
    found = stacks_debian.this_debian()
    assert (found.codename, found.version, found.sources) == ("bookworm", "12", ())


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        ("dev", True),
        ("dev/null", False),
        ("proc/1", False),
        ("usr/share/doc/bash", True),
        ("usr/share/doc/bash/copyright", True),
        ("usr/share/doc/bash/README", False),
        ("usr/share/doc/bash/examples/copyright", False),
        ("usr/share/man", False),
        ("usr/share/zoneinfo/Europe", True),
        ("var/lib/apt/lists", True),
        ("var/lib/apt/lists/x", False),
        ("etc/apt/apt.conf.d/99mmdebstrap", False),
        ("tmp", True),
        ("usr/lib/x", True),
    ],
)
def test_an_image_has_licences_but_no_manuals_caches_or_devices(name: str, goes: bool) -> None:
    assert packed(name) is goes


MOUNTS = """#!/bin/sh
for root; do :; done
mkdir -p "$root/sys"
mount -t tmpfs none "$root/sys"
touch "$root/sys/seen"
kill -KILL $$
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make stack images")
def test_what_was_mounted_into_a_root_goes_with_a_killed_maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = tmp_path / "mmdebstrap"
    maker.write_text(MOUNTS)
    maker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    root = tmp_path / "root"
    with (tmp_path / "lock").open("w") as lock, pytest.raises(PlatformFault, match="could not be made"):
        make_run_root(Debian("bookworm", "12", ()), root, lock.fileno())
    assert list((root / "sys").iterdir()) == []
