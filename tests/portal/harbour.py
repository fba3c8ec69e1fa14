"""A world for the pages: the real ledger on SQLite, logs and runtime in memory, a clock that can be set."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient
from wherry.domain.image import Image
from wherry.domain.model import Actor, App, Build, BuildStatus, Release, ReleaseStatus, Source
from wherry.domain.secret import Secret
from wherry.domain.workload import Workload
from wherry.flow.access import digest
from wherry.flow.lanes import build_stream, release_stream
from wherry.ledger.ledger import SqlLedger
from wherry.portal.routes import install_pages
from wherry.settings import Settings
from wherry.wiring.web import World

from tests.fakes.app_logs import MemoryAppLogs, entry
from tests.fakes.images import InMemoryImages
from tests.fakes.logs import MemoryLogs
from tests.fakes.runtime import InMemoryRuntime
from tests.fakes.sources import InMemorySources
from tests.fakes.texts import InMemoryTexts

PROCESSES = {"web": "gunicorn shop:app --bind 0.0.0.0:$PORT", "worker": "python -m shop.jobs"}


@dataclass
class SetClock:
    """The time of the machine, moved by `offset`."""

    offset: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


class Harbour:
    def __init__(self, folder: Path) -> None:
        (folder / "run").mkdir(exist_ok=True)
        self.clock = SetClock()
        self.logs = MemoryLogs()
        self.app_logs = MemoryAppLogs(idle=0.05)
        self.runtime = InMemoryRuntime()
        self.texts = InMemoryTexts()
        self.ledger = SqlLedger(f"sqlite:///{folder}/ledger.db", secrets.token_bytes(32), folder, 15.0)
        self.ledger.migrate()
        self.world = World(
            settings=Settings.load({"WHERRY_HOME": str(folder)}),
            ticket_key=Secret(secrets.token_hex(32)),
            ledger=self.ledger,
            sources=cast(Any, InMemorySources()),
            logs=self.logs,
            runtime=self.runtime,
            clock=self.clock,
            git=cast(Any, None),
            uploads=cast(Any, None),
            images=InMemoryImages(),
            bases=cast(Any, None),
            texts=self.texts,
            bills=cast(Any, None),
            app_logs=self.app_logs,
            passage=cast(Any, None),
        )

    def pages(self) -> Flask:
        app = Flask("wherry", static_folder=None)
        install_pages(app, self.world)
        return app

    def client(self, actor: Actor | None = None) -> Visitor:
        visitor = Visitor(self.pages().test_client())
        if actor:
            visitor.log_in(self.link(actor))
        return visitor

    @contextmanager
    def at(self, **ago: float) -> Iterator[None]:
        """What happens inside happened so long ago: ``at(hours=3)``."""
        self.clock.offset -= timedelta(**ago)
        yield
        self.clock.offset += timedelta(**ago)

    def user(self, email: str = "ada@example.org", admin: bool = False) -> Actor:
        with self.ledger.begin() as tx:
            return tx.accounts.ensure(email, admin)

    def token(self, actor: Actor, kind: str = "token") -> str:
        text = secrets.token_urlsafe(32)
        with self.ledger.begin() as tx:
            tx.accounts.add_token(actor, digest(Secret(text)), "a test", self.clock.now(), kind=kind)
        return text

    def link(self, actor: Actor) -> str:
        return self.token(actor, kind="link")

    def app(self, owner: Actor, name: str = "shop") -> App:
        now = self.clock.now()
        with self.ledger.begin() as tx:
            app = tx.apps.add(name, owner, now)
            tx.events.add(now, owner, name, "app.create", after={"name": name}, origin="api 127.0.0.1")
        return app

    def build(
        self,
        app: App,
        status: BuildStatus = BuildStatus.SUCCEEDED,
        *,
        actor: Actor | None = None,
        branch: str = "main",
        log: tuple[str, ...] = ("-----> Building on the Wherry stack", "       Python app detected"),
        **verdict: str,
    ) -> Build:
        who, now = actor or app.owner, self.clock.now()
        source = Source(secrets.token_hex(20), secrets.token_hex(20), "source.tar")
        with self.ledger.begin() as tx:
            build = tx.builds.add(app.id, who, branch, "0" * 40, source, now)
            after = {"branch": branch, "commit": source.commit, "build": build.id}
            tx.events.add(now, who, app.name, "push", {}, after, "git 127.0.0.1")
            if status is not BuildStatus.PENDING:
                tx.builds.start(build.id)
            build = tx.builds.by_id(build.id)
            if status.final:
                image = self.image() if status is BuildStatus.SUCCEEDED else None
                ended = now + timedelta(seconds=23)
                build = replace(build, status=status, image=image, finished_at=ended, **cast(Any, verdict))
                tx.builds.finish(build)
        self._talk(build_stream(build.id), log, status if status.final else "")
        return build

    def release(
        self,
        app: App,
        status: ReleaseStatus = ReleaseStatus.SUCCEEDED,
        *,
        build: Build | None = None,
        description: str = "",
        config: Mapping[str, str] | None = None,
        image: Image | None = None,
        log: tuple[str, ...] = ("-----> Launching...", "       web.1 is up"),
        failure: str = "",
        message: str = "",
    ) -> Release:
        now = self.clock.now()
        commit = build.source.commit if build else secrets.token_hex(20)
        made = image or (build.image if build else None) or self.image()
        secret = {key: Secret(value) for key, value in (config or {}).items()}
        with self.ledger.begin() as tx:
            described = description or f"Deploy {commit[:8]}"
            build_id = build.id if build else None
            tx.apps.put_config(app.id, secret)
            release = tx.releases.append(app.id, app.owner, described, made, secret, now, build_id, commit)
            after = {"release": release.name, "description": described}
            tx.events.add(now, app.owner, app.name, "release.create", after=after, origin="git 127.0.0.1")
            if status is not ReleaseStatus.PENDING:
                tx.releases.finish(release.id, status, now + timedelta(seconds=4), failure, message)
                outcome = {"release": release.name, "status": str(status)}
                tx.events.add(now, app.owner, app.name, "release.finish", after=outcome)
            release = tx.releases.by_id(release.id)
        self._talk(release_stream(release.id), log, status if status is not ReleaseStatus.PENDING else "")
        return release

    def run(self, app: App, release: Release, **quantities: int) -> None:
        self.runtime.start(
            [
                Workload(app.id, app.name, release.number, name, release.image, quantity=quantity)
                for name, quantity in quantities.items()
            ],
            lambda line: None,
        )

    def write(self, app_id: int, process: str, raw: bytes) -> None:
        """What a process prints."""
        self.app_logs.append(app_id, [entry(process, raw)])

    def image(self, processes: Mapping[str, str] | None = None) -> Image:
        return Image("apps/1", f"sha256:{secrets.token_hex(32)}", processes or PROCESSES)

    def _talk(self, stream: str, lines: tuple[str, ...], outcome: str) -> None:
        for line in lines:
            self.logs.append(stream, line)
        if outcome:
            self.logs.close(stream, outcome)


class Visitor:
    """A browser without JavaScript: follows forms with the token that its session has."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def post(self, path: str, **fields: str | list[str]) -> Any:
        return self.client.post(path, data={"csrf_token": self.csrf(), **fields})

    def csrf(self) -> str:
        if self.client.get_cookie("wherry_session") is None:
            self.client.get("/login")
        with self.client.session_transaction() as session:
            return str(session.get("csrf", ""))

    def log_in(self, link: str) -> Any:
        answer = self.post("/login", link=link)
        self.client.get("/dashboard")  # its forms' token
        return answer
