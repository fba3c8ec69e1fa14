"""Lines of pods in the app's log: each once, through restarts of the collector and of the process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from wherry.domain.image import Image, Start
from wherry.domain.log import ALL, Filter
from wherry.domain.one_off import Task
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.collect import ClusterCollector
from wherry.runtimes.cluster.errands import ClusterRuntime
from wherry.runtimes.cluster.ground import Ground

from tests.cluster.cluster import Cluster
from tests.fakes.app_logs import MemoryAppLogs
from tests.runtimes.machine_world import eventually, quiet, workload

pytestmark = [pytest.mark.cluster, pytest.mark.engine]


@contextmanager
def collecting(cluster: Cluster, ground: Ground, logs: MemoryAppLogs) -> Iterator[ClusterCollector]:
    collector = ClusterCollector(Client(str(cluster.kubeconfig)), ground.platform, logs)
    thread = threading.Thread(target=collector.run)
    thread.start()
    yield collector
    collector.close()
    thread.join()


def said(logs: MemoryAppLogs, wanted: Filter = ALL) -> list[str]:
    return [each.line.text for each in logs.read(1, 1000, wanted)]


def test_a_process_that_crashes_is_followed_life_after_life_and_its_end_is_told(
    cluster: Cluster, cluster_ground: Ground, cluster_runtime: ClusterRuntime, cluster_image: Image
) -> None:
    logs = MemoryAppLogs()
    with collecting(cluster, cluster_ground, logs) as collector:
        cluster_runtime.start([workload(cluster_image, env={"MODE": "crashes", "LIFE": "4"})], quiet)
        (process,) = cluster_runtime.processes(1)
        assert process.endpoint
        eventually(lambda: collector.process_at(f"{process.endpoint.address}:8080") == "web.1")  # type: ignore[union-attr]
        eventually(lambda: "Process exited with status 4" in said(logs, Filter(process="web.1")))
        eventually(lambda: "State changed from crashed to starting" in said(logs))
        eventually(lambda: sum("boots" in each for each in said(logs)) >= 2)
    told = said(logs, Filter(source="heroku"))
    assert told[:2] == ["Starting process with command `serve it`", "State changed from starting to up"]
    assert told.index("Process exited with status 4") < told.index("State changed from crashed to starting")


def test_no_line_is_lost_or_kept_twice_over_a_restart_of_the_collector(
    cluster: Cluster, cluster_ground: Ground, cluster_runtime: ClusterRuntime, cluster_image: Image
) -> None:
    logs = MemoryAppLogs()
    command = "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo line $i; echo oops $i >&2; sleep 0.1; done; exit 3"
    asked = workload(cluster_image, "run", start=Start(("/bin/sh", "-c", command)), stop_grace=1.0)
    with collecting(cluster, cluster_ground, logs):
        cluster_runtime.launch(Task(1, 4001, asked, attach=False, tty=False))
        eventually(lambda: "line 5" in said(logs))
    with collecting(cluster, cluster_ground, logs):
        eventually(lambda: "State changed from up to complete" in said(logs))
    written = said(logs, Filter(source="app", process="run.4001"))
    assert [each for each in written if each.startswith("line")] == [f"line {each}" for each in range(1, 61)]
    assert sorted(each for each in written if each.startswith("oops")) == sorted(
        f"oops {each}" for each in range(1, 61)
    )
    assert said(logs)[-2] == "Process exited with status 3"
    cluster_runtime.end([1])


def test_what_somebody_talks_to_is_in_no_log(
    cluster: Cluster, cluster_ground: Ground, cluster_runtime: ClusterRuntime, cluster_image: Image
) -> None:
    logs = MemoryAppLogs()
    asked = workload(cluster_image, "run", start=Start(("/bin/sh", "-c", "echo private")), stop_grace=1.0)
    with collecting(cluster, cluster_ground, logs):
        session = cluster_runtime.attach(Task(2, 4002, asked, attach=True, tty=False))
        assert b"".join(data for _, data in session.output()) == b"private\n"
        session.ended()
        eventually(lambda: any("Process exited" in each for each in said(logs)))
    assert not any("private" in each for each in said(logs, Filter(source="app")))
