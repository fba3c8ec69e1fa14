"""Pushing images to the platform: the protocol by hand, and the real docker against the server that production uses."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import APIClient
from flask import Flask
from wherry.builds.taken_images import TakenImages
from wherry.domain.errors import NotFound
from wherry.domain.secret import Secret
from wherry.images.registry import Registry
from wherry.ledger.ledger import SqlLedger
from wherry.settings import Settings

from tests.api.house import Answer, House, PlayedBuilder, PlayedRouter, eventually, make_world, open_house
from tests.fakes.images import InMemoryImages
from tests.fakes.runtime import InMemoryRuntime
from tests.images.servers import running_registry
from tests.ports import free_port
from tests.runtimes.tiny import busybox, engine_api, root_filesystem

__all__ = ["busybox", "engine_api"]  # fixtures, found here by name
ROOT = Path(__file__).parents[2]
LOGIN = ("wherry", "inner password")
OCTETS = {"Content-Type": "application/octet-stream"}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["serve"]}, "rootfs": {"diff_ids": []}})


@pytest.fixture(scope="module")
def inner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running_registry(tmp_path_factory.mktemp("inner"), LOGIN) as url:
        registry = Registry(url, LOGIN[0], Secret(LOGIN[1]))
        yield registry
        registry.close()


def given(inner: Registry) -> dict[str, str]:
    names = {"URL": f"http://{inner.address}", "USERNAME": LOGIN[0], "PASSWORD": LOGIN[1]}
    return {**{f"WHERRY_REGISTRY_{name}": value for name, value in names.items()}, "WHERRY_MAX_IMAGE_MB": "2"}


@pytest.fixture(scope="module")
def house(inner: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house"), **given(inner)) as opened:
        yield opened


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def begin(house: House, name: str, query: str = "", by: str = "owner") -> Answer:
    return house.call("POST", f"/v2/{name}/blobs/uploads/{query}", by=by, raw=b"", headers=OCTETS)


def put_blob(house: House, name: str, body: bytes, by: str = "owner") -> str:
    digest, began = digest_of(body), begin(house, name, by=by)
    where = began.headers["Location"] + ("&" if "?" in began.headers["Location"] else "?")
    assert house.call("PUT", f"{where}digest={digest}", raw=body, headers=OCTETS, by=by).status == 201
    return digest


def manifest(layers: list[bytes], config: bytes = CONFIG.encode()) -> bytes:
    def part(kind: str, body: bytes) -> dict[str, object]:
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest_of(body), "size": len(body)}

    listed = [part("layer.v1.tar", each) for each in layers]
    value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": part("config.v1+json", config), "layers": listed}
    return json.dumps(value).encode()


def put_image(house: House, name: str, tag: str, *layers: bytes) -> str:
    for each in (CONFIG.encode(), *layers):
        put_blob(house, name, each)
    body = manifest(list(layers))
    answer = house.call("PUT", f"/v2/{name}/manifests/{tag}", raw=body, headers={"Content-Type": MANIFEST})
    assert answer.status == 201, answer.text
    assert answer.headers["Docker-Content-Digest"] == digest_of(body)
    return digest_of(body)


def code(answer: Answer) -> str:
    (error,) = answer.json["errors"]
    assert error["message"]
    return str(error["code"])


def test_an_upload_comes_in_pieces_and_is_there_once_its_digest_is_right(house: House, inner: Registry) -> None:
    number = house.create("pieces")
    body = os.urandom(300_000)
    where = begin(house, "pieces/web").headers["Location"]
    assert where.startswith("/v2/pieces/web/blobs/uploads/")
    first = house.call("PATCH", where, raw=body[:100_000], headers={**OCTETS, "Content-Range": "0-99999"})
    assert (first.status, first.headers["Range"]) == (202, "0-99999")
    where = first.headers["Location"]
    wrong = house.call("PATCH", where, raw=body[50_000:], headers={**OCTETS, "Content-Range": "50000-299999"})
    assert (wrong.status, code(wrong)) == (416, "RANGE_INVALID")
    stands = house.call("GET", where)
    assert (stands.status, stands.headers["Range"]) == (204, "0-99999")
    second = house.call("PATCH", stands.headers["Location"], raw=body[100_000:], headers=OCTETS)
    end = f"{second.headers['Location']}&digest="
    lie = house.call("PUT", end + digest_of(b"other"), raw=b"", headers=OCTETS)
    assert lie.status in (400, 404), lie.text
    digest = put_blob(house, "pieces/web", body)
    blob = f"/v2/pieces/web/blobs/{digest}"
    assert house.call("GET", blob).raw == body
    seen = house.call("HEAD", blob)
    assert (seen.status, seen.headers["Content-Length"], seen.raw) == (200, "300000", b"")
    part = house.call("GET", blob, headers={"Range": "bytes=10-19"})
    assert (part.status, part.raw) == (206, body[10:20])
    assert inner.has_blob(f"pushed/{number}", digest)
    cancelled = begin(house, "pieces/web").headers["Location"]
    assert house.call("DELETE", cancelled).status == 204
    assert house.call("GET", cancelled).status == 404


def test_a_tag_is_of_one_type_and_what_it_stood_for_goes_when_nothing_else_has_it(
    house: House, inner: Registry
) -> None:
    pushed = f"pushed/{house.create('tags')}"
    first = put_image(house, "tags/web", "latest", b"one")
    assert put_image(house, "tags/worker", "latest", b"one") == first
    assert house.call("GET", "/v2/tags/web/tags/list").json == {"name": "tags/web", "tags": ["latest"]}
    second = put_image(house, "tags/web", "latest", b"two")
    assert inner.has_manifest(pushed, first)
    put_image(house, "tags/worker", "latest", b"three")
    assert not inner.has_manifest(pushed, first)
    found = house.call("GET", "/v2/tags/web/manifests/latest")
    assert (found.headers["Docker-Content-Digest"], found.headers["Content-Type"]) == (second, MANIFEST)
    assert found.json["layers"][0]["digest"] == digest_of(b"two")
    missing = house.call("GET", "/v2/tags/web/manifests/v9")
    assert (missing.status, code(missing)) == (404, "MANIFEST_UNKNOWN")
    assert "docker push" in missing.text


def test_t13_nobody_reads_or_writes_what_is_not_their_apps_own(house: House, inner: Registry) -> None:
    own, foreign = house.create("mine"), house.create("theirs", by="other")
    secret = put_blob(house, "theirs/web", b"of the other app", by="other")
    inner.put_blob("stack/run", digest_of(b"of the platform"), b"of the platform")
    inner.put_blob(f"apps/{own}", digest_of(b"of a build"), b"of a build")
    names = [
        "theirs/web",
        f"{foreign}/web",
        "stack/run",
        f"apps/{own}",
        f"pushed/{foreign}",
        "none/web",
        "mine/../theirs/web",
    ]
    for name in names:
        for method, rest in (("HEAD", f"blobs/{secret}"), ("GET", "tags/list"), ("GET", "manifests/latest")):
            answer = house.call(method, f"/v2/{name}/{rest}")
            assert answer.status == 404, (name, rest)
        refused = begin(house, name)
        assert (refused.status, name not in ("theirs/web", "none/web") or code(refused) == "NAME_UNKNOWN") == (
            404,
            True,
        )
        put = house.call("PUT", f"/v2/{name}/manifests/latest", raw=b"{}", headers={"Content-Type": MANIFEST})
        assert put.status == 404, name
    for body in (b"of the platform", b"of a build", b"of the other app"):
        assert house.call("HEAD", f"/v2/mine/web/blobs/{digest_of(body)}").status == 404
        for source in ("theirs/web", "stack/run", f"apps/{own}", f"pushed/{foreign}", "mine/web"):
            mounted = begin(house, "mine/web", f"?mount={digest_of(body)}&from={source}")
            assert mounted.status == 202, source
    lying = house.call(
        "PUT", "/v2/mine/web/manifests/latest", raw=manifest([b"of the other app"]), headers={"Content-Type": MANIFEST}
    )
    assert lying.status in (400, 404), lying.text
    mine = put_blob(house, "mine/worker", b"of this app")
    assert begin(house, "mine/web", f"?mount={mine}&from=mine/worker").status == 201
    upload = begin(house, "mine/web").headers["Location"].replace("/mine/", "/theirs/")
    assert house.call("PATCH", upload, raw=b"x", headers=OCTETS).status == 404
    session = begin(house, "theirs/web", by="other").headers["Location"].replace("/theirs/", "/mine/")
    assert house.call("PATCH", session, raw=b"x", headers=OCTETS).status == 404
    assert house.call("GET", "/v2/_catalog").status == 404


def test_the_cli_releases_what_a_tag_stands_for_and_says_what_to_do_when_nothing_was_pushed(house: House) -> None:
    house.create("released")
    digest = put_image(house, "released/web", "v1", b"released")
    images = house.world.images
    assert isinstance(images, InMemoryImages)
    images.known.add(digest)

    def wherry(*words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "WHERRY_API_URL": house.url, "WHERRY_API_KEY": house.token("owner")}
        argv = [sys.executable, "-m", "wherry.cli", "container:release", *words, "-a", "released"]
        return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)

    done = wherry("web", "--tag", "v1")
    assert done.returncode == 0, done.stderr
    assert "Releasing images web to released... done, v1" in done.stderr
    image = house.call("GET", "/apps/released/releases/v1").json["image"]
    assert image["digest"] == digest
    missing = wherry("worker")
    assert missing.returncode == 4, missing.stderr
    assert f"To push it: docker push localhost:{house.port}/released/worker" in missing.stderr


def test_b50_without_a_known_token_there_is_nothing_but_the_way_to_log_in(house: House) -> None:
    for path in ("/v2/", "/v2/mine/web/tags/list", "/v2/nobody/web/tags/list"):
        answer = house.call("GET", path, by=None, headers={"Authorization": "Basic eDp5"})
        assert (answer.status, code(answer)) == (401, "UNAUTHORIZED")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert house.call("GET", "/v2/").status == 200


def test_what_is_too_large_is_refused_before_it_is_here_and_leaves_nothing(house: House) -> None:
    house.create("large")
    where = begin(house, "large/web").headers["Location"]
    refused = house.call("PATCH", where, raw=os.urandom(3 << 20), headers=OCTETS)
    assert (refused.status, code(refused)) == (413, "SIZE_INVALID")
    assert house.call("GET", where).status == 404
    value = json.loads(manifest([b"x"]))
    value["layers"][0]["size"] = 3 << 20
    headers = {"Content-Type": MANIFEST}
    put = house.call("PUT", "/v2/large/web/manifests/latest", raw=json.dumps(value).encode(), headers=headers)
    assert put.status == 413


@pytest.mark.parametrize(
    ("path", "raw", "kind", "status"),
    [
        ("manifests/latest", b"no json", MANIFEST, 400),
        ("manifests/latest", b"[]", MANIFEST, 400),
        ("manifests/latest", b'{"layers": [{"size": "1"}]}', MANIFEST, 400),
        ("manifests/latest", b'{"layers": [{"size": 1, "urls": ["http://x"]}]}', MANIFEST, 400),
        ("manifests/latest", b"{}", "text/html", 400),
        ("manifests/-bad", b"{}", MANIFEST, 400),
        (f"manifests/sha256:{'0' * 64}", manifest([]), MANIFEST, 400),
        ("blobs/sha256:0", b"", "", 405),
        ("blobs/uploads/x%2F..%2F..?digest=sha256:0", b"", "", 404),
    ],
)
def test_what_is_no_image_is_refused_in_the_registrys_words(
    house: House, path: str, raw: bytes, kind: str, status: int
) -> None:
    name = f"bad-{secrets.token_hex(4)}"
    house.create(name)
    answer = house.call("PUT", f"/v2/{name}/web/{path}", raw=raw, headers={"Content-Type": kind})
    assert answer.status == status, answer.text
    assert code(answer)
    assert house.call("GET", f"/v2/{name}/WEB/tags/list").status == 400


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def served(inner: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Behind gunicorn, with a cap that the test's image fits."""
    folder, port = tmp_path_factory.mktemp("served"), free_port()
    settings = {**given(inner), "WHERRY_MAX_IMAGE_MB": "100"}
    world = make_world(folder, port, InMemoryRuntime(), settings)
    argv = [sys.executable, "-m", "gunicorn", "tests.api.served:app", "--bind", f"127.0.0.1:{port}"]
    argv += ["--worker-class", "gthread", "--threads", "8", "--no-control-socket", "--log-level", "warning"]
    env = {**os.environ, **settings, "HOUSE_FOLDER": str(folder), "HOUSE_PORT": str(port)}
    with subprocess.Popen(argv, cwd=ROOT, env={**env, "PYTHONPATH": f"{ROOT}:{ROOT}/platform"}) as server:
        try:
            eventually(lambda: listens(port))
            yield House(folder, world, InMemoryRuntime(), PlayedBuilder(), PlayedRouter(), Flask("elsewhere"), port)
        finally:
            server.terminate()
            server.wait(60)
            assert isinstance(world.ledger, SqlLedger)
            world.ledger.close()


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_docker_logs_in_pushes_and_pulls_and_what_was_pushed_can_be_released(
    served: House, inner: Registry, engine_api: APIClient, busybox: Path, tmp_path: Path
) -> None:
    number = served.create("pushed-app")
    served.create("not-mine", by="other")
    host = f"localhost:{served.port}"
    web = f"{host}/pushed-app/web"

    def docker(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        argv = ["docker", "--config", str(tmp_path / "config"), *words]
        return subprocess.run(argv, input=text, capture_output=True, text=True, check=False, timeout=120)

    login = ("login", host, "-u", "_", "--password-stdin")
    assert docker(*login, text="wrong").returncode != 0
    done = docker(*login, text=served.token("owner"))
    assert done.returncode == 0, done.stderr
    files = root_filesystem(busybox)
    tags = (web, f"{host}/pushed-app/worker", f"{host}/not-mine/web")
    try:
        engine_api.import_image_from_data(files, repository=web, tag="latest", changes=['CMD ["sleep", "9"]'])
        for each in tags[1:]:
            assert docker("tag", web, each).returncode == 0
        pushed = docker("push", web)
        assert pushed.returncode == 0, pushed.stdout + pushed.stderr
        digest = next(word for word in pushed.stdout.split() if word.startswith("sha256:"))
        assert docker("push", tags[1]).returncode == 0
        foreign = docker("push", tags[2])
        assert (foreign.returncode != 0, "no app 'not-mine'" in foreign.stderr) == (True, True), foreign.stderr
        identity = engine_api.inspect_image(web)["Id"]
        engine_api.remove_image(web)
        pulled = docker("pull", web)
        assert pulled.returncode == 0, pulled.stderr
        assert engine_api.inspect_image(web)["Id"] == identity
    finally:
        for each in tags:
            docker("rmi", each)
    settings = Settings.load({"WHERRY_HOME": str(tmp_path)})
    start = TakenImages(inner, settings).take_in(number, digest)
    assert inner.has_manifest(f"apps/{number}", start.digest)
    assert TakenImages(inner, settings).take_in(number, identity) == start
    with pytest.raises(NotFound, match="neither a build nor a push"):
        TakenImages(inner, settings).take_in(number + 1, digest)
