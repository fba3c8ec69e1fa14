"""buildpack.toml, targets and the catalogue of buildpacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from wherry.builds import toml_files
from wherry.builds.catalogue import Catalogue
from wherry.builds.descriptor import Descriptor, at_least, read_descriptor
from wherry.builds.target import Base, Distro, Target, works_on
from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.settings import root_folder

DEBIAN = Base("linux", "amd64", "", Distro("debian", "12"))


def read(text: str) -> Descriptor:
    return read_descriptor(toml_files.parse(text.encode(), "buildpack.toml"), Path("/nowhere"))


def test_a_descriptor_is_read() -> None:
    found = read(
        'api = "0.11"\n[buildpack]\nid = "some/pack"\nversion = "1.2"\nclear-env = true\ndescription = "d"\n'
        '[[targets]]\nos = "linux"\n[[targets.distros]]\nname = "debian"\n[[stacks]]\nid = "*"\n'
    )
    assert found.home == "/cnb/buildpacks/some_pack/1.2"
    assert found.clear_env
    assert found.targets == (Target("linux", "", "", (Distro("debian"),)),)
    assert found.stacks == ("*",)


@pytest.mark.parametrize(
    "text",
    [
        'api = "0.7"\n[buildpack]\nid = "a"\nversion = "1"',
        'api = "0.13"\n[buildpack]\nid = "a"\nversion = "1"',
        'api = "1"\n[buildpack]\nid = "a"\nversion = "1"',
        '[buildpack]\nid = "a"\nversion = "1"',
        'api = "0.10"\n[buildpack]\nid = "a b"\nversion = "1"',
        'api = "0.10"\n[buildpack]\nid = "../a"\nversion = "1"',
        'api = "0.10"\n[buildpack]\nid = "sbom"\nversion = "1"',
        'api = "0.10"\n[buildpack]\nid = "a"\nversion = "1/2"',
        'api = "0.10"\n[buildpack]\nid = "a"',
    ],
)
def test_what_is_no_buildpack_of_an_api_we_speak_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"buildpack\.toml"):
        read(text)


def test_versions_of_the_api_are_compared_as_numbers() -> None:
    assert at_least("0.10", 0, 9)
    assert not at_least("0.8", 0, 9)


@pytest.mark.parametrize(
    ("targets", "stacks", "works"),
    [
        ([], [], True),
        ([Target("linux")], [], True),
        ([Target("windows")], [], False),
        ([Target("linux", "arm64")], [], False),
        ([Target("windows"), Target("linux", "amd64")], [], True),
        ([Target("linux", distros=(Distro("debian", "12"),))], [], True),
        ([Target("linux", distros=(Distro("ubuntu"), Distro("debian")))], [], True),
        ([Target("linux", distros=(Distro("debian", "11"),))], [], False),
        ([], ["*"], True),
        ([], ["io.buildpacks.stacks.bionic"], False),
        ([], ["io.buildpacks.stacks.unknown"], True),
    ],
)
def test_a_buildpack_works_where_one_of_its_targets_is(targets: list[Target], stacks: list[str], works: bool) -> None:
    assert works_on(DEBIAN, targets, stacks) is works


def test_targets_are_variables_for_detect_and_build() -> None:
    assert DEBIAN.environment() == {
        "CNB_TARGET_OS": "linux",
        "CNB_TARGET_ARCH": "amd64",
        "CNB_TARGET_DISTRO_NAME": "debian",
        "CNB_TARGET_DISTRO_VERSION": "12",
    }


def test_our_own_buildpacks_are_a_whole_catalogue() -> None:
    found = Catalogue.load(root_folder() / "buildpacks")
    assert {member.id for group in found.order for member in group} == {each.id for each in found.buildpacks.values()}
    for group in found.order:
        assert (group[0].id, group[0].optional, group[-1].id) == ("wherry/apt", True, "wherry/procfile")
    for each in found.buildpacks.values():
        assert each.description
        for program in ("detect", "build"):
            path = each.buildpack.folder / "bin" / program
            assert path.stat().st_mode & 0o111, path
        assert (each.buildpack.folder / "README.md").is_file()


def test_a_catalogue_that_is_broken_is_the_platforms_fault(tmp_path: Path) -> None:
    with pytest.raises(PlatformFault, match="cannot be used"):
        Catalogue.load(tmp_path)
    (tmp_path / "order.toml").write_text('[[order]]\n[[order.group]]\nid = "nobody"\n')
    with pytest.raises(PlatformFault, match="no buildpack nobody"):
        Catalogue.load(tmp_path)
