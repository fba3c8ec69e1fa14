import hashlib
import secrets
from pathlib import Path

import pytest
from wherry.domain.errors import InvalidInput, NotFound, PlatformFault
from wherry.domain.secret import Secret
from wherry.images.address import parse
from wherry.images.manifest import MANIFEST, Document, image_config, image_manifest
from wherry.images.registry import Registry

from tests.images.conftest import HASTE
from tests.images.servers import Proxy, running_registry


def blob(size: int = 100) -> tuple[str, bytes]:
    data = secrets.token_bytes(size)
    return "sha256:" + hashlib.sha256(data).hexdigest(), data


def empty_image(registry: Registry, repository: str) -> Document:
    config = image_config([], {"User": secrets.token_hex(4)})
    registry.put_blob(repository, config.digest, config.body)
    return image_manifest(config, [], {})


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("http://registry.local:5000", ("http://registry.local:5000", "")),
        ("https://example.com/team/x/", ("https://example.com", "team/x")),
        ("example.com", ("https://example.com", "")),
        ("127.0.0.1:8302", ("http://127.0.0.1:8302", "")),
        ("localhost:8302/apps", ("http://localhost:8302", "apps")),
        ("[::1]:8302", ("http://[::1]:8302", "")),
    ],
)
def test_a_url_may_leave_out_the_scheme_and_carry_a_prefix(url: str, parsed: tuple[str, str]) -> None:
    assert parse(url) == parsed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x",
        "http://",
        "http://u:p@x",
        "http://x/A",
        "http://x/a?b",
        "http://x/#f",
        "http://[",
        "x/a/../b",
        "x:y",
    ],
)
def test_a_url_outside_the_grammar_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Registry(url)
    assert "u:p" not in str(refusal.value)


@pytest.mark.parametrize("size", [1, 5000, 3 * 1024 * 1024])
def test_a_blob_comes_back_as_it_went(size: int, registry: Registry, blobs: Path) -> None:
    digest, data = blob(size)
    (blobs / "in").write_bytes(data)
    assert not registry.has_blob("some/app", digest)
    assert registry.put_blob("some/app", digest, blobs / "in") is True
    assert registry.has_blob("some/app", digest)
    assert registry.blob("some/app", digest) == data
    assert registry.fetch_blob("some/app", digest, blobs).read_bytes() == data
    assert sorted(path.name for path in blobs.iterdir()) == sorted(["in", digest.partition(":")[2]])


def test_a_blob_larger_than_a_chunk_goes_in_chunks(
    through: Registry, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wherry.images.upload.CHUNK", 2 * 1024 * 1024)
    digest, data = blob(5 * 1024 * 1024)
    through.put_blob("app", digest, data)
    assert through.blob("app", digest) == data
    assert proxy.count("^PATCH") == 3


def test_a_blob_that_is_there_is_not_sent_again(through: Registry, proxy: Proxy) -> None:
    digest, data = blob()
    through.put_blob("app", digest, data)
    before = len(proxy.seen)
    assert through.put_blob("app", digest, data) is False
    assert proxy.seen[before:] == ["HEAD /v2/app/blobs/sha256:…"]


def test_a_blob_of_another_repository_is_mounted_not_sent(through: Registry, proxy: Proxy) -> None:
    digest, data = blob()
    through.put_blob("stack", digest, data)
    before = len(proxy.seen)
    assert through.put_blob("apps/1", digest, data, source="stack") is False
    assert proxy.seen[before:] == [
        "HEAD /v2/apps/1/blobs/sha256:…",
        "POST /v2/apps/1/blobs/uploads/?mount=sha256%3A…&from=stack",
    ]
    assert through.blob("apps/1", digest) == data


def test_a_mount_of_what_is_nowhere_goes_on_as_an_upload(through: Registry, proxy: Proxy) -> None:
    digest, data = blob()
    assert through.mount_blob("apps/2", digest, "stack") is False
    before = len(proxy.seen)
    assert through.put_blob("apps/2", digest, data, source="stack") is True
    assert [line.split()[0] for line in proxy.seen[before:]] == ["HEAD", "POST", "PUT"]


def test_a_missing_blob_or_manifest_is_not_found(registry: Registry, tmp_path: Path) -> None:
    digest, _ = blob()
    assert not registry.has_manifest("app", digest)
    for ask in (registry.blob, registry.manifest, lambda name, what: registry.fetch_blob(name, what, tmp_path)):
        with pytest.raises(NotFound):
            ask("app", digest)
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_is_stored_by_its_digest_read_back_and_deleted(registry: Registry) -> None:
    manifest = empty_image(registry, "app")
    assert registry.put_manifest("app", manifest) == manifest.digest
    assert registry.has_manifest("app", manifest.digest)
    assert registry.manifest("app", manifest.digest) == Document(MANIFEST, manifest.body)
    registry.delete_manifest("app", manifest.digest)
    registry.delete_manifest("app", manifest.digest)
    assert not registry.has_manifest("app", manifest.digest)


def test_a_manifest_may_have_a_tag(registry: Registry) -> None:
    manifest = empty_image(registry, "app")
    registry.put_manifest("app", manifest, "v1")
    assert registry.manifest("app", "v1").digest == manifest.digest


@pytest.mark.parametrize("name", ["", "Upper", "a//b", "../x", "a b", "a\n", "-a", "a" * 256])
def test_repositories_outside_the_grammar_are_refused(name: str, registry: Registry) -> None:
    with pytest.raises(InvalidInput):
        registry.manifest(name, "latest")


@pytest.mark.parametrize("reference", ["", "sha256:12", "../x", "a/b", "x" * 129, "sha256:" + "A" * 64])
def test_references_outside_the_grammar_are_refused(reference: str, registry: Registry) -> None:
    with pytest.raises(InvalidInput):
        registry.manifest("app", reference)


def test_a_prefix_begins_every_repositorys_name(registry_url: str, registry: Registry) -> None:
    team = Registry(f"{registry_url}/team/one", patience=HASTE)
    digest, data = blob()
    team.put_blob("app", digest, data)
    assert registry.blob("team/one/app", digest) == data
    assert team.address == registry_url.removeprefix("http://") + "/team/one"
    assert team.reference("app", digest) == f"{team.address}/app@{digest}"
    team.close()


def test_a_login_by_password(tmp_path: Path, registry: Registry) -> None:
    digest, data = blob()
    with running_registry(tmp_path, ("wherry", "pa:ss wörd")) as url:
        known = Registry(url, "wherry", Secret("pa:ss wörd"), HASTE)
        known.ping()
        known.put_blob("app", digest, data)
        assert known.blob("app", digest) == data
        known.close()
        for username, password in (("", ""), ("wherry", "s3cret-wrong")):
            stranger = Registry(url, username, Secret(password), HASTE)
            with pytest.raises(PlatformFault, match=r"the registry answered 401 to HEAD http://127\.0\.0\.1") as fault:
                stranger.put_blob("app", digest, data)
            assert "s3cret-wrong" not in "\n".join([*fault.value.lines(), repr(fault.value.__cause__)])
            with pytest.raises(PlatformFault, match="401 to GET"):
                stranger.ping()
            stranger.close()
