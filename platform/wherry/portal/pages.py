"""The pages to read: the apps, one app, one release, one build, the logs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import PlatformFault
from wherry.domain.log import Filter
from wherry.domain.model import ReleaseStatus
from wherry.domain.names import APP_NAME
from wherry.domain.roles import Permission
from wherry.flow.lanes import build_stream, release_stream
from wherry.portal.forms import queried
from wherry.portal.session import actor
from wherry.portal.shelf import Shelf
from wherry.portal.text import Line, app_line, talk
from wherry.wiring.web import World

MOST_LINES = 2000
APP_LINES = 200
_PLATFORM = ("router", "api")


@dataclass(frozen=True, slots=True)
class Log:
    """The end of a stored log: `lines` for the page, `skipped` before them, `total` in all."""

    lines: tuple[Line, ...]
    skipped: int
    total: int


@dataclass(frozen=True)
class Pages:
    world: World

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.world)

    def home(self) -> AnyResponse:
        return redirect(url_for("portal.apps"))

    def apps(self) -> str:
        """`?after=`: the name of the app that the page before ended with."""
        self.world.access.admit(actor(), Permission.LIST)
        after = request.args.get("after", "")
        summaries, more, fault = self.shelf.summaries(after if APP_NAME.fullmatch(after) else "")
        return render_template("portal/apps.html", summaries=summaries, more=more, fault=fault, offered=self._offered())

    def app(self, name: str) -> str:
        app = self.shelf.app(name, Permission.VIEW)
        remote = f"{request.host_url}{app.name}.git"
        return render_template("portal/app.html", app=app, view=self.shelf.overview(app), remote=remote)

    def release(self, name: str, number: int) -> str:
        app, release = self.shelf.release(name, number, Permission.VIEW)
        before, changes = self.shelf.changes(app, release, queried("since"))
        return render_template(
            "portal/release.html",
            app=app,
            release=release,
            before=before,
            changes=changes,
            can_roll_back=Permission.CHANGE in self.shelf.may(app) and self.shelf.eligible(app, release),
            live=release.status is ReleaseStatus.PENDING,
            log=self._log(release_stream(release.id)),
        )

    def activity(self, name: str) -> str:
        """`?before=`: the number of the event that the page before ended with."""
        app = self.shelf.app(name, Permission.VIEW)
        events, earlier = self.shelf.activity(app, queried("before"))
        return render_template("portal/activity.html", app=app, events_shown=events, earlier=earlier)

    def build(self, name: str, number: int) -> str:
        app, build = self.shelf.build(name, number, Permission.VIEW)
        return render_template(
            "portal/build.html",
            app=app,
            build=build,
            release=self.shelf.release_of(build),
            live=not build.status.final,
            log=self._log(build_stream(build.id)),
        )

    def release_text(self, name: str, number: int) -> Response:
        return self._text(release_stream(self.shelf.release(name, number, Permission.VIEW)[1].id))

    def build_text(self, name: str, number: int) -> Response:
        return self._text(build_stream(self.shelf.build(name, number, Permission.VIEW)[1].id))

    def logs(self, name: str) -> str:
        """The last lines, without a script too; `?process=` keeps one process."""
        app = self.shelf.app(name, Permission.VIEW)
        process = request.args.get("process") or None
        names, fault = self._names(app.id)
        last = self.world.app_logs.last(app.id)
        found = self.world.app_logs.read(app.id, APP_LINES, Filter(process=process or ""))
        return render_template(
            "portal/logs.html",
            app=app,
            lines=[app_line(kept.line) for kept in found],
            after=found[-1].number if found else last,
            names=names,
            process=process,
            fault=fault,
            most=APP_LINES,
        )

    def _offered(self) -> list[str]:
        """The apps that wait for the actor to take them."""
        if not self.world.access.admits(actor(), Permission.ACCOUNT):
            return []
        return [each.app for each in self.world.transfer.of(actor()) if each.waits and each.recipient.id == actor().id]

    def _names(self, app_id: int) -> tuple[list[str], str]:
        """What a reader may choose from; and the fault, when the runtime cannot tell its part."""
        try:
            found = {each.name for each in self.world.runtime.processes(app_id)}
        except PlatformFault as error:
            return list(_PLATFORM), error.message
        return [*sorted(found), *_PLATFORM], ""

    def _log(self, stream: str) -> Log:
        lines = self.world.logs.read(stream)
        skipped = max(0, len(lines) - MOST_LINES)
        return Log(tuple(talk(line) for line in islice(lines, skipped, None)), skipped, len(lines))

    def _text(self, stream: str) -> Response:
        whole = "".join(talk(line).text + "\n" for line in self.world.logs.read(stream))
        return Response(whole, mimetype="text/plain")
