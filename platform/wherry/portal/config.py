"""An app's config: its keys, the values for who asks for them, changes of several keys as one release."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import render_template, request
from werkzeug.wrappers import Response as AnyResponse

from wherry.domain import env_file
from wherry.domain.config import Config
from wherry.domain.errors import InvalidInput
from wherry.domain.model import App
from wherry.domain.roles import Permission
from wherry.portal.forms import Answer, Refused, answered, done, typed
from wherry.portal.session import actor, origin
from wherry.portal.shelf import Shelf
from wherry.portal.text import clean
from wherry.wiring.web import World

ROWS = range(1, 4)
"""Keys that the form takes one by one; more of them go into its text of KEY=value lines."""


@dataclass(frozen=True)
class ConfigPages:
    world: World

    def show(self, name: str) -> str:
        """The keys. That is no reading of values, so it is no event."""
        return self._page(Shelf(self.world).app(name, Permission.CONFIG))

    def reveal(self, name: str) -> str:
        """The values, and an event that says who saw them; by a form, since a link may be fetched by nobody's wish."""
        app = Shelf(self.world).app(name, Permission.CONFIG)
        return self._page(app, values=self.world.reveal.run(actor(), app, origin()))

    def put(self, name: str) -> Answer:
        app = Shelf(self.world).app(name, Permission.CONFIGURE)
        return answered("set", lambda: self._change(app, _wanted(), "set"), lambda no: self._page(app, no))

    def unset(self, name: str) -> Answer:
        app = Shelf(self.world).app(name, Permission.CONFIGURE)

        def act() -> AnyResponse:
            keys = request.form.getlist("key")
            if not keys:
                raise InvalidInput("there is nothing to unset", problems=["choose one key at least"])
            return self._change(app, dict.fromkeys(keys), "unset")

        return answered("unset", act, lambda no: self._page(app, no))

    def _change(self, app: App, changes: dict[str, str | None], verb: str) -> AnyResponse:
        release = self.world.configure.run(actor(), app, changes, origin())
        keys = clean(", ".join(changes))
        if release is None:
            return done(f"{keys}: {verb}. No release was made.", "config", name=app.name)
        return done(f"{keys}: {verb}. {release.name} is being rolled out.", "config", name=app.name)

    def _page(self, app: App, refused: Refused | None = None, values: Config | None = None) -> str:
        config = Shelf(self.world).config(app) if values is None else values
        shown = {key: None if values is None else secret.reveal() for key, secret in sorted(config.items())}
        return render_template(
            "portal/config.html",
            app=app,
            config=shown,
            revealed=values is not None,
            rows=ROWS,
            refused=refused,
            wrong_rows=_wrong(refused) if refused and refused.form == "set" else {},
        )


def _wrong(refused: Refused) -> dict[int, list[str]]:
    """Which row each fault is about, by the key that it names; 0 for the text, which has all others."""
    found: dict[int, list[str]] = {}
    for fault in refused.error.evidence:
        words = re.findall(r"[^\s':]+", fault)
        rows = [
            row
            for row in ROWS
            if f"key-{row}" in words or ((key := typed(f"key-{row}").strip()) and clean(key) in words)
        ]
        found.setdefault(rows[0] if rows else 0, []).append(fault.removeprefix(f"key-{rows[0]}: ") if rows else fault)
    return found


def _wanted() -> dict[str, str | None]:
    """What the rows and the text of the form set, together. Raises InvalidInput."""
    changes: dict[str, str | None] = dict(env_file.parse(typed("lines").encode("utf-8", "replace"), "lines"))
    problems = []
    for row in ROWS:
        key, value = typed(f"key-{row}").strip(), typed(f"value-{row}")
        if not key and value:
            problems.append(f"key-{row}: a value without a key")
        elif key in changes:
            problems.append(f"key-{row}: {clean(key)} stands twice")
        elif key:
            changes[key] = value
    if problems:
        raise InvalidInput("the config was not changed", problems=problems)
    if not changes:
        raise InvalidInput("there is nothing to set", hint="For example: GREETING and hello")
    return changes
