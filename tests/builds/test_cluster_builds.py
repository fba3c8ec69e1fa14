"""Builds as Jobs of a real cluster: the same samples as on a machine, and what a build must not get at."""

from __future__ import annotations

import gzip
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import pytest
from wherry.builds.given_stack import GivenStack
from wherry.builds.pod_builder import PodBuilder
from wherry.builds.stacks import BUILD, RUN, Stack
from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled, WherryError
from wherry.domain.image import Image
from wherry.domain.model import BuildStatus
from wherry.domain.secret import Secret
from wherry.flow.cancel import CancelBuild
from wherry.flow.lanes import build_stream
from wherry.flow.ports import BuildRequest, Cancel
from wherry.images.registry import Registry
from wherry.images.stored import copy_image, read_image
from wherry.ledger.ledger import SqlLedger
from wherry.runtimes.cluster.build_manifests import namespace_name
from wherry.settings import Settings

from tests.builds.lifecycle_kit import PHASES, builder_of, named, sample_app
from tests.builds.pod_image import platform_image
from tests.builds.takeover_kit import Harbour, live
from tests.builds.test_real_builds import copy, sample, stack_registry
from tests.builds.yard import Yard
from tests.cluster.cluster import Cluster
from tests.cluster.fixtures import cluster, cluster_platform_id, cluster_registry
from tests.cluster.registry import ClusterRegistry
from tests.flow.conftest import TurningClock
from tests.runtimes.machine_world import eventually

# fixtures, which pytest finds here by name
__all__ = ["cluster", "cluster_platform_id", "cluster_registry", "sample", "stack_registry"]
pytestmark = [pytest.mark.cluster, pytest.mark.engine]
_APPS = count(1)
CANARY = "canary-of-the-config-5c1d"


@dataclass
class Pods:
    """A builder as a worker on a cluster has it; `said` are the lines of the last build."""

    cluster: Cluster
    found: ClusterRegistry
    registry: Registry
    stack: GivenStack
    image: str
    platform: str
    home: Path
    settings: Settings = field(default_factory=lambda: replace(Settings.load({}), build_memory_mb="256"))
    said: list[str] = field(default_factory=list)
    app: int = field(default_factory=lambda: next(_APPS))

    @property
    def harbour(self) -> Harbour:
        found, known = self.found, self.stack.known()
        return Harbour(
            str(self.cluster.kubeconfig),
            self.platform,
            (found.address, found.address, found.address_in_pods, found.user, found.password),
            (known.build.digest, known.run.digest, self.image),
            self.home,
        )

    @property
    def builder(self) -> PodBuilder:
        return self.harbour.builder(self.settings)

    def build(self, app: Path, previous: Image | None = None, cancel: Cancel | None = None, **config: str) -> Image:
        self.said.clear()
        request = self.request(app, previous, **config)
        builder = self.builder

        def say(line: str, mark: str = "") -> None:
            self.said.append(line)

        try:
            return builder.build(request, say, cancel or Cancel())
        finally:
            builder.sweep(request.build_id)
            builder.registry.close()

    def request(self, app: Path, previous: Image | None = None, **config: str) -> BuildRequest:
        packer = Yard(self.home, self.registry, self.stack.known(), self.platform, None)  # type: ignore[arg-type]
        return packer.request(app, self.app, previous, **config)

    def failure(self, app: Path) -> BuildFailed:
        with pytest.raises(BuildFailed) as caught:
            self.build(app)
        return caught.value

    def left(self) -> list[str]:
        """Names of what builds have left in the cluster."""
        found = self.cluster.kubectl(
            "get", "jobs,pods,secrets", f"--namespace={namespace_name(self.platform)}", "-o=name"
        )
        return [each for each in found.split() if each != "secret/registry"]

    def images_of(self, app_id: int) -> set[str]:
        """Digests of all that was ever pushed for it."""
        of_app = f"registry/data/docker/registry/v2/repositories/apps/{app_id}/_manifests/revisions/sha256"
        return {f"sha256:{each.name}" for each in (self.cluster.state / of_app).glob("*")}

    def left_pod(self) -> str:
        return next(each.partition("/")[2] for each in self.left() if each.startswith("pod/"))

    def leave_nothing(self) -> bool:
        """A pod that has ended takes the cluster a moment to clear up."""
        eventually(lambda: self.left() == [], 30)
        return True


@pytest.fixture
def pods(
    cluster: Cluster,
    cluster_registry: ClusterRegistry,
    cluster_platform_id: str,
    stack_registry: tuple[Registry, Stack],
    tmp_path: Path,
) -> Iterator[Pods]:
    source, stack = stack_registry
    login = (cluster_registry.user, Secret(cluster_registry.password))
    registry = Registry(f"http://{cluster_registry.address}", *login)
    for repository, image in ((BUILD, stack.build), (RUN, stack.run)):
        copy_image(source, repository, image.digest, registry, repository, tmp_path)
    given = GivenStack(registry, stack.build.digest, stack.run.digest)
    image = platform_image(registry, given.known(), tmp_path)
    yield Pods(cluster, cluster_registry, registry, given, image, cluster_platform_id, tmp_path)
    registry.close()


def script(folder: Path, text: str, *before: str) -> Path:
    """An app that is built by the buildpacks `before`, and then by a script of its own."""
    groups = "".join(f'[[io.buildpacks.group]]\nid = "{each}"\n' for each in before)
    own = f'[[io.buildpacks.group]]\nid = "test/own"\n[io.buildpacks.group.script]\napi = "0.10"\ninline = """\n{text}\n"""\n'
    folder.mkdir(exist_ok=True)
    (folder / "project.toml").write_text(f'[_]\nschema-version = "0.2"\n{groups}{own}')
    (folder / "Procfile").write_text("web: true\n")
    return folder


def test_t14_python_is_built_in_a_pod_and_its_secrets_are_nowhere(pods: Pods, sample: Path) -> None:
    copy("python-hello", sample)
    first = pods.build(sample, DATABASE_URL=CANARY)
    assert first.processes["web"].startswith("gunicorn ")
    assert any("Installed" in line for line in pods.said), pods.said
    assert pods.leave_nothing()

    app_py = sample / "app.py"
    app_py.write_text(app_py.read_text().replace("Hello from a test", "Changed"))
    second = pods.build(sample, previous=first, DATABASE_URL=CANARY)
    assert "       requirements.txt has not changed: its packages are used again" in pods.said
    assert any("Unchanged layer wherry/python:dependencies" in line for line in pods.said), pods.said
    before, after = (read_image(pods.registry, each.repository, each.digest) for each in (first, second))
    assert len({*after.layers} - {*before.layers}) <= 2, "more than the app's own layers and the config changed"

    hidden = [CANARY.encode(), pods.found.password.encode()]
    blobs = [path for path in (pods.cluster.state / "registry/data").rglob("data") if path.is_file()]
    assert len(blobs) > 10
    for path in blobs:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        assert not any(each in content for each in hidden), path
    assert not any(each.decode() in line for each in hidden for line in pods.said)

    assert pods.registry.tags(f"builds/{pods.app}") == ["cache"]
    pods.builder.forget(pods.app)
    assert pods.registry.tags(f"builds/{pods.app}") == []


def test_t13_t15_a_build_reaches_nothing_of_the_platform_and_holds_no_credential(pods: Pods, tmp_path: Path) -> None:
    served = threading.Event()

    class Platform(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.set()

    server = HTTPServer((pods.cluster.host_address, 0), Platform)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    node, host = pods.cluster.node_address, pods.cluster.host_address
    api = pods.cluster.place.server.rpartition(":")[2]
    refused = [
        *("https://kubernetes.default.svc", "https://10.96.0.1", f"https://{node}:{api}", f"https://{node}:10250/pods"),
        *("http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://100.100.100.200/"),
        *(f"http://{host}:{server.server_port}/", "http://127.0.0.1:8301/", "http://[::1]:8301/"),
    ]
    asks = "\n".join(f"curl -gks -m 3 -o /dev/null '{url}' && echo REACHED '{url}'" for url in refused)
    half = len(pods.found.password) // 2
    text = f"""
needle={pods.found.password[:half]}
needle=${{needle}}{pods.found.password[half:]}
{asks}
echo registry $(curl -s -o /dev/null -w '%{{http_code}}' http://{pods.found.address_in_pods}/v2/_catalog)
for each in /run/wherry-inputs /wherry /var/run/secrets /run/secrets /var/run/docker.sock; do
  [ -e $each ] && echo THERE $each
done
cat /proc/[0-9]*/environ | tr '\\\\0' '\\\\n' | sort -u | grep -iE "passw|token|secret|$needle" | sed 's/^/ENV /'
grep -rsl "$needle" / --exclude-dir=sys --exclude-dir=proc --exclude-dir=workspace | sed 's/^/FOUND /'
grep -E '^(Cap(Prm|Eff|Bnd)|NoNewPrivs|Seccomp):' /proc/self/status | tr '\\\\t' ' '
touch /cnb/plans/.. /layers.x /etc/x 2>/dev/null && echo WRITES
id -u
ln -s /run/wherry-inputs/input.json /workspace/link
echo done
"""
    try:
        image = pods.build(script(tmp_path / "probe", text))
    finally:
        server.shutdown()
        server.server_close()
    said = [line.strip() for line in pods.said]
    assert "done" in said, said
    bad = ("REACHED", "THERE", "ENV", "FOUND", "WRITES")
    assert [line for line in said if line.startswith(bad)] == []
    assert "registry 401" in said
    assert {"CapPrm: 0000000000000000", "CapEff: 0000000000000000", "CapBnd: 0000000000000000"} <= {*said}
    assert {"NoNewPrivs: 1", "Seccomp: 2", str(pods.stack.known().uid)} <= {*said}
    assert not served.is_set()
    layers = read_image(pods.registry, image.repository, image.digest).layers
    for layer in layers[-2:]:
        blob = gzip.decompress(pods.registry.fetch_blob(image.repository, layer.digest, tmp_path).read_bytes())
        assert pods.found.password.encode() not in blob


def test_a11_failures_have_the_classes_that_they_have_on_a_machine(pods: Pods, tmp_path: Path) -> None:
    failed = pods.failure(script(tmp_path / "fails", "echo it is broken >&2; exit 9"))
    assert failed.kind is BuildFailure.BUILDPACK_FAILED
    assert "it is broken" in "\n".join(failed.lines())

    failed = pods.failure(script(tmp_path / "eats", "tail /dev/zero; exit 3"))
    assert failed.kind is BuildFailure.OUT_OF_MEMORY
    assert failed.message == "the build needs more than its 256 MiB of memory"

    pods.settings = replace(pods.settings, build_seconds="5")
    failed = pods.failure(script(tmp_path / "hangs", "echo hanging; sleep 300"))
    assert failed.kind is BuildFailure.OUT_OF_TIME
    assert any("hanging" in line for line in pods.said)

    pods.settings = replace(pods.settings, build_memory_mb="100000000")
    cancel = Cancel()
    pods.said.clear()
    outcome: list[WherryError] = []

    def waits() -> None:
        try:
            pods.build(tmp_path / "fails", cancel=cancel)
        except WherryError as error:
            outcome.append(error)

    waiting = threading.Thread(target=waits)
    waiting.start()
    while waiting.is_alive() and not any("Waiting for room in the cluster" in line for line in pods.said):
        waiting.join(0.1)
    cancel.cancel()
    waiting.join(60)
    assert [type(each) for each in outcome] == [Cancelled]
    assert any("Insufficient memory" in line for line in pods.said), pods.said


def test_a_dockerfile_is_refused_with_what_to_do_instead(pods: Pods, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/Dockerfile").write_text("FROM debian:bookworm\n")
    alone = pods.failure(tmp_path / "app")
    (tmp_path / "app/app.json").write_text('{"stack": "container"}')
    asked = pods.failure(tmp_path / "app")
    assert (alone.kind, asked.kind) == (BuildFailure.NOTHING_DETECTED, BuildFailure.BAD_SOURCE)
    assert alone.evidence[-1].startswith("There is a Dockerfile, but this platform builds on its cluster")
    assert asked.lines()[:2] == [
        "this platform builds on its cluster, and builds no Dockerfiles there",
        'app.json says "stack": "container".',
    ]
    assert all("wherry stack:set" in each.hint and "wherry container:release" in each.hint for each in (alone, asked))


def test_a_builder_image_of_others_builds_in_a_pod_phase_by_phase(pods: Pods, sample: Path, tmp_path: Path) -> None:
    reference = builder_of(pods.registry, pods.stack.known(), tmp_path)
    pods.settings = replace(pods.settings, builders=reference)
    app = sample_app(sample)
    named(app, reference.partition("@")[0])
    image = pods.build(app)
    assert image.processes == {"web": "serve it"}
    assert [line.split()[0] for line in pods.said if line.split()[0] in PHASES] == [*PHASES]
    layer = read_image(pods.registry, image.repository, image.digest).layers[-1]
    with tarfile.open(pods.registry.fetch_blob(image.repository, layer.digest, tmp_path)) as tar:
        assert (file := tar.extractfile("workspace/built"))
        assert file.read() == b"hello"
    pods.build(app, previous=image, GREETING="from config")
    assert "       build number 2" in pods.said, "its lifecycle's cache was not kept"

    (app / "BREAK").touch()
    failed = pods.failure(app)
    assert (failed.kind, "exit code 51" in failed.message) == (BuildFailure.COMPILE_ERROR, True)
    (app / "Procfile").unlink()
    assert pods.failure(app).kind is BuildFailure.NOTHING_DETECTED
    assert pods.leave_nothing()


def test_a_cancel_ends_the_job_and_the_cache_of_the_build_before_stays(pods: Pods, sample: Path) -> None:
    copy("python-hello", sample)
    requirements = (sample / "requirements.txt").read_text()
    script(sample, "[ -e broken ] && exit 7; [ -e slow ] && echo slowly && sleep 300; exit 0", "wherry/python")
    (sample / "broken").touch()
    assert pods.failure(sample).kind is BuildFailure.BUILDPACK_FAILED
    assert any("Installed" in line for line in pods.said)

    (sample / "broken").rename(sample / "slow")
    cancel = Cancel()
    ended: list[str] = []

    class Said(list[str]):
        def append(self, line: str) -> None:
            super().append(line)
            if "slowly" in line:
                ended.extend(pods.left())
                cancel.cancel()

    pods.said = Said()
    with pytest.raises(Cancelled):
        pods.build(sample, cancel=cancel)
    assert "       requirements.txt has not changed: its packages are used again" in pods.said, "lost by the failure"
    assert len(ended) == 3, "a Job, its pod, its Secret"

    (sample / "slow").unlink()
    pods.build(sample)
    assert "       requirements.txt has not changed: its packages are used again" in pods.said, "lost by the cancel"
    assert (sample / "requirements.txt").read_text() == requirements
    assert pods.leave_nothing()


def test_a09_a_build_outlives_its_workers_and_every_line_is_kept_once(pods: Pods, tmp_path: Path) -> None:
    text = """for part in 1 2 3; do
  for line in $(seq 1 100); do echo part $part line $line; done
  until [ -e /tmp/part-$part ]; do sleep 0.2; done
done"""
    source = pods.request(script(tmp_path / "app", text)).source
    harbour = pods.harbour
    ledger, logs = harbour.ledger(), harbour.logs()
    ledger.migrate()
    app, build = harbour.queued(ledger, None, source)
    stream, before = build_stream(build.id), pods.images_of(app.id)

    def read(part: int, most: int = 1) -> bool:
        return sum(f"part {part} line" in line for line in logs.read(stream)) >= most

    def uids() -> set[str]:
        found = pods.cluster.kubectl("get", "job", f"-n={namespace}", "-o=jsonpath={.items[*].metadata.uid}")
        return {*found.split()}

    def go_on(part: int) -> None:
        pods.cluster.kubectl("exec", f"-n={namespace}", pods.left_pod(), "-c=build", "--", "touch", f"/tmp/part-{part}")

    namespace = namespace_name(pods.platform)
    first = get_context("spawn").Process(target=live, args=(harbour, "one"), daemon=True)
    first.start()
    eventually(lambda: read(1), 100)
    first.kill()
    first.join()
    begun = uids()
    assert len(begun) == 1

    with worker(harbour, ledger, "one"):  # it comes back under its name, and is asked to stop amid the build
        eventually(lambda: read(1, 100), 60)
        go_on(1)
        eventually(lambda: read(2), 60)
    assert uids() == begun
    go_on(2)
    go_on(3)
    with worker(harbour, ledger, "three"):
        eventually(lambda: logs.outcome(stream) is not None, 60)
    with ledger.begin(read_only=True) as tx:
        ended = tx.builds.by_id(build.id)
    assert ended.status is BuildStatus.SUCCEEDED, logs.read(stream)
    assert uids() <= begun
    parts = [line.strip() for line in logs.read(stream) if "part " in line]
    assert parts == [f"part {part} line {line}" for part in (1, 2, 3) for line in range(1, 101)]
    assert sum("The build goes on" in line for line in logs.read(stream)) == 2
    assert not any("Building again" in line for line in logs.read(stream))
    assert ended.image
    assert pods.images_of(app.id) - before == {ended.image.digest}, "exported more than once"
    assert pods.registry.tags(f"builds/{app.id}") in ([], ["cache"])
    assert pods.leave_nothing()

    _, build = harbour.queued(ledger, app, source)
    with worker(harbour, ledger, "three"):
        eventually(lambda: len(pods.left()) == 3, 60)
    assert len(pods.left()) == 3, "a Job, its pod, its Secret"
    CancelBuild(ledger, logs, TurningClock()).run(build.actor, app, build)
    with worker(harbour, ledger, "four"):
        assert pods.leave_nothing()
    pods.builder.forget(app.id)
    ledger.close()


@contextmanager
def worker(harbour: Harbour, ledger: SqlLedger, name: str) -> Iterator[None]:
    """One that stops at the end of the block, as on SIGTERM."""
    stop = threading.Event()
    thread = threading.Thread(target=harbour.work, args=(name, stop, ledger))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        ledger.ring()
        thread.join(60)
        assert not thread.is_alive()
