"""Builds as Jobs of a real cluster: the same samples as on a machine, and what a build must not get at."""

from __future__ import annotations

import gzip
import tarfile
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailure, Cancelled, WherryError
from wherry.flow.ports import Cancel
from wherry.images.stored import read_image

from tests.builds.lifecycle_kit import PHASES, builder_of, named, sample_app
from tests.builds.pod_world import Pods, script
from tests.builds.real_world import copy

# fixtures, which pytest finds here by name
pytestmark = [pytest.mark.cluster, pytest.mark.engine]
CANARY = "canary-of-the-config-5c1d"


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

    pods.settings = replace(pods.settings, build_seconds="12")
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
