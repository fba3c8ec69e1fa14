"""What `wherry doctor` makes of what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from wherry.domain.image import Image
from wherry.domain.model import ReleaseStatus
from wherry.fittings.stores import open_ledger
from wherry.home import Home
from wherry.settings import Settings
from wherry.supervisor import doctor

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEPT, LOST = Image("apps/1", "sha256:" + "1" * 64), Image("apps/2", "sha256:" + "2" * 64)


@dataclass(frozen=True)
class Shelf:
    """Of a registry only which images it has."""

    digests: tuple[str, ...]

    def has_manifest(self, repository: str, digest: str) -> bool:
        return digest in self.digests


def test_a17_a_current_release_whose_image_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load({"WHERRY_HOME": str(tmp_path)})
    Home(tmp_path).prepare()
    ledger = open_ledger(settings)
    ledger.migrate()
    with ledger.begin() as tx:
        owner = tx.accounts.ensure("ada@example.org", admin=False)
        tx.apps.add("empty", owner, NOW)
        for name, images in (("ferry", (LOST, KEPT)), ("barge", (KEPT, LOST))):
            app = tx.apps.add(name, owner, NOW)
            for image in images:
                release = tx.releases.append(app.id, owner, "Deploy", image, {}, NOW)
                tx.releases.finish(release.id, ReleaseStatus.SUCCEEDED, NOW)
    ledger.close()

    monkeypatch.setattr(doctor, "open_registry", lambda settings, home: Shelf((KEPT.digest,)))
    (found,) = doctor._releases(settings)
    assert (found.good, found.answer) == (False, "no image for barge v2")
    monkeypatch.setattr(doctor, "open_registry", lambda settings, home: Shelf((KEPT.digest, LOST.digest)))
    (found,) = doctor._releases(settings)
    assert found.good


def test_a_kernel_with_apparmor_needs_what_loads_its_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enabled = tmp_path / "enabled"
    monkeypatch.setattr(doctor, "_APPARMOR", enabled)
    monkeypatch.setattr(doctor.shutil, "which", lambda program: None if program == "apparmor_parser" else program)
    settings = Settings.load({"WHERRY_HOME": str(tmp_path)})
    (found,) = doctor._programs(settings)
    assert found.good
    enabled.write_text("Y\n")
    (found,) = doctor._programs(settings)
    assert (found.good, found.mend) == (False, "apt-get install apparmor")
