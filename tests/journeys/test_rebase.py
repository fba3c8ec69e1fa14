"""A newer base under a running app: no build, no dropped request, and a way back."""

from __future__ import annotations

from pathlib import Path

from wherry.builds.stack_record import StackRecord
from wherry.builds.stacks import RUN
from wherry.domain.secret import Secret
from wherry.home import Home
from wherry.images.entries import of_files
from wherry.images.layers import pack
from wherry.images.manifest import image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import push_image, read_image

from tests.journeys.harness import Platform, steady_requests


def newer_base(platform: Platform, folder: Path) -> None:
    """What `wherry stack:update` does on a day with newer packages: a file more in the run image, and the record."""
    registry = Registry(
        f"http://127.0.0.1:{platform.settings['WHERRY_REGISTRY_PORT']}",
        "wherry",
        Secret(Home(platform.home).secret("registry-password").reveal()),
    )
    record = StackRecord.read(platform.home / "stacks")
    assert record
    run = read_image(registry, RUN, record.run)
    layers = [*run.layers, pack(of_files({"/etc/patched": (b"patched\n", 0o644)}), folder)]
    config = image_config(layers, run.settings, run.config)
    digest = push_image(registry, RUN, config, layers, image_manifest(config, layers, {}))
    StackRecord(record.wanted, record.build, digest).write(platform.home / "stacks")
    registry.close()


def test_a_rebase_changes_the_base_and_nothing_else(platform: Platform, tmp_path: Path) -> None:
    app = platform.create("afloat", "procfile-only")
    server = app.folder / "server.py"
    server.write_text(server.read_text().replace('Path("greeting.txt")', 'Path("/etc/patched")'))
    app.commit("Show the base")
    app.push()
    assert app.get() == (200, "Hello from a test\n")
    newer_base(platform, tmp_path)
    with steady_requests(app, 50) as knocks:
        said = app.wherry("rebase").all
    assert "Rebasing afloat... done, v2" in said
    assert "Released v2" in said
    assert (knocks.failures, knocks.requests > 0) == ([], True)
    assert app.get() == (200, "Hello from a test\npatched\n")
    assert str(app.releases()[0]["description"]).startswith("Rebase onto sha256:")
    assert "nothing to do, it is on the newest base" in app.wherry("rebase").all
    app.wherry("releases:rollback")
    assert app.get() == (200, "Hello from a test\n")
    app.say("Hello again")
    app.push()
    assert app.get() == (200, "Hello again\npatched\n")
