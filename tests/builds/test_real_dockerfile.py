"""Dockerfiles, built for real by the engine on the real stack's images, and run as apps are."""

from __future__ import annotations

import shutil
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from docker import APIClient
from wherry.builds.builder import LifecycleBuilder
from wherry.builds.container import Containers
from wherry.builds.stacks import Stack
from wherry.builds.taken_images import TakenImages
from wherry.domain.build_settings import BuildSettings
from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled, InvalidInput, NotFound, RolloutFailed
from wherry.domain.image import Image
from wherry.domain.workload import Workload
from wherry.flow.ports import Cancel
from wherry.images.registry import Registry
from wherry.images.stored import read_image
from wherry.runtimes.machine.image_build import MachineImageBuild
from wherry.runtimes.machine.pull import Registry as Pulls
from wherry.runtimes.machine.runtime import MachineRuntime
from wherry.runtimes.machine.sandbox import MachineSandbox
from wherry.settings import Settings

from tests.builds.yard import SAMPLES, Yard
from tests.runtimes.tiny import ENGINE, busybox

__all__ = ["busybox"]  # fixtures, found here by name
pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


class DockerYard(Yard):
    """As wiring makes the builder. `caps` are settings of this test."""

    caps: dict[str, str]

    @property
    def builder(self) -> LifecycleBuilder:
        settings = Settings.load({"WHERRY_HOME": str(self.home), **self.caps})
        pulls = Pulls(self.registry.address)
        images = MachineImageBuild(ENGINE, self.platform, pulls)
        sandbox = MachineSandbox(ENGINE, self.platform, pulls, "", self.home / "builds")
        containers = Containers(images, self.registry, settings)
        return LifecycleBuilder(sandbox, self, self.registry, settings, containers=containers)

    def make(self, app: Path, **files: str) -> Path:
        """`app` with files, by names whose dots are __; %RUN% and %BUILD% stand for the stack's images."""
        app.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = app / name.replace("__", ".")
            path.write_text(text.replace("%RUN%", self.stack.run_ref).replace("%BUILD%", self.stack.build_ref))
        return app

    def hello(self, app: Path) -> Path:
        shutil.copytree(SAMPLES / "dockerfile-hello", app)
        text = (app / "heroku.yml").read_text()
        images = f"    BUILD_IMAGE: {self.stack.build_ref}\n    RUN_IMAGE: {self.stack.run_ref}\n"
        (app / "heroku.yml").write_text(text.replace("  config:\n", "  config:\n" + images))
        return app

    def fails(self, app: Path, **files: str) -> BuildFailed:
        with pytest.raises(BuildFailed) as caught:
            self.build(self.make(app, **files))
        return caught.value


@pytest.fixture
def yard(
    stack_registry: tuple[Registry, Stack], tmp_path: Path, platform_id: str, engine_api: APIClient
) -> Iterator[DockerYard]:
    yard = DockerYard(tmp_path, *stack_registry, platform_id, engine_api, settings=BuildSettings(stack="container"))
    yard.caps = {}
    yield yard
    yard.builder.forget(1)
    assert engine_api.images(filters={"reference": f"wherry-cache/{platform_id}/*"}) == []


@pytest.fixture
def runtime(yard: DockerYard) -> Iterator[MachineRuntime]:
    runtime = MachineRuntime(ENGINE, yard.platform, Pulls(yard.registry.address))
    yield runtime
    runtime.remove()
    for repository in ("apps/1", "ours/apps/2"):
        for each in yard.engine.images(f"{yard.registry.address}/{repository}"):
            digests = [name.rpartition("@")[2] for name in each["RepoDigests"] or ()]
            runtime.discard([(repository, digest) for digest in digests])
    runtime.close()


def workload(image: Image, kind: str = "web", release: int = 1) -> Workload:
    return Workload(1, "hello", release, kind, image.of(kind), boot_limit=20, start=image.starts.get(kind))


def answer(runtime: MachineRuntime, release: int = 1) -> str:
    (web,) = [each for each in runtime.processes(1) if each.type == "web" and each.release == release]
    assert web.endpoint
    with urllib.request.urlopen(f"http://{web.endpoint.address}:{web.endpoint.port}/", timeout=10) as response:
        assert response.status == 200
        return str(response.read().decode())


def test_a_dockerfile_app_is_built_served_and_built_again_from_its_layers(
    yard: DockerYard, sample: Path, runtime: MachineRuntime
) -> None:
    yard.settings = BuildSettings()  # its heroku.yml is what says so
    yard.hello(sample)
    first = yard.build(sample)
    said = "\n".join(yard.said)
    assert "heroku.yml says build.docker" in said
    assert "setup is passed over" in said
    assert "EXPOSE counts for nothing" in said
    assert "slow step" in said
    assert "runs as root: here as 1001:1000" in said
    assert dict(first.processes)["web"] == "perl server.pl"
    assert "LABEL" not in said
    labels = read_image(yard.registry, first.repository, first.digest).labels
    assert labels["org.opencontainers.image.revision"].startswith(labels["org.opencontainers.image.version"])
    assert "org.opencontainers.image.title" in labels
    assert first.starts["worker"].argv[:2] == ("perl", "-e")
    runtime.start([workload(first), workload(first, "worker")], yard.said.append)
    assert answer(runtime) == "Good day from a Dockerfile\nuid 1001 of web.1, image\n"

    server = sample / "server.pl"
    server.write_text(server.read_text().replace("uid $>", "changed, uid $>"))
    began = time.monotonic()
    second = yard.build(sample, previous=first)
    print("code-only rebuild", time.monotonic() - began)
    assert "slow step" not in "\n".join(yard.said)[len(said) :]
    assert sum("Using cache" in line for line in yard.said) >= 4, yard.said
    runtime.start([workload(second, release=2)], yard.said.append)
    assert "changed, uid 1001" in answer(runtime, 2)


def test_a_failing_step_shows_which_its_last_lines_and_its_exit_code(yard: DockerYard, sample: Path) -> None:
    error = yard.fails(sample, Dockerfile="FROM %RUN%\nRUN echo before\nRUN echo the cause >&2; exit 42\n")
    assert error.kind is BuildFailure.STEP_FAILED
    assert error.message == "Step 3/3 (RUN echo the cause >&2; exit 42) ended with exit code 42"
    assert error.evidence == ("the cause",)
    error = yard.fails(sample, Dockerfile="FROM %RUN%\nCOPY nothing.txt /\n")
    assert error.kind is BuildFailure.BAD_SOURCE
    assert "nothing.txt" in error.message


def test_t18_an_endless_step_is_stopped_by_the_time_cap_and_a_cancelled_one_at_once(
    yard: DockerYard, sample: Path, engine_api: APIClient
) -> None:
    yard.caps = {"WHERRY_BUILD_SECONDS": "4"}
    began = time.monotonic()
    error = yard.fails(sample, Dockerfile="FROM %RUN%\nRUN echo begun; sleep 1000\n")
    assert error.kind is BuildFailure.OUT_OF_TIME
    assert time.monotonic() - began < 100
    yard.caps = {}
    cancel = Cancel()
    request = yard.request(yard.make(sample, Dockerfile="FROM %RUN%\nRUN echo begun; sleep 1001\n"))

    def say(line: str) -> None:
        if line.strip() == "begun":
            threading.Thread(target=cancel.cancel).start()

    began = time.monotonic()
    with pytest.raises(Cancelled):
        yard.builder.build(request, say, cancel)
    assert time.monotonic() - began < 100
    until = time.monotonic() + 60
    while left := _on_the_build_network(yard, engine_api):
        assert time.monotonic() < until, left
        time.sleep(0.05)


def test_t18_bombs_of_memory_processes_and_output_are_capped(yard: DockerYard, sample: Path) -> None:
    yard.caps = {"WHERRY_BUILD_MEMORY_MB": "128"}
    hog = "perl -e '$x = q{x} x 400_000_000; sleep 2'"
    error = yard.fails(sample, Dockerfile=f"FROM %RUN%\nRUN {hog}\n")
    assert error.kind is BuildFailure.OUT_OF_MEMORY
    assert "128 MiB" in error.message
    yard.caps = {}
    forks = (
        "perl -e '$n = 0; while ($n < 3000) { $p = fork; last unless defined $p; if (!$p) { sleep 60; exit } $n++ } "
    )
    forks += "print qq{made $n\\n}; exit 7'"
    error = yard.fails(sample, Dockerfile=f"FROM %RUN%\nRUN sleep 1; {forks}\n")
    (made,) = [int(line.split()[1]) for line in error.evidence if line.startswith("made ")]
    assert made < 1100, error.lines()
    error = yard.fails(sample, Dockerfile="FROM %RUN%\nRUN yes a long line of words that never ends\n")
    assert error.kind is BuildFailure.LOG_TOO_LONG


def test_t17_what_another_builder_reads_or_another_app_owns_is_refused(yard: DockerYard, sample: Path) -> None:
    error = yard.fails(sample, Dockerfile="# syntax=evil.example/frontend:1\nFROM %RUN%\nRUN --mount=type=ssh true\n")
    assert error.kind is BuildFailure.BAD_SOURCE
    said = "\n".join(error.lines())
    assert "Dockerfile:1: syntax=evil.example/frontend:1" in said
    assert "Dockerfile:3: RUN --mount is BuildKit's" in said
    other = yard.registry.reference("apps/2", f"sha256:{'0' * 64}")
    error = yard.fails(sample, Dockerfile=f"FROM {other}\nCOPY --from=wherry-cache/x/2-web:whole / /\n")
    assert len([line for line in error.evidence if "is not permitted" in line]) == 2


def test_t16_a_base_image_cannot_bring_a_trigger_that_takes_from_other_images(
    yard: DockerYard, sample: Path, engine_api: APIClient
) -> None:
    name = f"wherry-test-{yard.platform}:base"
    made = engine_api.import_image_from_data(b"\0" * 1024, *name.split(":"), changes=["ONBUILD COPY --from=3f / /x"])
    assert made
    try:
        error = yard.fails(sample, Dockerfile=f"FROM {name}\n")
    finally:
        engine_api.remove_image(name, force=True)
    assert error.evidence == ("ONBUILD COPY --from=3f / /x",)
    error = yard.fails(sample, Dockerfile="FROM 127.0.0.1:9/there/is:none\n")
    assert error.kind is BuildFailure.NETWORK, error.lines()


def test_a_dockerfile_that_is_not_there_is_named(yard: DockerYard, sample: Path) -> None:
    error = yard.fails(sample, heroku__yml="build:\n  docker:\n    web: deploy/Dockerfile\n")
    assert error.message == "there is no deploy/Dockerfile in the app, which heroku.yml names in build.docker.web"
    (sample / "heroku.yml").unlink()
    assert yard.fails(sample, app__txt="").message == "there is no Dockerfile in the app"


def test_t13_a_step_finds_no_login_no_engine_and_not_the_registry(yard: DockerYard, sample: Path) -> None:
    port = yard.registry.address.rpartition(":")[2]
    probe = (
        "ls -la /var/run/docker.sock /root/.docker 2>/dev/null; env; "
        f"for h in 127.0.0.1 $(ip route 2>/dev/null | sed -n 's/default via //p' | cut -d' ' -f1) 172.17.0.1; do "
        f"perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => {port}, Timeout => 2)"
        " ? qq{REACHED\\n} : qq{shut\\n}' $h; done; exit 9"
    )
    error = yard.fails(sample, Dockerfile=f"FROM %RUN%\nRUN {probe}\n")
    said = "\n".join(error.evidence)
    assert "shut" in said
    assert "REACHED" not in said
    assert "docker.sock" not in said
    assert "password" not in said.lower()


def test_without_a_word_a_dockerfile_is_built_when_no_buildpack_knows_the_app(yard: DockerYard, sample: Path) -> None:
    yard.settings = BuildSettings()
    files = {"Dockerfile": 'FROM %RUN%\nUSER 1234\nENTRYPOINT ["sh", "-c"]\nCMD ["sleep 1000"]\n'}
    image = yard.build(yard.make(sample, **files))
    assert any("No buildpack knows it, and there is a Dockerfile" in line for line in yard.said), yard.said
    assert image.starts["web"].argv == ("sh", "-c", "sleep 1000")
    assert image.starts["web"].user == ""
    image = yard.build(yard.make(sample, Procfile="web: exec sleep 5\nrelease: true\n"), previous=image)
    assert image.starts["web"].argv == ("/bin/sh", "-c", "exec sleep 5")
    assert list(image.processes) == ["web", "release"]


def test_an_image_from_elsewhere_is_released_by_digest_and_only_from_where_it_may_come(
    yard: DockerYard, sample: Path, runtime: MachineRuntime
) -> None:
    made = yard.build(yard.hello(sample))
    host, name = yard.registry.address, f"{yard.registry.address}/apps/1@{made.digest}"
    ours = Registry(f"http://{host}/ours")
    settings = replace(Settings.load({"WHERRY_HOME": str(yard.home)}), image_sources=f"docker://{host}/apps")
    try:
        start = TakenImages(ours, settings).take_in(2, name)
        assert start.digest == made.digest
        assert start.argv == ("perl", "server.pl")
        assert TakenImages(ours, settings).take_in(2, made.digest) == start
        for refused in (
            f"{host}/stack/run@{made.digest}",
            f"{host}/ours/apps/3@{made.digest}",
            f"{host}/apps/1:tag",
            "x",
        ):
            with pytest.raises(InvalidInput):
                TakenImages(ours, settings).take_in(2, refused)
        with pytest.raises(NotFound):
            TakenImages(ours, settings).take_in(3, made.digest)
    finally:
        ours.close()
    image = Image("ours/apps/2", start.digest, {"web": ""}, {"web": start})
    runtime.start([workload(image)], yard.said.append)
    assert "uid 1001 of web.1" in answer(runtime)


def test_an_image_without_a_shell_says_so_when_its_line_needs_one(
    yard: DockerYard, sample: Path, runtime: MachineRuntime, busybox: Path
) -> None:
    yard.make(sample, Dockerfile='FROM scratch\nCOPY busybox /bin/\nCMD ["/bin/busybox", "sleep", "1000"]\n')
    shutil.copy(busybox, sample / "busybox")
    image = yard.build(yard.make(sample, Procfile="worker: sleep 1000\n"))
    with pytest.raises(RolloutFailed) as caught:
        runtime.start([workload(image, "worker")], yard.said.append)
    assert "/bin/sh" in caught.value.hint, caught.value.lines()
    (sample / "Procfile").unlink()
    image = yard.build(sample, previous=image)
    assert image.starts["web"].argv == ("/bin/busybox", "sleep", "1000")
    runtime.start([replace(workload(image), type="worker")], yard.said.append)


def _on_the_build_network(yard: DockerYard, api: APIClient) -> list[dict[str, object]]:
    found: list[dict[str, object]] = api.containers(filters={"network": f"wherry-{yard.platform}-build"})
    return found
