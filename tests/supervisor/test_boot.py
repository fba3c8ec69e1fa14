"""The unit that starts the platform with its machine. A stand-in for systemctl says what it was asked."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from wherry.domain.errors import PlatformFault
from wherry.settings import Settings
from wherry.supervisor import boot

SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$ASKED"
[ "$1" != "$REFUSED" ] || { echo "Access denied" >&2; exit 4; }
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("units", "bin", "run"):
        (tmp_path / name).mkdir()
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.write_text(SYSTEMCTL)
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("REFUSED", "")
    monkeypatch.setattr(boot, "UNITS", tmp_path / "units")
    monkeypatch.setattr(boot, "RUNS", tmp_path / "run")
    monkeypatch.setattr(boot.os, "geteuid", lambda: 0)
    return tmp_path


def settings(machine: Path, **more: str) -> Settings:
    return Settings.load({"WHERRY_HOME": str(machine / "data 100%"), **more})


def test_the_unit_starts_this_platform_and_keeps_its_passwords_to_itself(machine: Path) -> None:
    url = 'postgresql://wherry:pa$s"word@db/wherry'
    said: list[str] = []
    ours = settings(machine, WHERRY_DATABASE_URL=url)
    boot.enable(ours, {"HTTPS_PROXY": "http://proxy:3128", "HOME": "/root", "OTHER": "stays here"}, said.append)
    unit = (machine / "units" / boot.unit_name(ours)).read_text()
    assert f'ExecStart="{sys.executable}" -m wherry.supervisor up\n' in unit
    assert f"EnvironmentFile={machine}/data 100%%/secrets/boot.env\n" in unit
    assert "postgresql" not in unit
    environment = machine / "data 100%" / "secrets" / "boot.env"
    lines = environment.read_text().splitlines()
    assert r'WHERRY_DATABASE_URL="postgresql://wherry:pa\$s\"word@db/wherry"' in lines
    assert 'HTTPS_PROXY="http://proxy:3128"' in lines
    assert not any("OTHER" in line for line in lines)
    assert environment.stat().st_mode & 0o777 == 0o600
    assert (machine / "asked").read_text().splitlines() == ["daemon-reload", f"enable {boot.unit_name(ours)}"]
    assert "starts with this machine" in said[0]


def test_disabling_takes_all_of_it_away_also_when_there_is_nothing(machine: Path) -> None:
    ours = settings(machine)
    boot.disable(ours, [].append)
    boot.enable(ours, {}, [].append)
    boot.disable(ours, [].append)
    assert list((machine / "units").iterdir()) == []
    assert not (machine / "data 100%" / "secrets" / "boot.env").exists()


def test_each_data_folder_has_a_unit_of_its_own() -> None:
    folders = ("/var/lib/wherry", "/srv/two", "/srv/three")
    names = [boot.unit_name(Settings.load({"WHERRY_HOME": each})) for each in folders]
    assert names == ["wherry.service", "wherry-srv-two.service", "wherry-srv-three.service"]


def test_what_systemd_refuses_is_told_in_its_words(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUSED", "enable")
    with pytest.raises(PlatformFault) as caught:
        boot.enable(settings(machine), {}, [].append)
    assert caught.value.evidence == ("Access denied",)


def test_without_systemd_or_root_nothing_is_written(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot.os, "geteuid", lambda: 1000)
    with pytest.raises(PlatformFault, match="only root"):
        boot.enable(settings(machine), {}, [].append)
    (machine / "run").rmdir()
    with pytest.raises(PlatformFault, match="no systemd"):
        boot.enable(settings(machine), {}, [].append)
    assert list((machine / "units").iterdir()) == []
    assert not (machine / "data 100%").exists()
