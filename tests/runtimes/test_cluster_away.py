"""A26, A28: the API of a real Kubernetes is away or slow for a while, and comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from wherry.domain.errors import PlatformFault
from wherry.domain.image import Image
from wherry.runtimes.cluster import kinds, naming
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errands import ClusterRuntime
from wherry.runtimes.cluster.ground import Ground

from tests.cluster.cluster import Cluster
from tests.runtimes.line import Line, line_to
from tests.runtimes.machine_world import eventually, quiet, workload

pytestmark = [pytest.mark.engine, pytest.mark.cluster]


@pytest.fixture
def line(cluster: Cluster, tmp_path: Path) -> Iterator[Line]:
    made = line_to(cluster, tmp_path / "kubeconfig")
    yield made
    made.close()


def test_a26_a_deploy_waits_while_the_api_is_away_and_nobody_storms_it(
    line: Line, tmp_path: Path, cluster_ground: Ground, cluster_image: Image
) -> None:
    runtime = ClusterRuntime(Client(str(tmp_path / "kubeconfig")), cluster_ground)
    try:
        first = workload(cluster_image)
        runtime.start([first], quiet)
        line.cut()
        eventually(lambda: len(line.tries) > 1)
        with pytest.raises(PlatformFault, match="does not answer"):
            runtime.processes(1)
        said: list[str] = []
        deploy = threading.Thread(target=runtime.start, args=([replace(first, release=2)], said.append))
        deploy.start()
        eventually(lambda: "waiting for the cluster, which does not answer" in said)
        begun = time.monotonic()
        eventually(lambda: time.monotonic() > begun + 6)
        storm = [each for each in line.tries if each > begun]
        line.mend()
        deploy.join(60)
        assert [(each.release, each.name) for each in runtime.processes(1)][-1:] == [(2, "web.1")]
        assert len(storm) <= 2 * 6  # each try is repeated once, for a kept connection that was closed
    finally:
        runtime.close()


def test_a26_answers_that_come_ten_seconds_late_lose_no_release_and_are_not_asked_for_again_and_again(
    line: Line, tmp_path: Path, cluster_ground: Ground, cluster_image: Image
) -> None:
    client = Client(str(tmp_path / "kubeconfig"))
    runtime = ClusterRuntime(client, cluster_ground)
    try:
        first = workload(cluster_image)
        runtime.start([first], quiet)
        before, opened = client.sent.copy(), line.opened
        line.slow(10)
        second = replace(first, release=2)
        deploy = threading.Thread(target=runtime.start, args=([second], quiet))
        begun = time.monotonic()
        deploy.start()
        eventually(lambda: time.monotonic() > begun + 12)
        assert [each.release for each in runtime.processes(1)] == [1], "what is known goes on to be answered"
        line.mend()
        deploy.join(60)
        runtime.retire(1, [second])
        eventually(lambda: [(each.release, each.name) for each in runtime.processes(1)] == [(2, "web.1")])
        sent = client.sent - before
        assert sum(sent.values()) <= 12, sent
        assert line.opened - opened <= 12
        runtime.start([replace(first, release=3)], quiet)
    finally:
        runtime.close()


def test_a28_a_watch_that_hangs_is_given_up_and_what_happened_meanwhile_is_known_when_it_goes_on(
    line: Line, tmp_path: Path, cluster: Cluster, cluster_ground: Ground, cluster_image: Image
) -> None:
    client = Client(str(tmp_path / "kubeconfig"))
    runtime = ClusterRuntime(client, cluster_ground)
    try:
        runtime.start([workload(cluster_image)], quiet)
        _, version = client.list(kinds.POD, naming.namespace(cluster_ground.platform, 1))
        with client.watch(kinds.POD, version, 60, quiet=1.0) as events:
            line.slow(600)
            with pytest.raises(PlatformFault, match="watch the pods"):
                next(events)
        line.cut()
        line.mend()
        cluster.kubectl("scale", "deploy/web", "--replicas=2", "-n", naming.namespace(cluster_ground.platform, 1))
        eventually(lambda: len(runtime.processes(1)) == 2, 30)
    finally:
        runtime.close()
