"""What we know of a cluster stays true through the faults of its watches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from wherry.domain.errors import PlatformFault
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.kinds import SERVICE, Object
from wherry.runtimes.cluster.world import Change, World

from tests.runtimes.machine_world import eventually
from tests.runtimes.scripted_api import Asked, Reply, ScriptedApi, json_reply, scripted_api


class Services:
    """A server with one Service after another: each watch gets the next of `streams`, then waits in silence."""

    def __init__(self) -> None:
        self.listed: list[list[Object]] = [[service("web", 10)]]
        self.streams: list[list[Object]] = []
        self.lists, self.versions = 0, list[str]()

    def answer(self, asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.path).query)
        if "watch" not in query:
            self.lists += 1
            items = self.listed.pop(0) if len(self.listed) > 1 else self.listed[0]
            return json_reply({"items": items, "metadata": {"resourceVersion": "10"}})
        self.versions.append(query["resourceVersion"][0])
        if not self.streams:
            return json_reply({"message": "enough"}, 500)
        return Reply(200, b"".join(json.dumps(each).encode() + b"\n" for each in self.streams.pop(0)))


def service(
    name: str, version: int, port: int = 80, manager: str = "wherry", time: str = "2026-01-01T00:00:00Z"
) -> Object:
    fields = [{"manager": "wherry", "time": "2026-01-01T00:00:00Z"}, {"manager": manager, "time": time}]
    labels = {"wherry.dev/platform": "p1", "wherry.dev/app": "1"}
    about = {"name": name, "namespace": "wherry-p1-1", "labels": labels, "resourceVersion": str(version)}
    return {"metadata": {**about, "managedFields": fields}, "spec": {"port": port}}


def event(kind: str, found: Object) -> Object:
    return {"type": kind, "object": found}


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with scripted_api() as found:
        yield found


@pytest.fixture
def server(api: ScriptedApi) -> Services:
    services = Services()
    api.answer = services.answer
    return services


@pytest.fixture
def world(api: ScriptedApi, server: Services, tmp_path: Path) -> Iterator[World]:
    found = World(Client(api.kubeconfig(tmp_path)), "p1")
    yield found
    found.close()


def _port(world: World) -> int:
    found = world.get(SERVICE, "wherry-p1-1", "web")
    return int(found["spec"]["port"]) if found else 0


def test_a28_a_watch_goes_on_from_its_bookmark_without_a_list(world: World, server: Services) -> None:
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "44"}})
    server.streams = [
        [event("MODIFIED", service("web", 12, 81)), bookmark],
        [event("MODIFIED", service("web", 50, 82))],
    ]
    world.need(SERVICE)
    eventually(lambda: _port(world) == 82)
    assert (server.lists, server.versions[:2]) == (1, ["10", "44"])


def test_a28_what_is_told_twice_or_late_is_heard_once(world: World, server: Services) -> None:
    old, new = event("MODIFIED", service("web", 12, 81)), event("MODIFIED", service("web", 13, 82))
    heard: list[Change] = []
    world.listen(heard.append)
    server.streams = [[old, new, new], [old, event("DELETED", service("web", 14))]]
    world.need(SERVICE)
    eventually(lambda: len(heard) == 4)  # told of a little after it is known
    assert _port(world) == 0
    assert [bool(each.after) for each in heard] == [True, True, True, False]


def test_a28_a_gap_is_closed_by_a_list_also_for_what_went_meanwhile(world: World, server: Services) -> None:
    gone = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}
    server.listed = [[service("web", 10), service("old", 10)], [service("web", 20, 83)]]
    server.streams = [[gone]]
    world.need(SERVICE)
    eventually(lambda: _port(world) == 83)
    eventually(lambda: world.names(SERVICE, "wherry-p1-1") == {"web"})
    assert server.lists == 2


def test_a31_only_what_others_wrote_is_a_change_by_others(world: World, server: Services) -> None:
    later = "2026-01-01T00:00:09Z"
    ours = event("MODIFIED", {**service("web", 12, 81), "metadata": service("web", 12, time=later)["metadata"]})
    controller = event("MODIFIED", service("web", 13, 82, "kube-controller-manager", "2026-01-02T00:00:00Z"))
    theirs = event("MODIFIED", service("web", 14, 83, "kubectl-edit", "2026-01-03T00:00:00Z"))
    same = event("MODIFIED", service("web", 15, 83, "kubectl-edit", "2026-01-03T00:00:00Z"))
    heard: list[Change] = []
    world.listen(heard.append)
    server.streams = [[ours, controller, theirs, same]]
    world.need(SERVICE)
    eventually(lambda: len(heard) == 5)
    assert [each.by_others for each in heard] == [False, False, False, True, False]


def test_what_may_be_old_is_a_fault(world: World, server: Services) -> None:
    world.need(SERVICE)
    eventually(world.lost)
    with pytest.raises(PlatformFault, match="watch the services"):
        world.check(SERVICE)
