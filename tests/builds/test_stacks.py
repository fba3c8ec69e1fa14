"""The stack, on a real registry; and once for real out of Debian packages, with a kill -9 on the way."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient
from wherry.builds.references import parse_reference
from wherry.builds.stacks import BUILD, RUN, Stacks
from wherry.domain.errors import Conflict, InvalidInput
from wherry.domain.secret import Secret
from wherry.images.entries import of_files
from wherry.images.layers import pack
from wherry.images.manifest import image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import push_image
from wherry.settings import Settings

from tests.images.servers import running_registry

SETTINGS = Settings.load({})
ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Registry]:
    (tmp_path / "ours").mkdir()
    with running_registry(tmp_path / "ours") as url:
        registry = Registry(url)
        yield registry
        registry.close()


@pytest.fixture
def others(tmp_path: Path) -> Iterator[Registry]:
    """Somebody else's registry, with a stack in it."""
    (tmp_path / "others").mkdir()
    with running_registry(tmp_path / "others") as url:
        registry = Registry(url)
        yield registry
        registry.close()


def image(registry: Registry, name: str, folder: Path, **settings: object) -> str:
    """A reference by digest."""
    layers = [pack(of_files({"/etc/which": (name.encode(), 0o644)}), folder)]
    config = image_config(layers, settings)
    digest = push_image(registry, name, config, layers, image_manifest(config, layers, {}))
    return f"{registry.address}/{name}@{digest}"


@pytest.fixture
def given(others: Registry, tmp_path: Path) -> Settings:
    labels = {"io.buildpacks.base.distro.name": "ubuntu", "io.buildpacks.base.distro.version": "24.04"}
    env = ["CNB_USER_ID=1234", "CNB_GROUP_ID=4321", "CNB_STACK_ID=io.example.stack"]
    build = image(others, "team/build", tmp_path, Env=env, Labels=labels, User="1234:4321")
    run = image(others, "team/run", tmp_path, User="1235:4321")
    return dataclasses.replace(SETTINGS, stack_build=build, stack_run=run)


def test_images_that_the_settings_name_are_copied_and_described(
    ours: Registry, given: Settings, tmp_path: Path
) -> None:
    said: list[str] = []
    stack = Stacks(ours, tmp_path / "stacks", given).ensure(said.append)
    assert stack.build_ref == f"{ours.address}/{BUILD}@{given.stack_build.partition('@')[2]}"
    assert stack.run_ref == f"{ours.address}/{RUN}@{given.stack_run.partition('@')[2]}"
    assert (stack.id, stack.uid, stack.gid, stack.run_user) == ("io.example.stack", 1234, 4321, "1235:4321")
    assert (stack.distro, stack.architecture) == (("ubuntu", "24.04"), stack.run.config["architecture"])
    assert [ours.has_blob(RUN, layer.digest) for layer in stack.run.layers] == [True]
    assert len(said) == 2
    assert said[0].startswith("Copying team/build from 127.0.0.1:")


def test_a_stack_in_our_own_registry_is_copied_with_our_login(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    with running_registry(tmp_path / "ours", ("wherry", "secret")) as url:
        whole = Registry(url, "wherry", Secret("secret"))
        plain = {
            "stack_build": image(whole, "b", tmp_path, Env=["CNB_USER_ID=5"]),
            "stack_run": image(whole, "r", tmp_path),
        }
        ours = Registry(f"{url}/team", "wherry", Secret("secret"))
        stack = Stacks(ours, tmp_path / "stacks", dataclasses.replace(SETTINGS, **plain)).ensure(print)
        assert stack.uid == 5
        assert stack.build_ref.startswith(f"{whole.address}/team/stack/build@")
        whole.close()
        ours.close()


def test_a_stack_that_is_recorded_is_not_made_again(
    ours: Registry, others: Registry, given: Settings, tmp_path: Path
) -> None:
    first = Stacks(ours, tmp_path / "stacks", given).ensure(print)
    others.delete_manifest("team/build", given.stack_build.partition("@")[2])
    said: list[str] = []
    assert Stacks(ours, tmp_path / "stacks", given).ensure(said.append) == first
    assert said == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"wanted": "x", "build": "b", "run": "r"}', "\xff"])
def test_a_record_that_says_nothing_is_none(text: str, ours: Registry, given: Settings, tmp_path: Path) -> None:
    stacks = Stacks(ours, tmp_path / "stacks", given)
    stacks.ensure(print)
    (tmp_path / "stacks/stack.json").write_text(text)
    said: list[str] = []
    stacks.ensure(said.append)
    assert len(said) == 2
    assert json.loads((tmp_path / "stacks/stack.json").read_text())["run"] == given.stack_run.partition("@")[2]


def test_a_stack_that_the_registry_lost_is_copied_again(ours: Registry, given: Settings, tmp_path: Path) -> None:
    stacks = Stacks(ours, tmp_path / "stacks", given)
    first = stacks.ensure(print)
    ours.delete_manifest(RUN, first.run.digest)
    assert stacks.ensure(print) == first
    assert ours.has_manifest(RUN, first.run.digest)


def test_other_settings_make_another_stack(ours: Registry, others: Registry, given: Settings, tmp_path: Path) -> None:
    Stacks(ours, tmp_path / "stacks", given).ensure(print)
    other = dataclasses.replace(given, stack_run=image(others, "team/other", tmp_path, User="1:4321"))
    assert Stacks(ours, tmp_path / "stacks", other).ensure(print).run_user == "1:4321"


def test_two_at_once_make_it_once(ours: Registry, given: Settings, tmp_path: Path) -> None:
    said: list[str] = []
    threads = [
        threading.Thread(target=Stacks(ours, tmp_path / "stacks", given).ensure, args=(said.append,)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([line for line in said if line.startswith("Copying")]) == 2


@pytest.mark.parametrize(
    ("build", "run", "problem"),
    [
        ({"Env": ["CNB_USER_ID=0"]}, {"User": "1"}, "CNB_USER_ID is 0"),
        ({"Env": ["CNB_USER_ID=x"]}, {"User": "1"}, "are not numbers"),
        ({"Env": ["CNB_USER_ID=1"]}, {"User": "root"}, "the run image's user is root"),
        ({"Env": ["CNB_USER_ID=1"]}, {"User": "0:0"}, "the run image's user is root"),
    ],
)
def test_a_stack_of_root_is_refused(
    build: dict[str, object], run: dict[str, object], problem: str, ours: Registry, others: Registry, tmp_path: Path
) -> None:
    settings = dataclasses.replace(
        SETTINGS,
        stack_build=image(others, "team/build", tmp_path, **build),
        stack_run=image(others, "team/run", tmp_path, **run),
    )
    with pytest.raises(InvalidInput) as refusal:
        Stacks(ours, tmp_path / "stacks", settings).ensure(print)
    assert problem in "\n".join(refusal.value.lines())
    assert not (tmp_path / "stacks/stack.json").exists()


def test_an_image_without_a_user_gets_plain_ones(ours: Registry, others: Registry, tmp_path: Path) -> None:
    plain = {"stack_build": image(others, "b", tmp_path), "stack_run": image(others, "r", tmp_path)}
    stack = Stacks(ours, tmp_path / "stacks", dataclasses.replace(SETTINGS, **plain)).ensure(print)
    assert (stack.uid, stack.gid, stack.run_user) == (1000, 1000, "1001:1000")


D = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        (f"debian@{D}", ("registry-1.docker.io", "library/debian", D)),
        (f"docker.io/team/x@{D}", ("registry-1.docker.io", "team/x", D)),
        (f"team/x@{D}", ("registry-1.docker.io", "team/x", D)),
        (f"ghcr.io/team/x@{D}", ("ghcr.io", "team/x", D)),
        (f"localhost:5000/x@{D}", ("localhost:5000", "x", D)),
    ],
)
def test_references_are_read_as_engines_read_them(text: str, parsed: tuple[str, str, str]) -> None:
    assert parse_reference(text, "WHERRY_STACK_RUN") == parsed


@pytest.mark.parametrize(
    "text", ["debian", "debian:12", "debian@sha256:00", f"a b@{D}", f"@{D}", f"x@{D}\n", f"-x@{D}"]
)
def test_t17_only_digests_name_a_stack(text: str) -> None:
    with pytest.raises(InvalidInput, match="WHERRY_STACK_RUN is not an image by digest"):
        parse_reference(text, "WHERRY_STACK_RUN")


def test_a_missing_image_is_refused_with_its_name(ours: Registry, given: Settings, tmp_path: Path) -> None:
    settings = dataclasses.replace(given, stack_run=given.stack_run.partition("@")[0] + "@" + D)
    with pytest.raises(InvalidInput, match=r"not there: the registry has no image .*team/run"):
        Stacks(ours, tmp_path / "stacks", settings).ensure(print)


KILLED = """
import sys
from pathlib import Path
from wherry.builds.stacks import Stacks
from wherry.images.registry import Registry
from wherry.settings import Settings
Stacks(Registry(sys.argv[1]), Path(sys.argv[2]), Settings.load({})).ensure(lambda line: print(line, flush=True))
"""


@pytest.mark.engine
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make stack images")
def test_a_stack_is_made_of_debian_packages_even_after_a_kill(ours: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "stacks"
    argv = [sys.executable, "-c", KILLED, f"http://{ours.address}", str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as first:
        assert first.stdout
        assert b"Debian" in first.stdout.readline()
        assert b"adding compilers" in first.stdout.readline()
        first.send_signal(signal.SIGKILL)
    said: list[str] = []
    stack = Stacks(ours, folder, SETTINGS).ensure(said.append)
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "stack.json"]
    assert (stack.uid, stack.gid, stack.run_user) == (1000, 1000, "1001:1000")
    assert stack.build.layers[0] == stack.run.layers[0]

    assert in_container(stack.run_ref, RUNS) == ["1001", "1000", "/workspace", "/workspace", "True"]
    uid, git, postgres = in_container(stack.build_ref, BUILDS)
    assert uid == "1000"
    assert git.startswith("git version")
    assert postgres.startswith("PostgreSQL")


RUNS = """
id -u; id -g; pwd; echo $HOME; touch written
python3 -c 'import ssl, sqlite3; print(len(ssl.create_default_context().get_ca_certs()) > 50)'
"""
BUILDS = """
id -u; touch ~/written; cd /tmp
echo 'int main(){return 0;}' > a.c; gcc a.c; ./a.out
python3 -m venv v
git --version; pg_config --version
"""


def in_container(reference: str, script: str) -> list[str]:
    api = APIClient(base_url=ENGINE, version="auto")
    name, _, digest = reference.partition("@")
    try:
        api.pull(name, tag=digest)
        container = api.create_container(reference, ["bash", "-euc", script], labels={"wherry.platform": "test-stacks"})
        try:
            api.start(container)
            assert api.wait(container)["StatusCode"] == 0, api.logs(container)
            return api.logs(container, stderr=False).decode().split("\n")[:-1]
        finally:
            api.remove_container(container, force=True)
            api.remove_image(reference, force=True)
    finally:
        api.close()


def test_a_renewal_of_images_that_the_settings_name_is_refused(ours: Registry, given: Settings, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="name both stack images"):
        Stacks(ours, tmp_path / "stacks", given).renew(print)
    assert not (tmp_path / "stacks/stack.json").exists()
