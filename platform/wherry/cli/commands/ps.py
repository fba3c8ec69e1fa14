"""Processes: what runs, and how many."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import show
from wherry.cli.common import amount, app_option, client, json_option, scalable
from wherry.domain.formation import parse_change

NOTHING_YET = "{} has no processes yet. To make some: git push wherry main"


@click.command("ps")
@click.argument("types", nargs=-1, metavar="[TYPE]...")
@app_option
@json_option
def index(app: str, types: tuple[str, ...], as_json: bool) -> None:
    """Show an app's processes, of the given TYPEs only."""
    api = client()
    dynos = [each for each in api.get("apps", app, "dynos") if not types or each["type"] in types]
    if as_json:
        show.data(dynos)
        return
    one_offs = [each for each in dynos if each.get("until")]
    dynos = [each for each in dynos if not each.get("until")]
    formation = [each for each in scalable(api, app) if not types or each["type"] in types]
    if one_offs:
        show.title(f"run: one-off processes ({len(one_offs)})")
        for each in one_offs:
            detail = f" {show.safe(each['detail'])}" if each.get("detail") else ""
            show.line(f"{_shown({**each, 'detail': None})}: {show.safe(each['command'])}{detail}")
        show.line("")
    elif not formation and not dynos:
        show.talk(f"{app} has no processes of that type." if types else NOTHING_YET.format(app))
    for each in formation:
        show.title(f"{each['type']} ({each['size']}): {each['command']} ({amount(each)})")
        running = _aged([dyno for dyno in dynos if dyno["type"] == each["type"]])
        for dyno in running:
            show.line(_shown(dyno))
        if not running:
            show.talk("none runs")
        show.line("")
    types_there = {each["type"] for each in formation}
    for kind in sorted({each["type"] for each in dynos} - types_there):
        beside = [each for each in dynos if each["type"] == kind]
        show.title(f"{kind}: one-off processes ({len(beside)})")
        for dyno in beside:
            show.line(f"{_shown(dyno)}: {show.safe(dyno['command'])}")
        show.line("")


def _aged(dynos: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A process of a release before the one that is up gets no new requests: it ends when those that it has have ended."""
    newest = max((each["release"]["version"] for each in dynos if each["state"] == "up"), default=0)
    return [
        {**each, "state": "ending"} if each["state"] == "up" and each["release"]["version"] < newest else each
        for each in dynos
    ]


@click.command("ps:scale")
@click.argument("changes", nargs=-1, metavar="[TYPE=N]...")
@app_option
@json_option
def scale(app: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Change how many processes run: web=3, web+1, web-1, web=2:large. Without any, show it in the same form."""
    api = client()
    if not changes:
        formation = scalable(api, app)
        if as_json:
            show.data(formation)
        else:
            said = " ".join(f"{each['type']}={each['quantity']}:{each['size']}" for each in formation)
            show.line(said) if said else show.talk(NOTHING_YET.format(app))
        return
    updates = [_update(*parse_change(change)) for change in changes]
    with show.action("Scaling processes") as done:
        formation = api.patch("apps", app, "formation", body={"updates": updates})
        touched = {update["type"] for update in updates}
        done.with_ = "now running " + ", ".join(_at(each) for each in formation if each["type"] in touched)
    if as_json:
        show.data(formation)


def _update(name: str, quantity: str, size: str | None) -> dict[str, Any]:
    wanted: int | str = quantity if quantity[0] in "+-" else int(quantity)
    return {"type": name, "quantity": wanted, **({"size": size} if size else {})}


def _at(each: dict[str, Any]) -> str:
    return f"{each['type']} at {each['quantity']}:{each['size']}"


def _shown(dyno: dict[str, Any]) -> str:
    detail = f": {show.safe(dyno['detail'])}" if dyno.get("detail") else ""
    restarts = f", {dyno['restarts']} restarts" if dyno.get("restarts") else ""
    state = show.safe(dyno["state"])
    version = dyno["release"]["version"]
    return f"{show.safe(dyno['name'])}: {state} (v{version}) {show.time(dyno['created_at'])}{restarts}{detail}"
