"""launch.toml of one buildpack, and of a group."""

from __future__ import annotations

from pathlib import Path

import pytest
from wherry.builds import toml_files
from wherry.builds.launch_toml import Launch, merged, read_launch
from wherry.builds.model import Buildpack, LaunchProcess
from wherry.domain.errors import InvalidInput


def read(text: str, api: str = "0.10") -> Launch:
    return read_launch(toml_files.parse(text.encode(), "launch.toml"), Buildpack("p", "1", api, Path("/nowhere")))


def one(text: str, api: str = "0.10") -> LaunchProcess:
    (process,) = read(f'[[processes]]\ntype = "web"\n{text}', api).processes
    return process


@pytest.mark.parametrize(
    ("text", "api", "expected"),
    [
        ('command = ["a", "b"]\nargs = ["c"]', "0.10", LaunchProcess("web", ("a", "b"), ("c",), buildpack="p")),
        ('command = ["a"]\ndefault = true', "0.9", LaunchProcess("web", ("a",), default=True, buildpack="p")),
        ('command = "a $B"', "0.8", LaunchProcess("web", ("a $B",), direct=False, buildpack="p")),
        ('command = "a"\nargs = ["b"]\ndirect = true', "0.8", LaunchProcess("web", ("a", "b"), buildpack="p")),
        (
            'command = ["a"]\nworking-dir = "/x"',
            "0.12",
            LaunchProcess("web", ("a",), working_dir="/x", buildpack="p"),
        ),
    ],
)
def test_a_process_is_read_as_its_buildpacks_api_has_it(text: str, api: str, expected: LaunchProcess) -> None:
    assert one(text, api) == expected


@pytest.mark.parametrize(
    "text",
    [
        'type = "a b"\ncommand = ["x"]',
        'type = "../x"\ncommand = ["x"]',
        'type = ".."\ncommand = ["x"]',
        'type = ""\ncommand = ["x"]',
        'type = "a"',
        'type = "a"\ncommand = [""]',
        'type = "a"\ncommand = ["-x"]',
        'type = "a"\ncommand = "x"',
        'type = "a"\ncommand = ["x\\u0000"]',
        'type = "a"\ncommand = ["x"]\n[[processes]]\ntype = "a"\ncommand = ["x"]',
        'type = "a"\ncommand = ["x"]\ndefault = true\n[[processes]]\ntype = "b"\ncommand = ["x"]\ndefault = true',
    ],
)
def test_a_process_that_cannot_start_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"launch\.toml"):
        read(f"[[processes]]\n{text}")


def test_processes_for_another_execution_environment_are_left_out() -> None:
    text = '[[processes]]\ntype = "t"\ncommand = ["x"]\nexec-env = ["test"]\n'
    assert read(text, "0.12").processes == ()


def test_labels_and_slices_are_read() -> None:
    found = read('[[labels]]\nkey = "k"\nvalue = "v"\n[[slices]]\npaths = ["a/*"]\n')
    assert found == Launch((), (("k", "v"),), (("a/*",),))


def launch(*types: str) -> Launch:
    return Launch(tuple(LaunchProcess(each.rstrip("*"), (each,), default="*" in each) for each in types))


@pytest.mark.parametrize(
    ("group", "processes", "default"),
    [
        ([launch("web*")], {"web": "web*"}, "web"),
        ([launch("web"), launch("worker")], {"web": "web", "worker": "worker"}, None),
        ([launch("web*"), launch("worker*")], {"web": "web*", "worker": "worker*"}, "worker"),
        ([launch("web*"), launch("web")], {"web": "web"}, None),
        ([launch("web*", "worker"), launch("worker")], {"web": "web*", "worker": "worker"}, "web"),
    ],
)
def test_later_buildpacks_replace_processes_and_the_last_default_counts(
    group: list[Launch], processes: dict[str, str], default: str | None
) -> None:
    found = merged(group).processes
    assert {each.type: each.command[0] for each in found} == processes
    assert [each.type for each in found if each.default] == ([default] if default else [])
