"""Export, on a real registry; and once what it made runs on a real engine."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from docker import APIClient
from wherry.builds.beforehand import Beforehand
from wherry.builds.export import export
from wherry.builds.model import Built
from wherry.builds.stacks import Stack
from wherry.domain.errors import BuildFailed
from wherry.domain.image import Image
from wherry.domain.secret import Secret
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, read_image

from tests.builds.finished import PYTHON, busybox, finished_build, request, reused, tiny_stack
from tests.images.servers import Proxy, running_proxy, running_registry

ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


@pytest.fixture(scope="module")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_registry(tmp_path_factory.mktemp("registry")) as url:
        yield url


@pytest.fixture(scope="module")
def stack(registry_url: str, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    registry = Registry(registry_url)
    program = busybox(tmp_path_factory.mktemp("busybox")).read_bytes()
    made = tiny_stack(registry, tmp_path_factory.mktemp("stack"), program)
    registry.close()
    return made


@pytest.fixture
def proxy(registry_url: str) -> Iterator[Proxy]:
    with running_proxy(registry_url) as proxy:
        yield proxy


@pytest.fixture
def registry(proxy: Proxy) -> Iterator[Registry]:
    registry = Registry(proxy.url)
    yield registry
    registry.close()


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return finished_build(tmp_path / "work")


Exporting = Callable[..., tuple[Image, StoredImage, list[str]]]


@pytest.fixture
def exporting(stack: Stack, registry: Registry, tmp_path: Path) -> Exporting:
    """The image, what the registry has of it, and what was said."""

    def run(
        built: Built,
        previous: StoredImage | None = None,
        repository: str = f"apps/{os.getpid()}",
        present: frozenset[str] = frozenset(),
        **config: str,
    ) -> tuple[Image, StoredImage, list[str]]:
        said: list[str] = []
        wanted = request({name: Secret(value) for name, value in config.items()})
        image = export(built, stack, registry, repository, previous, tmp_path / "caches", wanted, said.append, present)
        return image, read_image(registry, image.repository, image.digest), said

    return run


def names(registry: Registry, image: StoredImage, number: int) -> dict[str, tarfile.TarInfo]:
    blob = gzip.decompress(registry.blob(image.repository, image.layers[number].digest))
    with tarfile.open(fileobj=io.BytesIO(blob)) as tar:
        return {each.name: each for each in tar}


def test_layers_lie_from_the_stable_to_the_changing(
    built: Built, exporting: Exporting, registry: Registry, stack: Stack
) -> None:
    _, image, _ = exporting(built)
    assert image.layers[0] == stack.run.layers[0]
    assert [list(names(registry, image, number))[-1] for number in range(1, 6)] == [
        "layers/wherry_python/conf/setting",
        "layers/wherry_python/deps/bin/greet",
        "cnb/process/worker",
        "layers/config/metadata.toml",
        "workspace/src/app.py",
    ]
    assert len(image.layers) == 6
    history = [each["created_by"] for each in image.config["history"]]
    assert history[1:] == [
        "wherry: wherry/python:conf",
        "wherry: wherry/python:deps",
        "wherry: launcher",
        "wherry: config",
        "wherry: app",
    ]


def test_layers_belong_to_the_build_user_and_the_app_may_write_its_folder(
    built: Built, exporting: Exporting, registry: Registry
) -> None:
    (built.app / "src/app.py").chmod(0o600)
    _, image, _ = exporting(built)
    deps, app = names(registry, image, 2), names(registry, image, 5)
    file = deps["layers/wherry_python/deps/bin/greet"]
    assert (file.uid, file.gid, file.mode) == (1000, 1000, 0o755)
    assert (app["workspace"].uid, app["workspace"].gid, app["workspace"].mode & 0o770) == (1000, 1000, 0o770)
    assert app["workspace/src/app.py"].mode == 0o660
    assert app["workspace/current"].linkname == "src"


def test_the_image_says_how_it_starts(built: Built, exporting: Exporting) -> None:
    image, stored, _ = exporting(built)
    settings = stored.settings
    assert settings["Entrypoint"] == ["/cnb/process/web"]
    assert (settings["User"], settings["WorkingDir"]) == ("1001:1000", "/workspace")
    assert "Cmd" not in settings
    assert stored.env == {
        "PATH": "/cnb/process:/usr/bin:/bin",
        "HOME": "/workspace",
        "LANG": "C.UTF-8",
        "CNB_LAYERS_DIR": "/layers",
        "CNB_APP_DIR": "/workspace",
        "CNB_PLATFORM_API": "0.15",
        "CNB_DEPRECATION_MODE": "quiet",
    }
    assert image.processes == {"web": "python app.py --port 8000", "worker": "python worker.py && true"}


def test_without_a_default_process_the_launcher_is_what_starts(built: Built, exporting: Exporting) -> None:
    processes = tuple(replace(each, default=False) for each in built.processes)
    _, stored, _ = exporting(replace(built, processes=processes))
    assert stored.settings["Entrypoint"] == ["/cnb/lifecycle/launcher"]


def test_a_command_for_bash_is_shown_as_its_author_wrote_it(built: Built, exporting: Exporting) -> None:
    web = replace(built.processes[0], command=("bash", "-c", "python app.py | tee log"), args=())
    image, _, _ = exporting(replace(built, processes=(web,)))
    assert image.processes == {"web": "python app.py | tee log"}


def test_the_labels_are_the_buildpack_specs(built: Built, exporting: Exporting, stack: Stack) -> None:
    _, stored, _ = exporting(built)
    labels = dict(stored.labels)
    sha = [each.diff_id for each in stored.layers]
    assert json.loads(labels["io.buildpacks.lifecycle.metadata"]) == {
        "app": [{"sha": sha[5]}],
        "buildpacks": [
            {
                "key": "wherry/python",
                "version": "1.2.3",
                "layers": {
                    "deps": {"sha": sha[2], "data": {"python": "3.11"}, "build": False, "launch": True, "cache": True},
                    "conf": {"sha": sha[1], "data": {}, "build": False, "launch": True, "cache": False},
                },
                "store": {"metadata": {"seen": 3}},
            },
            {"key": "wherry/procfile", "version": "0.1", "layers": {}},
        ],
        "config": {"sha": sha[4]},
        "launcher": {"sha": sha[3]},
        "runImage": {"topLayer": sha[0], "reference": stack.run.digest, "image": "stack/run"},
        "exec-env": "production",
    }
    assert json.loads(labels["io.buildpacks.project.metadata"]) == {
        "source": {"type": "git", "version": {"commit": "c" * 40}, "metadata": {"tree": "d" * 40}}
    }
    build = json.loads(labels["io.buildpacks.build.metadata"])
    assert [each["type"] for each in build["processes"]] == ["web", "worker"]
    assert build["buildpacks"][0] == {
        "id": "wherry/python", "version": "1.2.3", "api": "0.10", "homepage": "https://example.com"
    }  # fmt: skip
    assert labels["io.buildpacks.rebasable"] == "true"
    assert labels["org.opencontainers.image.revision"] == "c" * 40
    assert (labels["maintainer"], labels["io.buildpacks.base.distro.name"]) == ("me", "debian")


def test_labels_of_the_platform_are_not_a_buildpacks_to_set(built: Built, exporting: Exporting) -> None:
    hostile = {"wherry.platform": "x", "io.buildpacks.rebasable": "false", "org.opencontainers.image.revision": "x"}
    _, stored, _ = exporting(replace(built, labels=hostile))
    assert "wherry.platform" not in stored.labels
    assert stored.labels["io.buildpacks.rebasable"] == "true"
    assert stored.labels["org.opencontainers.image.revision"] == "c" * 40


def test_the_manifest_carries_its_origin(built: Built, exporting: Exporting, registry: Registry, stack: Stack) -> None:
    image, _, _ = exporting(built)
    assert registry.manifest(image.repository, image.digest).value()["annotations"] == {
        "org.opencontainers.image.created": "1980-01-01T00:00:01Z",
        "org.opencontainers.image.revision": "c" * 40,
        "org.opencontainers.image.title": "shop",
        "org.opencontainers.image.version": "c" * 12,
        "org.opencontainers.image.base.name": "stack/run",
        "org.opencontainers.image.base.digest": stack.run.digest,
    }


def test_what_the_author_says_stands_on_manifest_and_labels(
    built: Built, exporting: Exporting, registry: Registry
) -> None:
    said = {"version": "1.2.3", "source": "https://example.com/shop.git", "revision": "x"}
    _, image, _ = exporting(replace(built, said=said))
    expected = {
        "org.opencontainers.image.version": "1.2.3",
        "org.opencontainers.image.source": "https://example.com/shop.git",
        "org.opencontainers.image.revision": "c" * 40,
    }
    assert expected.items() <= image.annotations.items()
    assert image.annotations.items() <= image.labels.items()


def test_the_config_layer_lists_processes_and_buildpacks(
    built: Built, exporting: Exporting, registry: Registry
) -> None:
    _, stored, _ = exporting(built)
    blob = gzip.decompress(registry.blob(stored.repository, stored.layers[4].digest))
    with tarfile.open(fileobj=io.BytesIO(blob)) as tar:
        file = tar.extractfile("layers/config/metadata.toml")
        assert file
        metadata = tomllib.loads(file.read().decode())
    assert metadata["processes"][0] == {
        "type": "web",
        "command": ["python", "app.py"],
        "args": ["--port", "8000"],
        "direct": True,
        "default": True,
        "exec-env": ["*"],
        "buildpack-id": "wherry/procfile",
    }
    assert [each["id"] for each in metadata["buildpacks"]] == ["wherry/python", "wherry/procfile"]


def test_a15_the_same_build_exported_twice_is_the_same_image_and_moves_nothing(
    exporting: Exporting, proxy: Proxy, tmp_path: Path
) -> None:
    first, _, _ = exporting(finished_build(tmp_path / "one"))
    before = len(proxy.seen)
    second, _, said = exporting(finished_build(tmp_path / "two"))
    assert second == first
    assert [line for line in proxy.seen[before:] if "/uploads/" in line] == []
    assert [line for line in said if "Added" in line] == []


def test_an_apps_own_source_date_epoch_is_its_creation(built: Built, exporting: Exporting) -> None:
    assert exporting(built, SOURCE_DATE_EPOCH="86400")[1].config["created"] == "1970-01-02T00:00:00Z"
    for odd in ("x", "-1", "9" * 12, ""):
        assert exporting(built, SOURCE_DATE_EPOCH=odd)[1].config["created"] == "1980-01-01T00:00:01Z"


def test_a_code_change_reads_no_dependency_and_sends_the_app_only(
    built: Built, exporting: Exporting, proxy: Proxy
) -> None:
    first, _, _ = exporting(built)
    assert exporting(built)[0] == first
    (built.app / "src/app.py").write_text("print('ho')\n")
    dependency = built.layers_dir / "wherry_python/deps/bin/greet"
    os.utime(dependency, (1, 1))
    exporting(built)
    read_at = dependency.stat().st_atime_ns
    (built.app / "src/app.py").write_text("print('hu')\n")
    before = len(proxy.seen)
    _, _, said = exporting(built)
    assert dependency.stat().st_atime_ns == read_at
    assert "       Unchanged layer wherry/python:deps" in said
    assert [line.split("(")[0] for line in said if "Added" in line] == ["       Added layer app "]
    assert len([line for line in proxy.seen[before:] if line.startswith("PUT") and "/uploads/" in line]) == 2


def test_a_dependency_that_a_build_changed_in_place_is_packed_again(
    built: Built, exporting: Exporting, registry: Registry
) -> None:
    exporting(built)
    dependency = built.layers_dir / "wherry_python/deps/bin/greet"
    status, text = dependency.stat(), dependency.read_bytes()
    with dependency.open("r+b") as file:
        file.write(text[::-1])
    os.utime(dependency, ns=(status.st_atime_ns, status.st_mtime_ns))
    _, stored, said = exporting(built)
    assert [line.split("(")[0] for line in said if "deps" in line] == ["       Added layer wherry/python:deps "]
    assert text[::-1] in gzip.decompress(registry.blob(stored.repository, stored.layers[2].digest))


def test_what_the_last_image_has_is_asked_for_ahead_and_only_what_is_new_is_sent(
    built: Built, exporting: Exporting, registry: Registry, proxy: Proxy
) -> None:
    first, previous, _ = exporting(built)
    with Beforehand(registry, first) as beforehand:
        assert beforehand.previous() == previous
        present = beforehand.present()
    (built.app / "src/app.py").write_text("print('hey')\n")
    before = len(proxy.seen)
    image, stored, _ = exporting(built, previous, present=present)
    asked = proxy.seen[before:]
    assert stored.layers[:-1] == previous.layers[:-1]
    assert image.digest != first.digest
    assert [line for line in asked if line.startswith("HEAD")] == []
    assert len([line for line in asked if line.startswith("PUT") and "/uploads/" in line]) == 2
    (built.app / "src/app.py").write_text("print('hello')\n")
    assert exporting(built)[0] == exporting(built, stored, present=present)[0]


def test_what_the_registry_lost_of_the_last_image_is_sent_again(
    built: Built, exporting: Exporting, registry: Registry
) -> None:
    first, previous, _ = exporting(built)
    lost = previous.layers[-1].digest
    registry.ask("DELETE", first.repository, f"blobs/{lost}", [202], push=True).close()
    with Beforehand(registry, first) as beforehand:
        present = beforehand.present()
    assert present == {previous.config_digest, *(each.digest for each in previous.layers[:-1])}
    assert exporting(built, previous, present=present)[0] == first
    assert registry.has_blob(first.repository, lost)
    with Beforehand(registry, replace(first, digest=f"sha256:{'0' * 64}")) as beforehand:
        assert (beforehand.previous(), beforehand.present()) == (None, frozenset())


def test_a_known_layer_that_the_registry_lost_is_packed_again(built: Built, exporting: Exporting) -> None:
    first, _, _ = exporting(built)
    other, stored, said = exporting(built, repository=f"apps/{os.getpid()}-lost")
    assert other.digest == first.digest
    assert [line.split("(")[0] for line in said if "deps" in line] == ["       Added layer wherry/python:deps "]
    assert len(stored.layers) == 6


def test_a_launch_layer_that_is_not_there_comes_from_the_previous_image(built: Built, exporting: Exporting) -> None:
    _, previous, _ = exporting(built)
    image, stored, said = exporting(reused(built, "conf"), previous)
    assert image.digest == previous.digest
    assert stored.layers == previous.layers
    assert "       Reused layer wherry/python:conf" in said


def test_a_launch_layer_that_is_nowhere_fails_the_build(built: Built, exporting: Exporting) -> None:
    _, previous, _ = exporting(built)
    gone = reused(built, "conf")
    with pytest.raises(BuildFailed, match="reuses its layer conf, which the previous image does not have"):
        exporting(gone)
    unlabelled = replace(previous, config={**previous.config, "config": {"Labels": {}}})
    odd = replace(previous, config={"config": {"Labels": {"io.buildpacks.lifecycle.metadata": '{"buildpacks": [3]}'}}})
    for each in (unlabelled, odd, replace(previous, layers=())):
        with pytest.raises(BuildFailed):
            exporting(gone, each)


def test_slices_are_layers_of_their_own_before_the_rest_of_the_app(
    built: Built, exporting: Exporting, registry: Registry
) -> None:
    (built.app / "static/img").mkdir(parents=True)
    for name in ("static/a.css", "static/img/b.png", "README"):
        (built.app / name).write_text(name)
    _, image, _ = exporting(replace(built, slices=(("static/*",), ("nothing",), ("*.md", "README"))))
    assert [list(names(registry, image, number)) for number in (5, 6, 7)] == [
        [
            "workspace",
            "workspace/static",
            "workspace/static/a.css",
            "workspace/static/img",
            "workspace/static/img/b.png",
        ],
        ["workspace", "workspace/README"],
        ["workspace", "workspace/current", "workspace/src", "workspace/src/app.py", "workspace/static"],
    ]
    label = json.loads(image.labels["io.buildpacks.lifecycle.metadata"])
    assert [each["sha"] for each in label["app"]] == [each.diff_id for each in image.layers[5:]]


def test_bills_of_materials_come_into_a_layer(built: Built, exporting: Exporting, registry: Registry) -> None:
    folder = built.layers_dir / PYTHON.escaped
    for name in ("deps.sbom.cdx.json", "launch.sbom.syft.json", "tool.sbom.cdx.json", "build.sbom.cdx.json"):
        (folder / name).write_text("{}")
    _, image, _ = exporting(built)
    assert list(names(registry, image, 3))[-8:] == [
        "layers/sbom/build/wherry_python/sbom.cdx.json",
        "layers/sbom/build/wherry_python/tool",
        "layers/sbom/build/wherry_python/tool/sbom.cdx.json",
        "layers/sbom/launch",
        "layers/sbom/launch/wherry_python",
        "layers/sbom/launch/wherry_python/deps",
        "layers/sbom/launch/wherry_python/deps/sbom.cdx.json",
        "layers/sbom/launch/wherry_python/sbom.syft.json",
    ]
    assert json.loads(image.labels["io.buildpacks.lifecycle.metadata"])["sbom"] == {"sha": image.layers[3].diff_id}


def test_t10_a_layer_or_sbom_that_is_a_link_to_the_host_fails_the_build(built: Built, exporting: Exporting) -> None:
    folder = built.layers_dir / PYTHON.escaped
    (folder / "deps.sbom.cdx.json").symlink_to("/etc/hostname")
    with pytest.raises(BuildFailed, match=r"is not a regular file"):
        exporting(built)
    (folder / "deps.sbom.cdx.json").unlink()
    (folder / "conf/setting").unlink()
    (folder / "conf").rmdir()
    (folder / "conf").symlink_to("/etc")
    with pytest.raises(BuildFailed, match="is not where layers are"):
        exporting(built)


@pytest.mark.parametrize("pattern", ["../*", "", "[", "a\\", "x/../../y"])
def test_a_slice_that_is_no_pattern_in_the_app_fails_the_build(
    pattern: str, built: Built, exporting: Exporting
) -> None:
    with pytest.raises(BuildFailed, match="the slice"):
        exporting(replace(built, slices=((pattern,),)))


def test_what_export_packed_is_gone_afterwards(built: Built, exporting: Exporting) -> None:
    exporting(built)
    assert sorted(path.name for path in built.layers_dir.parent.iterdir()) == ["app", "layers"]


@pytest.mark.engine
def test_the_image_runs_on_an_engine(built: Built, exporting: Exporting, registry_url: str) -> None:
    image, _, _ = exporting(built)
    name = f"{registry_url.removeprefix('http://')}/{image.repository}"
    api = APIClient(base_url=ENGINE, version="auto")
    try:
        api.pull(name, tag=image.digest)
        container = api.create_container(f"{name}@{image.digest}", labels={"wherry.platform": "test-export"})
        api.start(container)
        assert api.wait(container)["StatusCode"] == 0
        lines = api.logs(container).decode().split("\n")
        api.remove_container(container)
        api.remove_image(f"{name}@{image.digest}")
    finally:
        api.close()
    assert lines[0] == "1001:1000 /workspace /workspace"
    assert {"PATH=/cnb/process:/usr/bin:/bin", "CNB_LAYERS_DIR=/layers", "LANG=C.UTF-8"} <= set(lines)
    assert "hello from /layers/wherry_python/deps/bin/greet" in lines
    assert lines[-4:-1] == ["current", "src", "w"]
