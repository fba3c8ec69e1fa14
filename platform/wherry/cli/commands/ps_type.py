"""How large processes are."""

from __future__ import annotations

from typing import Any

import click

from wherry.cli import show
from wherry.cli.common import amount, app_option, client, json_option, scalable
from wherry.cli.errors import Usage
from wherry.domain.formation import SIZES, parse_size


@click.command("ps:type")
@click.argument("changes", nargs=-1, metavar="[SIZE | TYPE=SIZE...]")
@app_option
@json_option
def resize(app: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Show how large processes are, or change it: SIZE for every type, or web=standard worker=large."""
    api = client()
    formation: list[dict[str, Any]] = scalable(api, app)
    wanted = [parse_size(change) for change in changes]
    if len(wanted) > 1 and any(not kind for kind, _ in wanted):
        raise Usage("one SIZE for every type, or TYPE=SIZE for some; not both")
    if wanted:
        updates = [{"type": kind, "size": size} for kind, size in wanted if kind]
        updates = updates or [{"type": each["type"], "size": wanted[0][1]} for each in formation]
        with show.action(f"Resizing processes on {app}"):
            api.patch("apps", app, "formation", body={"updates": updates})
        formation = scalable(api, app)
    if as_json:
        show.data(formation)
        return
    if not formation:
        show.talk(f"{app} has no processes yet. To make some: git push wherry main")
        return
    show.title("Process Types")
    show.table([_row(each) for each in formation], head=("Type", "Size", "Memory", "Cores", "Qty"))


def _row(each: dict[str, Any]) -> tuple[object, ...]:
    size = SIZES.get(each["size"])
    memory, cores = (f"{size.memory} MiB", f"{size.cpu / 1000:g}") if size else ("?", "?")
    return each["type"], each["size"], memory, cores, amount(each)
