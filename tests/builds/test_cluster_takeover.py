"""Builds as Jobs of a real cluster, whose workers die and restart meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest
from wherry.domain.model import BuildStatus
from wherry.flow.cancel import CancelBuild
from wherry.flow.lanes import build_stream
from wherry.ledger.ledger import SqlLedger
from wherry.runtimes.cluster.build_manifests import namespace_name

from tests.builds.pod_world import Pods, script
from tests.builds.takeover_kit import Harbour, live
from tests.flow.conftest import TurningClock
from tests.runtimes.machine_world import eventually

# fixtures, which pytest finds here by name
pytestmark = [pytest.mark.cluster, pytest.mark.engine]


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
