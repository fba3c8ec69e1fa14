"""What every Router does: on Envoy, and on the fake that the stories' tests use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from wherry.domain.workload import AppRoute, Endpoint
from wherry.flow.ports import Cancel, Router

from tests.fakes.router import MemoryRouter
from tests.routing.origin import Origin
from tests.routing.rig import Rig

NO_SUCH_APP, NO_PROCESS = "no such app", "no process"


class Visitors(Protocol):
    """Who answers for a host: an origin's name, NO_SUCH_APP or NO_PROCESS."""

    router: Router

    def ask(self, host: str) -> str: ...
    @contextmanager
    def waiting(self, host: str) -> Iterator[None]: ...


class MemoryVisitors:
    def __init__(self, origins: list[Origin]) -> None:
        self.router = MemoryRouter()
        self._names = {each.endpoint: each.name for each in origins}

    def ask(self, host: str) -> str:
        with self.router.request(host) as target:
            if isinstance(target, Endpoint):
                return self._names[target]
            return NO_SUCH_APP if target is None else NO_PROCESS

    @contextmanager
    def waiting(self, host: str) -> Iterator[None]:
        with self.router.request(host):
            yield


class EnvoyVisitors:
    def __init__(self, rig: Rig, origins: list[Origin]) -> None:
        self.router = rig.router
        self._rig = rig
        self._origins = origins

    def ask(self, host: str) -> str:
        answer = self._rig.visit(host)
        return {404: NO_SUCH_APP, 503: NO_PROCESS}.get(answer.status) or answer.text

    @contextmanager
    def waiting(self, host: str) -> Iterator[None]:
        before = [each.requests for each in self._origins]
        visitor = threading.Thread(target=self._rig.visit, args=(host, "/hold"))
        visitor.start()
        holder = next(each for each in self._until_one_holds(before))
        try:
            yield
        finally:
            holder.open_gate()
            visitor.join(20)

    def _until_one_holds(self, before: list[int]) -> Iterator[Origin]:
        while True:
            for origin in self._origins:
                if origin.holding.acquire(timeout=0.01):
                    yield origin


@pytest.fixture(scope="module")
def origins() -> Iterator[list[Origin]]:
    made = [Origin(name) for name in ("one", "two", "three")]
    yield made
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(Path(tmp_path_factory.mktemp("home"))).start()
    yield rig
    rig.close()


@pytest.fixture(params=["memory", "envoy"])
def visitors(request: pytest.FixtureRequest, origins: list[Origin]) -> Visitors:
    if request.param == "memory":
        return MemoryVisitors(origins)
    rig: Rig = request.getfixturevalue("envoy")
    rig.router.replace([])
    return EnvoyVisitors(rig, origins)


def to(app_id: int, release: int, *origins: Origin, host: str = "shop") -> AppRoute:
    return AppRoute(app_id, (host,), release, tuple(each.endpoint for each in origins))


def test_a_host_that_nobody_published_is_no_app(visitors: Visitors) -> None:
    assert visitors.ask("shop") == NO_SUCH_APP


def test_an_app_without_processes_is_known(visitors: Visitors) -> None:
    visitors.router.publish(to(1, 0))
    assert visitors.ask("shop") == NO_PROCESS


def test_a_published_route_serves_at_once(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    assert visitors.ask("shop") == "one"


def test_every_process_gets_requests(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, *origins))
    assert {visitors.ask("shop") for _ in range(60)} == {"one", "two", "three"}


def test_the_next_release_gets_all_new_requests_at_once(visitors: Visitors, origins: list[Origin]) -> None:
    for release in range(1, 11):
        visitors.router.publish(to(1, release, origins[release % 2]))
        assert visitors.ask("shop") == origins[release % 2].name


def test_an_older_release_can_be_published_again(visitors: Visitors, origins: list[Origin]) -> None:
    for release, origin in ((1, origins[0]), (2, origins[1]), (1, origins[0])):
        visitors.router.publish(to(1, release, origin))
        assert visitors.ask("shop") == origin.name


def test_publishing_twice_is_publishing_once(visitors: Visitors, origins: list[Origin]) -> None:
    for _ in range(3):
        visitors.router.publish(to(1, 1, origins[0]))
    assert visitors.ask("shop") == "one"


def test_apps_do_not_touch_each_other(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    visitors.router.publish(to(2, 1, origins[1], host="blog"))
    visitors.router.withdraw(1)
    assert (visitors.ask("shop"), visitors.ask("blog")) == (NO_SUCH_APP, "two")


def test_a_renamed_app_leaves_its_old_host(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    visitors.router.publish(to(1, 1, origins[0], host="store"))
    assert (visitors.ask("shop"), visitors.ask("store")) == (NO_SUCH_APP, "one")


def test_withdrawing_twice_is_withdrawing_once(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    visitors.router.withdraw(1)
    visitors.router.withdraw(1)
    assert visitors.ask("shop") == NO_SUCH_APP


def test_replace_is_the_whole_table(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    visitors.router.publish(to(2, 1, origins[1], host="blog"))
    visitors.router.replace([to(2, 2, origins[2], host="blog"), to(3, 1, origins[0], host="wiki")])
    assert [visitors.ask(host) for host in ("shop", "blog", "wiki")] == [NO_SUCH_APP, "three", "one"]


def test_nothing_in_flight_is_drained_at_once(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    visitors.router.publish(to(1, 2, origins[1]))
    assert visitors.router.drain(1, 2, 10.0, Cancel())


def test_draining_an_app_that_is_not_there_is_nothing(visitors: Visitors) -> None:
    assert visitors.router.drain(99, 1, 10.0, Cancel())


def test_drain_gives_up_while_the_earlier_release_still_answers(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    with visitors.waiting("shop"):
        visitors.router.publish(to(1, 2, origins[1]))
        assert visitors.ask("shop") == "two"
        assert not visitors.router.drain(1, 2, 0.3, Cancel())


def test_drain_returns_when_the_last_request_has_ended(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    drained: list[bool] = []
    with visitors.waiting("shop"):
        visitors.router.publish(to(1, 2, origins[1]))
        waiter = threading.Thread(target=lambda: drained.append(visitors.router.drain(1, 2, 30.0, Cancel())))
        waiter.start()
        waiter.join(0.2)
        assert drained == []
    waiter.join(20)
    assert drained == [True]


def test_a_drain_that_is_cancelled_returns_at_once_and_a_later_one_waits_for_the_same(
    visitors: Visitors, origins: list[Origin]
) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    cancel = Cancel()
    drained: list[bool] = []
    with visitors.waiting("shop"):
        visitors.router.publish(to(1, 2, origins[1]))
        waiter = threading.Thread(target=lambda: drained.append(visitors.router.drain(1, 2, 60.0, cancel)))
        waiter.start()
        cancel.cancel()
        waiter.join(30)
        assert drained == [False]
        assert not visitors.router.drain(1, 2, 0.3, Cancel())
    assert visitors.router.drain(1, 2, 10.0, Cancel())


def test_drain_waits_for_a_process_that_a_scale_down_took_away(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    with visitors.waiting("shop"):
        visitors.router.publish(to(1, 1, origins[1]))
        assert not visitors.router.drain(1, 1, 0.3, Cancel())


def test_drain_does_not_wait_for_a_process_that_stays(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    with visitors.waiting("shop"):
        visitors.router.publish(to(1, 1, origins[0], origins[1]))
        assert visitors.router.drain(1, 1, 10.0, Cancel())


def test_an_app_in_maintenance_is_closed_and_keeps_its_route(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    for _ in range(2):
        visitors.router.amend(1, (), maintenance=True)
        assert visitors.ask("shop") == NO_PROCESS
    visitors.router.amend(1, (), maintenance=False)
    assert visitors.ask("shop") == "one"
    visitors.router.amend(9, (), maintenance=True)
    assert visitors.ask("shop") == "one"


def test_an_app_answers_at_its_own_domains_and_at_no_others(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(to(1, 1, origins[0]))
    visitors.router.publish(AppRoute(2, ("other",), 1, (origins[1].endpoint,), domains=("www.example.net",)))
    visitors.router.amend(1, ("www.example.org", "*.wild.example.org"), maintenance=False)
    assert visitors.ask("www.example.org") == "one"
    assert visitors.ask("www.example.net") == "two"
    assert visitors.ask("shop") == "one"
    assert visitors.ask("example.org") == NO_SUCH_APP
    visitors.router.amend(1, (), maintenance=False)
    assert visitors.ask("www.example.org") == NO_SUCH_APP


def test_t24_a_domain_never_leads_to_two_apps(visitors: Visitors, origins: list[Origin]) -> None:
    visitors.router.publish(AppRoute(1, ("shop",), 1, (origins[0].endpoint,), domains=("www.example.org",)))
    visitors.router.publish(AppRoute(2, ("other",), 1, (origins[1].endpoint,), domains=("www.example.org",)))
    assert visitors.ask("www.example.org") == "two"
    assert visitors.ask("shop") == "one"
