"""project.toml: rule 26 (project descriptor 0.1 and 0.2)."""

from __future__ import annotations

import pytest
from wherry.domain.errors import BuildFailure

from tests.conformance.world import World

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

HEAD = '[_]\nschema-version = "0.2"\n'


def project(world: World, text: str, head: str = HEAD) -> None:
    (world.app / "project.toml").write_text(head + text)


def test_rule26_group_pre_and_post_name_what_builds_around_the_order(world: World) -> None:
    for name in "abcd":
        world.pack(name, f"echo {name}")
    world.order("a web")
    around = "".join(
        f'[[io.buildpacks.{place}.group]]\nid = "x/{name}"\n' for place, name in (("pre", "b"), ("post", "c"))
    )
    project(world, around)
    assert world.make() == ["b", "a", "c"]
    project(
        world,
        '[[io.buildpacks.group]]\nid = "x/d"\n[[io.buildpacks.group]]\nid = "x/web"\nversion = "1.0.0"\n' + around,
    )
    assert world.make() == ["b", "d", "c"]


def test_rule26_a_script_is_a_buildpack_and_its_shell_is_sh(world: World) -> None:
    world.order("web")
    script = "echo \"$PWD ${1##*/} $(readlink /proc/$$/exe | grep -o '[a-z]*$') $FROM_PROJECT\""
    project(
        world,
        "".join(
            f"[[io.buildpacks.group]]\nid = 'me/{name}'\n[io.buildpacks.group.script]\napi = '0.10'\n{shell}"
            f"inline = '''{script}'''\n"
            for name, shell in (("one", ""), ("two", 'shell = "/bin/bash"\n'))
        )
        + '[[io.buildpacks.group]]\nid = "x/web"\n[[io.buildpacks.build.env]]\nname = "FROM_PROJECT"\nvalue = "yes"\n',
    )
    assert world.make() == ["/workspace me_one dash yes", "/workspace me_two bash yes"]
    assert world.make(FROM_PROJECT="the app's config counts more")[0].endswith("dash the app's config counts more")
    assert "FROM_PROJECT" not in world.stored.env


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ('exclude = ["*.psd", "/docs/"]', ["a/b.txt", "file", "project.toml"]),
        ('exclude = ["*.psd", "/docs/*", "!/docs/keep"]', ["a/b.txt", "docs/keep", "file", "project.toml"]),
        ('include = ["a/", "file"]', ["a/b.psd", "a/b.txt", "file"]),
    ],
)
def test_rule26_include_or_exclude_decide_as_gitignore_does_what_the_build_sees(
    world: World, lines: str, left: list[str]
) -> None:
    for name in ("a/b.psd", "a/b.txt", "docs/keep", "docs/drop"):
        (world.app / name).parent.mkdir(exist_ok=True)
        (world.app / name).write_text("")
    world.pack("show", "find . -type f | sort | sed s,^./,,")
    world.order("show web")
    project(world, f"[io.buildpacks]\n{lines}\n")
    assert world.make() == left
    project(world, f"[build]\n{lines}\n", head='[project]\nid = "of schema 0.1"\n')
    assert world.make() == left


def test_rule26_what_is_wrong_is_told_all_at_once(world: World) -> None:
    world.order("web")
    project(
        world,
        """
        [io.buildpacks]
        include = ["a"]
        exclude = ["b"]
        builder = "evil/builder"
        [[io.buildpacks.build.env]]
        name = "CNB_STACK_ID"
        value = "x"
        [[io.buildpacks.group]]
        """,
    )
    failure = world.fails()
    assert failure.kind is BuildFailure.BAD_SOURCE
    assert len(failure.evidence) == 4
    told = "\n".join(failure.evidence)
    for words in ("only one of them", "CNB_STACK_ID is set by the platform", "builder", "id: is missing"):
        assert words in told
