"""Builds that want out: what a build's own code finds when it tries (security.md T12, T14, T16, T18)."""

from __future__ import annotations

import tarfile
import threading
import time
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailed, BuildFailure
from wherry.flow.ports import Cancel

from tests.builds.yard import Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

PROBES = r"""
import ctypes, os, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)

def system(name, *args):
    if libc.__getattr__(name)(*args) < 0:
        raise OSError(ctypes.get_errno(), name)

def write(path, text="1"):
    with open(path, "w") as file:
        file.write(text)

def in_a_user_namespace():
    system("unshare", 0x10000000 | 0x20000)
    system("mount", b"none", b"/mnt", b"tmpfs", 0, None)

PROBES = {
    "mount a filesystem": lambda: system("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "remount the root": lambda: system("mount", b"", b"/", b"", 32 | 4096, None),
    "become root": lambda: os.setuid(0),
    "a user namespace with a mount": lambda: in_a_user_namespace(),
    "enter the host's namespaces": lambda: system("setns", os.open("/proc/1/ns/mnt", 0), 0),
    "write a kernel setting": lambda: write("/proc/sys/kernel/core_pattern", "|/tmp/x"),
    "write sysrq": lambda: write("/proc/sysrq-trigger"),
    "read kernel memory": lambda: open("/dev/mem", "rb").read(1),
    "read kcore": lambda: open("/proc/kcore", "rb").read(1),
    "make a device": lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0)),
    "load a module": lambda: system("init_module", None, 0, b""),
    "set the clock": lambda: system("settimeofday", ctypes.c_char_p(b"\0" * 16), None),
    "a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "a packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3),
    "the engine's socket": lambda: socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock"),
    "a release agent": lambda: write("/sys/fs/cgroup/memory/release_agent", "/tmp/x"),
    "lift the memory limit": lambda: write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "-1"),
    "bpf": lambda: system("syscall", 321, 0, None, 0),
    "userfaultfd": lambda: system("syscall", 323, 0),
    "the kernel's keys": lambda: system("syscall", 250, 0, -3, 1),
    "write a buildpack": lambda: write(sys.argv[1] + "/bin/build"),
    "write the config": lambda: write("/platform/env/X"),
    "write the system": lambda: write("/etc/passwd"),
    "make a set-id file count": lambda: subprocess.run(["chmod", "4755", "/bin/bash"], check=True, capture_output=True),
}
for name, probe in PROBES.items():
    try:
        probe()
        print("open:", name)
    except Exception:
        print("shut:", name)
"""


def project(app: Path, script: str) -> None:
    (app / "Procfile").write_text("web: true\n")
    group = '[[io.buildpacks.group]]\nid = "app/hostile"\n[io.buildpacks.group.script]\napi = "0.10"\n'
    (app / "project.toml").write_text(f"{group}inline = '''\n{script}\n'''\n")


@pytest.fixture
def app(sample: Path) -> Path:
    sample.mkdir()
    return sample


def test_t12_none_of_24_ways_out_is_open(yard: Yard, app: Path) -> None:
    (app / "probes.py").write_text(PROBES)
    project(app, 'python3 probes.py "$CNB_BUILDPACK_DIR"')
    yard.build(app)
    tried = [line.strip() for line in yard.said if line.strip().startswith(("open:", "shut:"))]
    assert len(tried) == 24
    assert [line for line in tried if line.startswith("open:")] == []


def test_t14_a_secret_of_the_config_is_in_no_layer_and_no_line(yard: Yard, app: Path) -> None:
    canary = "canary-5f1d2c7e"
    project(app, "test -n \"$TOKEN\" && echo 'the build has it'")
    image = yard.build(app, TOKEN=canary)
    assert any("the build has it" in line for line in yard.said)
    assert not any(canary in line for line in yard.said)
    packed = app.parent / "image.tar"
    reference = yard.registry.reference(image.repository, image.digest)
    yard.engine.pull(reference)
    packed.write_bytes(b"".join(yard.engine.get_image(reference)))
    with tarfile.open(packed) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            assert content is None or canary.encode() not in content.read(), member.name
    yard.engine.remove_image(reference, force=True)
    left = [path for path in yard.home.rglob("*") if path.is_file() and canary.encode() in path.read_bytes()]
    assert left == []


def test_t16_what_an_app_writes_into_its_cache_reaches_no_other_app(yard: Yard, app: Path) -> None:
    script = 'ls "$CNB_LAYERS_DIR"; mkdir -p "$CNB_LAYERS_DIR/poison"; echo x >"$CNB_LAYERS_DIR/poison/x"\n'
    script += 'printf "[types]\\ncache = true\\n" >"$CNB_LAYERS_DIR/poison.toml"'
    project(app, script)
    yard.build(app, app_id=1)
    yard.build(app, app_id=1)
    assert any("poison" in line for line in yard.said)
    yard.build(app, app_id=2)
    assert not any("poison" in line for line in yard.said)


def test_t18_bombs_end_in_their_own_words_while_another_build_goes_on(yard: Yard, app: Path) -> None:
    bombs = {
        "memory": (
            "python3 -c 'x = bytearray(3 << 30); x[::4096] = b\"1\" * len(x[::4096])'",
            BuildFailure.OUT_OF_MEMORY,
        ),
        "log": ("yes", BuildFailure.LOG_TOO_LONG),
        "disk": ("head -c 3g /dev/zero >/tmp/big", BuildFailure.BUILDPACK_FAILED),
    }
    ended: dict[str, BuildFailed] = {}
    builder = yard.builder

    def explode(name: str, script: str) -> None:
        folder = app.parent / name
        folder.mkdir()
        project(folder, script)
        try:
            builder.build(yard.request(folder, app_id=10 + len(name)), lambda line: None, Cancel())
        except BuildFailed as error:
            ended[name] = error

    threads = [threading.Thread(target=explode, args=(name, script)) for name, (script, _) in bombs.items()]
    for thread in threads:
        thread.start()
    project(app, "echo calm")
    began = time.monotonic()
    builder.build(yard.request(app), yard.said.append, Cancel())
    assert time.monotonic() - began < 60
    for thread in threads:
        thread.join(200)
    assert {name: error.kind for name, error in ended.items()} == {name: kind for name, (_, kind) in bombs.items()}
