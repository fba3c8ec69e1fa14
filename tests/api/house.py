"""A whole platform for the tests of its doors: real ledger (SQLite), repositories, git, hooks, logs, flow, worker and HTTP
server. Only what runs containers is played: the builder, the runtime, the router.
"""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import secrets
import tarfile
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from wherry.api import install
from wherry.certificate import Certificate
from wherry.domain import procfile
from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled
from wherry.domain.image import Image
from wherry.domain.model import Actor, JobKind
from wherry.domain.secret import Secret
from wherry.domain.workload import AppRoute
from wherry.flow.access import digest
from wherry.flow.attempts import Attempts
from wherry.flow.build import RunBuild
from wherry.flow.converge import Converge
from wherry.flow.destroy import RemoveRemains
from wherry.flow.draft import Draft, append
from wherry.flow.maintain import Reroute
from wherry.flow.plan import Patience
from wherry.flow.ports import BuildRequest, Cancel, Say
from wherry.flow.prune import PruneImages
from wherry.flow.rollout import RollOut
from wherry.flow.work import Worker
from wherry.hook import FOLDER
from wherry.images.passage import Passage
from wherry.images.registry import Registry
from wherry.ledger.ledger import SqlLedger
from wherry.logs.app_logs import FileAppLogs
from wherry.logs.files import FileLogs
from wherry.schedules import CronCalendar
from wherry.settings import Settings
from wherry.sources.repositories import Repositories
from wherry.sources.transport import GitTransport
from wherry.sources.uploads import UploadFolder
from wherry.wiring.parts import SystemClock
from wherry.wiring.web import World

from tests.fakes.app_logs import entry
from tests.fakes.bases import InMemoryBases
from tests.fakes.bills import InMemoryBills
from tests.fakes.images import InMemoryImages
from tests.fakes.runtime import InMemoryRuntime
from tests.fakes.texts import InMemoryTexts
from tests.ports import free_port


class PlayedBuilder:
    """Makes an "image" of a tree's Procfile. A file BREAK fails the build; a file WAIT holds it until `go`."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.began = threading.Event()

    def build(self, request: BuildRequest, say: Say, cancel: Cancel, leave: Cancel | None = None) -> Image:
        if leave:
            leave.on_cancel(cancel.cancel)
        with tarfile.open(request.source.archive) as archive:
            names = set(archive.getnames())
            found = archive.extractfile("Procfile") if "Procfile" in names else None
            types = procfile.parse(found.read()) if found else {"web": "serve"}
        say(f"-----> Building {request.app_name} from {request.source.commit[:7]}")
        if "BREAK" in names:
            raise BuildFailed(
                BuildFailure.BUILDPACK_FAILED, "the build broke", evidence=["line 7: nope"], hint="Mend it."
            )
        if "WAIT" in names:
            self.began.set()
            cancel.on_cancel(self.go.set)
            self.go.wait(100)
            if cancel.cancelled:
                raise Cancelled("a newer push superseded this build")
        return Image(
            f"apps/{request.app_id}", f"sha256:{hashlib.sha256(request.source.tree.encode()).hexdigest()}", types
        )

    def prepare(self) -> None: ...

    def sweep(self, build_id: int) -> None: ...

    def discard(self, images: Collection[tuple[str, str]]) -> None: ...

    def forget(self, app_id: int) -> None:
        """Keeps nothing."""


class PlayedRouter:
    def __init__(self) -> None:
        self.table: dict[int, AppRoute] = {}

    def publish(self, route: AppRoute) -> None:
        self.table[route.app_id] = route

    def drain(self, app_id: int, release: int, seconds: float, cancel: Cancel) -> bool:
        return True

    def amend(self, app_id: int, domains: Sequence[str], *, maintenance: bool) -> None:
        if route := self.table.get(app_id):
            self.table[app_id] = replace(route, domains=tuple(domains), maintenance=maintenance)

    def withdraw(self, app_id: int) -> None:
        self.table.pop(app_id, None)

    def replace(self, routes: Any) -> None:
        self.table = {route.app_id: route for route in routes}


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def text(self) -> str:
        return self.raw.decode()


@dataclass
class House:
    """`app` is what the portal would make: its pages are one word here."""

    folder: Path
    world: World
    runtime: InMemoryRuntime
    builder: PlayedBuilder
    router: PlayedRouter
    app: Flask
    port: int
    users: dict[str, tuple[Actor, str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def user(self, name: str, admin: bool = False) -> Actor:
        if name not in self.users:
            token = secrets.token_urlsafe(32)
            with self.world.ledger.begin() as tx:
                actor = tx.accounts.ensure(f"{name}@example.org", admin)
                tx.accounts.add_token(actor, digest(Secret(token)), "test", self.world.clock.now())
            self.users[name] = (actor, token)
        return self.users[name][0]

    def token(self, name: str) -> str:
        self.user(name)
        return self.users[name][1]

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        by: str | None = "owner",
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if by:
            sent.setdefault("Authorization", f"Bearer {self.token(by)}")
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        try:
            connection.request(method, path, raw, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def create(self, name: str, by: str = "owner") -> int:
        assert self.call("POST", "/apps", {"name": name}, by=by).status == 201
        with self.world.ledger.begin() as tx:
            return tx.apps.by_name(name).id

    def release(self, name: str, processes: Mapping[str, str] | None = None, by: str = "owner") -> int:
        """A release without a push: for what is not about pushes. Its id, once it has ended."""
        actor, now = self.user(by), self.world.clock.now()
        with self.world.ledger.begin() as tx:
            app = tx.apps.by_name(name)
            number = len(tx.releases.of_app(app.id)) + 1
            image = Image(
                f"apps/{app.id}", f"sha256:{number:064x}", dict(processes or {"web": "serve", "worker": "work"})
            )
            config = tx.apps.config(app.id)
            release = append(tx, Draft(app, actor, f"Deploy {number:08x}", image, config, None, f"{number:040x}"), now)
        eventually(lambda: self.ended(release.id))
        return release.id

    def write(self, app_id: int, process: str, raw: bytes) -> None:
        """What a process prints."""
        self.world.app_logs.append(app_id, [entry(process, raw)])

    def ended(self, release_id: int) -> bool:
        with self.world.ledger.begin() as tx:
            return tx.releases.by_id(release_id).finished_at is not None


def eventually(claim: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "it did not become true in time"
        time.sleep(0.01)


@contextmanager
def open_house(folder: Path, **settings: str) -> Iterator[House]:
    others = set(threading.enumerate())
    runtime, builder, router = InMemoryRuntime(), PlayedBuilder(), PlayedRouter()
    server = _server()
    world = make_world(folder, server.port, runtime, settings)
    app = make_portal(world)
    server.app = app
    house = House(folder, world, runtime, builder, router, app, server.port)
    stop = threading.Event()
    worker = threading.Thread(target=make_worker(house).run, args=(stop,), name="worker")
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="server")
    worker.start()
    serving.start()
    try:
        house.user("owner")
        house.user("other")
        house.user("admin", admin=True)
        yield house
    finally:
        builder.go.set()
        server.shutdown()
        server.server_close()
        stop.set()
        world.ledger.ring()
        worker.join()
        serving.join()
        for thread in set(threading.enumerate()) - others:
            if thread.name.startswith(("Thread-", "push")):
                thread.join(10)
        runtime.end_all()
        assert isinstance(world.ledger, SqlLedger)
        world.ledger.close()


def make_world(
    folder: Path, port: int, runtime: InMemoryRuntime, settings_given: Mapping[str, str] | None = None
) -> World:
    for name in ("logs", "bell", "sources", "run", "secrets"):
        (folder / name).mkdir(exist_ok=True)
    ledger = SqlLedger(f"sqlite:///{folder}/ledger.db", b"k" * 32, folder / "bell", 15.0, folder / "audit-heads")
    ledger.migrate()
    repositories = Repositories(folder / "sources", FOLDER)
    ports = {"WHERRY_WEB_PORT": str(port), "WHERRY_TERMINAL_PORT": str(free_port())}
    settings = Settings.load({"WHERRY_HOME": str(folder), **ports, **(settings_given or {})})
    Certificate.of(folder).ensure()
    logs = FileLogs(folder / "logs")
    clock = SystemClock()
    app_logs = FileAppLogs(folder / "app-logs")
    uploads = UploadFolder(folder / "uploads", most=1 << 20)
    git = GitTransport(repositories)
    return World(
        settings,
        Secret("ticket key"),
        ledger,
        repositories,
        logs,
        runtime,
        clock,
        git,
        uploads,
        InMemoryImages(),
        InMemoryBases(),
        InMemoryTexts(),
        InMemoryBills(),
        app_logs,
        Passage(
            Registry(
                settings.registry_url or "http://127.0.0.1:9", settings.registry_username, settings.registry_secret
            )
        ),
        attempts=Attempts(clock=partial(next, itertools.count(0, 1000.0))),  # so slow that no guesser is suspected
    )


def make_portal(world: World) -> Flask:
    app = Flask("portal")
    app.add_url_rule("/dashboard", "dashboard", lambda: "the dashboard")
    install(app, world)
    return app


def make_worker(house: House) -> Worker:
    world, patience = house.world, Patience(boot=5, drain=0, stop=1, watch=0)
    prune = PruneImages(world.ledger, house.builder, house.runtime)
    stories = {
        JobKind.BUILD: RunBuild(world.ledger, house.builder, world.logs, world.clock, world.release, house.runtime).run,
        JobKind.ROLLOUT: RollOut(
            world.ledger, house.runtime, house.router, world.logs, world.clock, patience, CronCalendar()
        ).run,
        JobKind.CONVERGE: Converge(world.ledger, house.runtime, house.router, patience, prune).run,
        JobKind.ROUTE: Reroute(world.ledger, house.router).run,
        JobKind.DESTROY: RemoveRemains(
            world.ledger, world.sources, house.builder, house.runtime, house.router, world.app_logs
        ).run,
    }
    slots = {(JobKind.BUILD,): 2, (JobKind.ROLLOUT, JobKind.CONVERGE, JobKind.ROUTE, JobKind.DESTROY): 2}
    return Worker("test", world.ledger, stories, slots, beat=0.2, prepare=house.builder.prepare)


class _Quiet(WSGIRequestHandler):
    """HTTP/1.0, since this server would send chunks even to git's hooks, which ask for none; gunicorn knows better."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Quiet."""


def _server() -> BaseWSGIServer:
    return make_server("localhost", 0, Flask("not yet"), threaded=True, request_handler=_Quiet)
