"""No request fails while releases come and go."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from wherry.domain.workload import AppRoute
from wherry.flow.ports import Cancel
from wherry.routing.router import EnvoyRouter

from tests.routing.origin import Origin, origins
from tests.routing.rig import Rig, route

RATE = 200
VISITORS = 8


class Load:
    """RATE requests a second, from VISITORS connections kept alive, the methods in turn."""

    def __init__(self, rig: Rig, methods: tuple[str, ...] = ("GET", "POST")) -> None:
        self._methods = methods
        self.outcomes: Counter[object] = Counter()
        self._rig = rig
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._visit) for _ in range(VISITORS)]

    def __enter__(self) -> Load:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for each in self._threads:
            each.join(20)

    def _visit(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._rig.port, timeout=20)
        while not self._stop.wait(VISITORS / RATE):
            method = self._methods[sum(self.outcomes.values()) % len(self._methods)]
            try:
                connection.request(method, "/", b"body" if method == "POST" else None, {"Host": "shop.localhost"})
                answer = connection.getresponse()
                self.outcomes[answer.status, answer.read()] += 1
            except OSError as error:
                self.outcomes[repr(error)] += 1
                connection.close()
        connection.close()


def test_twenty_switches_under_load_fail_no_request(rig: Rig) -> None:
    current = Origin("v0")
    rig.router.replace([route(1, "shop", 0, current)])
    with Load(rig) as load:
        for release in range(1, 21):
            following = Origin(f"v{release}")
            rig.router.publish(route(1, "shop", release, following))
            assert rig.router.drain(1, release, 20.0, Cancel())
            current.close()
            current = following
            wait_for_requests(load, 20)
    current.close()
    answered_by = {body for _, body in load.outcomes}
    assert [key for key in load.outcomes if key[0] != 200] == []  # type: ignore[index]
    assert b"v20" in answered_by


def test_an_app_that_closes_idle_connections_fails_no_request(rig: Rig) -> None:
    """Two seconds is the shortest that a common server waits (gunicorn); the router closes its side before."""
    pauses = (0.9, 1.0, 1.1, 1.9, 2.0, 2.1)
    hosts = [f"app{number}" for number in range(len(pauses))]
    with origins(*hosts, idle=2.0) as apps, ThreadPoolExecutor(len(hosts)) as visitors:
        rig.router.replace([route(number + 1, host, 1, apps[number]) for number, host in enumerate(hosts)])

        def post_twice(host: str, pause: float) -> list[int]:
            first = rig.visit(host, method="POST").status
            time.sleep(pause)  # how long a connection has been idle is what is tested
            return [first, rig.visit(host, method="POST").status]

        assert list(visitors.map(post_twice, hosts, pauses)) == [[200, 200]] * len(hosts)


def test_an_app_that_closes_at_once_without_saying_so_fails_no_get(rig: Rig) -> None:
    """A POST may fail here with H13: nobody can tell whether the app has seen it, so it is not sent twice."""
    with origins("shop", closes_idle=True) as [shop]:
        rig.router.replace([route(1, "shop", 1, shop)])
        with Load(rig, methods=("GET",)) as load:
            wait_for_requests(load, 600)
    assert {key[0] for key in load.outcomes} == {200}  # type: ignore[index]


def test_a_process_that_refuses_connections_leaves_its_requests_to_the_others(rig: Rig) -> None:
    with origins("alive", "dead") as [alive, dead]:
        dead.close()
        rig.router.replace([route(1, "shop", 1, alive, dead)])
        answers = [rig.visit("shop", method=method).text for method in ("GET", "POST") * 20]
    assert answers == ["alive"] * 40


def test_threads_publish_at_the_same_time(rig: Rig, one: Origin) -> None:
    rig.router.replace([])
    apps = range(1, 25)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda app_id: rig.router.publish(route(app_id, f"app{app_id}", 1, one)), apps))
    assert [rig.visit(f"app{app_id}").status for app_id in apps] == [200] * len(apps)


def test_two_processes_publish_at_the_same_time(rig: Rig, one: Origin) -> None:
    rig.router.replace([])
    spawn = get_context("spawn")
    workers = [spawn.Process(target=publish_ten, args=(rig.folder, first, one.endpoint)) for first in (100, 200)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(60)
    assert [each.exitcode for each in workers] == [0, 0]
    hosts = [f"app{first + number}" for first in (100, 200) for number in range(10)]
    assert [rig.visit(host).status for host in hosts] == [200] * 20


def publish_ten(folder: Path, first: int, endpoint) -> None:  # type: ignore[no-untyped-def]
    router = EnvoyRouter(folder, "localhost")
    for number in range(10):
        router.publish(AppRoute(first + number, (f"app{first + number}",), 1, (endpoint,)))


def wait_for_requests(load: Load, count: int) -> None:
    wanted = sum(load.outcomes.values()) + count
    deadline = time.monotonic() + 60
    while sum(load.outcomes.values()) < wanted:
        assert time.monotonic() < deadline, load.outcomes
        time.sleep(0.01)
