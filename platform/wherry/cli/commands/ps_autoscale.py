"""How many processes run, decided by load."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import show
from wherry.cli.common import app_option, client, json_option, scalable
from wherry.domain import autoscale
from wherry.domain.reading import Reading

_CPU = 80
_ELSE = "use --cpu PERCENT, --memory PERCENT or --requests N"


@click.command("ps:autoscale")
@app_option
@json_option
def index(app: str, as_json: bool) -> None:
    """Show which process types are scaled by load, and between which bounds."""
    api = client()
    found = [each for each in scalable(api, app) if each.get("autoscaling")]
    if as_json:
        show.data(found)
        return
    if not found:
        show.talk(f"{app} has no process type that is scaled by load. To begin: wherry ps:autoscale:enable web --max 5")
        return
    running = [each["type"] for each in api.get("apps", app, "dynos") if each["state"] == "up"]
    show.table([_row(each, running.count(each["type"])) for each in found], ("Type", "Min", "Max", "Up", "By"))


@click.command("ps:autoscale:enable")
@click.argument("kind", metavar="[TYPE]", default="web")
@click.option("--min", "least", type=int, default=1, show_default=True, help="The fewest processes.")
@click.option("--max", "most", type=int, help="The most processes.")
@click.option("--cpu", type=int, help=f"Per cent of its size that a process shall use. Default without others: {_CPU}.")
@click.option("--memory", type=int, help="Per cent of its size that a process shall use.")
@click.option("--requests", type=int, help="Requests a second that a process shall get.")
@click.option("--p95", hidden=True)
@click.option("--notifications", is_flag=True, hidden=True)
@app_option
@json_option
def enable(app: str, kind: str, as_json: bool, p95: str | None, notifications: bool, **asked: int | None) -> None:
    """Let load decide how many processes of TYPE run (web where none is given). Again: other bounds.

    With several of --cpu, --memory and --requests, the one that asks for most processes counts.
    """
    wanted = _wanted(**asked)
    reading = Reading(kind)
    if p95 is not None:
        reading.fault("--p95", f"response times scale nothing here; {_ELSE}")
    if notifications:
        reading.fault("--notifications", "no mail is sent; to be told: wherry webhooks:add -i api:formation")
    autoscale.read(reading, wanted, "autoscaling")
    reading.check("nothing was changed")
    with show.action(f"Enabling autoscaling of {show.safe(kind)} on {app}") as done:
        found = client().put("apps", app, "formation", kind, "autoscaling", body=wanted)
        done.with_ = words(found["autoscaling"])
    if as_json:
        show.data(found)


@click.command("ps:autoscale:disable")
@click.argument("kind", metavar="[TYPE]", default="web")
@app_option
@json_option
def disable(app: str, kind: str, as_json: bool) -> None:
    """Let load decide no longer; as many processes of TYPE go on as run now."""
    with show.action(f"Disabling autoscaling of {show.safe(kind)} on {app}") as done:
        found = client().delete("apps", app, "formation", kind, "autoscaling")
        done.with_ = f"{kind} at {found['quantity']}:{found['size']}"
    if as_json:
        show.data(found)


def words(load: dict[str, Any]) -> str:
    """``1 to 5 by cpu 80%``, of what the API says."""
    found = autoscale.read(Reading("autoscaling"), load, "")
    return str(found) if found else "?"


def _wanted(least: int | None, most: int | None, **shares: int | None) -> dict[str, object]:
    """As app.json has it."""
    if all(each is None for each in shares.values()):
        shares = {"cpu": _CPU}
    triggers = [{"type": kind, "metadata": {"value": each}} for kind, each in shares.items() if each is not None]
    return {"min_quantity": least, "max_quantity": most, "triggers": triggers}


def _row(each: dict[str, Any], up: int) -> tuple[object, ...]:
    load = each["autoscaling"]
    by = words(load).partition(" by ")[2]
    return each["type"], load["min_quantity"], load["max_quantity"], up, by if each["quantity"] else f"{by} (stopped)"
