"""The image that comes out: rules 14, 18 to 22, 25 (Platform API "exporter", Buildpack API "SBOM", "Slices")."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from pathlib import PurePosixPath

import pytest
from wherry.domain.errors import BuildFailure

from tests.conformance.world import World, layer, processes, writes

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

EPOCH = 315532801  # 1980-01-01T00:00:01Z


def tops(world: World, number: int) -> list[str]:
    """The files of a layer, without those that only make the way to them."""
    return [name for name, (entry, _) in world.files(number).items() if not entry.isdir()]


def test_rule18_bills_are_in_the_image_for_launch_and_for_each_launch_layer_in_every_format(world: World) -> None:
    bills = "".join(
        f"""echo '{{"of": "{name} {kind}"}}' >"$1/{name}.sbom.{kind}.json"\n"""
        for name, kind in (
            ("launch", "cdx"),
            ("build", "cdx"),
            ("l", "cdx"),
            ("l", "spdx"),
            ("l", "syft"),
            ("c", "cdx"),
        )
    )
    world.pack("a", layer("l", "launch") + layer("c", "cache") + bills)
    world.order("a web")
    world.make()
    place = "layers/sbom/launch/x_a"
    files = world.files(world.layer_of(f"{place}/sbom.cdx.json"))
    found = {name: json.loads(content)["of"] for name, (_, content) in files.items() if content}
    assert found == {
        f"{place}/sbom.cdx.json": "launch cdx",
        f"{place}/l/sbom.cdx.json": "l cdx",
        f"{place}/l/sbom.spdx.json": "l spdx",
        f"{place}/l/sbom.syft.json": "l syft",
        "layers/sbom/build/x_a/sbom.cdx.json": "build cdx",  # what was there for the build only lies apart
        "layers/sbom/build/x_a/c/sbom.cdx.json": "c cdx",
    }
    sbom = world.stored.layers[world.layer_of(f"{place}/sbom.cdx.json")]
    assert world.label("lifecycle.metadata")["sbom"]["sha"] == sbom.diff_id


SLICES = """
[[slices]]
paths = ["*.txt", "deep/*/keep"]
[[slices]]
paths = ["static", "file.txt", "[a-b]?", "/workspace/abs"]
"""


def lay_app(world: World) -> None:
    for name in ("file.txt", "static/css/x.css", "deep/1/keep", "deep/1/other", "b1", "abs", "sub/no.txt"):
        (world.app / name).parent.mkdir(parents=True, exist_ok=True)
        (world.app / name).write_text(name)


def test_rule19_layers_lie_from_the_stable_to_the_changing_and_slices_before_the_rest_of_the_app(world: World) -> None:
    lay_app(world)
    bill = """echo '{}' >"$1/launch.sbom.cdx.json"\n"""
    world.pack("b", layer("y", "launch", ("f", "")) + layer("x", "launch", ("f", "")) + bill)
    world.pack("a", layer("l", "launch cache build", ("f", "")) + writes("$1/launch.toml", SLICES))
    world.order("b a web")
    world.make()
    base = len(world.stack.run.layers)
    assert world.stored.layers[:base] == world.stack.run.layers
    above = [tops(world, number) for number in range(base - len(world.stored.layers), 0)]
    assert above[:4] == [
        ["layers/x_b/x/f"],
        ["layers/x_b/y/f"],
        ["layers/x_a/l/f"],
        ["layers/sbom/launch/x_b/sbom.cdx.json"],
    ]
    assert sorted(name.rpartition("/")[2] for name in above[4]) == ["command.sh", "launcher", "web", "web.sh"]
    assert above[5:] == [
        ["layers/config/metadata.toml"],
        ["workspace/deep/1/keep", "workspace/file.txt"],
        ["workspace/abs", "workspace/b1", "workspace/static/css/x.css"],
        ["workspace/deep/1/other", "workspace/file", "workspace/sub/no.txt"],
    ]


@pytest.mark.parametrize("pattern", ["../out", "a/../../b", "[", "/etc/passwd/../x"])
def test_rule17_a_slice_that_is_no_path_in_the_app_fails_the_build(world: World, pattern: str) -> None:
    world.pack("a", writes("$1/launch.toml", f'[[slices]]\npaths = ["{pattern}"]'))
    world.order("a web")
    failure = world.fails()
    assert failure.kind is BuildFailure.BUILDPACK_FAILED
    assert pattern in failure.message


def test_rule20_every_entry_is_sorted_owned_and_dated_by_the_rule(world: World) -> None:
    lay_app(world)
    files = ("z/f", ""), ("a/f", ""), ("a.b", "")
    world.pack("a", layer("l", "launch", *files) + 'chmod 4755 "$1/l/z/f"; ln -s a "$1/l/link"')
    world.order("a web")
    world.make()
    owner = (world.stack.uid, world.stack.gid)
    for number in range(len(world.stack.run.layers) - len(world.stored.layers), 0):
        entries = [entry for entry, _ in world.files(number).values()]
        names = [each.name for each in entries]
        assert {each.mtime for each in entries} == {EPOCH}
        assert [
            name for name in names if (parent := str(PurePosixPath(name).parent)) != "." and parent not in names
        ] == []
        assert [each.name for each in entries if each.mode & 0o7000] == []
        for each in entries:
            ours = each.name.startswith(("layers/x_a/l", "workspace"))
            assert (each.uid, each.gid) == (owner if ours else (0, 0)), each.name
    below = [name for name in world.files(world.layer_of("layers/x_a/l/z/f")) if name.startswith("layers/x_a/l/")]
    assert [name.removeprefix("layers/x_a/l/") for name in below] == ["a", "a/f", "a.b", "link", "z", "z/f"]


def test_rule20_two_builds_of_the_same_source_are_the_same_image_whenever_they_run(world: World) -> None:
    lay_app(world)
    world.pack("a", layer("l", "launch cache", ("f", "same")) + layer("m", "launch", ("g", "")))
    world.order("a web")
    world.make()
    first = world.image
    shutil.rmtree(world.home / "caches")
    for path in world.app.rglob("*"):
        os.utime(path, (1, 1))
    world.make()
    assert world.image == first
    world.make(again=True)
    assert world.image == first
    assert world.stored.config["created"] == "1980-01-01T00:00:01Z"
    world.make(SOURCE_DATE_EPOCH="86400")
    assert world.stored.config["created"] == "1970-01-02T00:00:00Z"


def test_rule19_a_change_of_the_code_moves_the_app_layer_only(world: World) -> None:
    world.pack("a", layer("l", "launch cache", ("f", "")))
    world.order("a web")
    world.make()
    before = world.stored.layers
    (world.app / "file").write_text("changed")
    world.make(again=True)
    after = world.stored.layers
    assert [one == two for one, two in zip(before, after, strict=True)] == [True] * (len(after) - 1) + [False]


def test_rule21_the_config_says_how_the_image_starts(world: World) -> None:
    world.pack("a", layer("l", "launch", ("env/PATH", "never-in-the-config")))
    world.order("a web")
    world.make()
    settings, run = world.stored.settings, world.stack.run
    assert (settings["WorkingDir"], settings["Entrypoint"]) == ("/workspace", ["/cnb/process/web"])
    assert not settings.get("Cmd")
    assert settings["User"] == world.stack.run_user
    assert settings["User"].split(":")[0] not in ("0", "root", "", str(world.stack.uid))
    assert world.stored.env == run.env | {
        "CNB_LAYERS_DIR": "/layers",
        "CNB_APP_DIR": "/workspace",
        "CNB_PLATFORM_API": "0.15",
        "CNB_DEPRECATION_MODE": "quiet",
        "PATH": f"/cnb/process:{run.env['PATH']}",
    }


def test_rule22_the_labels_tell_the_next_build_and_people_what_is_in_the_image(world: World) -> None:
    more = 'homepage = "https://example.com/a"\n'
    data = """printf '[metadata]\\nkey = "value"\\nday = 2024-01-02\\n' >>"$1/l.toml"\n"""
    world.pack("a", layer("l", "launch cache", ("f", "")) + data, more=more, api="0.11")
    world.order("a web")
    world.make()
    stored, run = world.stored, world.stack.run
    about = world.label("lifecycle.metadata")

    def sha(path: str) -> str:
        return stored.layers[world.layer_of(path)].diff_id

    made = {"sha": sha("layers/x_a/l/f"), "data": {"key": "value", "day": "2024-01-02"}}
    made |= {"build": False, "launch": True, "cache": True}
    assert about["buildpacks"] == [
        {"key": "x/a", "version": "1.0.0", "layers": {"l": made}},
        {"key": "x/web", "version": "1.0.0", "layers": {}},
    ]
    assert about["app"] == [{"sha": sha("workspace/file")}]
    assert about["config"] == {"sha": sha("layers/config/metadata.toml")}
    assert about["launcher"] == {"sha": sha("cnb/lifecycle/launcher")}
    assert about["runImage"]["topLayer"] == run.layers[-1].diff_id
    assert about["runImage"]["reference"] == run.digest
    assert about["exec-env"] == "production"
    build = world.label("build.metadata")
    assert build["buildpacks"] == [
        {"id": "x/a", "version": "1.0.0", "api": "0.11", "homepage": "https://example.com/a"},
        {"id": "x/web", "version": "1.0.0", "api": "0.10"},
    ]
    assert build["launcher"]["version"]
    assert world.label("project.metadata")["source"] == {
        "type": "git",
        "version": {"commit": "f" * 40},
        "metadata": {"tree": "e" * 40},
    }
    assert stored.labels["io.buildpacks.rebasable"] == "true"
    assert {name: stored.labels.get(name) for name in run.labels} == run.labels


def test_rule25_the_config_layer_lists_processes_buildpacks_labels_and_slices(world: World) -> None:
    world.pack(
        "a",
        processes("web: command = ['a', 'b']\nargs = ['c']\nworking-dir = '/tmp'")
        + "cat >>$1/launch.toml <<'E'"
        + '\n[[slices]]\npaths = ["x"]\nE',
    )
    world.order("a")
    world.make()
    _, content = world.files(world.layer_of("layers/config/metadata.toml"))["layers/config/metadata.toml"]
    assert tomllib.loads(content.decode()) == {
        "buildpack-default-process-type": "web",
        "buildpacks": [{"id": "x/a", "version": "1.0.0", "api": "0.10"}],
        "labels": [],
        "processes": [
            {
                "type": "web",
                "command": ["a", "b"],
                "args": ["c"],
                "direct": True,
                "default": True,
                "working-dir": "/tmp",
                "exec-env": ["*"],
                "buildpack-id": "x/a",
            }
        ],
        "slices": [{"paths": ["x"]}],
    }
