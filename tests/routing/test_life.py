"""Envoy's life: killed, down, twice on one machine; and what the files promise."""

from __future__ import annotations

import json
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from wherry.domain.errors import InvalidInput, PlatformFault
from wherry.domain.workload import AppRoute, Endpoint
from wherry.flow.ports import Cancel
from wherry.routing import feed
from wherry.routing.access import cap, router_line
from wherry.routing.follow import FollowRouter
from wherry.routing.process import place_of, prepare
from wherry.routing.router import EnvoyRouter
from wherry.routing.table import Entry, Table
from wherry.settings import Settings

from tests.fakes.app_logs import MemoryAppLogs
from tests.routing.origin import Origin
from tests.routing.rig import Rig, route, status_of


def test_it_starts_with_no_app(own_rig: Rig) -> None:
    assert own_rig.start().visit("shop").status == 404


def test_a48_a_killed_router_comes_back_with_the_same_routes(own_rig: Rig, one: Origin) -> None:
    own_rig.start()
    own_rig.router.publish(route(1, "shop", 1, one))
    own_rig.kill(signal.SIGKILL)
    assert own_rig.start().visit("shop").text == "one"


def test_a_route_published_while_it_is_down_is_there_at_its_start(
    own_rig: Rig, one: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = EnvoyRouter(own_rig.folder, "localhost", patience=0.2)
    with pytest.raises(PlatformFault, match="has not taken its new table") as caught:
        router.publish(route(1, "shop", 1, one))
    assert "log/router.log" in caught.value.hint
    assert own_rig.start().visit("shop").text == "one"
    router.publish(route(1, "shop", 1, one))


def test_drain_does_not_wait_for_a_router_that_is_dead(own_rig: Rig, one: Origin, two: Origin) -> None:
    own_rig.start()
    own_rig.router.publish(route(1, "shop", 1, one))
    own_rig.router.publish(route(1, "shop", 2, two))
    own_rig.kill()
    assert own_rig.router.drain(1, 2, 20.0, Cancel())


def test_two_routers_live_side_by_side(own_rig: Rig, rig: Rig, one: Origin, two: Origin) -> None:
    own_rig.start()
    rig.router.replace([route(1, "shop", 1, one)])
    own_rig.router.publish(route(1, "shop", 1, two))
    assert (rig.visit("shop").text, own_rig.visit("shop").text) == ("one", "two")


def test_a_second_router_on_the_same_port_fails_and_says_why(rig: Rig, tmp_path: Path) -> None:
    other = Rig(tmp_path, port=rig.port)
    assert other.spawn().wait(60) != 0
    assert "Address already in use" in (other.folder / "envoy.out").read_text()


def test_a_data_folder_too_deep_for_a_socket_is_refused_with_the_setting_to_change(tmp_path: Path) -> None:
    with pytest.raises(PlatformFault, match="socket is longer than 107 bytes") as caught:
        prepare(Settings(home=str(tmp_path / ("d" * 100))))
    assert "WHERRY_HOME" in caught.value.hint


def test_an_address_that_is_a_name_is_refused_with_the_setting_to_change(tmp_path: Path) -> None:
    with pytest.raises(PlatformFault, match="'localhost': it is not an IP address") as caught:
        prepare(Settings(home=str(tmp_path), router_bind="localhost"))
    assert "WHERRY_ROUTER_BIND=127.0.0.1" in caught.value.hint


@pytest.mark.parametrize("address", ["0.0.0.0", "::1", "::"])
def test_it_listens_on_any_address_that_the_machine_has(own_rig: Rig, address: str) -> None:
    if ":" in address and not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    own_rig.settings = replace(own_rig.settings, router_bind=address)
    own_rig.start()
    target = address if address == "::1" else "127.0.0.1"
    with socket.create_connection((target, own_rig.port), timeout=10) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n")
        assert status_of(link.recv(20)) == 404


def test_a_damaged_table_is_replaced_as_a_whole(own_rig: Rig, one: Origin) -> None:
    (own_rig.folder / "table.json").write_text('{"version": 1, "apps')
    own_rig.start()
    with pytest.raises(PlatformFault, match=r"table\.json cannot be read"):
        own_rig.router.publish(route(1, "shop", 1, one))
    own_rig.router.replace([route(1, "shop", 1, one)])
    assert own_rig.visit("shop").text == "one"


def test_what_envoy_refuses_changes_nothing(own_rig: Rig, one: Origin) -> None:
    """The table cannot hold two apps with one host, but if it ever did, no app may go down with it."""
    own_rig.start()
    own_rig.router.publish(route(1, "shop", 1, one))
    files = feed.FileFeed(place_of(own_rig.settings), "localhost")
    good = Table(0, {1: Entry(route(1, "shop", 1, one))})
    bad = Table(10**15, {**good.entries, 2: Entry(route(2, "shop", 1, one))})
    with pytest.raises(feed.Rejected, match="refused its new table"):
        files.put(good, bad)
    assert own_rig.visit("shop").text == "one"


def test_a_refused_table_is_taken_back(tmp_path: Path, one: Origin) -> None:
    class Refusing:
        def __init__(self) -> None:
            self.puts: list[Table] = []

        def put(self, before: Table, after: Table) -> None:
            self.puts.append(after)
            if len(self.puts) == 2:
                raise feed.Rejected("no")

        def holds(self, table: Table) -> bool:
            return True

        def confirm(self, version: int) -> None: ...

    refusing = Refusing()
    router = EnvoyRouter(tmp_path, "localhost", refusing)
    router.publish(route(1, "shop", 1, one))
    with pytest.raises(feed.Rejected):
        router.publish(route(2, "blog", 1, one))
    assert [sorted(each.entries) for each in refusing.puts] == [[1], [1, 2], [1]]
    assert [app["app"] for app in json.loads((tmp_path / "table.json").read_text())["apps"]] == [1]


BAD = [
    AppRoute(1, ("*",)),
    AppRoute(1, ("a.b",)),
    AppRoute(1, ("Shop",)),
    AppRoute(1, ("",)),
    AppRoute(1, ("x\n",)),
    AppRoute(1, ("shop",), 1, (Endpoint("example.org", 80),)),
    AppRoute(1, ("shop",), 1, (Endpoint("10.0.0.1", 0),)),
    AppRoute(1, ("shop",), 1, (Endpoint("10.0.0.1", 65536),)),
]


@pytest.mark.parametrize("bad", BAD)
def test_t22_a_route_that_envoy_would_refuse_is_refused_by_us(rig: Rig, one: Origin, bad: AppRoute) -> None:
    with pytest.raises(InvalidInput, match="the route of app 1 is not right"):
        rig.router.publish(bad)


def test_the_access_log_has_what_a_router_line_needs(own_rig: Rig, one: Origin) -> None:
    own_rig.start()
    own_rig.router.publish(route(1, "shop", 1, one))
    own_rig.visit("shop", '/a?b="c"')
    own_rig.visit("nobody")
    own_rig.kill(signal.SIGTERM)
    lines = (own_rig.folder / "access.log").read_bytes().splitlines()
    served, missed = sorted(lines, key=lambda line: b"nobody." in line)  # each is written once its connection has ended
    record = json.loads(served)
    assert record["app"] == "app1"
    assert record["process"] == f"127.0.0.1:{one.endpoint.port}"
    line = router_line(served, "web.1")
    assert line.startswith(f'at=info method=GET path="/a?b=\\"c\\"" host=shop.localhost:{own_rig.port} request_id=')
    assert line.endswith("status=200 bytes=3 protocol=http")
    assert " dyno=web.1 connect=" in line
    assert router_line(missed).startswith('at=error code=no-such-app desc="There is no app here" method=GET path="/"')


def test_requests_are_told_in_the_logs_of_their_apps_once_also_across_files_and_restarts(
    own_rig: Rig, one: Origin
) -> None:
    own_rig.start()
    own_rig.router.publish(route(1, "shop", 1, one))
    own_rig.router.publish(route(2, "empty", 1))
    logs = MemoryAppLogs()

    def follow() -> None:
        FollowRouter(own_rig.folder, logs, lambda address: "web.1" if address else "").catch_up()

    for number in range(5):
        own_rig.visit("shop", f"/{number}")
    own_rig.visit("empty")
    own_rig.visit("nobody")
    own_rig.kill(signal.SIGTERM)
    follow()
    before = logs.position("router")
    own_rig.start()
    own_rig.visit("shop", "/5")
    assert cap(place_of(own_rig.settings), most=-1)
    own_rig.visit("shop", "/6")
    own_rig.kill(signal.SIGTERM)
    follow()
    logs.move("router", before)  # as after a crash: what follows is read once more
    follow()
    lines = [kept.line for kept in logs.read(1, 100)]
    assert sorted(line.text.split('path="')[1][:2] for line in lines) == [f"/{number}" for number in range(7)]
    assert {(line.source, line.process) for line in lines} == {("heroku", "router")}
    assert " dyno=web.1 " in lines[0].text
    (empty,) = logs.read(2, 100)
    assert empty.line.text.startswith(
        'at=error code=H14 desc="No web processes running" method=GET path="/" host=empty.'
    )
    assert " dyno= connect=0ms " in empty.line.text


@pytest.mark.parametrize(
    ("flags", "status", "start"),
    [
        ("UF,URX", 503, 'at=error code=H10 desc="App crashed" '),
        ("SI", 504, 'at=error code=H12 desc="Request timeout" '),
        ("UC", 502, 'at=error code=H13 desc="Connection closed without response" '),
        ("UC", 200, 'at=error code=H18 desc="Server Request Interrupted" '),
        ("SI", 200, 'at=error code=H15 desc="Idle connection" '),
        ("DC", 0, 'at=info code=H27 desc="Client Request Interrupted" '),
        ("-", 500, "at=info method="),
    ],
)
def test_router_lines_have_herokus_codes_and_words(flags: str, status: int, start: str) -> None:
    assert router_line(json.dumps({"flags": flags, "status": status, "method": "GET"}).encode()).startswith(start)


def test_only_its_owner_reads_the_access_log(own_rig: Rig) -> None:
    own_rig.start().visit("nobody")
    assert (own_rig.folder / "access.log").stat().st_mode & 0o077 == 0
    assert own_rig.folder.stat().st_mode & 0o077 == 0


def test_a_large_access_log_is_put_aside_and_none_of_it_lost(own_rig: Rig) -> None:
    own_rig.start()
    place = place_of(own_rig.settings)
    own_rig.visit("before")
    assert not cap(place)
    assert cap(place, most=-1)
    own_rig.visit("after")
    own_rig.kill(signal.SIGTERM)
    records = [(own_rig.folder / name).read_text() for name in ("access.log.1", "access.log")]
    assert "before.localhost" in "".join(records)
    assert "after.localhost" in records[1]
