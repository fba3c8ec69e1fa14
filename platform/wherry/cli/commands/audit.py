"""The history of changes: who did what, and whether it is still what was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from wherry.cli import show
from wherry.cli.common import app_option_or_none, client, json_option
from wherry.cli.errors import Answered


@click.command("audit")
@app_option_or_none
@click.option("-A", "--all", "everything", is_flag=True, help="Of the whole platform (for its admin).")
@click.option("-n", "--num", type=click.IntRange(1, 1000), default=30, show_default=True, help="How many.")
@json_option
def index(app: str | None, everything: bool, num: int, as_json: bool) -> None:
    """List what was changed and by whom, the newest first: of one app, or without one of the whole platform."""
    path = ["events"] if everything or app is None else ["apps", app, "events"]
    found = client().get(*path, headers={"Range": f"number ..; max={num}, order=desc"})
    if as_json:
        show.data(found)
    elif found:
        show.title(f"{app} Events" if len(path) > 1 else "Events")
        show.table([_row(each) for each in found])
    else:
        show.talk("Nothing was changed yet.")


@click.command("audit:verify")
@click.option("--head", help="Also against this head, NUMBER:HASH, which was printed earlier.")
@json_option
def verify(head: str | None, as_json: bool) -> None:
    """Verify the whole history against its hashes, and against the heads kept outside the database.

    Exit code 1 when it is broken, with the first event where it is. For the platform's admin.
    """
    found = client().get("events", "chain", query={"head": head} if head else None)
    if as_json:
        show.data(found)
    if broken := found["broken"]:
        hint = f"What stands there now: wherry audit --all --json, event {broken['number']}; compare it with a backup."
        raise Answered(
            "chain_broken", f"the history was changed at event {broken['number']}", [broken["reason"]], hint, ""
        )
    if not as_json:
        show.line(f"{found['events']} events, unbroken; {found['heads']} heads kept outside the database agree.")
        if found["head"]:
            show.line(f"Head: {show.safe(found['head'])}")
    if found["events"] and not found["heads"]:
        show.warn("No head is kept outside the database: the newest events could be removed unseen.")


def _row(event: Mapping[str, Any]) -> tuple[object, ...]:
    app = event["app"]["name"] if event["app"] else "-"
    who, when = event["actor"]["email"], show.time(event["created_at"])
    origin = str(event["origin"] or "-").partition(" request ")[0]  # the request's id is in --json
    return event["number"], when, who, app, origin, event["action"], _said(event)


def _said(event: Mapping[str, Any]) -> str:
    """What it was and is, as short as it goes."""
    before, after = event["before"], event["after"]
    parts = [
        f"{key}={_value(before[key])} -> {_value(value)}" if key in before else f"{key}={_value(value)}"
        for key, value in after.items()
        if before.get(key) != value and value not in ("", [], None)
    ]
    return ", ".join(parts) or ", ".join(f"{key}={_value(value)}" for key, value in before.items()) or "-"


def _value(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
