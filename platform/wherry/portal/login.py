"""In and out. There is no password: a one-time link from the platform's machine, or an API token."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain.errors import Unauthorized
from wherry.domain.secret import Secret
from wherry.portal import session
from wherry.wiring.web import World

Page = AnyResponse | str | tuple[str, int]


@dataclass(frozen=True)
class Login:
    world: World

    def page(self) -> Page:
        """Shows a link without using it up: mail and chat programs fetch links to preview them."""
        wanted = session.local_path(request.values.get("next"), url_for("portal.apps"))
        if request.method == "POST":
            return self._enter(wanted)
        return self._form(request.args.get("token", ""), wanted)

    def leave(self) -> Page:
        if request.method == "POST":
            session.log_out(self.world)
            return redirect(url_for("portal.login"), 303)
        return render_template("portal/logout.html")

    def _enter(self, wanted: str) -> Page:
        link, token = request.form.get("link", ""), request.form.get("api_token", "").strip()
        try:
            whence, access = request.remote_addr or "", self.world.access
            known = access.log_in(Secret(link), whence) if link else access.actor(Secret(token), whence)
        except Unauthorized as error:
            return self._form("", wanted, error), 410 if link else 401
        session.log_in(self.world, known)
        return redirect(wanted, 303)

    def _form(self, link: str, wanted: str, error: Unauthorized | None = None) -> str:
        return render_template("portal/login.html", link=link, wanted=wanted, error=error)
