"""What an answer of the API costs, with few and with many apps and releases: a list costs what it shows, not what there is.

    .venv/bin/python bench/api.py [APPS] [RELEASES] [CALLS]

Two platforms side by side, one with 10 apps and 10 releases each, one with APPS (1,000) that have RELEASES (100) each, every
release with its build and its event. One client, one call after another over one connection, small and large in turn. The
limit is the same server's answer to /health/live, which reads nothing. Starts gunicorns of its own; needs no engine.
"""

from __future__ import annotations

import http.client
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from _load import free_port, running
from sqlalchemy import insert, update
from wherry.domain.build_settings import BuildSettings
from wherry.domain.chain import FIRST, link
from wherry.domain.formation import Scale
from wherry.domain.image import Image
from wherry.domain.model import Event
from wherry.domain.secret import Secret
from wherry.fittings.stores import migrate, open_ledger
from wherry.flow.access import digest
from wherry.ledger.ledger import SqlLedger
from wherry.ledger.tables import apps, builds, events, releases
from wherry.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "benchmark-token"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = {f"KEY_{number}": Secret("x" * 64) for number in range(20)}
_COOKIES: dict[int, str] = {}
LIMIT = "limit: GET /health/live"
ROWS = {
    LIMIT: ("GET", "/health/live", None, None),
    "GET /account": ("GET", "/account", None, None),
    "GET /apps, 10 of them": ("GET", "/apps", "name ..; max=10", None),
    "GET /apps, 200 of them": ("GET", "/apps", "name ..; max=200", None),
    "GET /apps/APP": ("GET", "/apps/app-5", None, None),
    "releases, the newest 15": ("GET", "/apps/app-5/releases", "version ..; max=15, order=desc", None),
    "releases, 15 from the middle": ("GET", "/apps/app-5/releases", "version ]v5..; max=15", None),
    "releases/vN": ("GET", "/apps/app-5/releases/v5", None, None),
    "releases/vN/diff/vM": ("GET", "/apps/app-5/releases/v5/diff/v9", None, None),
    "builds, the newest 15": ("GET", "/apps/app-5/builds", "id ..; max=15, order=desc", None),
    "config-vars": ("GET", "/apps/app-5/config-vars", None, None),
    "events of an app, 15": ("GET", "/apps/app-5/events", "number ..; max=15, order=desc", None),
    "events of all, 15": ("GET", "/events", "number ..; max=15, order=desc", None),
    "users/~/apps, 200 of them": ("GET", "/users/~/apps", "name ..; max=200", None),
    "filters/apps, 3 by name": ("POST", "/filters/apps", None, '{"in": {"name": ["app-1", "app-2", "app-%d"]}}'),
    "page: apps": ("GET", "/dashboard", None, None),
    "page: an app": ("GET", "/dashboard/apps/app-5", None, None),
    "page: processes": ("GET", "/dashboard/apps/app-5/processes", None, None),
    "page: activity": ("GET", "/dashboard/apps/app-5/activity", None, None),
    "PATCH config-vars (a release)": ("PATCH", "/apps/app-5/config-vars", None, '{"KEY_1": "%d"}'),
}


def main(many: int, each: int, calls: int) -> None:
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as name, ExitStack() as stack:
        sides = []
        for title, apps_, releases_ in (("small", 10, 10), ("large", many, each)):
            began = time.monotonic()
            folder = Path(name) / title
            fill(folder, apps_, releases_)
            took = time.monotonic() - began
            print(f"{title}: {apps_:,} apps, {apps_ * releases_:,} releases (filled in {took:.0f} s)")
            sides.append(stack.enter_context(served(folder)))
        print(f"\n{'ms, p10 p50 p99 of ' + str(calls) + ' calls':36}{'small':>22}{'large':>22}{'large ÷ small':>16}")
        for row in ROWS:
            times = timed(sides, row, calls)
            shown = "".join(
                f"{at(t, 0.1) * 1e3:8.1f} {statistics.median(t) * 1e3:6.1f} {at(t, 0.99) * 1e3:6.1f}" for t in times
            )
            print(f"{row:36}{shown}{at(times[1], 0.1) / at(times[0], 0.1):16.2f}")
        began = time.monotonic()
        count = len(call(sides[1], "GET", "/events/chain", None, None))
        print(f"\nverifying the chain of {many * each:,} events: {time.monotonic() - began:.1f} s ({count} bytes)")


def timed(sides: list[http.client.HTTPConnection], row: str, calls: int) -> list[list[float]]:
    method, path, header, body = ROWS[row]
    times: list[list[float]] = [[], []]
    for number in range(calls + 5):
        for place, side in enumerate(sides):
            began = time.perf_counter()
            call(side, method, path, header, body % number if body else None)
            if number >= 5:
                times[place].append(time.perf_counter() - began)
    return times


def call(side: http.client.HTTPConnection, method: str, path: str, header: str | None, body: str | None) -> bytes:
    headers = {"Authorization": f"Bearer {TOKEN}", **({"Range": header} if header else {})}
    if path.startswith("/dashboard"):
        headers = {"Cookie": _cookie(side)}
    if body:
        headers["Content-Type"] = "application/json"
    side.request(method, path, body, headers)
    answer = side.getresponse()
    content = answer.read()
    if answer.status >= 400:
        raise SystemExit(f"{method} {path}: {answer.status} {content!r}")
    return content


def _cookie(side: http.client.HTTPConnection) -> str:
    """Of a session of the portal, begun once with the token."""
    if side.port not in _COOKIES:
        side.request("GET", "/login")
        form = side.getresponse()
        token = re.findall('name="csrf_token" value="([^"]+)"', form.read().decode())[0]
        fields = urlencode({"csrf_token": token, "api_token": TOKEN})
        sent = {
            "Cookie": form.headers["Set-Cookie"].partition(";")[0],
            "Content-Type": "application/x-www-form-urlencoded",
        }
        side.request("POST", "/login", fields, sent)
        entered = side.getresponse()
        entered.read()
        _COOKIES[side.port] = entered.headers["Set-Cookie"].partition(";")[0]
    return _COOKIES[side.port]


def at(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


@contextmanager
def served(folder: Path) -> Iterator[http.client.HTTPConnection]:
    port = free_port()
    argv = [sys.executable, "-m", "gunicorn", "app:app", "--chdir", str(ROOT), "--bind", f"127.0.0.1:{port}"]
    argv += ["--worker-class", "gthread", "--workers", "1", "--threads", "8", "--no-control-socket"]
    argv += ["--keep-alive", "60", "--worker-tmp-dir", "/dev/shm", "--log-level", "warning"]
    environ = {**os.environ, "WHERRY_HOME": str(folder), "WHERRY_WEB_PORT": str(port), "WHERRY_API_PER_HOUR": "9999999"}
    with running(argv, port, env=environ):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        yield connection
        connection.close()


def fill(folder: Path, many: int, each: int) -> None:
    """What the stories would have written, in bulk."""
    settings = Settings.load({"WHERRY_HOME": str(folder)})
    (settings.folder / "run").mkdir(parents=True, exist_ok=True)
    migrate(settings)
    ledger = open_ledger(settings)
    with ledger.begin() as tx:
        actor = tx.accounts.ensure("admin@localhost", admin=True)
        tx.accounts.add_token(actor, digest(Secret(TOKEN)), "", NOW)
        made = [tx.apps.add(f"app-{number}", actor, NOW) for number in range(many)]
        for app in made:
            tx.apps.put_config(app.id, CONFIG)
            tx.apps.put_formation(app.id, {"web": Scale(1), "worker": Scale(0)})
            tx.releases.append(app.id, actor, "Deploy", _image(app.id, 1), CONFIG, NOW)
    _history(ledger, [app.id for app in made], each, actor.id)
    ledger.close()


def _history(ledger: SqlLedger, app_ids: list[int], each: int, actor_id: int) -> None:
    """All releases but the first are copies of it, and have succeeded; their configs are sealed for their number."""
    with ledger._here.engine.begin() as connection:
        keys = {row.id: row.data_key for row in connection.execute(apps.select())}
        first = {row.app_id: dict(row._mapping) for row in connection.execute(releases.select())}
        connection.execute(update(releases).values(status="succeeded", finished_at=NOW))
        connection.execute(update(apps).values(last_release=each))
        previous, number = FIRST, 0
        for app_id in app_ids:
            seal = ledger._sealing.of_app(app_id, keys[app_id])
            mine, history, chained = [], [], []
            for version in range(1, each + 1):
                number += 1
                when = NOW + timedelta(seconds=number)
                mine.append(_build(number, app_id, actor_id, version, when))
                if version > 1:
                    image = _image(app_id, version)
                    config = seal.seal(f"release {version}", CONFIG)
                    history.append(
                        {
                            **{key: value for key, value in first[app_id].items() if key != "id"},
                            "number": version,
                            "status": "succeeded",
                            "finished_at": when,
                            "created_at": when,
                            "image_digest": image.digest,
                            "config": config,
                            "build_id": number,
                            "formation": {"web": [1, "basic"]},
                            "build_settings": asdict(BuildSettings()),
                        }
                    )
                after = {"release": f"v{version}"}
                event = Event(
                    number, when, "admin@localhost", f"app-{app_id}", "release.create", {}, after, "api", app_id
                )
                previous = link(previous, event)
                chained.append(asdict(replace(event, hash=previous)))
            for table, rows in ((builds, mine), (releases, history), (events, chained)):
                if rows:
                    connection.execute(insert(table), rows)


def _build(number: int, app_id: int, actor_id: int, version: int, when: datetime) -> dict[str, object]:
    image = _image(app_id, version)
    return {
        "id": number,
        "app_id": app_id,
        "actor_id": actor_id,
        "branch": "main",
        "previous": "",
        "commit": f"{number:040x}",
        "tree": f"{number:040x}",
        "archive": "",
        "status": "succeeded",
        "created_at": when,
        "finished_at": when,
        "image_repository": image.repository,
        "image_digest": image.digest,
        "image_processes": dict(image.processes),
        "image_starts": None,
        "failure": "",
        "message": "",
    }


def _image(app_id: int, version: int) -> Image:
    return Image(f"apps/{app_id}", f"sha256:{app_id * 100_000 + version:064x}", {"web": "serve", "worker": "work"})


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:4]]
    main(*[*given, *(1000, 100, 100)[len(given) :]])
