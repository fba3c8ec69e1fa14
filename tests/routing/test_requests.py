"""What reaches the app, and what does not (security.md B70 to B75, T25)."""

from __future__ import annotations

import pytest

from tests.routing.origin import Origin
from tests.routing.rig import Rig, read_all, route, status_of


@pytest.fixture(autouse=True)
def shop(rig: Rig, one: Origin) -> None:
    rig.router.replace([route(1, "shop", 1, one)])


def echoed(rig: Rig, *lines: bytes, target: bytes = b"/echo", host: bytes = b"shop.localhost") -> bytes:
    """What the app got of a request with these header lines, or the router's own answer."""
    head = [b"GET %s HTTP/1.1" % target, b"Host: " + host, *lines, b"Connection: close", b"", b""]
    return rig.raw(b"\r\n".join(head))


HOSTS = ["shop.localhost", "shop.localhost:8300", "SHOP.LocalHost", "shop.localhost.", "Shop.localhost.:8300"]


@pytest.mark.parametrize("host", HOSTS)
def test_b71_every_spelling_of_a_host_leads_to_its_app_which_sees_it_unchanged(rig: Rig, host: str) -> None:
    reply = echoed(rig, host=host.encode())
    assert status_of(reply) == 200
    assert f"\r\nhost: {host}\r\n".encode() in reply


STRANGE = [
    b"",
    b"localhost",
    b"127.0.0.1",
    b"[::1]:8300",
    b"xshop.localhost",
    b"shop.localhost.evil",
    b"a.shop.localhost",
    b"shop.localhost@x",
    b"shop%00.localhost",
    b"shop..localhost",
    b"*.localhost",
    b"*",
    b"shop.localhost,blog.localhost",
    b"shop.localhost/x",
    b"sh\xf6p.localhost",
    b"shop.localhost:x:8300",
]


@pytest.mark.parametrize("host", STRANGE)
def test_b71_any_other_host_is_no_app(rig: Rig, host: bytes) -> None:
    assert status_of(echoed(rig, host=host)) in (400, 404)


def test_b71_the_host_of_an_absolute_target_counts(rig: Rig) -> None:
    reply = echoed(rig, target=b"http://shop.localhost/echo", host=b"other.localhost")
    assert b"GET /echo HTTP/1.1\r\nhost: shop.localhost\r\n" in reply
    assert status_of(echoed(rig, target=b"http://other.localhost/echo")) == 404


BROKEN = {
    "a NUL in a value": b"X-A: a\0b",
    "a space before the colon": b"X-A : b",
    "no colon": b"X-A",
    "a second Host": b"Host: blog.localhost",
    "a wrong length": b"Content-Length: -1",
    "two lengths": b"Content-Length: 1\r\nContent-Length: 2",
    "a length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked",
    "an unknown coding": b"Transfer-Encoding: xchunked",
    "chunked not last": b"Transfer-Encoding: chunked, identity",
}


@pytest.mark.parametrize("what", BROKEN)
def test_b70_b72_broken_framing_is_400_and_reaches_no_app(rig: Rig, one: Origin, what: str) -> None:
    before = one.requests
    reply = rig.raw(b"POST /echo HTTP/1.1\r\nHost: shop.localhost\r\n" + BROKEN[what] + b"\r\n\r\n")
    assert (status_of(reply), one.requests) in ((400, before), (501, before))


@pytest.mark.parametrize("value", [b"a\rb", b"a\n b", b"a\r\n b", b"a\r\n\tb"])
def test_b70_line_breaks_inside_a_value_are_gone_before_the_app_reads_it(rig: Rig, value: bytes) -> None:
    """Envoy takes them out, as RFC 9112 (sections 2.2 and 5.2) allows instead of an error."""
    head, _, rest = echoed(rig, b"X-A: " + value, b"X-B: 1").partition(b"x-a: ")
    assert status_of(head) == 200
    assert rest.split(b"\r\n")[0] in (b"ab", b"a b", b"a\tb")
    assert b"\r\nx-b: 1\r\n" in rest


@pytest.mark.parametrize("size", [b"0x4", b"zz", b"-1", b" 4", b"+4", b"f" * 18, b"4;a=\rb", b"4;a=\nb", b"4\nabcd"])
def test_b72_a_bad_chunk_size_is_400_and_ends_the_connection(rig: Rig, size: bytes) -> None:
    head = b"POST /upload HTTP/1.1\r\nHost: shop.localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    reply = rig.raw(head + size + b"\r\nabcd\r\n0\r\n\r\nGET /echo HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
    assert status_of(reply) == 400
    assert b"GET /echo" not in reply


@pytest.mark.parametrize("size", [b"4", b"4 4", b"0004", b"4;a=b", b"4;" + b"a" * 65536])
def test_b72_whatever_chunks_look_like_the_app_gets_them_in_the_routers_own_framing(rig: Rig, size: bytes) -> None:
    head = b"POST /upload HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    reply = rig.raw(head + size + b"\r\nabcd\r\n0\r\n\r\n")
    assert b"\r\n\r\n4 88d4266fd4e6338d" in reply


def test_b70_a_request_without_host_is_refused(rig: Rig) -> None:
    assert status_of(rig.raw(b"GET / HTTP/1.1\r\n\r\n")) == 400


def test_b70_too_many_or_too_large_headers_are_431(rig: Rig) -> None:
    assert status_of(echoed(rig, *[b"X-%d: 1" % number for number in range(200)])) == 431
    assert status_of(echoed(rig, b"X-A: " + b"a" * 65536)) == 431
    assert status_of(echoed(rig, target=b"/" + b"a" * 65536)) in (414, 431)


PATHS = [
    b"/echo//",
    b"/echo/../x",
    b"/echo/%2e%2e/x",
    b"/echo/%2f",
    b"/echo/%00",
    b"/echo/;x",
    b"/echo/a\\b",
    b"/echo/%c0%af",
    b"/echo/?a=%20&b=//../",
    b"/echo/%zz",
]


@pytest.mark.parametrize("path", PATHS)
def test_b74_the_app_gets_the_path_as_it_was_sent(rig: Rig, path: bytes) -> None:
    assert b"GET " + path + b" HTTP/1.1\r\n" in echoed(rig, target=path)


def test_the_app_learns_who_asked_and_cannot_be_told_lies(rig: Rig) -> None:
    lies = [
        b"X-Forwarded-For: 6.6.6.6",
        b"X_Forwarded_For: 6.6.6.6",
        b"X-Forwarded_For: 6.6.6.6",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Port: 666",
        b"X-Forwarded-Host: 6.6.6.6",
        b"X-Real-IP: 6.6.6.6",
        b"Forwarded: for=6.6.6.6",
        b"X-Request-Id: 6.6.6.6",
        b"X-Request-Start: 6.6.6.6",
        b"X-Envoy-Retry-On: 5xx",
        b"X-Envoy-Upstream-Rq-Timeout-Ms: 1",
        b"Proxy: http://6.6.6.6",
    ]
    reply = echoed(rig, *lies, b"X-Mine: kept", b"x_also_mine: kept").lower()
    assert b"6.6.6.6" not in reply
    assert b"envoy" not in reply
    for line in (b"x-forwarded-for: 127.0.0.1", b"x-forwarded-proto: http", b"x-forwarded-port: %d" % rig.port):
        assert reply.count(b"\r\n" + line + b"\r\n") == 1
    assert reply.count(b"\r\nx-request-id: ") == 1
    assert b"\r\nx-mine: kept\r\n" in reply
    assert b"\r\nx_also_mine: kept\r\n" in reply


def test_headers_that_connection_names_end_at_the_router(rig: Rig) -> None:
    head = b"GET /echo HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\n\r\n"
    assert b"x-hop" not in rig.raw(head).lower()


def test_the_apps_server_header_stays_and_none_of_ours_is_added(rig: Rig) -> None:
    answer = rig.visit("shop", "/echo")
    assert answer.headers["server"] == "tiny"
    assert not [name for name in answer.headers if name.startswith("x-envoy")]


def test_http_1_0_is_answered(rig: Rig) -> None:
    assert status_of(rig.raw(b"GET / HTTP/1.0\r\nHost: shop.localhost\r\n\r\n")) == 200


def test_b75_a_client_that_expects_100_is_told_to_go_on(rig: Rig) -> None:
    with rig.connect() as link:
        link.sendall(
            b"POST /upload HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 2\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert link.recv(100).startswith(b"HTTP/1.1 100 Continue")
        link.sendall(b"ab")
        assert b"\r\n\r\n2 " in read_all(link)


def test_b75_an_upgrade_to_h2c_is_answered_in_http_1(rig: Rig) -> None:
    upgrade = [b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"]
    head = b"\r\n".join([b"GET / HTTP/1.1", b"Host: shop.localhost", *upgrade, b"Connection: Upgrade, HTTP2-Settings"])
    with rig.connect() as link:
        link.sendall(head + b"\r\n\r\n")
        assert status_of(link.recv(100)) == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_every_method_is_the_apps(rig: Rig, method: str) -> None:
    assert rig.visit("shop", "/echo", method).body.startswith(method.encode())
