"""The layers that a buildpack left: which count, what they change, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from wherry.builds.additions import changes_for, in_layer, on_disk, recorded, scripts_for
from wherry.builds.env import Change, apply
from wherry.builds.layers import build_changes, scan
from wherry.builds.model import Buildpack
from wherry.domain.errors import InvalidInput
from wherry.images.entries import Tree
from wherry.images.layers import pack

PACK = Buildpack("some/pack", "1", "0.10", Path("/nowhere"))


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    (tmp_path / "some_pack").mkdir()
    return tmp_path


def make(layers: Path, name: str, types: str = "", files: dict[str, str] | None = None, metadata: str = "") -> Path:
    folder = layers / "some_pack" / name
    folder.mkdir()
    for path, content in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    lines = ["[types]", *(f"{each} = true" for each in types.split()), "[metadata]", metadata]
    (layers / "some_pack" / f"{name}.toml").write_text("\n".join(lines))
    return folder


def launched(layers: Path, process: str = "") -> list[Change]:
    return changes_for([("/layers/some_pack/a", on_disk(layers, "some_pack/a"))], process)


def test_layers_come_in_the_order_of_their_names_with_flags_and_metadata(layers: Path) -> None:
    make(layers, "b", "launch cache", metadata='key = "x"')
    make(layers, "a", "build")
    (layers / "some_pack/launch.toml").write_text("[[processes]]")
    (layers / "some_pack/no-toml").mkdir()
    found = scan(layers, PACK)
    assert [(each.name, each.launch, each.build, each.cache) for each in found] == [
        ("a", False, True, False),
        ("b", True, False, True),
    ]
    assert found[1].metadata == {"key": "x"}


def test_a_layer_without_types_is_set_aside(layers: Path) -> None:
    folder = make(layers, "old", files={"f": "x"})
    assert scan(layers, PACK) == ()
    assert not folder.exists()
    assert (layers / "some_pack/old.ignore/f").read_text() == "x"


def test_a_launch_layer_without_a_folder_is_one_to_reuse(layers: Path) -> None:
    (layers / "some_pack/gone.toml").write_text("[types]\nlaunch = true\n")
    (layer,) = scan(layers, PACK)
    assert (layer.name, layer.folder) == ("gone", None)


@pytest.mark.parametrize("file", ["...toml", "..toml", "a\x07.toml", ".toml"])
def test_t11_a_name_that_is_no_layers_is_refused(layers: Path, file: str) -> None:
    (layers / "some_pack" / file).write_text("[types]\nlaunch = true\n")
    with pytest.raises(InvalidInput, match="not the name of a layer"):
        scan(layers, PACK)


def test_t11_a_layer_that_is_a_link_is_refused(layers: Path, tmp_path: Path) -> None:
    (layers / "some_pack/a.toml").write_text("[types]\nlaunch = true\n")
    (layers / "some_pack/a").symlink_to("/etc")
    with pytest.raises(InvalidInput, match="not a folder"):
        scan(layers, PACK)


def test_t11_a_layers_folder_that_is_a_link_is_refused(layers: Path, tmp_path: Path) -> None:
    (layers / "some_pack").rmdir()
    (layers / "some_pack").symlink_to("/etc")
    with pytest.raises(InvalidInput, match="not a folder"):
        scan(layers, PACK)


def test_build_layers_change_the_environment_of_what_comes_later(layers: Path) -> None:
    make(layers, "a", "build", {"bin/x": "", "lib/y": "", "env/A": "a", "env.launch/L": "no"})
    make(layers, "b", "build", {"bin/x": "", "env.build/A.append": "b", "env.build/A.delim": ":"})
    make(layers, "c", "launch", {"bin/x": "", "env/C": "no"})
    env = apply({"PATH": "/bin"}, build_changes(layers, scan(layers, PACK)))
    assert env == {
        "PATH": "/layers/some_pack/b/bin:/layers/some_pack/a/bin:/bin",
        "LD_LIBRARY_PATH": "/layers/some_pack/a/lib",
        "LIBRARY_PATH": "/layers/some_pack/a/lib",
        "A": "a:b",
    }


def test_launch_layers_change_the_environment_of_processes(layers: Path) -> None:
    files = {
        "bin/x": "",
        "include/x": "",
        "env/A": "1",
        "env.launch/A": "2",
        "env.launch/web/A": "3",
        "env.build/B": "",
    }
    make(layers, "a", "launch", files)
    assert apply({}, launched(layers)) == {"PATH": "/layers/some_pack/a/bin", "A": "2"}
    assert apply({}, launched(layers, "web")) == {"PATH": "/layers/some_pack/a/bin", "A": "3"}


def test_t11_an_env_file_that_is_a_link_is_refused(layers: Path) -> None:
    make(layers, "a", "launch", {"env/B": ""})
    (layers / "some_pack/a/env/A").symlink_to("/etc/passwd")
    with pytest.raises(InvalidInput, match="not a regular file"):
        on_disk(layers, "some_pack/a")


def test_env_files_of_more_than_any_process_can_have_are_refused(layers: Path, tmp_path: Path) -> None:
    folder = make(layers, "a", "launch", {f"env/A{number}": "x" * 1024 * 1024 for number in range(5)})
    with pytest.raises(InvalidInput, match="more than 4 MiB"):
        on_disk(layers, "some_pack/a")
    blob = pack(Tree(folder, "/layers/some_pack/a").entries(), tmp_path / "blobs").path
    assert blob
    with pytest.raises(InvalidInput, match="more than 4 MiB"):
        in_layer(blob, "layers/some_pack/a")


def test_scripts_are_named_by_their_place_in_the_image(layers: Path) -> None:
    make(layers, "a", "launch", {"exec.d/1": "", "exec.d/web/2": "", "profile.d/p.sh": ""})
    placed = [("/layers/some_pack/a", on_disk(layers, "some_pack/a"))]
    assert scripts_for(placed, "exec.d") == ["/layers/some_pack/a/exec.d/1"]
    assert scripts_for(placed, "exec.d/web") == ["/layers/some_pack/a/exec.d/web/2"]
    assert scripts_for(placed, "profile.d") == ["/layers/some_pack/a/profile.d/p.sh"]
    assert scripts_for(placed, "nothing") == []


def test_what_a_packed_layer_adds_is_what_its_folder_did(layers: Path, tmp_path: Path) -> None:
    files = {
        "bin/x": "",
        "bin/env/no": "",
        "env/A.append": "\u00e9\n",
        "env/deep/no": "",
        "env.launch/web/B": "b",
        "exec.d/1": "",
        "exec.d/web/2": "",
        "profile.d/web/p.sh": "",
        "other/exec.d/no": "",
    }
    folder = make(layers, "a", "launch", files)
    (folder / "lib").symlink_to("bin")
    blob = pack(Tree(folder, "/layers/some_pack/a").entries(), tmp_path / "blobs").path
    assert blob
    found = in_layer(blob, "layers/some_pack/a")
    assert found == on_disk(layers, "some_pack/a") == recorded(json.loads(json.dumps(found.record())))
    assert (found.paths, sorted(found.env), sorted(found.scripts)) == (
        ("bin", "lib"),
        ["env", "env.launch/web"],
        ["exec.d", "exec.d/web", "profile.d/web"],
    )


@pytest.mark.parametrize("name", ["launch", "build", "store"])
def test_a_layer_with_a_name_that_means_something_else_is_refused(layers: Path, name: str) -> None:
    make(layers, name, "launch")
    with pytest.raises(InvalidInput, match=f"cannot be named {name}"):
        scan(layers, PACK)
