"""A finished build made by hand, and a stack of a few files (a static busybox and its links)."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from wherry.builds.model import Buildpack, Built, BuiltLayer, LaunchProcess
from wherry.builds.stacks import Stack
from wherry.domain.config import Config
from wherry.domain.image import Image
from wherry.domain.model import Source
from wherry.flow.ports import BuildRequest
from wherry.images.entries import of_files
from wherry.images.layers import pack
from wherry.images.manifest import image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import push_image, read_image

APPLETS = "sh id pwd env cat ls touch sleep".split()
BUILD_ENV = ["CNB_USER_ID=1000", "CNB_GROUP_ID=1000", "CNB_STACK_ID=io.wherry.stacks.test", "PATH=/bin"]
RUN_ENV = ["PATH=/usr/bin:/bin", "HOME=/workspace", "LANG=C.UTF-8"]
LABELS = {"io.buildpacks.base.distro.name": "debian", "io.buildpacks.base.distro.version": "12"}
PYTHON = Buildpack("wherry/python", "1.2.3", "0.10", Path("/nowhere"), homepage="https://example.com")
PROCFILE = Buildpack("wherry/procfile", "0.1", "0.10", Path("/nowhere"))


def busybox(folder: Path) -> Path:
    """A statically linked one: the system's, or that of Debian's package, not installed."""
    found = shutil.which("busybox")
    if found and b"INTERP" not in subprocess.run(["readelf", "-l", found], capture_output=True, check=False).stdout:
        return Path(found)
    folder.chmod(0o755)
    subprocess.run(["apt-get", "download", "-q", "busybox-static"], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", package, folder / "files"], check=True)
    return folder / "files/bin/busybox"


def tiny_stack(registry: Registry, folder: Path, program: bytes) -> Stack:
    files = {"/bin/busybox": (program, 0o755), "/etc/passwd": (b"app:x:1001:1000::/workspace:/bin/sh\n", 0o644)}
    files |= {f"/bin/{name}": (b"busybox", 0o120000) for name in APPLETS}
    layers = [pack(of_files(files, folders={"/tmp": 0o1777}), folder)]
    images = []
    for repository, settings in (
        ("stack/build", {"Env": BUILD_ENV, "User": "1000:1000", "Labels": LABELS}),
        ("stack/run", {"Env": RUN_ENV, "User": "1001:1000", "Labels": LABELS, "Cmd": ["sh"]}),
    ):
        config = image_config(layers, settings)
        digest = push_image(registry, repository, config, layers, image_manifest(config, layers, {}))
        images.append(read_image(registry, repository, digest))
    build, run = images
    refs = [registry.reference(each.repository, each.digest) for each in images]
    return Stack(build, run, *refs)


def finished_build(work: Path) -> Built:
    """Two launch layers, one that is for building only, an app with a link; `web` runs a script of a layer."""
    layers = work / "layers"
    for name in ("deps/bin", "tool/bin", "conf"):
        (layers / "wherry_python" / name).mkdir(parents=True)
    (layers / "wherry_python/deps/bin/greet").write_text("#!/bin/sh\necho hello from $0\n")
    (layers / "wherry_python/deps/bin/greet").chmod(0o755)
    (layers / "wherry_python/conf/setting").write_text("s")
    app = work / "app"
    (app / "src").mkdir(parents=True)
    (app / "src/app.py").write_text("print('hi')\n")
    (app / "current").symlink_to("src")
    launcher = (
        b'#!/bin/sh\necho "$(id -u):$(id -g) $(pwd) $HOME"; env; /layers/wherry_python/deps/bin/greet; touch w; ls\n'
    )
    return Built(
        app,
        layers,
        (PYTHON, PROCFILE),
        (
            layer(layers, "deps", launch=True, cache=True, metadata={"python": "3.11"}),
            layer(layers, "conf", launch=True),
            layer(layers, "tool", build=True),
        ),
        (
            LaunchProcess("web", ("python", "app.py"), ("--port", "8000"), default=True, buildpack=PROCFILE.id),
            LaunchProcess("worker", ("python worker.py && true",), direct=False, buildpack=PROCFILE.id),
        ),
        {"maintainer": "me"},
        (),
        {PYTHON.id: {"seen": 3}},
        {
            "/cnb/lifecycle/launcher": (launcher, 0o755),
            "/cnb/process/web": (b"/cnb/lifecycle/launcher", 0o120000),
            "/cnb/process/worker": (b"/cnb/lifecycle/launcher", 0o120000),
        },
    )


def layer(
    layers: Path, name: str, launch: bool = False, build: bool = False, cache: bool = False, **more: object
) -> BuiltLayer:
    return BuiltLayer(PYTHON, name, layers / "wherry_python" / name, launch, build, cache, **more)  # type: ignore[arg-type]


def reused(built: Built, name: str) -> Built:
    """The same build, whose layer is not there: it is to come from the previous image."""
    found = next(each for each in built.layers if each.name == name)
    assert found.folder
    shutil.rmtree(found.folder)
    kept = tuple(replace(each, folder=None) if each is found else each for each in built.layers)
    return replace(built, layers=kept)


def request(config: Config | None = None, previous: Image | None = None) -> BuildRequest:
    source = Source("c" * 40, "d" * 40, "/nowhere")
    return BuildRequest(7, "shop", 3, 1, source, config or {}, previous)
