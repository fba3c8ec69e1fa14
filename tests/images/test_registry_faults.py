"""A14, A16, A17: what a registry and the way to it do wrong."""

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from wherry.domain.errors import PlatformFault
from wherry.domain.secret import Secret
from wherry.images.manifest import Document, image_config, image_manifest
from wherry.images.patience import Patience
from wherry.images.registry import Registry
from wherry.logins import Login

from tests.images.conftest import HASTE
from tests.images.servers import Answer, Changed, CutAnswer, Fault, Proxy, ResetAfter
from tests.images.small_servers import deaf_registry, resuming_registry
from tests.ports import free_port

MiB = 1024 * 1024


def blob(size: int) -> tuple[str, bytes]:
    data = secrets.token_bytes(size)
    return "sha256:" + hashlib.sha256(data).hexdigest(), data


def once(method: str, fault: Fault, pattern: str = "") -> Callable[[str, str], Fault | None]:
    """`fault` for the first such request, then none."""
    left = [fault]
    return lambda verb, path: left.pop() if verb == method and re.search(pattern, path) and left else None


def always(method: str, fault: Fault, pattern: str = "") -> Callable[[str, str], Fault | None]:
    return lambda verb, path: fault if verb == method and re.search(pattern, path) else None


def test_a14_an_upload_goes_on_where_the_registry_says_that_it_stopped() -> None:
    with resuming_registry() as (url, received, starts):
        registry = Registry(url, patience=HASTE)
        digest, data = blob(6 * MiB)
        registry.put_blob("app", digest, data)
        assert bytes(received) == data
        assert starts == ["0-6291455", "2097152-6291455"]
        registry.close()


def test_a14_an_upload_that_breaks_between_chunks_repeats_no_chunk(
    through: Registry, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wherry.images.upload.CHUNK", 2 * MiB)
    digest, data = blob(6 * MiB)
    count = iter(range(10))
    proxy.fault = lambda method, path: ResetAfter(0) if method == "PATCH" and next(count) == 1 else None
    through.put_blob("app", digest, data)
    assert through.blob("app", digest) == data
    starts = [headers["Content-Range"].partition("-")[0] for headers in proxy.headers if "Content-Range" in headers]
    assert starts == ["0", str(2 * MiB), str(2 * MiB), str(4 * MiB)]
    assert proxy.count("^POST") == 1


def test_a14_an_upload_reset_mid_chunk_begins_again_where_the_registry_cannot_resume(
    through: Registry, proxy: Proxy
) -> None:
    """Distribution 2.8 refuses a session whose last chunk broke off."""
    digest, data = blob(6 * MiB)
    proxy.fault = once("PATCH", ResetAfter(4 * MiB))
    through.put_blob("app", digest, data)
    assert through.blob("app", digest) == data
    assert proxy.count("^POST") == 2


def test_a14_an_upload_reset_before_its_first_byte_begins_again(through: Registry, proxy: Proxy) -> None:
    digest, data = blob(2 * MiB)
    proxy.fault = once("PATCH", ResetAfter(0))
    through.put_blob("app", digest, data)
    assert through.blob("app", digest) == data


def test_a14_a_small_upload_that_is_reset_is_sent_again(through: Registry, proxy: Proxy) -> None:
    digest, data = blob(1000)
    proxy.fault = once("PUT", ResetAfter(500))
    through.put_blob("app", digest, data)
    assert through.blob("app", digest) == data


def test_a14_every_third_answer_500(through: Registry, proxy: Proxy) -> None:
    count = iter(range(1, 1000))
    proxy.fault = lambda method, path: Answer(500) if next(count) % 3 == 0 else None
    for size in (10, 100_000, 3 * MiB):
        digest, data = blob(size)
        through.put_blob("app", digest, data)
        assert through.blob("app", digest) == data
    assert len(proxy.seen) > 12


def test_a14_a_finished_upload_whose_answer_was_lost_is_not_sent_again(through: Registry, proxy: Proxy) -> None:
    digest, data = blob(1000)
    proxy.fault = once("PUT", CutAnswer(0))
    through.put_blob("app", digest, data)
    assert proxy.count("^PUT") == 1
    assert through.blob("app", digest) == data


def test_a14_an_upload_session_that_the_registry_forgot_begins_again(through: Registry, proxy: Proxy) -> None:
    digest, data = blob(2 * MiB)
    proxy.fault = once("PATCH", Answer(404))
    through.put_blob("app", digest, data)
    assert through.blob("app", digest) == data
    assert proxy.count("^POST") == 2


def test_a14_a_chunk_out_of_place_is_put_right(through: Registry, proxy: Proxy) -> None:
    digest, data = blob(2 * MiB)
    proxy.fault = once("PATCH", Answer(416))
    through.put_blob("app", digest, data)
    assert through.blob("app", digest) == data


def test_a14_a_download_that_breaks_off_is_read_again(through: Registry, proxy: Proxy) -> None:
    digest, data = blob(2 * MiB)
    through.put_blob("app", digest, data)
    proxy.fault = once("GET", CutAnswer(MiB))
    assert through.blob("app", digest) == data


def test_a14_a_registry_that_is_down_is_a_fault_after_bounded_tries() -> None:
    registry = Registry(f"http://127.0.0.1:{free_port()}", patience=HASTE)
    with pytest.raises(PlatformFault, match="the registry does not answer: HEAD http") as fault:
        registry.put_blob("app", *blob(10))
    assert fault.value.evidence == ("ConnectionError",)
    assert "wherry doctor" in fault.value.hint
    registry.close()


def test_a14_a_registry_that_always_fails_is_a_fault_with_its_own_words(through: Registry, proxy: Proxy) -> None:
    proxy.fault = always("HEAD", Answer(503))
    with pytest.raises(PlatformFault, match="answered 503 to HEAD"):
        through.put_blob("app", *blob(10))
    assert proxy.count("^HEAD") == HASTE.tries
    proxy.fault = always("POST", Answer(500, body=b"\x1b[31mdisk full\nmore"))
    with pytest.raises(PlatformFault) as fault:
        through.put_blob("app", *blob(10))
    assert fault.value.evidence == ("\\x1b[31mdisk full",)


def test_a14_a_registry_that_stops_listening_mid_blob_is_a_fault_when_the_time_is_over() -> None:
    with deaf_registry() as url:
        patience = Patience(tries=3, first_pause=0.001, total=1.0, connect=1.0)
        registry = Registry(url, patience=patience)
        began = time.monotonic()
        with pytest.raises(PlatformFault):
            registry.put_blob("app", *blob(32 * MiB))
        assert time.monotonic() - began < 60
        registry.close()


@pytest.mark.parametrize("as_date", [False, True])
def test_a16_too_many_requests_are_answered_with_the_wait_that_was_asked(
    as_date: bool, through: Registry, proxy: Proxy
) -> None:
    wish = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if as_date else "1"
    proxy.fault = once("POST", Answer(429, {"Retry-After": wish}))
    began = time.monotonic()
    through.put_blob("app", *blob(10))
    assert 0.9 <= time.monotonic() - began < 60


def test_a16_a_date_that_is_none_is_no_wish(through: Registry, proxy: Proxy) -> None:
    proxy.fault = once("POST", Answer(429, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 -2359"}))
    through.put_blob("app", *blob(10))


def test_a16_a_wait_beyond_all_patience_is_a_fault_at_once(through: Registry, proxy: Proxy) -> None:
    proxy.fault = once("POST", Answer(429, {"Retry-After": "3600"}))
    began = time.monotonic()
    with pytest.raises(PlatformFault, match="answered 429"):
        through.put_blob("app", *blob(10))
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("status", [400, 403, 405, 413])
def test_a16_a_refusal_is_not_asked_again(status: int, through: Registry, proxy: Proxy) -> None:
    proxy.fault = always("POST", Answer(status))
    with pytest.raises(PlatformFault, match=f"answered {status} to POST"):
        through.put_blob("app", *blob(10))
    assert proxy.count("^POST") == 1


class TokenDoor:
    """Asks for a token before each request, as a registry with an authorisation server does."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.token = "first"
        self.asked: list[str] = []
        proxy.fault = self

    def __call__(self, method: str, path: str) -> Fault | None:
        headers = self.proxy.headers[-1]
        if path.startswith("/token"):
            self.asked.append(path)
            known = headers.get("Authorization") == "Basic bWU6cHc="
            return Answer(200, body=b'{"token":"%s"}' % self.token.encode()) if known else Answer(401)
        if headers.get("Authorization") == f"Bearer {self.token}":
            return None
        scope = f'realm="{self.proxy.url}/token",service="reg",scope="ignored"'
        return Answer(401, {"WWW-Authenticate": f"Bearer {scope}"})


@pytest.fixture
def door(proxy: Proxy) -> TokenDoor:
    return TokenDoor(proxy)


@pytest.fixture
def member(proxy: Proxy, door: TokenDoor) -> Registry:
    return Registry(proxy.url, "me", Secret("pw"), HASTE)


def test_a16_a_token_is_fetched_for_the_scope_and_kept(member: Registry, door: TokenDoor) -> None:
    digest, data = blob(2 * MiB)
    member.put_blob("app", digest, data)
    assert member.blob("app", digest) == data
    assert door.asked == [
        "/token?service=reg&scope=repository%3Aapp%3Apull",
        "/token?service=reg&scope=repository%3Aapp%3Apull%2Cpush",
    ]
    member.close()


def test_a16_a_token_that_ends_mid_push_is_fetched_again_once(member: Registry, door: TokenDoor) -> None:
    member.put_blob("app", *blob(100))
    door.token = "second"
    digest, data = blob(2 * MiB)
    member.put_blob("app", digest, data)
    assert member.blob("app", digest) == data
    assert len(door.asked) == 4
    member.close()


def test_a16_a_token_that_is_never_taken_is_a_fault(member: Registry, door: TokenDoor, proxy: Proxy) -> None:
    proxy.fault = lambda method, path: (
        Answer(200, body=b'{"access_token":"t"}')
        if path.startswith("/token")
        else Answer(401, {"WWW-Authenticate": f'Bearer realm="{proxy.url}/token"'})
    )
    with pytest.raises(PlatformFault, match="answered 401 to HEAD"):
        member.put_blob("app", *blob(10))
    assert proxy.count("^HEAD") == 2
    member.close()


@pytest.mark.parametrize("body", [b"{}", b"[]", b"", b"<html>"])
def test_a16_an_authorisation_server_without_a_token_is_a_fault(body: bytes, member: Registry, proxy: Proxy) -> None:
    proxy.fault = lambda method, path: (
        Answer(200, body=body)
        if path.startswith("/token")
        else Answer(401, {"WWW-Authenticate": f'Bearer realm="{proxy.url}/token"'})
    )
    with pytest.raises(PlatformFault, match="gave no token"):
        member.put_blob("app", *blob(10))
    member.close()


def test_a_login_is_not_sent_in_the_clear_when_the_registry_is_on_tls() -> None:
    registry = Registry("https://registry.invalid", "me", Secret("pw"), HASTE)
    with pytest.raises(PlatformFault, match="is not safe"):
        registry._transport._authenticator._fetch_token(
            {"realm": "http://elsewhere.invalid/token"}, ("repository:a:pull",), Login()
        )
    registry.close()


def test_a_login_does_not_follow_an_answer_to_another_host(registry_url: str, proxy: Proxy) -> None:
    """The registry sends the upload to another host (the proxy): the blob goes there, the login does not."""
    with pytest.MonkeyPatch.context():
        registry = Registry(registry_url, "me", Secret("pw"), HASTE)
        registry._transport._authenticator._basic = True
        registry._transport.call("HEAD", f"{proxy.url}/v2/app/blobs/{blob(1)[0]}", (), [404])
        assert "Authorization" not in proxy.headers[-1]
        registry.close()


def test_a17_a_manifest_that_is_stored_under_another_digest_is_refused(through: Registry, proxy: Proxy) -> None:
    config = image_config([], {})
    through.put_blob("app", config.digest, config.body)
    proxy.fault = always("PUT", Changed({"Docker-Content-Digest": blob(1)[0]}), "/manifests/")
    with pytest.raises(PlatformFault, match=r"the registry stored sha256:\w+ as sha256:\w+"):
        through.put_manifest("app", image_manifest(config, [], {}))


def test_a17_a_blob_or_manifest_with_other_content_is_refused(through: Registry, proxy: Proxy) -> None:
    digest, data = blob(10)
    through.put_blob("app", digest, data)
    manifest = _image(through)
    proxy.fault = always("GET", Changed({"Content-Length": "2"}, b"{}"))
    with pytest.raises(PlatformFault, match="when asked for"):
        through.blob("app", digest)
    with pytest.raises(PlatformFault, match="when asked for"):
        through.manifest("app", manifest.digest)


def _image(registry: Registry) -> Document:
    config = image_config([], {})
    registry.put_blob("app", config.digest, config.body)
    manifest = image_manifest(config, [], {})
    registry.put_manifest("app", manifest)
    return manifest
