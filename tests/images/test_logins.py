"""Logins that end after some hours: credential helpers, identity tokens, and registries with habits of their own."""

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from wherry.domain.errors import PlatformFault
from wherry.domain.registry_names import Place
from wherry.domain.secret import Secret
from wherry.images.registry import Registry
from wherry.logins import FixedLogin, HelperLogin, Login
from wherry.runtimes.machine.pull import Registry as Pulls

from tests.images.conftest import HASTE
from tests.images.servers import Answer, Fault, Proxy
from tests.images.small_servers import Quiet, serving

HOST = "registry.example.com"
DIGEST = "sha256:" + "0" * 64


class Helper:
    """A real `docker-credential-test` on the PATH, that notes what it was asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def says(self, script: str) -> None:
        program = self.folder / "docker-credential-test"
        program.write_text(f'#!/bin/sh\ncat >> "{self.folder}/asked"; echo " $1" >> "{self.folder}/asked"\n{script}\n')
        program.chmod(0o755)

    def gives(self, username: str, secret: str) -> None:
        self.says(f"echo '{json.dumps({'ServerURL': HOST, 'Username': username, 'Secret': secret})}'")

    @property
    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text().splitlines()


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Helper:
    return Helper(tmp_path, monkeypatch)


def behind_basic(proxy: Proxy, password: str) -> None:
    """The registry takes this password only."""
    wanted = "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()

    def fault(method: str, path: str) -> Fault | None:
        if proxy.headers[-1].get("Authorization") == wanted:
            return None
        return Answer(401, {"WWW-Authenticate": 'Basic realm="registry"'})

    proxy.fault = fault


def test_a_helper_is_asked_once_and_again_when_its_login_is_refused(helper: Helper, proxy: Proxy) -> None:
    client = Registry(proxy.url, patience=HASTE, logins=HelperLogin("test", HOST))
    helper.gives("AWS", "first")
    behind_basic(proxy, "first")
    assert client.tags("nothing") == []
    assert client.tags("nothing") == []
    assert helper.asked == [f"{HOST} get"]
    helper.gives("AWS", "second")
    behind_basic(proxy, "second")
    assert client.tags("nothing") == []
    assert helper.asked == [f"{HOST} get"] * 2
    client.close()


def test_a_login_that_a_helper_gives_again_is_not_tried_for_ever(helper: Helper, proxy: Proxy) -> None:
    client = Registry(proxy.url, patience=HASTE, logins=HelperLogin("test", HOST))
    helper.gives("AWS", "wrong")
    behind_basic(proxy, "right")
    for _ in range(2):
        with pytest.raises(PlatformFault, match="answered 401"):
            client.tags("app")
    assert helper.asked == [f"{HOST} get"] * 2
    client.close()


def test_an_old_answer_of_a_helper_is_asked_for_again(helper: Helper) -> None:
    helper.gives("AWS", "first")
    logins = HelperLogin("test", HOST, fresh=0.0)
    assert logins.current().password.reveal() == "first"
    helper.gives("AWS", "second")
    assert logins.current().password.reveal() == "second"


def test_an_identity_token_is_changed_for_an_access_token() -> None:
    forms: list[dict[str, list[str]]] = []

    class Handler(Quiet):
        def do_POST(self) -> None:
            assert (self.path, self.headers["Authorization"]) == ("/oauth2/token", None)
            forms.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.say(200, b'{"access_token":"short"}')

        def do_GET(self) -> None:
            if self.headers["Authorization"] == "Bearer short":
                self.say(200, b'{"name":"app","tags":["v1"]}')
            else:
                realm = f"http://{self.headers['Host']}/oauth2/token"
                self.answer(401, **{"WWW-Authenticate": f'Bearer realm="{realm}",service="reg"'})

        def say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Handler) as url:
        client = Registry(url, "<token>", Secret("long"), HASTE)
        assert client.tags("app") == ["v1"]
        client.close()
    assert forms == [
        {
            "service": ["reg"],
            "scope": ["repository:app:pull"],
            "client_id": ["wherry"],
            "grant_type": ["refresh_token"],
            "refresh_token": ["long"],
        }
    ]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo credentials not found in native keychain; exit 1", "ended with 1"),
        ("echo nonsense", "gave no login"),
        ('echo \'{"Username": "AWS"}\'', "gave no login"),
        ("echo '[]'", "gave no login"),
    ],
)
def test_a_helper_that_gives_no_login_is_a_fault_that_names_it(helper: Helper, script: str, words: str) -> None:
    helper.says(script)
    with pytest.raises(PlatformFault, match=f"docker-credential-test {words}") as caught:
        HelperLogin("test", HOST).current()
    assert f"echo {HOST} | docker-credential-test get" in caught.value.hint


def test_a_missing_helper_is_a_fault_that_names_it(helper: Helper) -> None:
    with pytest.raises(PlatformFault, match="docker-credential-test is not installed"):
        HelperLogin("test", HOST).current()


def test_docker_hub_knows_no_names_below_an_account() -> None:
    assert Registry("https://docker.io/team").reference("apps/7", DIGEST) == f"docker.io/team/apps-7@{DIGEST}"
    assert Pulls("docker.io/team").reference("apps/7", DIGEST) == f"docker.io/team/apps-7@{DIGEST}"
    assert Place.of("registry-1.docker.io/team").name("stack/run") == "team/stack-run"
    assert Place.of("ghcr.io/team/x").reference("apps/7", DIGEST) == f"ghcr.io/team/x/apps/7@{DIGEST}"


def test_an_engine_gets_an_identity_token_as_such() -> None:
    pulls = Pulls(f"{HOST}/team", FixedLogin(Login("<token>", Secret("long"))))
    assert pulls.login_for(f"{HOST}/team/apps/1@{DIGEST}") == {"identitytoken": "long", "serveraddress": HOST}
    assert pulls.login_for(f"other.example.com/apps/1@{DIGEST}") == {}


@pytest.mark.parametrize(
    ("answer", "deletes"),
    [
        (Answer(202), True),
        (Answer(404), True),
        (Answer(405), False),
        (Answer(400, body=b'{"errors":[{"code":"UNSUPPORTED"}]}'), False),
    ],
)
def test_a_registry_that_deletes_nothing_for_its_clients_is_no_fault(
    answer: Answer, deletes: bool, through: Registry, proxy: Proxy
) -> None:
    proxy.fault = lambda method, path: answer if method == "DELETE" else None
    assert through.delete_manifest("app", DIGEST) is deletes
