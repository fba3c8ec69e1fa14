"""Builds without git: an archive is put, built and released; and a build is stopped."""

from __future__ import annotations

import hashlib
import io
import tarfile
from urllib.parse import urlsplit

import pytest
from wherry.domain.model import BuildStatus

from tests.api.house import House, eventually


@pytest.fixture
def app(house: House, request: pytest.FixtureRequest) -> str:
    name = f"upload-{hashlib.sha256(request.node.name.encode()).hexdigest()[:8]}"
    house.create(name)
    return name


def tarball(**files: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content.encode()))
    return packed.getvalue()


def put(house: House, content: bytes, by: str = "owner") -> str:
    blob = house.call("POST", "/sources", by=by).json["source_blob"]
    assert house.call("PUT", urlsplit(blob["put_url"]).path, raw=content, by=None).status == 200
    return str(blob["get_url"])


def test_an_uploaded_archive_becomes_a_release(house: House, app: str) -> None:
    url = put(house, tarball(Procfile="web: serve\nclock: tick\n"))
    answer = house.call("POST", f"/apps/{app}/builds", {"source_blob": {"url": url, "version": "1.0"}})
    assert (answer.status, answer.json["branch"]) == (201, "")
    eventually(lambda: house.call("GET", f"/apps/{app}/builds/{answer.json['number']}").json["release"])
    eventually(lambda: house.call("GET", f"/apps/{app}/releases").json[0]["status"] == "succeeded")
    types = [each["type"] for each in house.call("GET", f"/apps/{app}/formation").json]
    assert sorted(types) == ["clock", "web"]
    again = house.call("POST", f"/apps/{app}/builds", {"source_blob": {"url": url}})
    assert again.status == 404


def test_a_failed_upload_build_releases_nothing(house: House, app: str) -> None:
    url = put(house, tarball(Procfile="web: serve\n", BREAK=""))
    number = house.call("POST", f"/apps/{app}/builds", {"source_blob": {"url": url}}).json["number"]
    eventually(lambda: house.call("GET", f"/apps/{app}/builds/{number}").json["phase"] == "failed")
    assert house.call("GET", f"/apps/{app}/releases").json == []


def test_t27_only_what_was_put_here_by_the_same_user_is_built(house: House, app: str) -> None:
    foreign = put(house, tarball(Procfile="web: serve\n"), by="other")
    for url in ("http://127.0.0.1:2375/containers", "file:///etc/passwd", foreign + "x", foreign):
        answer = house.call("POST", f"/apps/{app}/builds", {"source_blob": {"url": url}})
        assert (answer.status, answer.json["problems"][0][:15]) == (422, "source_blob.url")


def test_a_wrong_checksum_and_an_unreadable_archive_are_refused(house: House, app: str) -> None:
    blob = {"url": put(house, tarball(Procfile="web: serve\n")), "checksum": "SHA256:" + "0" * 64}
    assert (
        "the archive that came has"
        in house.call("POST", f"/apps/{app}/builds", {"source_blob": blob}).json["problems"][0]
    )
    answer = house.call("POST", f"/apps/{app}/builds", {"source_blob": {"url": put(house, b"no tar")}})
    assert (answer.status, "no tar archive" in answer.json["message"]) == (422, True)


def test_an_upload_over_the_limit_is_refused(house: House) -> None:
    blob = house.call("POST", "/sources").json["source_blob"]
    answer = house.call("PUT", urlsplit(blob["put_url"]).path, raw=b"x" * (2 << 20), by=None)
    assert (answer.status, "larger than 1 MiB" in answer.json["message"]) == (422, True)


def test_a_build_is_stopped_and_its_log_says_by_whom(house: House, app: str) -> None:
    house.builder.go.clear()
    house.builder.began.clear()
    url = put(house, tarball(Procfile="web: serve\n", WAIT=""))
    number = house.call("POST", f"/apps/{app}/builds", {"source_blob": {"url": url}}).json["number"]
    assert house.builder.began.wait(60)
    assert house.call("DELETE", f"/apps/{app}/builds/{number}").json["phase"] == "cancelled"
    eventually(house.builder.go.is_set)
    lines = house.call("GET", f"/apps/{app}/builds/{number}/result").json["lines"]
    assert lines[-1]["line"] == " !     Build cancelled by owner@example.org.\n"
    assert house.call("DELETE", f"/apps/{app}/builds/{number}").status == 409
    with house.world.ledger.begin() as tx:
        assert tx.builds.by_id(number).status is BuildStatus.CANCELLED
    assert house.call("GET", f"/apps/{app}/releases").json == []
